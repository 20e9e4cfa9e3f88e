package io.txn.protocol.transport;

import java.util.Collection;

/** Accepts connections. Thread-safe. */
public final class RpcServer implements AutoCloseable {

    public static RpcServer bind(String host, int port, TransportOptions options, RpcHandler handler) {
        throw new UnsupportedOperationException();
    }

    public int port() {
        throw new UnsupportedOperationException();
    }

    public Collection<RpcConnection> connections() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
}
