package io.txn.protocol.transport;

import io.txn.protocol.codec.Frame;
import org.jspecify.annotations.Nullable;

/**
 * What a side does with its connections. All methods are called on the connection's event loop, one after another for one connection: they
 * must not block, and hand real work to somebody else.
 */
public interface RpcHandler {

    /** The connection can be used. Called first. */
    default void opened(RpcConnection connection) {}

    /**
     * The peer asks for something: the body is a {@link io.txn.protocol.message.Message.Request} or a
     * {@link io.txn.protocol.message.Message.MergedRequest}, the kind is REQUEST or ONE_WAY. What to do follows from the message, not from the
     * kind: some clients send one-way what they want answered. Answers and heartbeats never arrive here.
     */
    void received(RpcConnection connection, Frame frame);

    /** Where a thread of the handler's gathers what it sends; asked once for each connection. None by default: everything leaves at once. */
    default @Nullable Outbox outbox() {
        return null;
    }

    /**
     * What numbers the requests sent on a connection; asked once for each. By default each counts for itself, as clients do. A server whose peers may
     * answer over a later connection what they were asked over an earlier one has all of its connections count together.
     */
    default RequestIds requestIds() {
        return new RequestIds(0);
    }

    /** The connection is gone and its waiting requests have failed. Called last, once, and only after {@link #opened}. */
    default void closed(RpcConnection connection) {}
}
