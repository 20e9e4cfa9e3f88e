package io.txn.client.rm;

import io.txn.client.observation.TxnObserver;
import io.txn.client.observation.Work;
import io.txn.client.rpc.Exchange;
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

    /** Who waits longer for an answer waits for rows, or the coordinator is slow: it does not say which while it lets one wait. */
    private static final Duration AT_ONCE = Duration.ofMillis(50);

    private LockAnswers() {}

    /**
     * Waits for the answer; beyond a moment that counts as a wait for rows.
     *
     * @param wait how long the coordinator was asked to let it wait
     */
    static <R> R await(
            Exchange<R> exchange, Duration wait, TxnObserver observer, @Nullable Xid xid, String resourceId) {
        if (observer == TxnObserver.NONE
                || wait.isZero()
                || !exchange.agreed().contains(Feature.LOCK_WAIT)
                || exchange.isThereWithin(AT_ONCE)) {
            return exchange.await();
        }
        try (TxnObserver.Span span = observer.begin(new Work.LockWait(xid, resourceId))) {
            try {
                return exchange.await();
            } catch (RuntimeException e) {
                span.failed(e);
                throw e;
            }
        }
    }

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
