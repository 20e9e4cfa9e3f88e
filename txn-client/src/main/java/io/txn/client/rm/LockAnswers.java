package io.txn.client.rm;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.LockRefusal;
import io.txn.protocol.extension.LockWait;
import io.txn.protocol.message.Outcome;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the heads of requests for rows, and of their answers, say. */
final class LockAnswers {

    private LockAnswers() {}

    /** That a request would wait, for a coordinator that lets it. */
    static Map<String, String> head(Set<Feature> agreed, Duration wait) {
        Map<String, String> head = new LinkedHashMap<>();
        if (agreed.contains(Feature.LOCK_WAIT)) {
            LockWait.write(wait.toMillis(), head);
        }
        return head;
    }

    /**
     * A row is held by another global transaction.
     *
     * @param waiting whether the request would have waited: then a conflict that is answered at once says that it may not
     */
    static TxnException refusal(
            Map<String, String> head, boolean waiting, @Nullable Xid xid, String resourceId, Outcome outcome) {
        LockRefusal refusal = LockRefusal.read(head);
        ErrorCode code = refusal == null ? ErrorCode.LOCK_CONFLICT : refusal.code();
        if (waiting && code == ErrorCode.LOCK_CONFLICT) {
            code = ErrorCode.LOCK_WAIT_REFUSED;
        }
        if (refusal == null) {
            return new TxnException(code, null, "xid", xid, "resource", resourceId, "reason", outcome.message());
        }
        return new TxnException(
                code,
                null,
                "xid",
                xid,
                "resource",
                resourceId,
                "row",
                refusal.row(),
                "holder",
                refusal.holderXid(),
                "holderName",
                refusal.holderName(),
                "holderApplication",
                refusal.holderApplication(),
                "holderState",
                refusal.holderState(),
                "holderBeganAgo",
                Duration.ofMillis(refusal.holderAgeMillis()),
                "deadlock",
                refusal.deadlock());
    }
}
