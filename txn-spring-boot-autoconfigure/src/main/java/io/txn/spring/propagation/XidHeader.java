package io.txn.spring.propagation;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import org.jspecify.annotations.Nullable;

/** The header that carries an XID over HTTP; Seata's clients use the same. */
public final class XidHeader {

    public static final String NAME = "TX_XID";

    private XidHeader() {}

    /** What an outgoing request of the calling thread should carry, or null. */
    static @Nullable String outgoing(ContextCarrier contexts) {
        TransactionContext context = contexts.current();
        return context == null ? null : context.xid().value();
    }
}
