package io.txn.coordinator.seata;

import io.txn.coordinator.machine.GlobalTransaction;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.RequestKeys;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.LockRefusal;
import io.txn.protocol.extension.RequestKey;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.message.TransactionExceptionCode;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Replies of the machine as responses of the protocol. A method returns null where the protocol has no honest answer: whether the request was
 * carried out is not known, or a refusal would be read as success. Then the connection is closed, which every client takes for "unknown".
 */
final class Answers {

    /** Long enough for a cause, short enough for every frame. */
    private static final int MESSAGE_LENGTH = 1_000;

    /** As many answers as one frame can hold, each with so much of a text, fit into the longest frame. */
    private static final int BRIEF_LENGTH = 60;

    private Answers() {}

    static Message.@Nullable Response begin(Reply reply) {
        if (reply instanceof Reply.Begun begun) {
            return new Message.GlobalBeginResponse(Outcome.SUCCESS, begun.xid().value(), null);
        }
        if (reply instanceof Reply.KeyTaken) {
            // Said in the head, to those who sent a key.
            String text = ErrorCode.DUPLICATE_REQUEST.id() + ": " + ErrorCode.DUPLICATE_REQUEST.sentence();
            return new Message.GlobalBeginResponse(
                    Outcome.failed(TransactionExceptionCode.BEGIN_FAILED, text), null, null);
        }
        Outcome refused = refused(reply, TransactionExceptionCode.BEGIN_FAILED);
        return refused == null ? null : new Message.GlobalBeginResponse(refused, null, null);
    }

    /** What became of the first request of a key. */
    static Map<String, String> head(RequestKeys.Entry first) {
        RequestKey.State state = !first.isSettled()
                ? RequestKey.State.OPEN
                : first.outcome() == io.txn.coordinator.machine.Outcome.COMMIT
                        ? RequestKey.State.COMMITTED
                        : RequestKey.State.ROLLED_BACK;
        String xid = Xid.of(first.address(), first.transaction()).value();
        Map<String, String> head = new HashMap<>();
        RequestKey.first(new RequestKey.First(state, xid, first.isSettled() ? first.answer() : null), head);
        return head;
    }

    static Message.@Nullable Response register(Reply reply) {
        if (reply instanceof Reply.Registered registered) {
            return new Message.BranchRegisterResponse(Outcome.SUCCESS, registered.branch());
        }
        Outcome refused;
        if (reply instanceof Reply.LockConflict conflict) {
            refused = Outcome.failed(
                    conflict.failFast()
                            ? TransactionExceptionCode.LOCK_KEY_CONFLICT_FAIL_FAST
                            : TransactionExceptionCode.LOCK_KEY_CONFLICT,
                    shorten(conflict(conflict)));
        } else {
            refused = refused(reply, TransactionExceptionCode.BRANCH_REGISTER_FAILED);
        }
        return refused == null ? null : new Message.BranchRegisterResponse(refused, 0);
    }

    private static String conflict(Reply.LockConflict conflict) {
        GlobalTransaction holder = conflict.holder();
        return "row " + conflict.row() + " of " + conflict.resource() + " is held by " + holder.xid() + " ("
                + holder.name() + " of " + holder.client().application() + ", " + holder.state() + ")";
    }

    /** The same for clients that read heads. */
    static Map<String, String> head(Reply.LockConflict conflict) {
        GlobalTransaction holder = conflict.holder();
        ErrorCode code =
                switch (conflict.why()) {
                    case HELD -> ErrorCode.LOCK_CONFLICT;
                    case HOLDER_ROLLS_BACK -> ErrorCode.LOCK_CONFLICT_ROLLING_BACK;
                    case WAIT_OVER -> ErrorCode.LOCK_WAIT_OVER;
                    case DEADLOCK -> ErrorCode.LOCK_DEADLOCK;
                    case STOPPING -> ErrorCode.LOCK_WAIT_REFUSED;
                };
        return new LockRefusal(
                        code,
                        conflict.row().toString(),
                        holder.xid().value(),
                        holder.name(),
                        holder.client().application(),
                        conflict.holderAge(),
                        holder.state().name(),
                        conflict.cycle())
                .head();
    }

    static Message.@Nullable Response report(Reply reply) {
        if (reply instanceof Reply.Reported) {
            return new Message.BranchReportResponse(Outcome.SUCCESS);
        }
        Outcome refused = refused(reply, TransactionExceptionCode.BRANCH_REPORT_FAILED);
        return refused == null ? null : new Message.BranchReportResponse(refused);
    }

    static Message.@Nullable Response lockable(Reply reply) {
        if (reply instanceof Reply.Lockable lockable) {
            return new Message.GlobalLockQueryResponse(Outcome.SUCCESS, lockable.lockable());
        } else if (reply instanceof Reply.LockConflict) {
            return new Message.GlobalLockQueryResponse(Outcome.SUCCESS, false);
        }
        Outcome refused = refused(reply, TransactionExceptionCode.LOCKABLE_CHECK_FAILED);
        return refused == null ? null : new Message.GlobalLockQueryResponse(refused, false);
    }

    static Message.@Nullable Response status(Reply reply) {
        if (reply instanceof Reply.Known known) {
            return new Message.GlobalStatusResponse(Outcome.SUCCESS, StatusView.of(known.transaction()));
        } else if (reply instanceof Reply.TransactionUnknown) {
            return new Message.GlobalStatusResponse(Outcome.SUCCESS, GlobalStatus.FINISHED);
        }
        Outcome refused = refused(reply, TransactionExceptionCode.UNKNOWN);
        return refused == null ? null : new Message.GlobalStatusResponse(refused, GlobalStatus.UNKNOWN);
    }

    static Message.@Nullable Response mark(Reply reply) {
        if (reply instanceof Reply.Known known) {
            return new Message.GlobalReportResponse(Outcome.SUCCESS, StatusView.of(known.transaction()));
        } else if (reply instanceof Reply.TransactionUnknown) {
            return new Message.GlobalReportResponse(Outcome.SUCCESS, GlobalStatus.FINISHED);
        }
        Outcome refused = refused(reply, TransactionExceptionCode.UNKNOWN);
        return refused == null ? null : new Message.GlobalReportResponse(refused, GlobalStatus.UNKNOWN);
    }

    static Message.@Nullable Response sagaReport(Reply reply, @Nullable GlobalStatus reported) {
        if (reply instanceof Reply.Known known) {
            return new Message.GlobalReportResponse(Outcome.SUCCESS, StatusView.ofEnd(known.transaction()));
        } else if (reply instanceof Reply.TransactionUnknown) {
            return new Message.GlobalReportResponse(
                    Outcome.SUCCESS, reported == null ? GlobalStatus.UNKNOWN : reported);
        }
        Outcome refused = refused(reply, TransactionExceptionCode.UNKNOWN);
        return refused == null ? null : new Message.GlobalReportResponse(refused, GlobalStatus.UNKNOWN);
    }

    /** Clients look at nothing but the status: a refusal has none, so it is not answered. */
    static Message.@Nullable Response commit(Reply reply) {
        if (reply instanceof Reply.Decided decided) {
            return switch (decided.pass()) {
                case DONE -> new Message.GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.COMMITTED);
                case RETRYING -> new Message.GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.COMMIT_RETRYING);
                case UNREACHABLE -> new Message.GlobalCommitResponse(unreachable(), GlobalStatus.COMMIT_RETRYING);
                case STUCK -> new Message.GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.COMMIT_FAILED);
            };
        } else if (reply instanceof Reply.Marked marked) {
            return new Message.GlobalCommitResponse(
                    Outcome.failed(
                            TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_ACTIVE,
                            shorten(ErrorCode.ROLLED_BACK_ONLY.id() + ": "
                                    + marked.transaction().cause())),
                    GlobalStatus.FINISHED);
        } else if (reply instanceof Reply.Expired) {
            return new Message.GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.TIMEOUT_ROLLING_BACK);
        } else if (reply instanceof Reply.TransactionUnknown) {
            return new Message.GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.FINISHED);
        } else if (reply instanceof Reply.Known known) {
            GlobalTransaction transaction = known.transaction();
            return new Message.GlobalCommitResponse(
                    StatusView.isRollingBack(transaction) ? notActive(transaction) : Outcome.SUCCESS,
                    StatusView.forCommit(transaction));
        }
        return null;
    }

    /** As for {@link #commit}. */
    static Message.@Nullable Response rollback(Reply reply) {
        if (reply instanceof Reply.Decided decided) {
            return switch (decided.pass()) {
                case DONE -> new Message.GlobalRollbackResponse(Outcome.SUCCESS, GlobalStatus.ROLLED_BACK);
                case RETRYING -> new Message.GlobalRollbackResponse(Outcome.SUCCESS, GlobalStatus.ROLLBACK_RETRYING);
                case UNREACHABLE -> new Message.GlobalRollbackResponse(unreachable(), GlobalStatus.ROLLBACK_RETRYING);
                case STUCK -> new Message.GlobalRollbackResponse(Outcome.SUCCESS, GlobalStatus.ROLLBACK_FAILED);
            };
        } else if (reply instanceof Reply.TransactionUnknown) {
            return new Message.GlobalRollbackResponse(Outcome.SUCCESS, GlobalStatus.FINISHED);
        } else if (reply instanceof Reply.Known known) {
            return new Message.GlobalRollbackResponse(Outcome.SUCCESS, StatusView.ofEnd(known.transaction()));
        }
        return null;
    }

    private static Outcome unreachable() {
        return Outcome.failed(
                TransactionExceptionCode.UNKNOWN,
                "a resource manager could not be reached; the coordinator goes on trying");
    }

    /** The refusal that {@code reply} means, or null when the outcome is unknown. */
    private static @Nullable Outcome refused(Reply reply, TransactionExceptionCode otherwise) {
        if (reply instanceof Reply.TransactionUnknown unknown) {
            return Outcome.failed(
                    TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_EXIST,
                    shorten("no global transaction " + (unknown.xid() == null ? "of this name" : unknown.xid())));
        } else if (reply instanceof Reply.BranchUnknown unknown) {
            return Outcome.failed(
                    TransactionExceptionCode.BRANCH_TRANSACTION_NOT_EXIST, "no branch " + unknown.branch());
        } else if (reply instanceof Reply.NotActive late) {
            return notActive(late.transaction());
        } else if (reply instanceof Reply.Rejected rejected) {
            boolean unknown = rejected.code().category() == ErrorCode.Category.UNKNOWN_OUTCOME
                    || rejected.code() == ErrorCode.JOURNAL_FAILED
                    || rejected.code() == ErrorCode.COORDINATOR_MISTAKE;
            boolean tooMuch = rejected.code() == ErrorCode.TOO_MANY_BRANCHES
                    || rejected.code() == ErrorCode.RECORD_TOO_LARGE
                    || rejected.code() == ErrorCode.APPLICATION_DATA_TOO_LONG;
            TransactionExceptionCode code = tooMuch && otherwise == TransactionExceptionCode.BRANCH_REGISTER_FAILED
                    ? TransactionExceptionCode.FAILED_TO_ADD_BRANCH
                    : otherwise;
            return unknown ? null : Outcome.failed(code, shorten(rejected.text()));
        }
        throw new AssertionError("no answer for " + reply);
    }

    private static Outcome notActive(GlobalTransaction transaction) {
        return Outcome.failed(
                TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_ACTIVE,
                shorten("the global transaction " + transaction.xid() + " is " + transaction.state()));
    }

    /** The same with hardly any text, for what would else be too long; merged ones part by part. */
    static Message brief(Message answer) {
        if (answer instanceof Message.MergedResponse merged) {
            return new Message.MergedResponse(
                    merged.responses().stream().map(Answers::brief).toList());
        }
        return answer instanceof Message.Response response ? brief(response) : answer;
    }

    private static Message.Response brief(Message.Response response) {
        Outcome outcome = response instanceof Message.TransactionResponse answer ? brief(answer.outcome()) : null;
        if (outcome == null) {
            return response;
        } else if (response instanceof Message.GlobalBeginResponse r) {
            return new Message.GlobalBeginResponse(outcome, r.xid(), r.extraData());
        } else if (response instanceof Message.GlobalCommitResponse r) {
            return new Message.GlobalCommitResponse(outcome, r.status());
        } else if (response instanceof Message.GlobalRollbackResponse r) {
            return new Message.GlobalRollbackResponse(outcome, r.status());
        } else if (response instanceof Message.GlobalStatusResponse r) {
            return new Message.GlobalStatusResponse(outcome, r.status());
        } else if (response instanceof Message.GlobalReportResponse r) {
            return new Message.GlobalReportResponse(outcome, r.status());
        } else if (response instanceof Message.BranchRegisterResponse r) {
            return new Message.BranchRegisterResponse(outcome, r.branchId());
        } else if (response instanceof Message.BranchReportResponse) {
            return new Message.BranchReportResponse(outcome);
        } else if (response instanceof Message.GlobalLockQueryResponse r) {
            return new Message.GlobalLockQueryResponse(outcome, r.lockable());
        }
        return response;
    }

    /** Null when there is nothing to shorten. */
    private static @Nullable Outcome brief(Outcome outcome) {
        String message = outcome.message();
        return message == null || message.length() <= BRIEF_LENGTH
                ? null
                : new Outcome(outcome.code(), shorten(message, BRIEF_LENGTH), outcome.exceptionCode());
    }

    private static String shorten(String text) {
        return shorten(text, MESSAGE_LENGTH);
    }

    private static String shorten(String text, int most) {
        return text.length() <= most ? text : text.substring(0, most);
    }
}
