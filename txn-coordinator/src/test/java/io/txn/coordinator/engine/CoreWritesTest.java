package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.journal.Completion;
import io.txn.coordinator.lock.LockKeys;
import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.Event;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.Rules;
import io.txn.coordinator.machine.Shard;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a transaction costs on disk: its records, and the writes that somebody waits for. Driven by hand, so that the numbers are exact. */
class CoreWritesTest {

    private static final ClientId SHOP = new ClientId("shop", "10.0.0.1", 1);

    /** Durable is what was flushed, at once. */
    private static final class FlushedJournal extends FakeJournal {
        private int writes;

        @Override
        public long append(ByteBuffer record, Completion done) {
            throw new AssertionError("what is appended is written on its own account");
        }

        @Override
        public long stage(ByteBuffer record, Completion done) {
            return super.append(record, done);
        }

        @Override
        public void flush() {
            writes++;
            flush(Integer.MAX_VALUE);
        }
    }

    private final SettableClock clock = new SettableClock();
    private final FlushedJournal journal = new FlushedJournal();
    private final Queue<Runnable> ends = new ArrayDeque<>();
    private final List<Effect.CallBranch> calls = new ArrayList<>();
    private EngineCore core;

    @BeforeEach
    void start() {
        core = new EngineCore(
                new Shard(new Rules(100, 100, 0, 20, 200, 60_000)),
                journal,
                new JournalTime(clock),
                new SplittableRandom(1),
                Settings.usual().mailbox(100).unwritten(100).retentionCount(100).build(),
                new BranchCaller() {
                    @Override
                    public void call(Effect.CallBranch call, CallEnd end) {
                        calls.add(call);
                        ends.add(() -> end.ended(Answer.DONE, null));
                    }

                    @Override
                    public boolean canCall(Effect.CallBranch call) {
                        return true;
                    }
                },
                () -> {});
        core.recover(); // which gives a new journal its epoch, for which nobody waits
        clock.advance(EngineCore.LINGER);
        turn();
    }

    /** One turn of the engine's loop, as its thread does it. */
    private void turn() {
        core.release();
        core.tick();
        core.flush();
        core.release();
    }

    private Reply ask(Command command) {
        List<Reply> replies = new ArrayList<>();
        core.submit(command, replies::add);
        turn();
        assertThat(replies).hasSize(1);
        return replies.get(0);
    }

    private Xid begin() {
        return ((Reply.Begun) ask(new Command.Begin("c:1", "buy", SHOP, 60_000))).xid();
    }

    private long register(Xid xid, String rows) {
        Reply reply =
                ask(new Command.RegisterBranch(xid, BranchType.AT, "db", SHOP, LockKeys.parse(rows, 100), false, null));
        return ((Reply.Registered) reply).branch();
    }

    private void endCalls() {
        while (!ends.isEmpty()) {
            ends.remove().run();
        }
    }

    private List<Event> events(int record) {
        return EventCodec.decode(ByteBuffer.wrap(journal.recordAt(record)), new Interner())
                .events();
    }

    @Test
    void aTransactionWithoutBranchesIsTwoRecordsAndTwoWrites() {
        int records = journal.durableRecords();
        int writes = journal.writes;
        Xid xid = begin();
        ask(new Command.Commit(xid));
        turn();
        assertThat(journal.durableRecords() - records).isEqualTo(2);
        assertThat(journal.writes - writes).isEqualTo(2);
        assertThat(events(journal.durableRecords()))
                .extracting(Object::getClass)
                .containsExactly(Event.CommitDecided.class, Event.Ended.class);
        assertThat(calls).isEmpty();
    }

    @Test
    void aBranchThatOnlyReadCostsNothingMoreAtTheEnd() {
        Xid xid = begin();
        long branch = register(xid, "t:1");
        int records = journal.durableRecords();
        int writes = journal.writes;
        ask(new Command.ReportBranch(xid, branch, true, null));
        ask(new Command.Commit(xid));
        turn();
        assertThat(journal.durableRecords() - records).isEqualTo(2);
        assertThat(journal.writes - writes).isEqualTo(2);
        assertThat(events(journal.durableRecords()))
                .extracting(Object::getClass)
                .containsExactly(Event.CommitDecided.class, Event.Ended.class);
        assertThat(calls).isEmpty();
    }

    @Test
    void theEndOfABranchRidesAlongWithTheNextAnswer() {
        int records = journal.durableRecords();
        int writes = journal.writes;
        for (int i = 0; i < 10; i++) {
            Xid xid = begin();
            register(xid, "t:" + i);
            ask(new Command.Commit(xid));
            assertThat(calls).hasSize(i + 1);
            endCalls();
            turn();
        }
        // Begun, registered, decided, and the end of branch and transaction in one; the first three are waited for.
        assertThat(journal.writes - writes).isEqualTo(3 * 10);
        assertThat(journal.durableRecords() - records).isEqualTo(4 * 10 - 1);
    }

    @Test
    void whatNobodyWaitsForIsWrittenAfterAMoment() {
        Xid xid = begin();
        register(xid, "t:1");
        ask(new Command.Commit(xid));
        int writes = journal.writes;
        int records = journal.durableRecords();
        endCalls();
        turn();
        assertThat(core.idleMillis()).isEqualTo(EngineCore.LINGER);
        clock.advance(EngineCore.LINGER - 1);
        turn();
        assertThat(journal.durableRecords()).isEqualTo(records);
        clock.advance(1);
        turn();
        assertThat(journal.durableRecords()).isEqualTo(records + 1);
        assertThat(journal.writes).isEqualTo(writes + 1);
        assertThat(core.idleMillis()).isGreaterThan(EngineCore.LINGER);
    }

    @Test
    void whatIsDecidedInOneTurnIsOneWrite() {
        int records = journal.durableRecords();
        int writes = journal.writes;
        List<Reply> replies = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            core.submit(new Command.Begin("c:1", "buy", SHOP, 60_000), replies::add);
        }
        assertThat(replies).isEmpty();
        turn();
        assertThat(replies).hasSize(50);
        assertThat(journal.durableRecords() - records).isEqualTo(50);
        assertThat(journal.writes - writes).isEqualTo(1);
    }

    @Test
    void whoAsksAboutWhatIsNotWrittenYetHasItWritten() {
        Xid xid = begin();
        register(xid, "t:1");
        ask(new Command.Commit(xid));
        endCalls();
        int records = journal.durableRecords();
        ask(new Command.QueryTransaction(xid));
        assertThat(journal.durableRecords()).isEqualTo(records + 1);
    }

    /** Two ways lead to whoever waits when the journal fails just then: the answer to its own command, and the news for all. */
    @Test
    void whoeverWaitsForRowsIsToldOnceThatTheJournalFailed() {
        register(begin(), "t:1");
        List<Reply> replies = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Xid late = ((Reply.Begun) ask(new Command.Begin("c:1", "buy", SHOP, 500))).xid();
            LockKeys rows = LockKeys.parse("t:1", 100);
            core.submit(
                    new Command.RegisterBranch(late, BranchType.AT, "db", SHOP, rows, true, null, null, 550, 0),
                    () -> true,
                    replies::add);
        }
        turn();
        assertThat(replies).isEmpty();
        clock.advance(600);
        journal.fail();
        turn();
        turn();
        assertThat(core.stopped()).isNotNull();
        assertThat(replies).hasSize(3).allSatisfy(reply -> assertThat(reply)
                .isInstanceOfSatisfying(Reply.Rejected.class, rejected -> assertThat(rejected.code())
                        .isEqualTo(ErrorCode.JOURNAL_FAILED)));
    }
}
