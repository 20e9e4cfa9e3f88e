package io.txn.spring.autoconfigure;

import io.txn.client.TxnClient;
import io.txn.protocol.ErrorCode;
import io.txn.spring.doctor.Diagnosis;
import io.txn.spring.doctor.Doctor;
import io.txn.spring.doctor.Finding;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.BeanCreationException;
import org.springframework.beans.factory.BeanCreationNotAllowedException;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationContextAware;
import org.springframework.context.ApplicationListener;

/** Tells once, when the application runs, what the doctor found: on a thread of its own that ends with that, or with the application. */
final class DoctorReport
        implements ApplicationListener<ApplicationReadyEvent>, ApplicationContextAware, DisposableBean {

    private static final Logger log = LoggerFactory.getLogger(Doctor.class);

    /** Where a start does not wait for a coordinator, the first tries to connect are given this long. */
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private static final Duration END = Duration.ofSeconds(2);

    private final Supplier<Doctor> doctor;
    private final TxnClient client;
    private final List<String> accepted;
    private @Nullable ApplicationContext own;
    private @Nullable Thread looking;

    /** From here on the thread is not interrupted: that would close the files of a database within this process. */
    private boolean examining;

    private volatile boolean ended;

    DoctorReport(Supplier<Doctor> doctor, TxnClient client, DoctorProperties properties) {
        this.doctor = doctor;
        this.client = client;
        this.accepted = properties.accepted();
    }

    @Override
    public void setApplicationContext(ApplicationContext context) {
        own = context;
    }

    @Override
    public synchronized void onApplicationEvent(ApplicationReadyEvent ready) {
        // Those of child contexts come by here, too.
        if (ready.getApplicationContext() == own && looking == null) {
            Thread thread = new Thread(this::tell, "txn-doctor");
            thread.setDaemon(true);
            looking = thread;
            thread.start();
        }
    }

    private void tell() {
        client.awaitConnected(PATIENCE);
        synchronized (this) {
            if (ended) {
                return;
            }
            examining = true;
        }
        Diagnosis diagnosis;
        try {
            diagnosis = doctor.get().examine();
        } catch (BeanCreationException e) {
            if (e.contains(BeanCreationNotAllowedException.class)) {
                return; // the context ends, and what examines is made only when somebody wants it
            }
            throw e;
        }
        if (ended) {
            return;
        }
        List<Finding> all = diagnosis.problems();
        Set<String> quiet = new HashSet<>(accepted);
        // Told with a line of their own when the data source was made.
        quiet.addAll(List.of(ErrorCode.CATALOG_HIDDEN.id(), ErrorCode.H2_NOT_DURABLE.id()));
        List<Finding> problems = diagnosis.problems(quiet);
        String verdict = all.isEmpty() ? "all is well" : all.size() == 1 ? "one problem" : all.size() + " problems";
        log.info("Global transactions: {}.{}{}", verdict, System.lineSeparator(), diagnosis.screen());
        problems.forEach(problem -> log.warn("{}", Diagnosis.line(problem)));
    }

    @Override
    public void destroy() throws InterruptedException {
        Thread thread;
        synchronized (this) {
            ended = true;
            thread = looking;
            if (thread != null && !examining) {
                thread.interrupt();
            }
        }
        if (thread != null) {
            thread.join(END.toMillis());
        }
    }
}
