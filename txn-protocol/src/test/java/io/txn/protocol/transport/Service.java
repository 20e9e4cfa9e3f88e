package io.txn.protocol.transport;

import io.txn.protocol.codec.Frame;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Message.GlobalBeginRequest;
import io.txn.protocol.message.Message.GlobalBeginResponse;
import io.txn.protocol.message.Message.GlobalStatusRequest;
import io.txn.protocol.message.Message.GlobalStatusResponse;
import io.txn.protocol.message.Outcome;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A server's side in tests: answers a begin with an XID that repeats its name, and a status query with COMMITTED; keeps everything else for the
 * test.
 */
final class Service implements RpcHandler {

    final BlockingQueue<RpcConnection> opened = new LinkedBlockingQueue<>();
    final BlockingQueue<RpcConnection> closed = new LinkedBlockingQueue<>();
    final BlockingQueue<Frame> kept = new LinkedBlockingQueue<>();
    final AtomicInteger begun = new AtomicInteger();

    @Override
    public void opened(RpcConnection connection) {
        opened.add(connection);
    }

    @Override
    public void received(RpcConnection connection, Frame frame) {
        Message body = frame.body();
        if (body instanceof GlobalBeginRequest begin) {
            begun.incrementAndGet();
            if ("bug".equals(begin.transactionName())) {
                throw new IllegalStateException("a handler's bug");
            }
            connection.respond(frame, new GlobalBeginResponse(Outcome.SUCCESS, begin.transactionName(), null));
        } else if (body instanceof GlobalStatusRequest) {
            connection.respond(frame, new GlobalStatusResponse(Outcome.SUCCESS, GlobalStatus.COMMITTED));
        } else {
            kept.add(frame);
        }
    }

    @Override
    public void closed(RpcConnection connection) {
        closed.add(connection);
    }
}
