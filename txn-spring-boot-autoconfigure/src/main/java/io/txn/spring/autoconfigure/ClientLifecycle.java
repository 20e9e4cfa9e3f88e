package io.txn.spring.autoconfigure;

import io.txn.client.TxnClient;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.event.ApplicationStartedEvent;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationContextAware;
import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.SmartLifecycle;
import org.springframework.core.Ordered;

/**
 * When a coordinator has to be there: in the first phase of a context whose beans are made, so a start that has none fails before web server, listeners and schedulers bring work.
 * When the client connects, unless somebody needs it earlier: behind the start of an application, which has better use for the processors until then.
 * And when it ends: in the last phase of a stopping context. Web server, listeners and schedulers have let their work end in earlier phases, so
 * nobody begins global transactions any more; data sources are closed later, when beans are destroyed, so branches can still be finished.
 */
final class ClientLifecycle
        implements SmartLifecycle, ApplicationListener<ApplicationStartedEvent>, ApplicationContextAware, Ordered {

    /** What {@code SpringApplication} leaves in the contexts that it starts, and to which it tells that they have started. */
    private static final String ARGUMENTS = "springApplicationArguments";

    private final TxnClient client;
    private @Nullable ApplicationContext own;
    private volatile boolean running;

    ClientLifecycle(TxnClient client) {
        this.client = client;
    }

    @Override
    public void setApplicationContext(ApplicationContext context) {
        own = context;
    }

    /** Whether a coordinator takes this application is asked since the client was made. */
    @Override
    public void start() {
        client.awaitStarted();
        if (!isStartedByApplication()) {
            client.connect();
        }
        running = true;
    }

    private boolean isStartedByApplication() {
        return own instanceof ConfigurableApplicationContext context
                && context.getBeanFactory().containsSingleton(ARGUMENTS);
    }

    @Override
    public void onApplicationEvent(ApplicationStartedEvent started) {
        // Those of child contexts come by here, too.
        if (started.getApplicationContext() == own) {
            client.connect();
        }
    }

    /** Among those who are told of the start: before listeners that take long, and behind those that insist on being the first. */
    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE + 10;
    }

    @Override
    public void stop() {
        client.close();
        running = false;
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    @Override
    public int getPhase() {
        return Integer.MIN_VALUE;
    }

    /** From Spring 7 on a context can be paused and go on later; a closed client cannot, so it is left alone. */
    public boolean isPauseable() {
        return false;
    }
}
