package io.txn.coordinator.seata;

import io.txn.coordinator.machine.Reply;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.LogText;
import io.txn.protocol.TxnException;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.message.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The way back: brings what requests came to to those who asked, alone or in one frame, as long as there is an honest answer. Thread-safe. */
final class Answering {

    private static final Logger LOG = LoggerFactory.getLogger(Answering.class);

    private final AtomicLong unanswered = new AtomicLong();
    private volatile boolean stopping;

    /** Whoever waits for the answer to one request. */
    @FunctionalInterface
    interface Asked {

        void answer(Message.Response response);

        /** There will be none, for want of room, and its client asks again: by default nobody else is concerned. */
        default void unanswered() {}
    }

    /** From here on, whoever has no answer gets it by the end of the connection. */
    void stop() {
        stopping = true;
    }

    boolean isStopping() {
        return stopping;
    }

    /** The one who sent a frame with one request. */
    static Asked alone(Session session, Frame frame) {
        return response -> respond(session, response, fitting -> session.connection.respond(frame, fitting));
    }

    /**
     * Those of a frame with several requests, in their order. Newer clients get each answer on its own as soon as it is there; older ones one frame with all answers in the order of the requests. When one part has
     * no honest answer the connection is closed, which answers them all; so it is for older ones when a part is left unanswered, because the others cannot be
     * answered without it.
     */
    static List<Asked> together(Session session, Frame frame, Message.MergedRequest merged) {
        List<Asked> all = new ArrayList<>();
        if (session.takesSingleAnswers) {
            for (int id : merged.ids()) {
                all.add(response ->
                        respond(session, response, fitting -> session.connection.respond(id, frame, fitting)));
            }
            return all;
        }
        int count = merged.requests().size();
        AtomicReferenceArray<Message.@Nullable Response> responses = new AtomicReferenceArray<>(count);
        AtomicInteger missing = new AtomicInteger(count);
        for (int i = 0; i < count; i++) {
            int index = i;
            all.add(new Asked() {
                @Override
                public void answer(Message.Response response) {
                    responses.set(index, response);
                    if (missing.decrementAndGet() == 0) {
                        Message whole = new Message.MergedResponse(inOrder(responses));
                        respond(session, whole, fitting -> session.connection.respond(frame, fitting));
                    }
                }

                @Override
                public void unanswered() {
                    session.connection.close();
                }
            });
        }
        return all;
    }

    private static List<Message.Response> inOrder(AtomicReferenceArray<Message.@Nullable Response> responses) {
        List<Message.Response> list = new ArrayList<>(responses.length());
        for (int i = 0; i < responses.length(); i++) {
            Message.Response response = responses.get(i);
            if (response == null) {
                throw new AssertionError("answer " + i + " is missing");
            }
            list.add(response);
        }
        return list;
    }

    /** Answers with something in the head, which is left out where the answer alone is too long already. */
    static void respondWith(Session session, Frame frame, Map<String, String> head, Message.Response response) {
        respond(
                session,
                response,
                fitting -> session.connection.respond(frame, fitting == response ? head : Frame.EMPTY_HEAD, fitting));
    }

    /**
     * Sends an answer, with brief texts when it is longer than a frame may be. When even that is too long the connection is closed: whoever asked would wait in
     * vain.
     */
    private static void respond(Session session, Message response, Consumer<Message> send) {
        try {
            send.accept(response);
        } catch (TxnException e) {
            tooLong(e);
            try {
                send.accept(Answers.brief(response));
            } catch (TxnException still) {
                tooLong(still);
                LOG.warn(
                        "closing a connection, because an answer does not fit into a frame: raise the frame size client={} cause={}",
                        session,
                        still.getMessage());
                session.connection.close();
            }
        }
    }

    private static void tooLong(TxnException e) {
        if (e.code() != ErrorCode.MESSAGE_TOO_LARGE) {
            throw e;
        }
    }

    /** @param translate null: there is no honest answer to that */
    void answer(Session session, Reply reply, Function<Reply, Message.@Nullable Response> translate, Asked asked) {
        Message.Response response = translate.apply(reply);
        if (response == null && stopping) {
            LOG.debug("not answered, because the coordinator stops client={} reply={}", session, reply);
        } else if (response == null && isOverload(reply)) {
            leaveUnanswered(session, reply, asked);
        } else if (response == null) {
            LOG.warn(
                    "closing a connection, because there is no honest answer client={} reply={}",
                    session,
                    LogText.oneLine(reply));
            session.connection.close();
        } else {
            asked.answer(response);
        }
    }

    private static boolean isOverload(Reply reply) {
        return reply instanceof Reply.Rejected rejected && rejected.code() == ErrorCode.COORDINATOR_OVERLOADED;
    }

    /**
     * A commit or rollback for which there is no room, after everything else was refused: its client waits in vain and asks again, which is "unknown"
     * for this one request. Closing the connection would make it so for all others too, and bring more work.
     */
    private void leaveUnanswered(Session session, Reply reply, Asked asked) {
        long number = unanswered.incrementAndGet();
        if (Long.bitCount(number) == 1) {
            LOG.warn(
                    "too much work waits even for a commit or rollback: it is left unanswered, its client will ask again unanswered={} client={} reply={}",
                    number,
                    session,
                    LogText.oneLine(reply));
        }
        asked.unanswered();
    }
}
