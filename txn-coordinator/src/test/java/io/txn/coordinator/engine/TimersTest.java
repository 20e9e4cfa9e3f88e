package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.Answer;
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
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Pointless timers are cleared away in bulk; those that mean something stay, whatever the moment. */
class TimersTest {

    private static final ClientId SHOP = new ClientId("shop", "10.0.0.1", 1);
    private static final int UNWRITTEN = 100;

    private static final int POINTLESS = 50;

    /** More than ever stay behind. */
    private static final int MANY = POINTLESS + 100;

    private final FakeJournal journal = new FakeJournal();
    private final SettableClock clock = new SettableClock();
    private final List<Effect.CallBranch> called = new ArrayList<>();
    private final Shard shard = new Shard(new Rules(100, 10, 0, 500, 60_000, 60_000));
    private Answer answer = Answer.RETRYABLE;
    private final EngineCore core = new EngineCore(
            shard,
            journal,
            new JournalTime(clock),
            new SplittableRandom(1),
            Settings.usual()
                    .mailbox(100)
                    .unwritten(UNWRITTEN)
                    .callsInFlight(10)
                    .callTimeout(15_000)
                    .initiatorWait(20_000)
                    .retentionCount(100)
                    .restartGrace(1_000)
                    .snapshotBytes(1L << 30)
                    .pointlessTimers(POINTLESS)
                    .build(),
            new BranchCaller() {
                @Override
                public void call(Effect.CallBranch call, CallEnd end) {
                    called.add(call);
                    end.ended(answer, null);
                }

                @Override
                public boolean canCall(Effect.CallBranch call) {
                    return true;
                }
            },
            () -> {});

    private Reply give(Command command) {
        List<Reply> replies = new ArrayList<>();
        core.submit(command, replies::add);
        write();
        return replies.isEmpty() ? null : replies.get(0);
    }

    private void write() {
        journal.flush(1_000);
        core.release();
    }

    private void settle() {
        for (int i = 0; i < 10; i++) {
            write();
            core.tick();
        }
    }

    private Xid begin() {
        return ((Reply.Begun) give(new Command.Begin("c:1", "buy", SHOP, 86_400_000))).xid();
    }

    /** Its time comes while the disk is slow and nothing new can be done, and there is much to clear away. */
    @Test
    void aRetryThatHasToWaitForTheDiskIsNotForgotten() {
        core.recover();
        settle();
        Xid xid = begin();
        give(new Command.RegisterBranch(xid, BranchType.TCC, "reserve", SHOP, null, false, null));
        give(new Command.Commit(xid));
        settle();
        assertThat(called).hasSize(1);
        answer = Answer.DONE;

        for (int i = 0; i < MANY; i++) {
            give(new Command.Commit(begin()));
        }
        clock.advance(500);
        core.submit(new Command.Begin("c:1", "buy", SHOP, 86_400_000), reply -> {});
        while (core.acceptsCommands()) {
            core.submit(new Command.QueryTransaction(xid), reply -> {});
        }
        core.tick();
        assertThat(called).hasSize(1);

        settle();
        assertThat(called).hasSize(2);
        assertThat(shard.transaction(xid).state()).isEqualTo(TransactionState.COMMITTED);
    }
}
