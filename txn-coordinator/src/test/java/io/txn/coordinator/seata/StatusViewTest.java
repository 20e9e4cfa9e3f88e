package io.txn.coordinator.seata;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.Branch;
import io.txn.coordinator.machine.BranchState;
import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.GlobalTransaction;
import io.txn.coordinator.machine.Outcome;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.ResultCode;
import io.txn.protocol.message.TransactionExceptionCode;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What Seata's clients are told: the tables of the protocol's commit and rollback. */
class StatusViewTest {

    private static final ClientId CLIENT = new ClientId("shop", "h", 1);

    private static GlobalTransaction transaction(
            TransactionState state, Outcome outcome, boolean timedOut, Branch... branches) {
        return new GlobalTransaction(
                1, "c:1", "buy", CLIENT, 1, 2, state, outcome, timedOut, null, 0, 0, 0, List.of(branches));
    }

    private static Branch branch(BranchType type, String cause) {
        return new Branch(2, type, "db", CLIENT, null, null, BranchState.REGISTERED, 0, 0, cause, 0);
    }

    private static Branch done(BranchType type) {
        return new Branch(3, type, "other", CLIENT, null, null, BranchState.DONE, 0, 0, null, 0);
    }

    private static GlobalStatus commit(Reply reply) {
        Message.Response response = Answers.commit(reply);
        return response == null ? null : ((Message.GlobalCommitResponse) response).status();
    }

    private static GlobalStatus rollback(Reply reply) {
        Message.Response response = Answers.rollback(reply);
        return response == null ? null : ((Message.GlobalRollbackResponse) response).status();
    }

    @Test
    void statusIsAViewOfTheState() {
        assertThat(StatusView.of(transaction(TransactionState.ACTIVE, Outcome.OPEN, false)))
                .isEqualTo(GlobalStatus.BEGIN);
        assertThat(StatusView.of(
                        transaction(TransactionState.COMMITTING, Outcome.COMMIT, false, branch(BranchType.AT, null))))
                .isEqualTo(GlobalStatus.ASYNC_COMMITTING);
        assertThat(StatusView.of(
                        transaction(TransactionState.COMMITTING, Outcome.COMMIT, false, branch(BranchType.TCC, null))))
                .isEqualTo(GlobalStatus.COMMITTING);
        assertThat(StatusView.of(
                        transaction(TransactionState.COMMITTING, Outcome.COMMIT, false, branch(BranchType.TCC, "no"))))
                .isEqualTo(GlobalStatus.COMMIT_RETRYING);
        assertThat(StatusView.of(transaction(
                        TransactionState.ROLLING_BACK, Outcome.ROLLBACK, false, branch(BranchType.AT, null))))
                .isEqualTo(GlobalStatus.ROLLING_BACK);
        assertThat(StatusView.of(transaction(
                        TransactionState.ROLLING_BACK, Outcome.ROLLBACK, false, branch(BranchType.AT, "no"))))
                .isEqualTo(GlobalStatus.ROLLBACK_RETRYING);
        assertThat(StatusView.of(transaction(
                        TransactionState.ROLLING_BACK, Outcome.ROLLBACK, true, branch(BranchType.AT, null))))
                .isEqualTo(GlobalStatus.TIMEOUT_ROLLING_BACK);
        assertThat(StatusView.of(transaction(
                        TransactionState.ROLLING_BACK, Outcome.ROLLBACK, true, branch(BranchType.AT, "no"))))
                .isEqualTo(GlobalStatus.TIMEOUT_ROLLBACK_RETRYING);
        assertThat(StatusView.of(transaction(TransactionState.NEEDS_ATTENTION, Outcome.COMMIT, false)))
                .isEqualTo(GlobalStatus.COMMIT_FAILED);
        assertThat(StatusView.of(transaction(TransactionState.NEEDS_ATTENTION, Outcome.ROLLBACK, false)))
                .isEqualTo(GlobalStatus.ROLLBACK_FAILED);
        assertThat(StatusView.of(transaction(TransactionState.NEEDS_ATTENTION, Outcome.ROLLBACK, true)))
                .isEqualTo(GlobalStatus.TIMEOUT_ROLLBACK_FAILED);
        assertThat(StatusView.of(transaction(TransactionState.COMMITTED, Outcome.COMMIT, false)))
                .isEqualTo(GlobalStatus.FINISHED);
    }

    @Test
    void aCommitLearnsHowFarItIs() {
        GlobalTransaction committing =
                transaction(TransactionState.COMMITTING, Outcome.COMMIT, false, branch(BranchType.TCC, null));
        assertThat(commit(new Reply.Decided(committing, Reply.Pass.DONE))).isEqualTo(GlobalStatus.COMMITTED);
        assertThat(commit(new Reply.Decided(committing, Reply.Pass.RETRYING))).isEqualTo(GlobalStatus.COMMIT_RETRYING);
        assertThat(commit(new Reply.Decided(committing, Reply.Pass.STUCK))).isEqualTo(GlobalStatus.COMMIT_FAILED);
        Message.GlobalCommitResponse unreachable =
                (Message.GlobalCommitResponse) Answers.commit(new Reply.Decided(committing, Reply.Pass.UNREACHABLE));
        assertThat(unreachable.status()).isEqualTo(GlobalStatus.COMMIT_RETRYING);
        assertThat(unreachable.outcome().code()).isEqualTo(ResultCode.FAILED);
        assertThat(commit(new Reply.TransactionUnknown(null))).isEqualTo(GlobalStatus.FINISHED);
        assertThat(commit(new Reply.Expired(transaction(TransactionState.ROLLED_BACK, Outcome.ROLLBACK, true))))
                .isEqualTo(GlobalStatus.TIMEOUT_ROLLING_BACK);
        assertThat(commit(new Reply.Known(
                        transaction(TransactionState.COMMITTING, Outcome.COMMIT, false, branch(BranchType.AT, null)))))
                .isEqualTo(GlobalStatus.COMMITTED);
        assertThat(commit(new Reply.Known(committing))).isEqualTo(GlobalStatus.COMMITTING);
    }

    @Test
    void whenOnlyAtBranchesAreLeftACommitIsAsynchronous() {
        GlobalTransaction left = transaction(
                TransactionState.COMMITTING, Outcome.COMMIT, false, done(BranchType.TCC), branch(BranchType.AT, null));
        assertThat(StatusView.of(left)).isEqualTo(GlobalStatus.ASYNC_COMMITTING);
        assertThat(commit(new Reply.Known(left))).isEqualTo(GlobalStatus.COMMITTED);
        GlobalTransaction failing = transaction(
                TransactionState.COMMITTING, Outcome.COMMIT, false, done(BranchType.TCC), branch(BranchType.AT, "no"));
        assertThat(StatusView.of(failing)).isEqualTo(GlobalStatus.ASYNC_COMMITTING);
    }

    @Test
    void aRepeatedCommitLearnsWhatIsInItsWay() {
        assertThat(commit(new Reply.Known(
                        transaction(TransactionState.COMMITTING, Outcome.COMMIT, false, branch(BranchType.TCC, "no")))))
                .isEqualTo(GlobalStatus.COMMIT_RETRYING);
        assertThat(commit(new Reply.Known(transaction(TransactionState.NEEDS_ATTENTION, Outcome.COMMIT, false))))
                .isEqualTo(GlobalStatus.COMMIT_FAILED);
    }

    /** 18 and above came with 2.4: a client that does not know them cannot read the answer. */
    @Test
    void noStateIsToldInWordsThatOldClientsDoNotKnow() {
        for (TransactionState state : TransactionState.values()) {
            for (Outcome outcome : Outcome.values()) {
                for (boolean timedOut : new boolean[] {false, true}) {
                    for (String cause : Arrays.asList(null, "no")) {
                        for (BranchType type : BranchType.values()) {
                            GlobalTransaction one = transaction(state, outcome, timedOut, branch(type, cause));
                            assertThat(List.of(StatusView.of(one), StatusView.ofEnd(one), StatusView.forCommit(one)))
                                    .allMatch(status -> status.ordinal() <= 17, state + " " + outcome);
                        }
                    }
                }
            }
        }
    }

    @Test
    void noCommitOfATransactionThatWasRolledBackLooksLikeASuccess() {
        for (TransactionState state : List.of(TransactionState.ROLLING_BACK, TransactionState.NEEDS_ATTENTION)) {
            assertThat(commit(
                            new Reply.Known(transaction(state, Outcome.ROLLBACK, false, branch(BranchType.AT, "no")))))
                    .isEqualTo(GlobalStatus.FINISHED);
        }
        assertThat(commit(new Reply.Known(transaction(
                        TransactionState.ROLLING_BACK, Outcome.ROLLBACK, true, branch(BranchType.AT, "no")))))
                .isEqualTo(GlobalStatus.TIMEOUT_ROLLBACK_RETRYING);
        assertThat(commit(new Reply.Known(transaction(TransactionState.NEEDS_ATTENTION, Outcome.ROLLBACK, true))))
                .isEqualTo(GlobalStatus.TIMEOUT_ROLLBACK_FAILED);
        Message.GlobalCommitResponse refused = (Message.GlobalCommitResponse) Answers.commit(new Reply.Known(
                transaction(TransactionState.ROLLING_BACK, Outcome.ROLLBACK, false, branch(BranchType.AT, null))));
        assertThat(refused.status()).isEqualTo(GlobalStatus.FINISHED);
        assertThat(refused.outcome().exceptionCode()).isEqualTo(TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_ACTIVE);
        assertThat(commit(new Reply.Known(transaction(TransactionState.ROLLED_BACK, Outcome.ROLLBACK, false))))
                .isEqualTo(GlobalStatus.FINISHED);
        assertThat(commit(new Reply.Known(transaction(TransactionState.ROLLED_BACK, Outcome.ROLLBACK, true))))
                .isEqualTo(GlobalStatus.TIMEOUT_ROLLED_BACK);
    }

    @Test
    void aRollbackLearnsHowFarItIs() {
        GlobalTransaction rollingBack =
                transaction(TransactionState.ROLLING_BACK, Outcome.ROLLBACK, false, branch(BranchType.AT, "no"));
        assertThat(rollback(new Reply.Decided(rollingBack, Reply.Pass.DONE))).isEqualTo(GlobalStatus.ROLLED_BACK);
        assertThat(rollback(new Reply.Decided(rollingBack, Reply.Pass.RETRYING)))
                .isEqualTo(GlobalStatus.ROLLBACK_RETRYING);
        assertThat(rollback(new Reply.Decided(rollingBack, Reply.Pass.UNREACHABLE)))
                .isEqualTo(GlobalStatus.ROLLBACK_RETRYING);
        assertThat(rollback(new Reply.Decided(rollingBack, Reply.Pass.STUCK))).isEqualTo(GlobalStatus.ROLLBACK_FAILED);
        assertThat(rollback(new Reply.TransactionUnknown(null))).isEqualTo(GlobalStatus.FINISHED);
        assertThat(rollback(new Reply.Known(
                        transaction(TransactionState.COMMITTING, Outcome.COMMIT, false, branch(BranchType.AT, null)))))
                .isEqualTo(GlobalStatus.ASYNC_COMMITTING);
        assertThat(rollback(new Reply.Known(transaction(TransactionState.ROLLED_BACK, Outcome.ROLLBACK, false))))
                .isEqualTo(GlobalStatus.ROLLED_BACK);
    }

    @Test
    void whatHasNoHonestAnswerIsNotAnswered() {
        Reply failed = Reply.Rejected.of(ErrorCode.JOURNAL_FAILED);
        Reply full = Reply.Rejected.of(ErrorCode.COORDINATOR_OVERLOADED);
        assertThat(commit(failed)).isNull();
        assertThat(commit(full)).isNull();
        assertThat(rollback(full)).isNull();
        assertThat(Answers.begin(failed)).isNull();
        assertThat(Answers.register(failed)).isNull();
        assertThat(Answers.begin(full)).isNotNull();
        assertThat(Answers.register(full)).isNotNull();
    }

    @Test
    void onlyAConfirmedAnswerToThisPhaseIsDone() {
        for (Outcome phase : List.of(Outcome.COMMIT, Outcome.ROLLBACK)) {
            for (BranchStatus status : BranchStatus.values()) {
                BranchStatus done =
                        phase == Outcome.COMMIT ? BranchStatus.PHASE_TWO_COMMITTED : BranchStatus.PHASE_TWO_ROLLED_BACK;
                assertThat(BranchCalls.answer(phase, status, true) == Answer.DONE)
                        .as("%s %s", phase, status)
                        .isEqualTo(status == done);
                assertThat(BranchCalls.answer(phase, status, false)).isNotEqualTo(Answer.DONE);
            }
        }
        assertThat(BranchCalls.answer(Outcome.ROLLBACK, BranchStatus.PHASE_TWO_COMMITTED, true))
                .isEqualTo(Answer.NEVER);
    }

    @Test
    void versionsCompareAsNumbers() {
        assertThat(Session.version("2.3.0")).isGreaterThan(Session.version("2.2.9"));
        assertThat(Session.version("2.10.0")).isGreaterThan(Session.version("2.9.0"));
        assertThat(Session.version("2.3.0-SNAPSHOT")).isEqualTo(Session.version("2.3.0"));
        assertThat(Session.version("nonsense")).isZero();
        assertThat(Session.version("99999999999.1")).isZero();
        assertThat(Session.version(null)).isZero();
    }

    @Test
    void theLocalTransactionIsReadFromTheTopOfTheApplicationData() {
        assertThat(ApplicationData.holdsLocalTransaction("{\"autoCommit\":false}"))
                .isTrue();
        assertThat(ApplicationData.holdsLocalTransaction("{\"a\":{\"autoCommit\":true},\"autoCommit\":false}"))
                .isTrue();
        assertThat(ApplicationData.holdsLocalTransaction("{\"a\":{\"autoCommit\":false}}"))
                .isFalse();
        assertThat(ApplicationData.holdsLocalTransaction("{\"autoCommit\":true}"))
                .isFalse();
        assertThat(ApplicationData.holdsLocalTransaction("{\"autoCommit\":\"false\"}"))
                .isFalse();
        assertThat(ApplicationData.holdsLocalTransaction("autoCommit")).isFalse();
        assertThat(ApplicationData.holdsLocalTransaction("[".repeat(100_000) + "autoCommit"))
                .isFalse();
        assertThat(ApplicationData.holdsLocalTransaction(null)).isFalse();
    }
}
