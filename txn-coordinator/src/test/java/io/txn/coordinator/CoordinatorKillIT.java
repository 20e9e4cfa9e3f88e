package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.BranchType;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.test.Await;
import io.txn.test.JavaProcess;
import io.txn.test.Ports;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A coordinator killed under load, again and again, at random moments. Afterwards every answered decision was carried through, no branch was
 * called with both decisions, everything undecided was rolled back at its deadline, and no lock is left.
 */
@Timeout(600)
class CoordinatorKillIT {

    private static final int CLIENTS = 4;
    private static final int TIMEOUT_MILLIS = 3_000;
    private static final String DB = "jdbc:simulated:db";

    @TempDir
    Path directory;

    /** What the resource managers did, by branch. */
    private final Map<Long, String> done = new ConcurrentHashMap<>();

    private final Queue<String> broken = new ConcurrentLinkedQueue<>();

    /** What initiators were told: XID to decision; and the branches they had registered. */
    private final Map<String, String> decided = new ConcurrentHashMap<>();

    private final Map<String, List<Long>> branches = new ConcurrentHashMap<>();
    private final AtomicBoolean running = new AtomicBoolean(true);

    @Test
    void killedUnderLoadItKeepsEveryPromise() throws Exception {
        long seed = Long.getLong("txn.test.seed", System.nanoTime());
        int kills = Boolean.getBoolean("txn.test.full") ? 60 : 5;
        System.out.println("CoordinatorKillIT seed " + seed);
        SplittableRandom random = new SplittableRandom(seed);
        int port = Ports.free();
        JavaProcess coordinator = start(port, 0);
        try {
            List<Thread> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                SplittableRandom own = random.split();
                Thread thread = new Thread(() -> work(port, own), "client-" + i);
                thread.start();
                clients.add(thread);
            }
            for (int i = 0; i < kills; i++) {
                LockSupport.parkNanos(random.nextInt(300, 1_500) * 1_000_000L);
                coordinator.kill9();
                assertThat(coordinator.waitFor(Duration.ofSeconds(20))).isTrue();
                coordinator = start(port, i + 1);
            }
            LockSupport.parkNanos(500_000_000L);
            running.set(false);
            for (Thread thread : clients) {
                thread.join(60_000);
            }
            check(port);
        } finally {
            running.set(false);
            coordinator.close();
        }
    }

    private JavaProcess start(int port, int life) {
        JavaProcess coordinator = JavaProcess.mainClass(CoordinatorProcess.class)
                .args(directory.resolve("data").toString(), Integer.toString(port))
                .start(directory.resolve("coordinator-" + life + ".log"));
        coordinator.awaitLine("serving", Duration.ofSeconds(60));
        return coordinator;
    }

    private void check(int port) throws Exception {
        assertThat(broken).isEmpty();
        assertThat(decided).hasSizeGreaterThan(50);
        try (HandDrivenClient client = connect(port)) {
            // Everything undecided meets its deadline, everything decided is carried through.
            Await.until("every transaction has ended", Duration.ofSeconds(60), () -> {
                for (String xid : branches.keySet()) {
                    if (client.status(xid) != GlobalStatus.FINISHED) {
                        return false;
                    }
                }
                return true;
            });
            decided.forEach((xid, decision) -> {
                for (long branch : branches.get(xid)) {
                    assertThat(done.get(branch))
                            .as("branch %s of %s", branch, xid)
                            .isEqualTo(decision);
                }
            });
            branches.forEach((xid, registered) -> {
                List<String> outcomes =
                        registered.stream().map(done::get).distinct().toList();
                assertThat(outcomes.size())
                        .as("outcomes %s of %s", outcomes, xid)
                        .isLessThanOrEqualTo(1);
            });
            for (int row = 0; row < 40; row++) {
                assertThat(client.ask(
                                        new Message.GlobalLockQueryRequest(null, BranchType.AT, DB, "t:" + row, null),
                                        Message.GlobalLockQueryResponse.class)
                                .lockable())
                        .as("row %s", row)
                        .isTrue();
            }
        }
        assertThat(broken).isEmpty();
    }

    private HandDrivenClient connect(int port) throws Exception {
        HandDrivenClient client = new HandDrivenClient(port);
        client.answerWith(this::answer); // before it is registered: from then on calls may come
        client.registerTm("shop", "2.6.0");
        client.registerRm("shop", "2.6.0", DB, "svc");
        return client;
    }

    /** A fenced resource manager: remembers what it did, and objects to the opposite. */
    private Message.Response answer(Message call) {
        boolean commit = call instanceof Message.BranchCommitRequest;
        long branch = commit
                ? ((Message.BranchCommitRequest) call).branchId()
                : ((Message.BranchRollbackRequest) call).branchId();
        String decision = commit ? "commit" : "rollback";
        String before = done.putIfAbsent(branch, decision);
        if (before != null && !before.equals(decision)) {
            broken.add("branch " + branch + " was called to " + before + " and to " + decision);
        }
        return HandDrivenClient.answer(
                call, commit ? BranchStatus.PHASE_TWO_COMMITTED : BranchStatus.PHASE_TWO_ROLLED_BACK);
    }

    private void work(int port, SplittableRandom random) {
        while (running.get()) {
            try (HandDrivenClient client = connect(port)) {
                while (running.get() && client.connection().isOpen()) {
                    transaction(client, random);
                }
            } catch (Exception e) {
                LockSupport.parkNanos(20_000_000L); // the coordinator is down, or died meanwhile
            }
        }
    }

    private void transaction(HandDrivenClient client, SplittableRandom random) {
        String xid = client.begin(TIMEOUT_MILLIS);
        List<Long> registered = new ArrayList<>();
        branches.put(xid, registered);
        for (int i = random.nextInt(3); i >= 0; i--) {
            boolean at = random.nextInt(4) > 0;
            var response = at
                    ? client.tryRegister(xid, BranchType.AT, DB, "t:" + random.nextInt(40), null)
                    : client.tryRegister(xid, BranchType.TCC, "svc", null, "{}");
            if (response.outcome().succeeded()) {
                registered.add(response.branchId());
            }
        }
        switch (random.nextInt(8)) {
            case 0 -> {} // forgets to decide
            case 1, 2 -> learn(xid, "rollback", client.rollback(xid));
            default -> learn(xid, "commit", client.commit(xid));
        }
    }

    private void learn(String xid, String asked, GlobalStatus status) {
        switch (status) {
            case COMMITTED, COMMIT_RETRYING, COMMITTING -> expect(xid, asked, "commit");
            case ROLLED_BACK, ROLLBACK_RETRYING, ROLLING_BACK -> expect(xid, asked, "rollback");
            case TIMEOUT_ROLLING_BACK -> decided.put(xid, "rollback");
            default -> broken.add(xid + " answered " + status + " to " + asked);
        }
    }

    private void expect(String xid, String asked, String told) {
        if (!asked.equals(told)) {
            broken.add(xid + " was asked to " + asked + " and said " + told);
        }
        decided.put(xid, told);
    }
}
