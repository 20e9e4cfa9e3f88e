package io.txn.coordinator.seata;

import io.txn.coordinator.engine.BranchCaller;
import io.txn.coordinator.engine.EngineSettings;
import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.Outcome;
import io.txn.coordinator.machine.StepCall;
import io.txn.protocol.BranchType;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.RowData;
import io.txn.protocol.extension.UndoDecision;
import io.txn.protocol.extension.UndoReport;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.saga.SagaHead;
import io.txn.protocol.transport.Outbox;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Carries phase two to resource managers over their connections. Thread-safe. */
public final class BranchCalls implements BranchCaller {

    private static final Logger LOG = LoggerFactory.getLogger(BranchCalls.class);

    private final Sessions sessions;
    private final Outbox outbox;
    private final Duration timeout;

    BranchCalls(Sessions sessions, Outbox outbox, Duration timeout) {
        this.sessions = sessions;
        this.outbox = outbox;
        this.timeout = timeout;
    }

    @Override
    public void call(Effect.CallBranch call, CallEnd end) {
        Session session = isSaga(call)
                ? sessions.engineOf(call.transaction(), call.resource(), call.client())
                : sessions.choose(call);
        if (session == null) {
            end.ended(Answer.ABSENT, "no resource manager of " + call.resource() + " is connected");
            return;
        }
        if (call.step() != null) {
            callStep(call, call.step(), session, end);
            return;
        }
        Duration time = time(call);
        String xid = Xid.of(call.address(), call.transaction()).value();
        AwaitedAnswer awaited = new AwaitedAnswer(call, xid, wireId(call), session);
        RowData decision = call.decision();
        if (decision != null && !session.has(Feature.UNDO_DECISIONS)) {
            end.ended(
                    Answer.RETRYABLE,
                    session + " does not carry out decisions about rows; an application of this product has to");
            return;
        }
        Map<String, String> head = decision == null ? Frame.EMPTY_HEAD : UndoDecision.head(decision);
        session.connection.request(request(call, xid), head, awaited, time).whenComplete((answer, failure) -> {
            if (failure != null) {
                Throwable cause = failure instanceof CompletionException && failure.getCause() != null
                        ? failure.getCause()
                        : failure;
                end.ended(Answer.UNREACHABLE, session + ": " + cause.getMessage());
            } else {
                if (isSaga(call)) {
                    sessions.answered(call.transaction(), session);
                }
                Message body = Objects.requireNonNull(answer.body());
                RowData report = session.has(Feature.UNDO_DECISIONS) ? report(call, session, answer) : null;
                answered(call, session, Objects.requireNonNull(AwaitedAnswer.read(call.phase(), body)), report, end);
            }
        });
    }

    private Duration time(Effect.CallBranch call) {
        if (isSaga(call)) {
            return Duration.ofMillis(EngineSettings.sagaCallTimeout(timeout.toMillis()));
        }
        return call.timeout() > 0 ? Duration.ofMillis(call.timeout()) : timeout;
    }

    @Override
    public boolean canCall(Effect.CallBranch call) {
        return sessions.choose(call) != null;
    }

    @Override
    public void together(Runnable work) {
        outbox.gather(work);
    }

    private static Message request(Effect.CallBranch call, String xid) {
        String data = isSaga(call) ? SagaWords.status(call) : call.applicationData();
        return call.phase() == Outcome.COMMIT
                ? new Message.BranchCommitRequest(xid, wireId(call), call.type(), call.resource(), data)
                : new Message.BranchRollbackRequest(xid, wireId(call), call.type(), call.resource(), data);
    }

    /** Of the branches of type SAGA only the one that stands for the engine is called. */
    private static boolean isSaga(Effect.CallBranch call) {
        return call.type() == BranchType.SAGA && call.step() == null;
    }

    /** A step of a saga that the coordinator drives. */
    private void callStep(Effect.CallBranch call, StepCall step, Session session, CallEnd end) {
        String xid = Xid.of(call.address(), call.transaction()).value();
        AwaitedAnswer awaited = new AwaitedAnswer(call, xid, call.branch(), session);
        long own = step.policy().callTimeout();
        Map<String, String> head = new HashMap<>();
        SagaHead.call(step.called(), head);
        Message request = step.compensate()
                ? new Message.BranchRollbackRequest(xid, call.branch(), call.type(), call.resource(), step.given())
                : new Message.BranchCommitRequest(xid, call.branch(), call.type(), call.resource(), step.given());
        session.connection
                .request(request, head, awaited, own == 0 ? timeout : Duration.ofMillis(own))
                .whenComplete((answer, failure) -> {
                    if (failure != null) {
                        Throwable cause = failure instanceof CompletionException && failure.getCause() != null
                                ? failure.getCause()
                                : failure;
                        end.ended(Answer.UNREACHABLE, session + ": " + cause.getMessage());
                        return;
                    }
                    AwaitedAnswer.Said said = Objects.requireNonNull(
                            AwaitedAnswer.read(call.phase(), Objects.requireNonNull(answer.body())));
                    Answer means = said.isNameless()
                            ? Answer.RETRYABLE
                            : answer(call.phase(), said.status(), said.outcome().succeeded());
                    try {
                        if (means == Answer.DONE) {
                            end.said(means, null, SagaHead.said(answer.head()));
                        } else {
                            end.ended(means == Answer.NOT_FOUND ? Answer.RETRYABLE : means, words(session, said));
                        }
                    } catch (TxnException e) {
                        // It did what it was to do; what came of that cannot be kept.
                        end.ended(Answer.RETRYABLE, session + ": " + e.getMessage());
                    }
                });
    }

    /** What a step says is for the business to read. */
    private static String words(Session session, AwaitedAnswer.Said said) {
        String message = said.outcome().message();
        return message == null || message.isBlank() ? detail(session, said) : message;
    }

    private static long wireId(Effect.CallBranch call) {
        return isSaga(call) ? SagaWords.NO_BRANCH : call.branch();
    }

    /** What the answer says of rows in the way. What cannot be read is left out: the answer itself says that a person is needed. */
    private static @Nullable RowData report(Effect.CallBranch call, Session session, Frame answer) {
        RowData report = UndoReport.read(answer.head());
        if (report == null || call.type() != BranchType.AT || call.phase() != Outcome.ROLLBACK) {
            return null;
        }
        try {
            UndoReport.decode(report);
            return report;
        } catch (TxnException | IllegalArgumentException e) {
            LOG.warn(
                    "a report about rows in the way of an undo cannot be read and is left out client={} branchId={} size={}",
                    session,
                    call.branch(),
                    report.text().length());
            return null;
        }
    }

    /** A commit, because that deletes the undo record and touches nothing else, here as with Seata's clients. */
    @Override
    public void dropUndo(Effect.DropUndo drop) {
        Effect.CallBranch call = drop.asCommit();
        String xid = Xid.of(call.address(), call.transaction()).value();
        Session session = sessions.choose(call);
        if (session == null) {
            left(call, xid, "nobody is connected who has this resource");
            return;
        }
        AwaitedAnswer awaited = new AwaitedAnswer(call, xid, wireId(call), session);
        session.connection
                .request(request(call, xid), Frame.EMPTY_HEAD, awaited, timeout)
                .whenComplete((answer, failure) -> {
                    AwaitedAnswer.Said said = failure != null
                            ? null
                            : AwaitedAnswer.read(call.phase(), Objects.requireNonNull(answer.body()));
                    if (said == null) {
                        left(call, xid, String.valueOf(failure));
                    } else if (!answer(
                                    call.phase(), said.status(), said.outcome().succeeded())
                            .isDone()) {
                        left(call, xid, detail(session, said));
                    }
                });
    }

    private static void left(Effect.CallBranch call, String xid, String why) {
        LOG.warn(
                "the undo record of a branch that was given up may still be there: nothing applies it, delete it by hand xid={} branchId={} resource={} cause={}",
                xid,
                call.branch(),
                call.resource(),
                why);
    }

    private static void answered(
            Effect.CallBranch call, Session session, AwaitedAnswer.Said said, @Nullable RowData report, CallEnd end) {
        boolean succeeded = said.outcome().succeeded();
        Answer answer;
        if (said.isNameless()) {
            answer = Answer.RETRYABLE; // that it is hopeless is believed only of what says what it is about
        } else {
            answer = isSaga(call)
                    ? SagaWords.answer(call.phase(), said.status(), succeeded)
                    : answer(call.phase(), said.status(), succeeded);
        }
        end.ended(answer, answer.isDone() ? null : detail(session, said), report);
    }

    /** What a status means as an answer to {@code phase}. The opposite of what was asked is nothing a repetition could mend. */
    static Answer answer(Outcome phase, BranchStatus status, boolean succeeded) {
        boolean commit = phase == Outcome.COMMIT;
        return switch (status) {
            case PHASE_TWO_COMMITTED -> !commit ? Answer.NEVER : succeeded ? Answer.DONE : Answer.RETRYABLE;
            case PHASE_TWO_ROLLED_BACK -> commit ? Answer.NEVER : succeeded ? Answer.DONE : Answer.RETRYABLE;
            case PHASE_TWO_COMMIT_FAILED_UNRETRYABLE, PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE, STOP_RETRY -> Answer.NEVER;
            case PHASE_TWO_COMMIT_FAILED_XAER_NOTA_RETRYABLE, PHASE_TWO_ROLLBACK_FAILED_XAER_NOTA_RETRYABLE ->
                Answer.NOT_FOUND;
            case UNKNOWN,
                    REGISTERED,
                    PHASE_ONE_DONE,
                    PHASE_ONE_FAILED,
                    PHASE_ONE_TIMEOUT,
                    PHASE_ONE_READ_ONLY,
                    PHASE_TWO_COMMIT_FAILED_RETRYABLE,
                    PHASE_TWO_ROLLBACK_FAILED_RETRYABLE -> Answer.RETRYABLE;
        };
    }

    private static String detail(Session session, AwaitedAnswer.Said said) {
        @Nullable String message = said.outcome().message();
        return session + " answered " + said.status() + (message == null ? "" : ": " + message);
    }
}
