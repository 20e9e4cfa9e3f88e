package io.txn.client.jdbc;

import io.txn.client.observation.TxnObserver;
import io.txn.client.observation.Work;
import io.txn.protocol.Xid;
import org.jspecify.annotations.Nullable;

/** Lets the observer see that rows are asked for again and again, from the first refusal on. For one thread. */
final class LockPolling implements AutoCloseable {

    private final AtResource resource;
    private final @Nullable Xid xid;
    private TxnObserver.@Nullable Span span;

    LockPolling(AtResource resource, @Nullable Xid xid) {
        this.resource = resource;
        this.xid = xid;
    }

    /** A refusal came, and is not the end. */
    void refused() {
        if (span == null) {
            span = resource.resources()
                    .observer()
                    .begin(new Work.LockWait(xid, resource.dialect().resourceId()));
        }
    }

    @Override
    public void close() {
        if (span != null) {
            span.close();
        }
    }
}
