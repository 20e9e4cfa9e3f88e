package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.Branch;
import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.Rules;
import io.txn.coordinator.machine.Shard;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Branches whose resource nobody serves: they wait without a trace in the journal, also over a restart, and go on when somebody comes. */
class AbsentResourceManagerTest {

    private static final ClientId SHOP = new ClientId("shop", "10.0.0.1", 1);
    private static final String WAITING = "waiting for a resource manager of db";

    private final FakeJournal journal = new FakeJournal();
    private final SettableClock clock = new SettableClock();
    private final Set<String> present = new HashSet<>();
    private final List<Effect.CallBranch> called = new ArrayList<>();
    private Answer answer = Answer.DONE;
    private Shard shard;
    private EngineCore core;

    @BeforeEach
    void boot() {
        shard = new Shard(new Rules(100, 10, 0, 500, 60_000, 60_000));
        core = new EngineCore(
                shard,
                journal,
                new JournalTime(clock),
                new SplittableRandom(1),
                Settings.usual()
                        .mailbox(100)
                        .unwritten(100)
                        .callsInFlight(10)
                        .callTimeout(15_000)
                        .initiatorWait(20_000)
                        .retentionCount(100)
                        .restartGrace(1_000)
                        .snapshotBytes(1L << 30)
                        .build(),
                new BranchCaller() {
                    @Override
                    public void call(Effect.CallBranch call, CallEnd end) {
                        boolean there = present.contains(call.resource());
                        if (there) {
                            called.add(call);
                        }
                        end.ended(there ? answer : Answer.ABSENT, null);
                    }

                    @Override
                    public boolean canCall(Effect.CallBranch call) {
                        return present.contains(call.resource());
                    }
                },
                () -> {});
        core.recover();
    }

    private Reply give(Command command) {
        List<Reply> replies = new ArrayList<>();
        core.submit(command, replies::add);
        settle();
        return replies.isEmpty() ? null : replies.get(0);
    }

    /** Everything is written and told, and what follows from that. */
    private void settle() {
        for (int i = 0; i < 10; i++) {
            journal.flush(1_000);
            core.release();
            core.tick();
        }
    }

    private void passHours(int hours) {
        for (int i = 0; i < hours * 60; i++) {
            clock.advance(60_000);
            settle();
        }
    }

    private Xid begin(String... resources) {
        return begin(BranchType.AT, resources);
    }

    private Xid begin(BranchType type, String... resources) {
        Xid xid = ((Reply.Begun) give(new Command.Begin("c:1", "buy", SHOP, 86_400_000))).xid();
        for (String resource : resources) {
            give(new Command.RegisterBranch(xid, type, resource, SHOP, null, false, null));
        }
        return xid;
    }

    private Branch branch(Xid xid, int index) {
        return shard.transaction(xid).branches().get(index);
    }

    @Test
    void waitingIsRecordedOnceHoweverLongItTakes() {
        Xid xid = begin("db");
        Reply reply = give(new Command.Rollback(xid));
        assertThat(((Reply.Decided) reply).pass()).isEqualTo(Reply.Pass.UNREACHABLE);
        int records = journal.durableRecords();
        assertThat(branch(xid, 0).cause()).isEqualTo(WAITING);
        passHours(10);
        assertThat(journal.durableRecords()).isEqualTo(records);
        assertThat(branch(xid, 0).attempts()).isZero();
        present.add("db");
        core.resourceAvailable("db");
        settle();
        assertThat(shard.transaction(xid).state()).isEqualTo(TransactionState.ROLLED_BACK);
    }

    @Test
    void aRestartFindsOutAnewWithoutARecord() {
        Xid xid = begin("db");
        give(new Command.Rollback(xid));
        int records = journal.durableRecords();
        for (int i = 0; i < 5; i++) {
            journal.crash(0);
            boot();
            settle();
            passHours(1);
        }
        assertThat(journal.durableRecords()).isEqualTo(records);
        assertThat(branch(xid, 0).cause()).isEqualTo(WAITING);
        assertThat(shard.awaitsResource(branch(xid, 0).id())).isTrue();
        present.add("db");
        core.resourceAvailable("db");
        settle();
        assertThat(shard.transaction(xid).state()).isEqualTo(TransactionState.ROLLED_BACK);
    }

    @Test
    void resourcesOfOneTransactionMayComeTogether() {
        Xid xid = begin("db", "queue", "mail");
        give(new Command.Rollback(xid));
        present.addAll(Set.of("db", "queue", "mail"));
        core.resourceAvailable("db");
        core.resourceAvailable("queue");
        core.resourceAvailable("mail");
        settle();
        assertThat(shard.transaction(xid).state()).isEqualTo(TransactionState.ROLLED_BACK);
    }

    @Test
    void aBranchThatWaitsHoldsUpNeitherTheTurnNorTheTimersOfOthers() {
        Xid xid = begin(BranchType.TCC, "db", "queue");
        present.add("queue");
        answer = Answer.RETRYABLE;
        give(new Command.Commit(xid));
        assertThat(called).hasSize(1);
        answer = Answer.DONE;
        clock.advance(500);
        settle();
        assertThat(called).extracting(Effect.CallBranch::resource).containsExactly("queue", "queue");
        present.add("db");
        core.resourceAvailable("db");
        settle();
        assertThat(shard.transaction(xid).state()).isEqualTo(TransactionState.COMMITTED);
    }

    @Test
    void anOperatorsRetryLooksAgainAndWhatIsGivenUpWaitsNoMore() {
        Xid xid = begin("db");
        give(new Command.Rollback(xid));
        give(new Command.RetryNow(xid));
        long branch = branch(xid, 0).id();
        assertThat(shard.awaitsResource(branch)).isTrue();
        give(new Command.GiveUp(xid, branch, "the service is gone for good"));
        assertThat(shard.awaitsResource(branch)).isFalse();
        assertThat(shard.transaction(xid).state()).isEqualTo(TransactionState.ROLLED_BACK);
    }
}
