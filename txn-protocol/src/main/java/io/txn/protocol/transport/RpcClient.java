package io.txn.protocol.transport;

import java.util.concurrent.CompletableFuture;

/** Opens connections. Thread-safe. */
public final class RpcClient implements AutoCloseable {

    public RpcClient(TransportOptions options) {}

    public CompletableFuture<RpcConnection> connect(String host, int port, RpcHandler handler) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
}
