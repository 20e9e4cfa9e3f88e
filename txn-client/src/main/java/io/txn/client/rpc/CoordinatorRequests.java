package io.txn.client.rpc;

import io.txn.protocol.message.Message;
import java.util.function.Consumer;

/** Takes what coordinators ask of this process. */
@FunctionalInterface
public interface CoordinatorRequests {

    /**
     * Called on an event loop: hands the work over and returns at once.
     *
     * @param answer sends the answer, from any thread, at most once; does nothing when the connection is gone by then
     */
    void received(Message.Request request, Consumer<Message.Response> answer);
}
