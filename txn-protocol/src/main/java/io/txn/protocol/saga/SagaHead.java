package io.txn.protocol.saga;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The head fields of feature {@link io.txn.protocol.extension.Feature#SAGA}. Inputs and results are JSON values as text.
 *
 * <ul>
 *   <li><b>Start</b>: a GlobalBegin, named as the definition, its timeout the time of the whole saga (after which it turns), with {@link #PLAN} ({@link SagaPlan#encoded()}) and {@link #INPUT}. The answer, as to any begin, is the XID:
 *       the saga is durable and on its way. Request ids, lent ids and request keys work as for any begin; a commit by a client is refused, a rollback turns the saga.
 *   <li><b>Call</b>: BranchCommit (action, choice) or BranchRollback (compensation) of type SAGA, the resource as planned, application data what {@link SagaPlan} says a step is given; with {@link #CALL}, {@link #STEP},
 *       {@link #DEFINITION}, {@link #ATTEMPT}. XID and branch id name this execution of the step, in each call of action and compensation the same: they are the key of a fence.
 *   <li><b>Answer</b>: <em>committed</em> (to a compensation <em>rolled back</em>) with {@link #RESULT} (absent: null) is done; with {@link #ONGOING} it is under way, and completed by a report later;
 *       <em>unretryable</em> is a refusal, a failure of the business, its text the outcome's message; <em>retryable</em>, an answer that cannot be read and none at all: called again later.
 *   <li><b>Completion</b> of an ongoing step: a BranchReport with XID and branch id; <em>phase one done</em> and {@link #RESULT}, or <em>phase one failed</em> and {@link #FAILURE}. Said again, it changes nothing.
 *   <li><b>Waiting</b>: a GlobalStatus with {@link #WAIT}: answered when the saga has ended, or that time is over. The answer has {@link #STATE} and, of one that has ended, {@link #RESULT} or {@link #FAILURE}.
 * </ul>
 */
public final class SagaHead {

    public static final String PLAN = "saga-plan";
    public static final String INPUT = "saga-input";
    public static final String CALL = "saga-call";
    public static final String STEP = "saga-step";
    public static final String DEFINITION = "saga-definition";
    public static final String ATTEMPT = "saga-attempt";
    public static final String RESULT = "saga-result";
    public static final String FAILURE = "saga-failure";
    public static final String ONGOING = "saga-ongoing";
    public static final String WAIT = "saga-wait";
    public static final String STATE = "saga-state";

    /** Longest time that a question waits, in ms: clients give up an answer after 30 s. */
    public static final long LONGEST_WAIT = 20_000;

    private SagaHead() {}

    /** What a call asks of a step. */
    public enum Call {
        ACTION,
        COMPENSATE,
        CHOOSE;

        private final String word = name().toLowerCase(Locale.ROOT);
    }

    /** How far a saga is. */
    public enum State {
        /** On its way. */
        RUNNING,
        /** Something failed; what was done is being compensated. */
        COMPENSATING,
        /** Every step is done or left out. */
        DONE,
        /** It failed, and everything was compensated. */
        COMPENSATED,
        /** A step or a compensation needs a person. */
        NEEDS_ATTENTION;

        private final String word = name().toLowerCase(Locale.ROOT).replace('_', '-');

        public boolean isEnd() {
            return this == DONE || this == COMPENSATED;
        }
    }

    /**
     * What a step is called for.
     *
     * @param definition {@code <name>@<version>}
     * @param attempt counted from 1
     */
    public record Called(Call call, String step, String definition, int attempt) {}

    /**
     * What came of a call, beside what its status says.
     *
     * @param result a JSON value; null: none
     * @param ongoingMillis -1: it is not ongoing. 0: it is, and will be completed by a report. More: it is, and is called again after so many ms, unless it is completed before
     */
    public record Said(@Nullable String result, long ongoingMillis) {
        public static final Said NOTHING = new Said(null, -1);

        public boolean isOngoing() {
            return ongoingMillis >= 0;
        }
    }

    /**
     * How far a saga is.
     *
     * @param result of one that is done; else null
     * @param failure why it is compensated, or needs attention; else null
     */
    public record Progress(
            State state, @Nullable String result, @Nullable String failure) {}

    /**
     * Has a begin start a saga.
     *
     * @throws TxnException BAD_REQUEST when the input is no JSON value, SAGA_TOO_LARGE when it is too long
     */
    public static void start(String plan, String input, Map<String, @Nullable String> head) {
        checked(INPUT, input, SagaPlan.LONGEST_INPUT);
        head.put(PLAN, plan);
        head.put(INPUT, input);
    }

    /** @throws TxnException BAD_REQUEST, SAGA_TOO_LARGE */
    public static String input(Map<String, @Nullable String> head) {
        String input = head.get(INPUT);
        return checked(INPUT, input == null ? "null" : input, SagaPlan.LONGEST_INPUT);
    }

    public static void call(Called called, Map<String, @Nullable String> head) {
        head.put(CALL, called.call.word);
        head.put(STEP, called.step);
        head.put(DEFINITION, called.definition);
        head.put(ATTEMPT, Integer.toString(called.attempt));
    }

    /** What a call is for; null: it is none of a saga of the coordinator's. */
    public static @Nullable Called called(Map<String, @Nullable String> head) {
        String word = head.get(CALL);
        String step = head.get(STEP);
        String definition = head.get(DEFINITION);
        for (Call call : Call.values()) {
            if (call.word.equals(word) && step != null && definition != null) {
                return new Called(call, step, definition, (int) number(ATTEMPT, head, 1));
            }
        }
        return null;
    }

    /**
     * Says what came of a call, or of an ongoing step.
     *
     * @throws TxnException BAD_REQUEST when the result is no JSON value, SAGA_TOO_LARGE when it is too long
     */
    public static void said(Said said, Map<String, @Nullable String> head) {
        if (said.result != null) {
            head.put(RESULT, checked(RESULT, said.result, SagaPlan.LONGEST_RESULT));
        }
        if (said.ongoingMillis >= 0) {
            head.put(ONGOING, Long.toString(said.ongoingMillis));
        }
    }

    /** @throws TxnException BAD_REQUEST, SAGA_TOO_LARGE */
    public static Said said(Map<String, @Nullable String> head) {
        String result = head.get(RESULT);
        return new Said(
                result == null ? null : checked(RESULT, result, SagaPlan.LONGEST_RESULT),
                head.get(ONGOING) == null ? -1 : Math.min(number(ONGOING, head, -1), Policy.LONGEST));
    }

    public static void failure(String cause, Map<String, @Nullable String> head) {
        head.put(FAILURE, cause.length() <= 500 ? cause : cause.substring(0, 500));
    }

    /** Why an ongoing step failed; null when nothing is said. */
    public static @Nullable String failure(Map<String, @Nullable String> head) {
        return head.get(FAILURE);
    }

    public static void waitFor(long millis, Map<String, @Nullable String> head) {
        head.put(WAIT, Long.toString(millis));
    }

    /** How long a question waits; -1: it does not ask about a saga. */
    public static long waitOf(Map<String, @Nullable String> head) {
        return head.get(WAIT) == null ? -1 : Math.min(number(WAIT, head, -1), LONGEST_WAIT);
    }

    public static void progress(Progress progress, Map<String, @Nullable String> head) {
        head.put(STATE, progress.state.word);
        if (progress.result != null) {
            head.put(RESULT, progress.result);
        }
        if (progress.failure != null) {
            failure(progress.failure, head);
        }
    }

    /** What an answer says of a saga; null when it says nothing. */
    public static @Nullable Progress progress(Map<String, @Nullable String> head) {
        for (State state : State.values()) {
            if (state.word.equals(head.get(STATE))) {
                return new Progress(state, head.get(RESULT), head.get(FAILURE));
            }
        }
        return null;
    }

    private static String checked(String field, String json, int longest) {
        int bytes = JsonText.bytes(json);
        if (bytes > longest) {
            throw new TxnException(ErrorCode.SAGA_TOO_LARGE, null, "field", field, "bytes", bytes, "longest", longest);
        }
        if (!JsonText.isValue(json)) {
            throw new TxnException(
                    ErrorCode.BAD_REQUEST,
                    null,
                    "field",
                    field,
                    "reason",
                    "it is no JSON value, or one that clients do not read: nested more than 62 deep, a name twice in an object, or a number of more than 100 characters or with more than 4 digits of exponent");
        }
        return json;
    }

    private static long number(String field, Map<String, @Nullable String> head, long otherwise) {
        String text = head.get(field);
        if (text == null) {
            return otherwise;
        }
        if (!text.matches("[0-9]{1,15}")) {
            throw new TxnException(ErrorCode.BAD_REQUEST, null, "field", field, "reason", "it is no number");
        }
        return Long.parseLong(text);
    }
}
