package io.txn.coordinator.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.rm.Branch;
import io.txn.client.rm.BranchRegistration;
import io.txn.client.rm.BranchResource;
import io.txn.client.rm.BranchResult;
import io.txn.protocol.BranchId;
import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import io.txn.test.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Applications go on working while the coordinator is told to stop and started again on its port and data: it costs them a delay, and no error. */
class RollingRestartIT {

    private static final Duration LONG = Duration.ofMinutes(3);
    /** So that the end of the stop comes from what is done, however slow the machine. */
    private static final String PATIENT = "--txn.coordinator.shutdown-timeout=2m";

    private static final int THREADS = 6;
    private static final int RESTARTS = 2;

    @TempDir
    Path directory;

    private final Set<Long> committed = ConcurrentHashMap.newKeySet();
    private final Set<Long> finished = ConcurrentHashMap.newKeySet();
    private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final AtomicInteger done = new AtomicInteger();
    private final AtomicLong longestMillis = new AtomicLong();
    private volatile boolean over;

    @Test
    void aRestartUnderLoadFailsNobodyAndForgetsNothing() throws Exception {
        CoordinatorProcess coordinator =
                CoordinatorProcess.start(directory, PATIENT).awaitReady();
        TxnClientOptions options =
                TxnClientOptions.of("shop").withConnectWait(LONG).withDecisionWait(LONG);
        List<CompletableFuture<Void>> load = new ArrayList<>();
        try (TxnClient client =
                TxnClient.start(options, AddressListLocator.of(List.of("127.0.0.1:" + coordinator.tcpPort())))) {
            client.resources().register(new Purchases());
            for (int i = 0; i < THREADS; i++) {
                int thread = i;
                load.add(CompletableFuture.runAsync(() -> buyOn(client, thread), task -> new Thread(task).start()));
            }
            awaitMore(100);
            for (int i = 0; i < RESTARTS; i++) {
                assertThat(coordinator.process().term(LONG)).isTrue();
                assertThat(coordinator.process().output()).contains("nothing is under way any more");
                coordinator = coordinator.again(PATIENT).awaitReady();
                awaitMore(100);
            }
            over = true;
            for (CompletableFuture<Void> each : load) {
                each.get(3, TimeUnit.MINUTES);
            }
            Await.until("every branch is committed", LONG, () -> finished.containsAll(committed));
        } finally {
            over = true;
            coordinator.close();
        }
        assertThat(failures).isEmpty();
        System.out.println("purchases " + done.get() + ", failed " + failures.size() + ", restarts " + RESTARTS
                + ", longest " + longestMillis.get() + " ms");
    }

    private void awaitMore(int purchases) {
        int goal = done.get() + purchases;
        Await.until("purchases go on", LONG, () -> done.get() >= goal || !failures.isEmpty());
    }

    private void buyOn(TxnClient client, int thread) {
        for (int i = 0; !over && failures.isEmpty(); i++) {
            long start = System.nanoTime();
            String row = "stock:" + thread + "_" + i;
            try {
                BranchId branch = client.transactions()
                        .execute(GlobalTransactionOptions.named("purchase"), () -> buy(client, row));
                committed.add(branch.value());
                done.incrementAndGet();
            } catch (Throwable e) {
                failures.add(e);
            }
            longestMillis.accumulateAndGet(
                    Duration.ofNanos(System.nanoTime() - start).toMillis(), Math::max);
        }
    }

    private static BranchId buy(TxnClient client, String row) {
        Xid xid = client.contexts().current().xid();
        BranchId branch = client.resources()
                .registerBranch(new BranchRegistration(xid, BranchType.AT, "jdbc:stock", row, null, null));
        client.resources().phaseOneEnded(branch);
        return branch;
    }

    private final class Purchases implements BranchResource {

        @Override
        public String resourceId() {
            return "jdbc:stock";
        }

        @Override
        public BranchType branchType() {
            return BranchType.AT;
        }

        @Override
        public BranchResult commit(Branch branch) {
            finished.add(branch.id().value());
            return BranchResult.committed();
        }

        @Override
        public BranchResult rollback(Branch branch) {
            failures.add(new AssertionError("rolled back " + branch));
            return BranchResult.rolledBack();
        }
    }
}
