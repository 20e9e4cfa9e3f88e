package io.txn.protocol.extension;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The key by which a business calls a request, in head fields. A begin carries it; a decision carries what a repeated request is to be told: what was returned, or the
 * failure. The answer to a begin whose key is taken says what became of the first request. Keys count among those of one application and one name of a transaction.
 */
public final class RequestKey {

    /** In bytes. */
    public static final int LONGEST_KEY = 200;

    /** In bytes: with other fields it has to fit into a head. */
    public static final int LONGEST_RESULT = 24_000;

    private static final String KEY = "id-key";
    private static final String RESULT = "id-result";
    private static final String FAILURE = "id-failure";
    private static final String STATE = "id-state";
    private static final String XID = "id-xid";

    private RequestKey() {}

    /** How far the first request of a key is. */
    public enum State {
        /** Not decided, or being rolled back: nobody knows yet what a repeated request is to be told. */
        OPEN("open"),
        COMMITTED("committed"),
        ROLLED_BACK("rolled-back");

        private final String word;

        State(String word) {
            this.word = word;
        }
    }

    /**
     * What a repeated request is told.
     *
     * @param isFailure whether the text says why it failed; else it is what was returned
     */
    public record Answer(boolean isFailure, String text) {

        /** @throws IllegalArgumentException when the text is too long */
        public Answer {
            if (bytes(text) > LONGEST_RESULT) {
                throw new IllegalArgumentException("an answer has at most " + LONGEST_RESULT + " bytes");
            }
        }

        /** A failure in one line, and not too long. */
        public static Answer failure(String text) {
            return new Answer(true, RollbackCause.brief(text));
        }

        /** Without what was returned, which nobody should find in a log. */
        @Override
        public String toString() {
            return isFailure ? "failure " + text : "a result of " + bytes(text) + " bytes";
        }
    }

    /**
     * What became of the first request.
     *
     * @param answer null when it is open, or nobody said what is to be answered
     */
    public record First(State state, String xid, @Nullable Answer answer) {}

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    /** What is wrong with a key, or null. */
    public static @Nullable String problem(String key) {
        if (key.isBlank()) {
            return "it is empty";
        }
        return bytes(key) > LONGEST_KEY ? "it has more than " + LONGEST_KEY + " bytes" : null;
    }

    /** Has a begin carry its key. */
    public static void write(String key, Map<String, @Nullable String> head) {
        head.put(KEY, key);
    }

    /**
     * The key of a begin, or null.
     *
     * @throws TxnException BAD_REQUEST
     */
    public static @Nullable String read(Map<String, @Nullable String> head) {
        String key = head.get(KEY);
        String problem = key == null ? null : problem(key);
        if (problem != null) {
            throw new TxnException(ErrorCode.BAD_REQUEST, null, "field", KEY, "problem", problem);
        }
        return key;
    }

    /** Has a decision carry what a repeated request is to be told. */
    public static void answer(Answer answer, Map<String, @Nullable String> head) {
        head.put(answer.isFailure() ? FAILURE : RESULT, answer.text());
    }

    /**
     * What a repeated request is to be told, as a decision, or the answer to a begin, says; null when it does not, or says too much: no decision fails for it.
     */
    public static @Nullable Answer answer(Map<String, @Nullable String> head) {
        String result = head.get(RESULT);
        String failure = head.get(FAILURE);
        String text = failure == null ? result : failure;
        if (text == null) {
            return null;
        }
        try {
            return failure == null ? new Answer(false, text) : Answer.failure(failure);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** Tells what became of the first request. */
    public static void first(First first, Map<String, @Nullable String> head) {
        head.put(STATE, first.state().word);
        head.put(XID, first.xid());
        if (first.answer() != null) {
            answer(first.answer(), head);
        }
    }

    /** What an answer to a begin says of the first request; null when it says nothing, or nothing that can be read. */
    public static @Nullable First first(Map<String, @Nullable String> head) {
        String word = head.get(STATE);
        for (State state : State.values()) {
            if (state.word.equals(word)) {
                String xid = head.get(XID);
                return new First(state, xid == null ? "" : xid, answer(head));
            }
        }
        return null;
    }
}
