package io.txn.protocol.transport;

import io.txn.protocol.codec.Frame;
import io.txn.protocol.message.Message;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One live connection, seen from either side. Thread-safe. */
public final class RpcConnection {

    public CompletableFuture<Message> request(Message request, Duration timeout) {
        throw new UnsupportedOperationException();
    }

    public List<CompletableFuture<Message>> requestMerged(List<Message.Request> requests, Duration timeout) {
        throw new UnsupportedOperationException();
    }

    public void oneWay(Message request) {
        throw new UnsupportedOperationException();
    }

    public void respond(Frame request, Message response) {
        respond(request.id(), request, response);
    }

    public void respond(int requestId, Frame like, Message response) {
        throw new UnsupportedOperationException();
    }

    public InetSocketAddress remoteAddress() {
        throw new UnsupportedOperationException();
    }

    public InetSocketAddress localAddress() {
        throw new UnsupportedOperationException();
    }

    public boolean isOpen() {
        throw new UnsupportedOperationException();
    }

    public void close() {
        throw new UnsupportedOperationException();
    }

    public <T> @Nullable T attachment(Class<T> type) {
        throw new UnsupportedOperationException();
    }

    public void attach(Object session) {
        throw new UnsupportedOperationException();
    }
}
