package io.txn.coordinator.seata;

import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.Outcome;
import io.txn.protocol.LogText;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.Message;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows the answer to one branch call when it comes. Under the id of its frame another one may come: a resource manager that was asked over a connection
 * that broke answers over its next one. So an answer must be to the phase that was asked for and name the transaction and the branch; those of sagas have no
 * branch of their own to name. Only a failure may name neither, for a client that gave up early knows neither. Confined to the connection's event loop.
 */
final class AwaitedAnswer implements Predicate<Message> {

    private static final Logger LOG = LoggerFactory.getLogger(AwaitedAnswer.class);

    private final Effect.CallBranch call;
    private final String xid;
    private final long branch;
    private final Session session;
    private boolean told;

    AwaitedAnswer(Effect.CallBranch call, String xid, long branch, Session session) {
        this.call = call;
        this.xid = xid;
        this.branch = branch;
        this.session = session;
    }

    /** What an answer says, without the phase it is for. */
    record Said(@Nullable String xid, long branch, BranchStatus status, io.txn.protocol.message.Outcome outcome) {

        /** A failure that does not say of what. */
        boolean isNameless() {
            return !outcome.succeeded() && (xid == null || xid.isEmpty()) && branch == 0;
        }
    }

    /** Null when it is no answer to a call of this phase. */
    static @Nullable Said read(Outcome phase, Message answer) {
        if (phase == Outcome.COMMIT && answer instanceof Message.BranchCommitResponse response) {
            return new Said(response.xid(), response.branchId(), response.status(), response.outcome());
        } else if (phase == Outcome.ROLLBACK && answer instanceof Message.BranchRollbackResponse response) {
            return new Said(response.xid(), response.branchId(), response.status(), response.outcome());
        }
        return null;
    }

    @Override
    public boolean test(Message answer) {
        Said said = read(call.phase(), answer);
        boolean isIts = said != null && (said.isNameless() || (xid.equals(said.xid) && branch == said.branch));
        if (!isIts && !told) {
            told = true; // once for each call, so that nobody fills the disk
            LOG.warn(
                    "an answer to another call is passed over, this one waits on client={} xid={} branchId={} phase={} answer={}"
                            + " answeredXid={} answeredBranchId={}",
                    session,
                    xid,
                    branch,
                    call.phase(),
                    answer.getClass().getSimpleName(),
                    said == null ? null : LogText.oneLine(said.xid),
                    said == null ? null : said.branch);
        }
        return isIts;
    }
}
