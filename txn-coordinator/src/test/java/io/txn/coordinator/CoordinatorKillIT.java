package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.BranchType;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.RequestId;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.test.Await;
import io.txn.test.JavaProcess;
import io.txn.test.Ports;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * A coordinator under load that is killed, stopped and continued, or whose clock jumps, again and again, at random moments. Afterwards every answered
 * decision was carried through, no branch was called with both decisions, everything undecided was rolled back at its deadline, and no lock is left. Another
 * run: {@code -Dtxn.test.seed=<seed>}; a longer one: {@code -Dtxn.test.full=true}, and
 * {@code -Dtxn.test.rounds=<n>} says how long.
 */
@Timeout(1_800)
class CoordinatorKillIT {

    private static final boolean FULL = Boolean.getBoolean("txn.test.full");
    private static final int CLIENTS = 4;
    private static final int TIMEOUT_MILLIS = 3_000;
    private static final String DB = "jdbc:simulated:db";

    @TempDir
    Path directory;

    private final long seed = Long.getLong("txn.test.seed", System.nanoTime());
    private final SplittableRandom random = new SplittableRandom(seed);
    private final int port = Ports.free();
    private final List<Thread> clients = new ArrayList<>();
    private JavaProcess coordinator;
    private MappedByteBuffer clock;
    private int life;

    /** What the resource managers did, by branch. */
    private final Map<Long, String> done = new ConcurrentHashMap<>();

    /** For which branches of a transaction they were called. */
    private final Map<String, Set<Long>> called = new ConcurrentHashMap<>();

    private final Queue<String> broken = new ConcurrentLinkedQueue<>();

    /** What initiators were told: XID to decision; and the branches they had registered. */
    private final Map<String, String> decided = new ConcurrentHashMap<>();

    private final Map<String, List<Long>> branches = new ConcurrentHashMap<>();
    private final AtomicBoolean running = new AtomicBoolean(true);

    @BeforeEach
    void startEverything(TestInfo test) throws IOException {
        System.out.println("CoordinatorKillIT " + test.getDisplayName() + " seed " + seed);
        clock = CoordinatorProcess.clock(directory.resolve("clock"));
        coordinator = start();
        for (int i = 0; i < CLIENTS; i++) {
            SplittableRandom own = random.split();
            Thread thread = new Thread(() -> work(own), "client-" + i);
            thread.start();
            clients.add(thread);
        }
    }

    @AfterEach
    void endEverything() {
        running.set(false);
        coordinator.close();
    }

    @Test
    void killedUnderLoadItKeepsEveryPromise() throws Exception {
        for (int i = rounds(4, 200); i > 0; i--) {
            pause(50, 1_200);
            kill();
        }
        check();
    }

    /** Killed before, while or after it answers: who asks again under the same id has one transaction and one branch, whatever it was told before. */
    @Test
    void aRequestThatIsRepeatedBehindAKillIsTheSameRequest() throws Exception {
        int answered = 0;
        for (int i = rounds(3, 60); i > 0; i--) {
            long beginId = RequestId.next(random);
            Message.Response begun = killedMeanwhile(new Message.GlobalBeginRequest(600_000, "purchase"), beginId);
            String xid;
            try (HandDrivenClient client = connectWithFeatures()) {
                xid = begin(client, beginId);
                assertThat(begin(client, beginId)).isEqualTo(xid);
            }
            if (begun instanceof Message.GlobalBeginResponse first) {
                assertThat(xid).isEqualTo(first.xid());
                answered++;
            }
            long registerId = RequestId.next(random);
            Message.Request register = new Message.BranchRegisterRequest(xid, BranchType.TCC, "svc", null, "{}");
            Message.Response registered = killedMeanwhile(register, registerId);
            try (HandDrivenClient client = connectWithFeatures()) {
                long branch = register(client, register, registerId);
                assertThat(register(client, register, registerId)).isEqualTo(branch);
                if (registered instanceof Message.BranchRegisterResponse first) {
                    assertThat(branch).isEqualTo(first.branchId());
                    answered++;
                }
                assertThat(client.rollback(xid)).isEqualTo(GlobalStatus.ROLLED_BACK);
                assertThat(called.get(xid)).containsExactly(branch);
            }
        }
        System.out.println("answered before the kill: " + answered);
        check();
    }

    /** The answer, if it was there before the coordinator was killed; else null. */
    private Message.Response killedMeanwhile(Message.Request request, long id) throws Exception {
        try (HandDrivenClient client = connectWithFeatures()) {
            CompletableFuture<Frame> answer = asked(client, request, id);
            if (random.nextBoolean()) {
                answer.get(20, TimeUnit.SECONDS);
            } else {
                LockSupport.parkNanos(random.nextInt(3_000_000));
            }
            kill();
            return answer.isDone() && !answer.isCompletedExceptionally()
                    ? (Message.Response) answer.join().body()
                    : null;
        }
    }

    private HandDrivenClient connectWithFeatures() throws Exception {
        HandDrivenClient client = new HandDrivenClient(port);
        client.answerWith(this::answer);
        client.connection()
                .request(
                        new Message.RegisterRmRequest("2.6.0", "shop", "default_tx_group", null, DB + ",svc"),
                        Feature.announced(),
                        HandDrivenClient.PATIENCE)
                .get(30, TimeUnit.SECONDS);
        return client;
    }

    private static String begin(HandDrivenClient client, long id) throws Exception {
        Frame answer = asked(client, new Message.GlobalBeginRequest(600_000, "purchase"), id)
                .get(30, TimeUnit.SECONDS);
        return ((Message.GlobalBeginResponse) answer.body()).xid();
    }

    private static long register(HandDrivenClient client, Message.Request request, long id) throws Exception {
        Frame answer = asked(client, request, id).get(30, TimeUnit.SECONDS);
        Message.BranchRegisterResponse response = (Message.BranchRegisterResponse) answer.body();
        assertThat(response.outcome().succeeded()).isTrue();
        return response.branchId();
    }

    private static CompletableFuture<Frame> asked(HandDrivenClient client, Message.Request request, long id) {
        Map<String, String> head = new HashMap<>();
        RequestId.write(id, head);
        return client.connection().request(request, head, HandDrivenClient.PATIENCE);
    }

    @Test
    void stoppedAndContinuedItKeepsEveryPromise() throws Exception {
        // Also for longer than its transactions may take, and longer than it waits for a branch.
        int[] stops = FULL ? random.ints(rounds(3, 40), 10, 6_000).toArray() : new int[] {200, 3_500, 50};
        for (int stop : stops) {
            pause(50, 800);
            stop(stop);
        }
        check();
    }

    @Test
    void aClockThatJumpsEndsWhatIsDueAndNothingElse() throws Exception {
        try (HandDrivenClient client = connect()) {
            int hour = 3_600_000;
            String patient = client.begin(10 * hour);
            for (int i = rounds(3, 40); i > 0; i--) {
                String late = client.begin(120_000);
                String inTime = client.begin(3_000_000);
                jump(-random.nextInt(5_000));
                assertThat(client.status(late)).as("after a jump back").isEqualTo(GlobalStatus.BEGIN);
                jump(5_000);
                assertThat(client.status(late)).as("after a small jump forward").isEqualTo(GlobalStatus.BEGIN);
                jump(300_000);
                awaitRolledBack(client, late);
                assertThat(client.status(inTime))
                        .as("after a jump that is not meant for it")
                        .isEqualTo(GlobalStatus.BEGIN);
                assertThat(client.rollback(inTime)).isEqualTo(GlobalStatus.ROLLED_BACK);
                pause(50, 500);
            }
            assertThat(client.status(patient)).isEqualTo(GlobalStatus.BEGIN);
            // Time never stands still, however far the clock went back; it may take twice as long.
            jump(-hour);
            awaitRolledBack(client, client.begin(2_000));
            assertThat(client.status(patient)).isEqualTo(GlobalStatus.BEGIN);
            jump(12 * hour);
            awaitRolledBack(client, patient);
        }
        check();
    }

    @Test
    @EnabledIfSystemProperty(named = "txn.test.full", matches = "true")
    void whateverHappensToItItKeepsEveryPromise() throws Exception {
        for (int i = rounds(0, 60); i > 0; i--) {
            pause(50, 1_000);
            switch (random.nextInt(4)) {
                case 0 -> stop(random.nextInt(10, 5_000));
                case 1 -> jump(random.nextInt(-10_000, 10_000));
                default -> kill();
            }
        }
        check();
    }

    private static int rounds(int few, int many) {
        return Integer.getInteger("txn.test.rounds", FULL ? many : few);
    }

    private void pause(int least, int most) {
        LockSupport.parkNanos(random.nextInt(least, most) * 1_000_000L);
    }

    private void kill() {
        coordinator.kill9();
        assertThat(coordinator.waitFor(Duration.ofSeconds(20))).isTrue();
        coordinator = start();
    }

    private void stop(int millis) {
        coordinator.pause();
        LockSupport.parkNanos(millis * 1_000_000L);
        coordinator.resume();
    }

    private void jump(int millis) {
        clock.putLong(0, clock.getLong(0) + millis);
    }

    private static void awaitRolledBack(HandDrivenClient client, String xid) {
        Await.until(
                "rolled back at its deadline: " + xid,
                Duration.ofSeconds(30),
                () -> client.status(xid) == GlobalStatus.FINISHED);
    }

    private JavaProcess start() {
        JavaProcess process = JavaProcess.mainClass(CoordinatorProcess.class)
                .args(
                        directory.resolve("data").toString(),
                        Integer.toString(port),
                        directory.resolve("clock").toString())
                .start(directory.resolve("coordinator-" + life++ + ".log"));
        process.awaitLine("serving", Duration.ofSeconds(60));
        return process;
    }

    private void check() throws Exception {
        pause(500, 501);
        running.set(false);
        for (Thread thread : clients) {
            thread.join(60_000);
            assertThat(thread.isAlive()).isFalse();
        }
        System.out.printf(
                "%d transactions, %d answered decisions, %d branches finished%n",
                branches.size(), decided.size(), done.size());
        assertThat(broken).isEmpty();
        assertThat(decided).isNotEmpty();
        try (HandDrivenClient client = connect()) {
            // Everything undecided meets its deadline, everything decided is carried through.
            Await.until("every transaction has ended", Duration.ofSeconds(120), () -> {
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

    private HandDrivenClient connect() throws Exception {
        HandDrivenClient client = new HandDrivenClient(port);
        client.answerWith(this::answer); // before it is registered: from then on calls may come
        try {
            client.registerTm("shop", "2.6.0");
            client.registerRm("shop", "2.6.0", DB, "svc");
        } catch (RuntimeException | AssertionError e) {
            client.close();
            throw e;
        }
        return client;
    }

    /** A fenced resource manager: remembers what it did, and objects to the opposite. */
    private Message.Response answer(Message call) {
        boolean commit = call instanceof Message.BranchCommitRequest;
        long branch = commit
                ? ((Message.BranchCommitRequest) call).branchId()
                : ((Message.BranchRollbackRequest) call).branchId();
        String decision = commit ? "commit" : "rollback";
        String xid = commit ? ((Message.BranchCommitRequest) call).xid() : ((Message.BranchRollbackRequest) call).xid();
        called.computeIfAbsent(xid, none -> ConcurrentHashMap.newKeySet()).add(branch);
        String before = done.putIfAbsent(branch, decision);
        if (before != null && !before.equals(decision)) {
            broken.add("branch " + branch + " was called to " + before + " and to " + decision);
        }
        return HandDrivenClient.answer(
                call, commit ? BranchStatus.PHASE_TWO_COMMITTED : BranchStatus.PHASE_TWO_ROLLED_BACK);
    }

    private void work(SplittableRandom own) {
        while (running.get()) {
            try (HandDrivenClient client = connect()) {
                while (running.get() && client.connection().isOpen()) {
                    transaction(client, own);
                }
            } catch (Exception | AssertionError e) {
                LockSupport.parkNanos(20_000_000L); // the coordinator is down, or died meanwhile
            }
        }
    }

    private void transaction(HandDrivenClient client, SplittableRandom own) {
        String xid = client.begin(TIMEOUT_MILLIS);
        List<Long> registered = new ArrayList<>();
        branches.put(xid, registered);
        for (int i = own.nextInt(3); i >= 0; i--) {
            boolean at = own.nextInt(4) > 0;
            var response = at
                    ? client.tryRegister(xid, BranchType.AT, DB, "t:" + own.nextInt(40), null)
                    : client.tryRegister(xid, BranchType.TCC, "svc", null, "{}");
            if (response.outcome().succeeded()) {
                registered.add(response.branchId());
            }
        }
        switch (own.nextInt(8)) {
            case 0 -> {} // forgets to decide
            case 1, 2 -> learn(xid, "rollback", client.rollback(xid));
            default -> learn(xid, "commit", client.commit(xid));
        }
    }

    /** What the answer promises. One that came with an error promises nothing. */
    private void learn(String xid, String asked, GlobalStatus status) {
        if (status == null) {
            return;
        }
        switch (status) {
            case COMMITTED, COMMIT_RETRYING, COMMITTING -> expect(xid, asked, "commit");
            case ROLLED_BACK, ROLLBACK_RETRYING, ROLLING_BACK -> expect(xid, asked, "rollback");
            // Its deadline was first.
            case TIMEOUT_ROLLING_BACK, TIMEOUT_ROLLBACK_RETRYING, TIMEOUT_ROLLED_BACK, FINISHED ->
                decided.put(xid, "rollback");
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
