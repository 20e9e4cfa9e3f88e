package io.txn.spring.autoconfigure;

import io.txn.client.jdbc.AtDataSource;
import io.txn.client.jdbc.XaReconciler;
import io.txn.protocol.TxnException;
import io.txn.spring.doctor.SeenDataSource;
import io.txn.spring.doctor.SeenDataSources;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.context.SmartLifecycle;

/**
 * The data sources of this application, by name: those that AT mode wraps, and what became of the others. Checks or creates the undo tables once all beans are
 * made, so that migration tools find the schema as they expect it: on threads of its own, beside what the context still has to do, and before web server, listeners and schedulers bring
 * work. Destroyed before the pools beneath.
 */
final class AtDataSources implements SeenDataSources, SmartInitializingSingleton, SmartLifecycle, DisposableBean {

    /** Who has many databases need not ask all of them at once. */
    private static final int MOST_AT_ONCE = 4;

    /** An undo table that nobody can be asked about any more does not hold up the end. */
    private static final Duration END = Duration.ofSeconds(10);

    /** Before those of web servers, listeners and schedulers, which are among the last. */
    private static final int PHASE = Integer.MIN_VALUE / 2;

    private static final Logger log = LoggerFactory.getLogger(AtDataSources.class);

    private final Map<String, AtDataSource> wrapped = new ConcurrentSkipListMap<>();
    private final XaReconciler reconciler;
    private final Map<String, SeenDataSource> seen = new ConcurrentSkipListMap<>();

    /** What can say which pools came later and are not covered; and how what was exchanged is put back. */
    private final List<Supplier<List<SeenDataSource>>> looks = new CopyOnWriteArrayList<>();

    private final List<Runnable> restorations = new CopyOnWriteArrayList<>();

    private volatile List<CompletableFuture<Void>> preparations = List.of();
    private volatile boolean running;

    /** @param reconciler looks after what their databases prepare, once they are prepared for work */
    AtDataSources(XaReconciler reconciler) {
        this.reconciler = reconciler;
    }

    void addLook(Supplier<List<SeenDataSource>> uncovered, Runnable restore) {
        looks.add(uncovered);
        restorations.add(restore);
    }

    void add(String name, AtDataSource dataSource) {
        wrapped.put(name, dataSource);
        saw(new SeenDataSource(
                name,
                dataSource.physical().getClass().getName(),
                SeenDataSource.Fate.WRAPPED,
                "takes part in global transactions",
                dataSource.resourceId()));
    }

    void saw(SeenDataSource dataSource) {
        seen.put(dataSource.name(), dataSource);
    }

    /** Those that take part. */
    Map<String, AtDataSource> wrapped() {
        return Map.copyOf(wrapped);
    }

    List<String> names() {
        return List.copyOf(wrapped.keySet());
    }

    @Override
    public List<SeenDataSource> seen() {
        Map<String, SeenDataSource> now = new TreeMap<>(seen);
        looks.forEach(look -> look.get().forEach(source -> now.put(source.name(), source)));
        return List.copyOf(now.values());
    }

    @Override
    public void afterSingletonsInstantiated() {
        if (wrapped.isEmpty()) {
            return;
        }
        ExecutorService threads = Executors.newFixedThreadPool(Math.min(wrapped.size(), MOST_AT_ONCE), task -> {
            Thread thread = new Thread(task, "txn-undo-tables");
            thread.setDaemon(true);
            return thread;
        });
        preparations = wrapped.values().stream()
                .map(source -> CompletableFuture.runAsync(source::prepare, threads))
                .toList();
        threads.shutdown();
    }

    /**
     * Waits for what {@link #afterSingletonsInstantiated} began.
     *
     * @throws TxnException as {@link AtDataSource#prepare()}
     */
    @Override
    public void start() {
        for (CompletableFuture<Void> preparation : preparations) {
            try {
                preparation.join();
            } catch (CompletionException e) {
                if (e.getCause() instanceof RuntimeException failure) {
                    throw failure;
                }
                throw e;
            }
        }
        wrapped.values().forEach(reconciler::add);
        running = true;
    }

    @Override
    public void stop() {
        running = false;
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    /** After the client, which waits for its coordinator meanwhile. */
    @Override
    public int getPhase() {
        return PHASE;
    }

    @Override
    public void destroy() {
        awaitPreparations();
        reconciler.close();
        restorations.forEach(Runnable::run);
        wrapped.values().forEach(AtDataSource::close);
    }

    /** A start that failed elsewhere: the pools are about to be closed. */
    private void awaitPreparations() {
        try {
            CompletableFuture.allOf(preparations.toArray(CompletableFuture[]::new))
                    .get(END.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            log.debug("undo tables were not prepared", e);
        }
    }
}
