package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.coordinator.journal.JournalState;
import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.Rules;
import io.txn.coordinator.machine.Shard;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whoever waits is answered, whatever goes wrong with others who wait. */
class StoppedEngineTest {

    private static final Command BEGIN = new Command.Begin("c:1", "buy", new ClientId("shop", "10.0.0.1", 1), 60_000);
    private static final Consumer<Reply> FAILING = reply -> {
        throw new AssertionError("simulated");
    };

    private final FakeJournal journal = new FakeJournal();
    private final List<Reply> replies = new ArrayList<>();
    private EngineCore core;

    @BeforeEach
    void boot() {
        core = new EngineCore(
                new Shard(new Rules(100, 10, 0, 500, 60_000, 60_000)),
                journal,
                new JournalTime(new SettableClock()),
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
                        throw new AssertionError(call);
                    }

                    @Override
                    public boolean canCall(Effect.CallBranch call) {
                        return false;
                    }
                },
                () -> {});
        core.recover();
    }

    private static ErrorCode code(Reply reply) {
        return ((Reply.Rejected) reply).code();
    }

    @Test
    void aMistakeOfWhoTakesAReplyStaysTheirs() {
        core.submit(BEGIN, FAILING);
        core.submit(BEGIN, replies::add);
        journal.flush(10);
        core.release();
        assertThat(replies).hasSize(1).first().isInstanceOf(Reply.Begun.class);
        CompletableFuture<Object> answer = new CompletableFuture<>();
        core.read(
                shard -> {
                    throw new AssertionError("simulated");
                },
                answer);
        assertThat(answer).isCompletedExceptionally();
    }

    @Test
    void aFailureReachesThoseBehindOneWhoCannotTakeIt() {
        core.submit(BEGIN, FAILING);
        core.submit(BEGIN, replies::add);
        journal.fail();
        core.release();
        assertThat(replies).hasSize(1);
        assertThat(code(replies.get(0))).isEqualTo(ErrorCode.JOURNAL_FAILED);
        core.submit(BEGIN, FAILING);
        core.submit(BEGIN, replies::add);
        assertThat(replies).hasSize(2);
    }

    @Test
    void stoppingReachesThoseBehindOneWhoCannotTakeIt() {
        core.submit(BEGIN, FAILING);
        core.submit(BEGIN, replies::add);
        core.stop(new TxnException(ErrorCode.COORDINATOR_STOPPING, null));
        assertThat(replies).hasSize(1);
        assertThat(code(replies.get(0))).isEqualTo(ErrorCode.COORDINATOR_STOPPING);
    }

    @Test
    void stoppingAnswersThoseWhomAnEarlierStopDidNotReach() {
        core.submit(BEGIN, reply -> {
            throw new LinkageError("simulated: the engine's thread does not survive this");
        });
        core.submit(BEGIN, replies::add);
        journal.fail();
        assertThatThrownBy(core::release).isInstanceOf(LinkageError.class);
        assertThat(replies).isEmpty();
        core.stop(new TxnException(ErrorCode.COORDINATOR_MISTAKE, null));
        assertThat(replies).hasSize(1);
        assertThat(code(replies.get(0))).isEqualTo(ErrorCode.JOURNAL_FAILED);
    }

    @Test
    void aFullDiskIsCalledByItsName() {
        journal.setState(JournalState.LOW_ON_SPACE);
        core.submit(BEGIN, replies::add);
        journal.flush(10);
        core.release();
        assertThat(code(replies.get(0))).isEqualTo(ErrorCode.JOURNAL_LOW_ON_SPACE);
        assertThat(((Reply.Rejected) replies.get(0)).text()).contains("disk").doesNotContain("capacity");
    }
}
