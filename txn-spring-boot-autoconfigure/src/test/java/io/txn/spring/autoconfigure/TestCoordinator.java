package io.txn.spring.autoconfigure;

import io.txn.coordinator.Coordinator;
import io.txn.coordinator.CoordinatorOptions;
import io.txn.coordinator.CoordinatorStatistics;
import io.txn.coordinator.OperatorCommand;
import io.txn.coordinator.OperatorResult;
import io.txn.coordinator.TransactionDetail;
import io.txn.coordinator.TransactionQuery;
import io.txn.coordinator.TransactionSummary;
import io.txn.protocol.Xid;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/** The real coordinator in this process, on a free port and a directory of its own, with short delays. */
public final class TestCoordinator implements AutoCloseable {

    private final Coordinator coordinator;

    private TestCoordinator(Coordinator coordinator) {
        this.coordinator = coordinator;
    }

    public static TestCoordinator start(Path dataDir) {
        return start(dataDir, 0);
    }

    public static TestCoordinator start(Path dataDir, int port) {
        return start(dataDir, port, options -> options);
    }

    public static TestCoordinator start(Path dataDir, int port, UnaryOperator<CoordinatorOptions> more) {
        CoordinatorOptions.Retry retry = new CoordinatorOptions.Retry(
                Duration.ofSeconds(5), Duration.ofSeconds(5), Duration.ofMillis(50), Duration.ofMillis(200), 0);
        return new TestCoordinator(Coordinator.start(more.apply(CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", port)
                .withDataDir(dataDir)
                .withRetry(retry)
                .withRestartGrace(Duration.ofMillis(100)))));
    }

    public int port() {
        return coordinator.tcpPort();
    }

    public String address() {
        return "127.0.0.1:" + port();
    }

    /** The property that leads an application here. */
    public String property() {
        return "txn.coordinator.address=" + address();
    }

    public List<TransactionSummary> transactions() {
        return get(coordinator.transactions(TransactionQuery.all(1000))).transactions();
    }

    /** The one transaction of this name. */
    public TransactionSummary transaction(String name) {
        List<TransactionSummary> found = transactions().stream()
                .filter(summary -> summary.name().equals(name))
                .toList();
        if (found.size() != 1) {
            throw new AssertionError(found.size() + " transactions are named " + name + ": " + transactions());
        }
        return found.get(0);
    }

    public CoordinatorStatistics statistics() {
        return coordinator.statistics();
    }

    public TransactionDetail detail(Xid xid) {
        return get(coordinator.transaction(xid)).orElseThrow();
    }

    /** Has an open transaction rolled back, as an operator would. */
    public void rollBack(Xid xid) {
        OperatorResult result = get(coordinator.operate(
                new OperatorCommand.Force(xid, OperatorCommand.Force.Status.ROLLED_BACK, "its application is gone")));
        if (!(result instanceof OperatorResult.Accepted)) {
            throw new AssertionError(result);
        }
    }

    /** Begins nothing any more; whether everything else came to its end in time. */
    public boolean drain(Duration most) {
        return coordinator.drain(most);
    }

    private static <T> T get(java.util.concurrent.CompletableFuture<T> future) {
        try {
            return future.get(20, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        coordinator.close();
    }
}
