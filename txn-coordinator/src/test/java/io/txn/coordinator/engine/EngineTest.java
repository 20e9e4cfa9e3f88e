package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.journal.FileJournal;
import io.txn.coordinator.journal.FileJournalOptions;
import io.txn.coordinator.lock.LockKeys;
import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.GlobalTransaction;
import io.txn.coordinator.machine.Outcome;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.Rules;
import io.txn.coordinator.machine.Shard;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.test.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The engine with its thread over a real file journal. */
@Timeout(60)
class EngineTest {

    private static final ClientId SHOP = new ClientId("shop", "10.0.0.1", 1);
    private static final Rules RULES = new Rules(10_000, 100, 0, 20, 200, 60_000);

    @TempDir
    Path directory;

    private final BlockingQueue<Effect.CallBranch> calls = new LinkedBlockingQueue<>();
    private volatile Function<Effect.CallBranch, Answer> resourceManager = call -> Answer.DONE;
    private HeldJournal journal;
    private Engine engine;

    private void start(EngineSettings settings) {
        journal = new HeldJournal(
                FileJournal.open(directory, FileJournalOptions.DEFAULTS.withSealAfter(Duration.ofMillis(20))));
        engine = Engine.start(
                RULES, settings, journal, InstantSource.system(), new SplittableRandom(1), new BranchCaller() {
                    @Override
                    public void call(Effect.CallBranch call, CallEnd end) {
                        calls.add(call);
                        Answer answer = resourceManager.apply(call);
                        if (answer != null) {
                            end.ended(answer, null);
                        }
                    }

                    @Override
                    public boolean canCall(Effect.CallBranch call) {
                        return true;
                    }
                });
    }

    private static EngineSettings settings() {
        return Settings.usual().build();
    }

    @AfterEach
    void stop() {
        if (journal != null) {
            journal.letGo();
            engine.close();
        }
    }

    private CompletableFuture<Reply> give(Command command) {
        CompletableFuture<Reply> reply = new CompletableFuture<>();
        engine.submit(command, reply::complete);
        return reply;
    }

    private Xid begin() throws Exception {
        Reply reply = give(new Command.Begin("c:1", "buy", SHOP, 60_000)).get(10, TimeUnit.SECONDS);
        return ((Reply.Begun) reply).xid();
    }

    private static Command register(Xid xid, BranchType type, String resource, String rows) {
        return new Command.RegisterBranch(
                xid, type, resource, SHOP, rows == null ? null : LockKeys.parse(rows, 100), false, null);
    }

    private TransactionState state(Xid xid) throws Exception {
        GlobalTransaction transaction =
                engine.read(shard -> shard.transaction(xid)).get(10, TimeUnit.SECONDS);
        return transaction == null ? null : transaction.state();
    }

    private void awaitState(Xid xid, TransactionState state) {
        Await.until(xid + " " + state, Duration.ofSeconds(20), () -> state(xid) == state);
    }

    /** Everything given so far has been decided, whether or not it is durable. */
    private void awaitDecided(long begun) {
        Await.until(
                "the engine took what it was given",
                Duration.ofSeconds(20),
                () -> engine.figures().begun() >= begun);
    }

    @Test
    void nothingLeavesBeforeItIsDurable() throws Exception {
        start(settings());
        Xid holder = begin();
        Xid other = begin();
        journal.hold();
        CompletableFuture<Reply> registered = give(register(holder, BranchType.AT, "db", "t:1"));
        CompletableFuture<Reply> conflict = give(register(other, BranchType.AT, "db", "t:1"));
        CompletableFuture<Reply> lockable = give(new Command.QueryLocks(null, "db", LockKeys.parse("t:1", 1)));
        CompletableFuture<Reply> query = give(new Command.QueryTransaction(holder));
        CompletableFuture<Reply> commit = give(new Command.Commit(holder));
        CompletableFuture<Integer> size = engine.read(Shard::size);
        CompletableFuture<Reply> begun = give(new Command.Begin("c:1", "buy", SHOP, 60_000));
        awaitDecided(3);
        List<CompletableFuture<?>> all = List.of(registered, conflict, lockable, query, commit, size, begun);
        assertThat(all).noneMatch(CompletableFuture::isDone);
        assertThat(calls).isEmpty();
        journal.letGo();
        CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0])).get(10, TimeUnit.SECONDS);
        assertThat(conflict.get()).isInstanceOf(Reply.LockConflict.class);
        assertThat(lockable.get()).isEqualTo(new Reply.Lockable(false));
        assertThat(calls.poll(10, TimeUnit.SECONDS).phase()).isEqualTo(Outcome.COMMIT);
    }

    @Test
    void aDiskThatHangsIsSeenAndDoesNotKeepTheProcessFromEnding() throws Exception {
        start(settings());
        begin();
        assertThat(engine.healthy()).isTrue();
        CountDownLatch mended = new CountDownLatch(1);
        journal.hang(mended);
        CompletableFuture<Reply> written = give(new Command.Begin("c:1", "buy", SHOP, 60_000));
        try {
            assertThat(journal.hung.await(20, TimeUnit.SECONDS)).isTrue();
            CompletableFuture<Reply> behind = give(new Command.Begin("c:1", "buy", SHOP, 60_000));
            assertThat(engine.healthy()).isFalse();
            CompletableFuture.runAsync(() -> engine.close(Duration.ofMillis(100)))
                    .get(20, TimeUnit.SECONDS);
            assertThat(behind.get(20, TimeUnit.SECONDS)).isEqualTo(Reply.Rejected.of(ErrorCode.COORDINATOR_STOPPING));
            assertThat(written).isNotDone();
        } finally {
            mended.countDown();
        }
        assertThat(written.get(20, TimeUnit.SECONDS)).isInstanceOf(Reply.Begun.class);
    }

    @Test
    void aFailedAppendFailsEverybodyWhoWaitsAndEndsTheService() throws Exception {
        start(settings());
        Xid xid = begin();
        journal.hold();
        CompletableFuture<Reply> commit = give(new Command.Commit(xid));
        CompletableFuture<Reply> query = give(new Command.QueryTransaction(xid));
        CompletableFuture<Reply> begun = give(new Command.Begin("c:1", "buy", SHOP, 60_000));
        awaitDecided(2);
        journal.breakDown();
        for (CompletableFuture<Reply> reply : List.of(commit, query, begun)) {
            assertThat(reply.get(10, TimeUnit.SECONDS))
                    .isInstanceOfSatisfying(
                            Reply.Rejected.class, r -> assertThat(r.code()).isEqualTo(ErrorCode.JOURNAL_FAILED));
        }
        Await.until("unhealthy", Duration.ofSeconds(10), () -> !engine.healthy());
        assertThat(give(new Command.QueryTransaction(xid)).get(10, TimeUnit.SECONDS))
                .isInstanceOf(Reply.Rejected.class);
        assertThat(engine.read(Shard::size)).failsWithin(Duration.ofSeconds(10));
        assertThat(calls).isEmpty();
    }

    @Test
    void aFullMailboxRefusesNewWorkAndStillTakesDecisions() throws Exception {
        start(Settings.usual().mailbox(10).unwritten(5).build());
        Xid xid = begin();
        journal.hold();
        List<CompletableFuture<Reply>> begins = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            begins.add(give(new Command.Begin("c:1", "buy", SHOP, 60_000)));
        }
        long refused = begins.stream()
                .filter(CompletableFuture::isDone)
                .filter(reply ->
                        reply.join() instanceof Reply.Rejected r && r.code() == ErrorCode.COORDINATOR_OVERLOADED)
                .count();
        assertThat(refused).isGreaterThanOrEqualTo(40 - 10 - 5);
        CompletableFuture<Reply> commit = give(new Command.Commit(xid));
        assertThat(commit).isNotDone();
        journal.letGo();
        assertThat(commit.get(10, TimeUnit.SECONDS)).isInstanceOf(Reply.Decided.class);
        begin();
    }

    @Test
    void aMailboxIsFullWhenItsBytesAre() throws Exception {
        start(Settings.usual()
                .mailbox(10_000)
                .mailboxBytes(16 << 20)
                .unwritten(1)
                .build());
        Xid xid = begin();
        journal.hold();
        CompletableFuture<Reply> blocking = give(new Command.Begin("c:1", "buy", SHOP, 60_000));
        awaitDecided(2);
        String data = "x".repeat(1_000_000); // at most two bytes each: four of them fill half of the mailbox
        List<CompletableFuture<Reply>> registered = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            registered.add(give(new Command.RegisterBranch(xid, BranchType.TCC, "svc", SHOP, null, false, data)));
        }
        assertThat(registered.stream().filter(reply -> !reply.isDone())).hasSize(4);
        assertThat(registered.get(4).get()).isInstanceOfSatisfying(Reply.Rejected.class, r -> assertThat(r.facts())
                .containsEntry("mailboxBytes", 8L << 20));
        CompletableFuture<Reply> commit = give(new Command.Commit(xid));
        assertThat(commit).isNotDone();
        journal.letGo();
        assertThat(blocking.get(10, TimeUnit.SECONDS)).isInstanceOf(Reply.Begun.class);
        assertThat(registered.get(3).get(10, TimeUnit.SECONDS)).isInstanceOf(Reply.Registered.class);
        assertThat(commit.get(10, TimeUnit.SECONDS)).isInstanceOf(Reply.Decided.class);
        // Whoever left has given back the room.
        Xid other = begin();
        assertThat(give(new Command.RegisterBranch(other, BranchType.TCC, "svc", SHOP, null, false, data))
                        .get(10, TimeUnit.SECONDS))
                .isInstanceOf(Reply.Registered.class);
    }

    @Test
    void questionsAndReportsLeaveRoomForDecisions() throws Exception {
        start(Settings.usual().mailbox(8).unwritten(1).build());
        Xid xid = begin();
        journal.hold();
        give(new Command.Begin("c:1", "buy", SHOP, 60_000));
        awaitDecided(2);
        for (int i = 0; i < 20; i++) {
            give(new Command.QueryTransaction(xid));
            engine.read(Shard::size);
        }
        assertThat(engine.figures().mailbox()).isEqualTo(4);
        for (int i = 0; i < 20; i++) {
            give(new Command.ReportBranch(xid, 1, false, null));
        }
        assertThat(engine.figures().mailbox()).isEqualTo(6);
        CompletableFuture<Reply> commit = give(new Command.Commit(xid));
        assertThat(engine.figures().mailbox()).isEqualTo(7);
        journal.letGo();
        assertThat(commit.get(10, TimeUnit.SECONDS)).isInstanceOf(Reply.Decided.class);
    }

    @Test
    void resourcesThatAreToldOfOverAndOverWaitOnce() throws Exception {
        start(settings());
        CountDownLatch blocked = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        engine.read(shard -> {
            blocked.countDown();
            try {
                return goOn.await(10, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        assertThat(blocked.await(10, TimeUnit.SECONDS)).isTrue();
        List<String> resources =
                IntStream.range(0, 1_000).mapToObj(i -> "db" + i).toList();
        for (int i = 0; i < 100; i++) {
            engine.resourcesAvailable(resources);
        }
        assertThat(engine.waitingPastTheMailbox()).isEqualTo(1_000);
        goOn.countDown();
        Await.until("taken", Duration.ofSeconds(10), () -> engine.waitingPastTheMailbox() == 0);
    }

    @Test
    void theStateComesBackFromSnapshotsAndRecords() throws Exception {
        EngineSettings often = Settings.usual().snapshotRecords(40).build();
        Shard.Capture before = null;
        for (int life = 0; life < 4; life++) {
            start(often);
            Shard.Capture found = engine.read(Shard::capture).get(10, TimeUnit.SECONDS);
            if (before != null) {
                assertThat(found).isEqualTo(before);
            }
            for (int i = 0; i < 60; i++) {
                Xid xid = begin();
                give(register(xid, BranchType.AT, "db", "t:" + life + "_" + i)).get(10, TimeUnit.SECONDS);
                if (i % 3 > 0) {
                    give(i % 3 == 1 ? new Command.Commit(xid) : new Command.Rollback(xid))
                            .get(10, TimeUnit.SECONDS);
                    awaitState(xid, i % 3 == 1 ? TransactionState.COMMITTED : TransactionState.ROLLED_BACK);
                }
            }
            Await.until(
                    "a snapshot",
                    Duration.ofSeconds(20),
                    () -> journal.statistics().snapshotIndex() > 0);
            before = engine.read(Shard::capture).get(10, TimeUnit.SECONDS);
            assertThat(engine.read(shard -> shard.locks().size()).get(10, TimeUnit.SECONDS))
                    .isEqualTo(20L * (life + 1));
            engine.close();
        }
    }

    @Test
    void aResourceManagerThatDoesNotAnswerHoldsUpNobodyElse() throws Exception {
        start(Settings.usual().callsInFlight(16).callTimeout(60_000).build());
        resourceManager =
                call -> call.phase() == Outcome.COMMIT && call.resource().equals("db") ? null : Answer.DONE;
        for (int i = 0; i < 50; i++) {
            Xid xid = begin();
            give(register(xid, BranchType.AT, "db", "t:" + i)).get(10, TimeUnit.SECONDS);
            give(new Command.Commit(xid)).get(10, TimeUnit.SECONDS);
        }
        Xid xid = begin();
        give(register(xid, BranchType.AT, "db", "t:x")).get(10, TimeUnit.SECONDS);
        Reply reply = give(new Command.Rollback(xid)).get(10, TimeUnit.SECONDS);
        assertThat(reply).isInstanceOfSatisfying(Reply.Decided.class, d -> assertThat(d.pass())
                .isEqualTo(Reply.Pass.DONE));
        // Of 16 calls a quarter may go to one resource, half of these for commits that nobody waits for.
        assertThat(calls.stream().filter(call -> call.phase() == Outcome.COMMIT))
                .hasSize(2);
        Xid other = begin();
        give(register(other, BranchType.AT, "other", "t:1")).get(10, TimeUnit.SECONDS);
        give(new Command.Commit(other)).get(10, TimeUnit.SECONDS);
        awaitState(other, TransactionState.COMMITTED);
    }

    @Test
    void anInitiatorIsToldHowFarItIsWhenTheFirstPassTakesLong() throws Exception {
        start(Settings.usual().callTimeout(60_000).initiatorWait(100).build());
        resourceManager = call -> null;
        Xid xid = begin();
        give(register(xid, BranchType.TCC, "svc", null)).get(10, TimeUnit.SECONDS);
        assertThat(give(new Command.Commit(xid)).get(10, TimeUnit.SECONDS))
                .isInstanceOfSatisfying(
                        Reply.Known.class,
                        known -> assertThat(known.transaction().state()).isEqualTo(TransactionState.COMMITTING));
    }

    @Test
    void aCallThatIsNotAnsweredIsMadeAgain() throws Exception {
        start(Settings.usual().callTimeout(100).build());
        resourceManager = call -> call.attempt() < 3 ? null : Answer.DONE;
        Xid xid = begin();
        give(register(xid, BranchType.AT, "db", "t:1")).get(10, TimeUnit.SECONDS);
        assertThat(give(new Command.Rollback(xid)).get(10, TimeUnit.SECONDS))
                .isInstanceOfSatisfying(
                        Reply.Decided.class, d -> assertThat(d.pass()).isEqualTo(Reply.Pass.UNREACHABLE));
        awaitState(xid, TransactionState.ROLLED_BACK);
        assertThat(calls).extracting(Effect.CallBranch::attempt).containsExactly(1, 2, 3);
    }

    @Test
    void whoeverCannotTakeAReplyDoesNotStopTheOthers() throws Exception {
        start(settings());
        engine.submit(new Command.Begin("c:1", "buy", SHOP, 60_000), reply -> {
            throw new IllegalStateException("simulated");
        });
        begin();
        assertThat(engine.healthy()).isTrue();
    }

    @Test
    void closingAnswersEverybodyAndKeepsWhatWasDecided() throws Exception {
        start(settings());
        resourceManager = call -> null;
        Xid xid = begin();
        give(register(xid, BranchType.TCC, "svc", null)).get(10, TimeUnit.SECONDS);
        CompletableFuture<Reply> commit = give(new Command.Commit(xid));
        calls.poll(10, TimeUnit.SECONDS);
        engine.close();
        assertThat(commit.get(10, TimeUnit.SECONDS))
                .as("what is decided and durable is told, although it is not carried out")
                .isInstanceOfSatisfying(
                        Reply.Known.class,
                        known -> assertThat(known.transaction().outcome()).isEqualTo(Outcome.COMMIT));
        assertThat(give(new Command.QueryTransaction(xid)).get(10, TimeUnit.SECONDS))
                .isInstanceOf(Reply.Rejected.class);
        resourceManager = call -> Answer.DONE;
        start(settings());
        awaitState(xid, TransactionState.COMMITTED);
    }

    @Test
    void finishedTransactionsLeaveByNumberAndIdsDoNotRepeat() throws Exception {
        start(Settings.usual().callTimeout(100).retentionCount(10).build());
        Xid first = begin();
        give(new Command.Commit(first)).get(10, TimeUnit.SECONDS);
        for (int i = 0; i < 30; i++) {
            give(new Command.Commit(begin())).get(10, TimeUnit.SECONDS);
        }
        Await.until(
                "only ten are kept",
                Duration.ofSeconds(10),
                () -> engine.read(Shard::size).get(10, TimeUnit.SECONDS) == 10);
        assertThat(state(first)).isNull();
        long last = begin().number();
        engine.close();
        start(settings());
        assertThat(begin().number()).isGreaterThan(last);
    }
}
