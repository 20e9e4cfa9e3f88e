package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.BranchState;
import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.GlobalTransaction;
import io.txn.coordinator.machine.Outcome;
import io.txn.coordinator.machine.PlanText;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.Rules;
import io.txn.coordinator.machine.SagaState.Progress;
import io.txn.coordinator.machine.Shard;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.RequestKey;
import io.txn.protocol.saga.Policy;
import io.txn.protocol.saga.Recovery;
import io.txn.protocol.saga.SagaHead;
import io.txn.protocol.saga.SagaPlan;
import io.txn.protocol.saga.Step;
import io.txn.protocol.saga.Work;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the engine makes of steps of sagas that are not as simple as one call and one answer. The clock and the disk are the test's. */
class SagaStepsTest {

    private static final Work.Bean DO = new Work.Bean("saga/shop/do");
    private static final Work.Bean UNDO = new Work.Bean("saga/shop/undo");
    private static final Policy QUICK = new Policy(0, 2_000, 100, 1, 100, 0);
    private static final SagaHead.Said ONGOING = new SagaHead.Said(null, 0);

    /** A call that the engine made, to be answered. */
    private record Called(Effect.CallBranch call, BranchCaller.CallEnd end) {

        String what() {
            return call.step().called().call() + " " + call.step().called().step();
        }
    }

    private final SettableClock clock = new SettableClock();
    private final FakeJournal journal = new FakeJournal();
    private final ArrayDeque<Called> calls = new ArrayDeque<>();
    private EngineCore core;
    private Xid xid;

    @BeforeEach
    void boot() {
        calls.clear();
        core = new EngineCore(
                new Shard(new Rules(1_000, 100, 0, 10, 10, 60_000)),
                journal,
                new JournalTime(clock),
                new SplittableRandom(1),
                Settings.usual().build(),
                new BranchCaller() {
                    @Override
                    public void call(Effect.CallBranch call, CallEnd end) {
                        calls.add(new Called(call, end));
                    }

                    @Override
                    public boolean canCall(Effect.CallBranch call) {
                        return true;
                    }
                },
                () -> {});
        core.recover();
        clock.advance(1); // what begins now began after the start
        settle();
    }

    /** Until nothing is to be done at this time. */
    private void settle() {
        do {
            core.tick();
            core.flush();
            journal.write(Integer.MAX_VALUE);
            core.release();
        } while (core.hasNews() || core.idleMillis() == 0);
    }

    private void pass(long millis) {
        clock.advance(millis);
        settle();
        clock.advance(EngineCore.LINGER); // what nobody waits for is written then
        settle();
    }

    private Reply give(Command command) {
        List<Reply> replies = new ArrayList<>();
        core.submit(command, replies::add);
        settle();
        assertThat(replies).hasSize(1);
        return replies.get(0);
    }

    private void begin(String key, Step... steps) {
        SagaPlan plan = new SagaPlan("d", 1, List.of(steps), steps[0].name());
        Command begin = new Command.Begin(
                "c:1",
                "d",
                new ClientId("shop", "10.0.0.1", 1),
                1_000_000,
                null,
                7,
                0,
                key,
                new Command.Begin.Saga(PlanText.of(plan.encoded()), "null"));
        xid = ((Reply.Begun) give(begin)).xid();
        clock.advance(1);
    }

    private static Step step(String name, Policy policy, Recovery recovery, String... after) {
        return new Step(name, DO, List.of(after), UNDO, policy, QUICK, recovery, null, List.of(), null);
    }

    private static Step step(String name, String... after) {
        return step(name, QUICK, Recovery.COMPENSATE, after);
    }

    /** The call that is under way. */
    private Called call(String what) {
        assertThat(calls.stream().map(Called::what)).contains(what);
        Called first = calls.remove();
        assertThat(first.what()).isEqualTo(what);
        return first;
    }

    private void answer(String what, Answer answer) {
        call(what).end.ended(answer, "as it was told");
        settle();
    }

    private void done(String what, SagaHead.Said said) {
        call(what).end.said(Answer.DONE, null, said);
        settle();
    }

    private GlobalTransaction saga() {
        return core.shard().transaction(xid);
    }

    private Progress progress(int execution) {
        return saga().saga().executions().get(execution).progress();
    }

    private void isCompensated() {
        done("COMPENSATE a", SagaHead.Said.NOTHING);
        pass(0);
        assertThat(saga().state()).isEqualTo(TransactionState.ROLLED_BACK);
    }

    private void isNotCompensated() {
        assertThat(progress(0)).isEqualTo(Progress.REFUSED);
        assertThat(saga().state()).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(calls).isEmpty();
    }

    @Test
    void aRefusalOfTheFirstCallDidNothing() {
        begin(null, step("a"));
        answer("ACTION a", Answer.NEVER);
        isNotCompensated();
    }

    @Test
    void anOngoingStepThatFailsBeforeItIsKnownToBeOngoingIsCompensated() {
        begin(null, step("a"));
        Called call = call("ACTION a");
        assertThat(give(new Command.CompleteStep(xid, call.call.branch(), null, "broken")))
                .isInstanceOf(Reply.Reported.class);
        assertThat(progress(0)).isEqualTo(Progress.FAILED);
        call.end.said(Answer.DONE, null, ONGOING);
        settle();
        isCompensated();
    }

    @Test
    void aRefusalAfterAnOperatorsRetryIsCompensated() {
        begin(null, step("a"));
        answer("ACTION a", Answer.UNREACHABLE);
        assertThat(give(new Command.RetryNow(xid))).isInstanceOf(Reply.Accepted.class);
        assertThat(saga().branches().get(0).attempts()).isZero();
        answer("ACTION a", Answer.NEVER);
        assertThat(progress(0)).isEqualTo(Progress.FAILED);
        isCompensated();
    }

    @Test
    void aRefusalAfterARestartIsCompensated() {
        begin(null, step("a"));
        call("ACTION a"); // whoever was called has done it, and the answer is for nobody
        boot();
        answer("ACTION a", Answer.NEVER);
        assertThat(progress(0)).isEqualTo(Progress.FAILED);
        isCompensated();
    }

    @Test
    void aStepThatBeginsAfterARestartMayBeRefused() {
        begin(null, step("a"), step("b", "a"));
        call("ACTION a");
        boot();
        clock.advance(1);
        done("ACTION a", SagaHead.Said.NOTHING);
        answer("ACTION b", Answer.NEVER);
        assertThat(progress(1)).isEqualTo(Progress.REFUSED);
        isCompensated();
    }

    @Test
    void aStepThatFoundNobodyMayStillBeRefused() {
        begin(null, step("a"));
        answer("ACTION a", Answer.ABSENT);
        core.resourceAvailable(DO.resource());
        settle();
        if (calls.isEmpty()) {
            pass(100);
        }
        answer("ACTION a", Answer.NEVER);
        isNotCompensated();
    }

    /** The journal is full: that the first call failed is not recorded, and the second one is not taken for the first. Nor does it come at once. */
    @Test
    void anAnswerThatCannotBeRecordedIsAskedForAgainLaterAndRemembered() {
        begin(null, step("a"));
        journal.refuseNext();
        answer("ACTION a", Answer.UNREACHABLE);
        pass(PostponedSteps.DELAY / 2);
        assertThat(calls).isEmpty();
        assertThat(saga().branches().get(0).attempts()).isZero();
        pass(PostponedSteps.DELAY);
        answer("ACTION a", Answer.NEVER);
        assertThat(progress(0)).isEqualTo(Progress.FAILED);
        isCompensated();
    }

    @Test
    void theTimeOfAStepThatIsOverDuringAnOutageIsNoticed() {
        Policy timed = new Policy(5_000, 2_000, 100, 1, 100, 0);
        begin(null, step("pivot", QUICK, Recovery.FORWARD), step("a", timed, Recovery.COMPENSATE, "pivot"));
        done("ACTION pivot", SagaHead.Said.NOTHING);
        done("ACTION a", ONGOING);
        clock.advance(6_000);
        boot();
        assertThat(saga().outcome()).isEqualTo(Outcome.ROLLBACK);
        assertThat(saga().cause()).contains("not done within its timeout of 5000 ms");
        assertThat(call("COMPENSATE a").call.attempt()).isEqualTo(1);
    }

    @Test
    void whatAPersonDidForAStepIsCompensatedWhenTheSagaTurns() {
        begin(null, step("a"), step("b", "a"));
        answer("ACTION a", Answer.UNREACHABLE);
        long branch = saga().branches().get(0).id();
        assertThat(give(new Command.GiveUp(xid, branch, "paid by hand"))).isInstanceOf(Reply.Accepted.class);
        assertThat(saga().branches().get(0).state()).isEqualTo(BranchState.GIVEN_UP);
        assertThat(saga().branches().get(0).cause()).isEqualTo("paid by hand");
        answer("ACTION b", Answer.NEVER);
        assertThat(saga().branches().get(0).cause()).isEqualTo("paid by hand");
        isCompensated();
        assertThat(saga().branches().get(0).state()).isEqualTo(BranchState.DONE);
    }

    /** All was done and may have been told by then: what it answers is kept beside what its steps left. */
    @Test
    void whatASagaAnswersIsNoFailureHoweverMuchItsStepsLeft() {
        begin(null, chain(step("end", QUICK, Recovery.FORWARD, "s17")));
        leaveAllThatIsKept(0);
        done("ACTION end", new SagaHead.Said(text(SagaPlan.LONGEST_RESULT), -1));
        pass(0);
        assertThat(saga().state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(saga().saga().result()).isEqualTo(text(SagaPlan.LONGEST_RESULT));
        boot();
        assertThat(saga().saga().result()).as("after a restart").isEqualTo(text(SagaPlan.LONGEST_RESULT));
    }

    @Test
    void aStepThatLeavesMoreThanIsKeptOfItsSagaHasFailedAndSaysSo() {
        begin(null, chain(step("end", QUICK, Recovery.FORWARD, "s17")));
        leaveAllThatIsKept(1);
        assertThat(saga().outcome()).isEqualTo(Outcome.ROLLBACK);
        assertThat(saga().cause()).contains("s17", "its result is more than is kept of one saga: 262144 bytes");
        for (int i = 17; i > 0; i--) {
            done("COMPENSATE s" + i, SagaHead.Said.NOTHING);
        }
        pass(0);
        assertThat(saga().state()).isEqualTo(TransactionState.ROLLED_BACK);
    }

    private static Step[] chain(Step end) {
        List<Step> steps = new ArrayList<>(List.of(end, step("s1")));
        for (int i = 2; i <= 17; i++) {
            steps.add(step("s" + i, "s" + (i - 1)));
        }
        return steps.toArray(Step[]::new);
    }

    private void leaveAllThatIsKept(int more) {
        for (int i = 1; i <= 16; i++) {
            done("ACTION s" + i, new SagaHead.Said(text(SagaPlan.LONGEST_RESULT), -1));
        }
        int left = SagaPlan.MOST_RESULTS - 16 * SagaPlan.LONGEST_RESULT;
        done("ACTION s17", new SagaHead.Said(text(left + more), -1));
    }

    /** As JSON so many bytes. */
    private static String text(int bytes) {
        return '"' + "x".repeat(bytes - 2) + '"';
    }

    @Test
    void aResultThatIsTooLongForARequestKeyIsNoneThere() {
        begin("order-1", step("a"));
        String result = '"' + "x".repeat(RequestKey.LONGEST_RESULT) + '"';
        done("ACTION a", new SagaHead.Said(result, -1));
        pass(0);
        assertThat(saga().state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(saga().saga().result()).isEqualTo(result);
        assertThat(core.shard().capture().keys()).hasSize(1).allSatisfy(key -> {
            assertThat(key.outcome()).isEqualTo(Outcome.COMMIT);
            assertThat(key.answer()).isNull();
        });
    }
}
