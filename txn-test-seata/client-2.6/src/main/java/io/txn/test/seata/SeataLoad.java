package io.txn.test.seata;

import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.seata.core.exception.TransactionException;
import org.apache.seata.core.exception.TransactionExceptionCode;
import org.apache.seata.core.model.BranchStatus;
import org.apache.seata.core.model.BranchType;
import org.apache.seata.core.model.GlobalStatus;
import org.apache.seata.core.model.Resource;
import org.apache.seata.core.model.TransactionManager;
import org.apache.seata.core.rpc.netty.RmNettyRemotingClient;
import org.apache.seata.rm.AbstractResourceManager;
import org.apache.seata.rm.DefaultResourceManager;
import org.apache.seata.tm.TransactionManagerHolder;

/**
 * Global transactions with AT branches and nothing behind them: begin, register branches of one row each, commit. All of it goes the way of Seata's
 * client; only the database is left out. It takes the place of the AT resource manager of this process, so a process is used either for this
 * or for data sources. Thread-safe; one run at a time.
 */
final class SeataLoad extends AbstractResourceManager {

    private static final String RESOURCE = "jdbc:load";
    private static final int TIMEOUT_MILLIS = 60_000;

    /** As Seata's data sources ask again for a row that is locked. */
    private static final int LOCK_RETRIES = 30;

    private static final int LOCK_RETRY_MILLIS = 10;

    private final String application;
    private final String group;
    private final AtomicLong rows = new AtomicLong();
    private final AtomicLong branchesCommitted = new AtomicLong();
    private final AtomicLong rolledBack = new AtomicLong();

    private SeataLoad(String application, String group) {
        this.application = application;
        this.group = group;
    }

    /** Registers the resource at the coordinator and takes over the AT branches of this process. */
    static SeataLoad start(String application, String group) {
        SeataLoad load = new SeataLoad(application, group);
        DefaultResourceManager.get();
        DefaultResourceManager.mockResourceManager(BranchType.AT, load);
        RmNettyRemotingClient.getInstance().registerResource(group, RESOURCE);
        return load;
    }

    /**
     * Runs until the time or the number is reached, then waits until every branch was told to commit.
     *
     * @param hotRows 0: every row is used once; otherwise rows are drawn from so many
     * @param most transactions at most
     * @param settleMillis how long the branches of the last transactions may take
     * @return figures, {@code name=value} with blanks between; with a text in place of the figures when a call failed
     */
    synchronized String run(int threads, int branches, int hotRows, long millis, long most, long settleMillis)
            throws InterruptedException {
        branchesCommitted.set(0);
        rolledBack.set(0);
        AtomicLong tickets = new AtomicLong();
        AtomicReference<Exception> failure = new AtomicReference<>();
        long[][] latencies = new long[threads][];
        CountDownLatch ended = new CountDownLatch(threads);
        long start = System.nanoTime();
        long end = start + millis * 1_000_000;
        for (int i = 0; i < threads; i++) {
            int thread = i;
            new Thread(
                            () -> {
                                try {
                                    latencies[thread] = work(branches, hotRows, end, most, tickets, failure);
                                } finally {
                                    ended.countDown();
                                }
                            },
                            "load-" + i)
                    .start();
        }
        ended.await();
        long worked = System.nanoTime() - start;
        if (failure.get() != null) {
            throw new IllegalStateException("a transaction failed", failure.get());
        }
        long[] all =
                Arrays.stream(latencies).flatMapToLong(Arrays::stream).sorted().toArray();
        long expected = (long) all.length * branches;
        long settleEnd = System.nanoTime() + settleMillis * 1_000_000;
        while (branchesCommitted.get() < expected && System.nanoTime() - settleEnd < 0) {
            Thread.sleep(20);
        }
        return "transactions=" + all.length + " nanos=" + worked + " branches=" + expected + " branchesCommitted="
                + branchesCommitted.get() + " p50=" + percentile(all, 0.5) + " p99=" + percentile(all, 0.99) + " p999="
                + percentile(all, 0.999) + " rolledBack=" + rolledBack.get();
    }

    private static long percentile(long[] sorted, double share) {
        return sorted.length == 0 ? 0 : sorted[(int) Math.min(sorted.length - 1L, (long) (sorted.length * share))];
    }

    private long[] work(
            int branches, int hotRows, long end, long most, AtomicLong tickets, AtomicReference<Exception> failure) {
        long[] latencies = new long[1024];
        int count = 0;
        try {
            while (failure.get() == null && System.nanoTime() - end < 0 && tickets.incrementAndGet() <= most) {
                long began = System.nanoTime();
                if (!transaction(branches, hotRows)) {
                    rolledBack.incrementAndGet();
                    continue;
                }
                if (count == latencies.length) {
                    latencies = Arrays.copyOf(latencies, 2 * count);
                }
                latencies[count++] = System.nanoTime() - began;
            }
        } catch (Exception e) {
            failure.compareAndSet(null, e);
        }
        return Arrays.copyOf(latencies, count);
    }

    /** Returns whether it was committed; else it was given up because of a lock. */
    private boolean transaction(int branches, int hotRows) throws Exception {
        TransactionManager manager = TransactionManagerHolder.get();
        String xid = manager.begin(application, group, "load", TIMEOUT_MILLIS);
        // Neighbouring rows in ascending order, so that two transactions never wait for each other in a circle.
        int first = hotRows == 0 ? 0 : ThreadLocalRandom.current().nextInt(hotRows - branches + 1);
        for (int i = 0; i < branches; i++) {
            if (!register(xid, hotRows == 0 ? "stock:" + rows.incrementAndGet() : "stock:hot-" + (first + i))) {
                GlobalStatus status = manager.rollback(xid);
                if (status != GlobalStatus.Rollbacked) {
                    throw new IllegalStateException(xid + " is " + status);
                }
                return false;
            }
        }
        GlobalStatus status = manager.commit(xid);
        if (status != GlobalStatus.Committed) {
            throw new IllegalStateException(xid + " is " + status);
        }
        return true;
    }

    private boolean register(String xid, String row) throws Exception {
        for (int retries = LOCK_RETRIES; ; retries--) {
            try {
                branchRegister(BranchType.AT, RESOURCE, null, xid, null, row);
                return true;
            } catch (TransactionException e) {
                boolean locked = e.getCode() == TransactionExceptionCode.LockKeyConflict
                        || e.getCode() == TransactionExceptionCode.LockKeyConflictFailFast;
                if (!locked) {
                    throw e;
                } else if (retries == 0) {
                    return false;
                }
                Thread.sleep(LOCK_RETRY_MILLIS);
            }
        }
    }

    @Override
    public BranchStatus branchCommit(
            BranchType type, String xid, long branchId, String resourceId, String applicationData) {
        branchesCommitted.incrementAndGet();
        return BranchStatus.PhaseTwo_Committed;
    }

    @Override
    public BranchStatus branchRollback(
            BranchType type, String xid, long branchId, String resourceId, String applicationData) {
        return BranchStatus.PhaseTwo_Rollbacked;
    }

    @Override
    public Map<String, Resource> getManagedResources() {
        return Collections.singletonMap(RESOURCE, new Resource() {
            @Override
            public String getResourceGroupId() {
                return group;
            }

            @Override
            public String getResourceId() {
                return RESOURCE;
            }

            @Override
            public BranchType getBranchType() {
                return BranchType.AT;
            }
        });
    }

    @Override
    public BranchType getBranchType() {
        return BranchType.AT;
    }
}
