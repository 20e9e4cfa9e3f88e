package io.txn.client.rpc;

import io.txn.protocol.message.Message;
import java.util.Map;

/** Takes what coordinators ask of this process. */
@FunctionalInterface
public interface CoordinatorRequests {

    /**
     * Called on an event loop: hands the work over and returns at once.
     *
     * @param head the extension fields of the request
     * @param answer sends the answer, from any thread, at most once; does nothing when the connection is gone by then
     */
    void received(Message.Request request, Map<String, String> head, Answering answer);

    /** Sends an answer. */
    @FunctionalInterface
    interface Answering {
        /** @param head extension fields; they are left out where the coordinator does not read them */
        void answer(Message.Response response, Map<String, String> head);

        /** Whether the coordinator goes on calling before it has this answer. A Seata server may not: it finishes the branches of a transaction one after the other. */
        default boolean callsGoOn() {
            return true;
        }
    }
}
