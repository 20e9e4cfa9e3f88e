package io.txn.protocol.saga;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.extension.Packed;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a saga does, as its definition says it: handed over when it starts and kept with it, so that a running saga finishes on the version it began with.
 *
 * <p><b>Order.</b> A step's turn comes when all steps it comes {@linkplain Step#after after} are settled, and a way leads to it: at least one of these is done and, if that is a choice, has chosen it. If all are
 * settled and no way leads to it, it is left out, which settles it too. So steps that come after the same one run side by side, a step after several waits for all of them, and the ways of a choice come
 * together again in a step after their ends. A saga is done when every step is settled.
 *
 * <p><b>Loops.</b> A choice may go back to an earlier step ({@link Work.Choice#back}). All steps on ways from there to the choice, both included, are then open again, and their results are those of the
 * last round. Such a body is entered by its first step and left by its choice only.
 *
 * <p><b>Sub-sagas</b> stand in the plan of the saga that calls them with all of their steps, under names with {@code /}; {@link Work.Pass} steps mark where they begin and end.
 *
 * <p><b>What a step is given</b> is one JSON object: {@code {"input": …, "results": {"<step>": …}}}, where the results are those that {@link Step#results} names, of steps that were done by then. A compensation is given the
 * same, as its step was given it, and {@code "result"}, what its step answered (absent when that is not known).
 *
 * <p><b>Turning.</b> A step that fails turns the saga as its {@link Recovery} says; so do the saga's deadline, an operator and whoever rolls it back. Nothing more is begun then. Compensations are called one at a time: first of steps that had begun
 * and whose outcome is not known, then of those that were done, the last one first (so whatever came after something is undone before it), each round of a loop by itself. A step that was <em>refused</em> at its first call did nothing
 * and is not compensated; one whose call was not answered is: whoever offers compensations has to cope with one whose action never came, and with an action that comes after it (the fence does both).
 *
 * @param definition name of what was defined; the saga's transaction is named so too
 * @param version of the definition
 * @param steps in the order of the definition
 * @param result the step whose result is the saga's; null: it has none (JSON null)
 */
public record SagaPlan(
        String definition,
        int version,
        List<Step> steps,
        @Nullable String result) {

    public static final int MOST_STEPS = 100;
    public static final int LONGEST_NAME = 100;
    public static final int LONGEST_RESOURCE = 300;
    public static final int LONGEST_URL = 1_000;
    public static final int LONGEST_CAUSE = 300;
    public static final int MOST_ROUNDS = 1_000;

    /** Steps begun in one saga, each round of a loop counted; one more turns it. */
    public static final int MOST_EXECUTIONS = 1_000;

    /** Of {@link #encoded()}, in characters: it shares a head with the input. */
    public static final int LONGEST_TEXT = 16_000;

    /** Of the saga's input, in bytes of UTF-8. */
    public static final int LONGEST_INPUT = 12_000;

    /** Of one step's result, in bytes of UTF-8. */
    public static final int LONGEST_RESULT = 16_000;

    /** Of all results of one saga together, in bytes; one that does not fit any more is a failure of its step. What the saga answers is kept beside them, if the step that says it must succeed. */
    public static final int MOST_RESULTS = 256 * 1024;

    private static final int FORMAT = 1;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._/-]*");

    /** @throws IllegalArgumentException when it is no plan; the message says why */
    public SagaPlan {
        name(definition);
        if (version < 1) {
            throw new IllegalArgumentException("versions begin with 1, not " + version);
        }
        steps = List.copyOf(steps);
        if (steps.isEmpty() || steps.size() > MOST_STEPS) {
            throw new IllegalArgumentException("a plan has 1 to " + MOST_STEPS + " steps, not " + steps.size());
        }
        check(steps, result);
    }

    /** The place of a step, or -1. */
    public int indexOf(String name) {
        for (int i = 0; i < steps.size(); i++) {
            if (steps.get(i).name().equals(name)) {
                return i;
            }
        }
        return -1;
    }

    /**
     * The steps that are open again when the choice at {@code choice} goes back to {@code target}: those on ways between them, both included.
     */
    public BitSet body(int target, int choice) {
        BitSet body = reachable(steps, target, true);
        body.and(reachable(steps, choice, false));
        return body;
    }

    /**
     * Why this plan should not be made; null when it may. Who makes plans asks; it is no part of what a plan is, because sagas that run already finish on what they began with, and clients of the version before
     * send times that are too short, which are {@linkplain Step#appliedPolicy applied} as the shortest ones.
     */
    public @Nullable String problem() {
        for (Step step : steps) {
            String problem = step.problem();
            if (problem != null) {
                return problem;
            }
        }
        return problemBeyondReturn();
    }

    /**
     * Why a saga should not be started with this plan, whoever made it; null when it may.
     *
     * <p>A step that can only go forward and is not compensated is the point of no return: nothing that runs after it or beside it may turn the saga any more.
     */
    public @Nullable String problemBeyondReturn() {
        List<BitSet> onward = onward();
        for (int i = 0; i < steps.size(); i++) {
            BitSet beyond = isPointOfNoReturn(steps.get(i)) ? notBefore(i, onward) : new BitSet();
            for (int other = beyond.nextSetBit(0); other >= 0; other = beyond.nextSetBit(other + 1)) {
                if (mayTurn(steps.get(other))) {
                    String forward = steps.get(i).name();
                    String where = onward.get(i).get(other)
                            ? "comes after it"
                            : onward.get(other).get(i) ? "comes again in a loop" : "runs beside it";
                    return "step " + forward + " can only go forward and has no compensation, but "
                            + steps.get(other).name() + ", which " + where
                            + ", may turn the saga back: let it go forward too, put it before " + forward
                            + ", or let " + forward + " have a compensation or not only go forward";
                }
            }
        }
        return null;
    }

    /** The steps that may be under way, or begin, when a point of no return is behind the saga: none of them should turn it. */
    public BitSet beyondReturn() {
        List<BitSet> onward = onward();
        BitSet beyond = new BitSet();
        for (int i = 0; i < steps.size(); i++) {
            if (isPointOfNoReturn(steps.get(i))) {
                beyond.or(notBefore(i, onward));
            }
        }
        return beyond;
    }

    private static boolean isPointOfNoReturn(Step step) {
        return step.recovery() == Recovery.FORWARD && step.work() instanceof Work.Call && step.compensation() == null;
    }

    private static boolean mayTurn(Step step) {
        return step.work() instanceof Work.Fail
                || step.recovery() == Recovery.COMPENSATE && !(step.work() instanceof Work.Pass);
    }

    /** For each step the steps to which ways lead from it; itself included. */
    private List<BitSet> onward() {
        List<BitSet> onward = new ArrayList<>();
        for (int i = 0; i < steps.size(); i++) {
            onward.add(reachable(steps, i, true));
        }
        return onward;
    }

    /** The steps after one and beside it, and those before it to which a loop goes back. */
    private BitSet notBefore(int step, List<BitSet> onward) {
        BitSet found = new BitSet();
        for (int i = 0; i < steps.size(); i++) {
            boolean isBefore = onward.get(i).get(step);
            if (i != step && !isBefore && (onward.get(step).get(i) || !isOtherWay(i, step, onward))) {
                found.set(i);
            }
        }
        for (int i = 0; i < steps.size(); i++) {
            if (steps.get(i).work() instanceof Work.Choice choice
                    && onward.get(step).get(i)) {
                for (String target : choice.back()) {
                    BitSet body = body(indexOf(target), i);
                    if (body.get(step)) {
                        found.or(body);
                    }
                }
            }
        }
        return found;
    }

    /** Whether there is a choice that leads to one or the other. */
    private boolean isOtherWay(int one, int other, List<BitSet> onward) {
        for (int i = 0; i < steps.size(); i++) {
            boolean before = onward.get(i).get(one) && onward.get(i).get(other);
            if (before && steps.get(i).work() instanceof Work.Choice choice) {
                boolean apart = choice.successors().stream()
                        .map(this::indexOf)
                        .noneMatch(way ->
                                onward.get(way).get(one) && onward.get(way).get(other));
                if (apart) {
                    return true;
                }
            }
        }
        return false;
    }

    private static void check(List<Step> steps, @Nullable String result) {
        Map<String, Integer> places = new HashMap<>();
        for (int i = 0; i < steps.size(); i++) {
            if (places.put(steps.get(i).name(), i) != null) {
                throw new IllegalArgumentException(
                        "two steps are called " + steps.get(i).name());
            }
        }
        for (Step step : steps) {
            named(places, step, step.after());
            named(places, step, step.results());
            if (step.inputFrom() != null) {
                named(places, step, List.of(step.inputFrom()));
            }
            if (step.work() instanceof Work.Choice choice) {
                named(places, step, choice.successors());
                named(places, step, choice.back());
                for (String successor : choice.successors()) {
                    if (!steps.get(place(steps, successor)).after().contains(step.name())) {
                        throw new IllegalArgumentException(
                                successor + " does not come after the choice " + step.name() + " that may choose it");
                    }
                }
            }
            for (String before : step.after()) {
                if (steps.get(place(steps, before)).work() instanceof Work.Choice choice
                        && !choice.successors().contains(step.name())) {
                    throw new IllegalArgumentException(
                            step.name() + " comes after the choice " + before + ", which cannot choose it");
                }
            }
        }
        if (result != null && !places.containsKey(result)) {
            throw new IllegalArgumentException("there is no step " + result + " to take the result from");
        }
        inOrder(steps, places);
        for (Step step : steps) {
            if (step.work() instanceof Work.Choice choice) {
                for (String target : choice.back()) {
                    checkLoop(steps, place(steps, target), place(steps, step.name()));
                }
            }
        }
    }

    private static void named(Map<String, Integer> places, Step step, List<String> names) {
        for (String name : names) {
            if (!places.containsKey(name)) {
                throw new IllegalArgumentException(
                        "step " + step.name() + " names " + name + ", which is no step of this plan");
            }
        }
    }

    /** Without the ways back there is no circle: a loop without a bound. */
    private static void inOrder(List<Step> steps, Map<String, Integer> places) {
        int[] open = new int[steps.size()];
        ArrayDeque<Integer> free = new ArrayDeque<>();
        for (int i = 0; i < open.length; i++) {
            open[i] = steps.get(i).after().size();
            if (open[i] == 0) {
                free.add(i);
            }
        }
        int seen = 0;
        Integer place;
        while ((place = free.poll()) != null) {
            seen++;
            for (int i = 0; i < open.length; i++) {
                if (steps.get(i).after().contains(steps.get(place).name()) && --open[i] == 0) {
                    free.add(i);
                }
            }
        }
        if (seen < open.length) {
            List<String> circle = new ArrayList<>();
            for (int i = 0; i < open.length; i++) {
                if (open[i] > 0) {
                    circle.add(steps.get(i).name());
                }
            }
            throw new IllegalArgumentException("steps come after each other in a circle: " + circle);
        }
    }

    private static void checkLoop(List<Step> steps, int target, int choice) {
        BitSet body = reachable(steps, target, true);
        body.and(reachable(steps, choice, false));
        String loop = "the loop from " + steps.get(choice).name() + " back to "
                + steps.get(target).name();
        if (!body.get(target) || !body.get(choice)) {
            throw new IllegalArgumentException(loop + " does not lead to an earlier step");
        }
        for (int i = 0; i < steps.size(); i++) {
            Step step = steps.get(i);
            for (String before : step.after()) {
                int from = place(steps, before);
                if (body.get(i) && i != target && !body.get(from)) {
                    throw new IllegalArgumentException(loop + " is entered at " + step.name() + " from " + before);
                }
                if (!body.get(i) && body.get(from) && from != choice) {
                    throw new IllegalArgumentException(loop + " is left at " + before + " for " + step.name());
                }
            }
        }
    }

    private static int place(List<Step> steps, String name) {
        for (int i = 0; i < steps.size(); i++) {
            if (steps.get(i).name().equals(name)) {
                return i;
            }
        }
        throw new AssertionError("no step " + name);
    }

    /** The steps to which ways lead from one, or from which ways lead to it; itself included. */
    private static BitSet reachable(List<Step> steps, int from, boolean forward) {
        BitSet found = new BitSet(steps.size());
        ArrayDeque<Integer> open = new ArrayDeque<>();
        open.add(from);
        found.set(from);
        Integer place;
        while ((place = open.poll()) != null) {
            for (int i = 0; i < steps.size(); i++) {
                boolean next = forward
                        ? steps.get(i).after().contains(steps.get(place).name())
                        : steps.get(place).after().contains(steps.get(i).name());
                if (next && !found.get(i)) {
                    found.set(i);
                    open.add(i);
                }
            }
        }
        return found;
    }

    static void name(String name) {
        if (name.length() > LONGEST_NAME || !NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("a name has 1 to " + LONGEST_NAME
                    + " letters, digits and . _ - /, and begins with a letter or digit: " + shortened(name));
        }
    }

    static void text(String what, String text, int longest) {
        if (text.isBlank() || text.length() > longest || text.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException(
                    what + " has 1 to " + longest + " characters in one line: " + shortened(text));
        }
    }

    private static String shortened(String text) {
        return text.length() <= 40 ? text : text.substring(0, 40) + '…';
    }

    // Encoding

    /**
     * As text that fits into a head. The same plan gives the same text, so it is worth keeping.
     *
     * @throws TxnException SAGA_TOO_LARGE
     */
    public String encoded() {
        String text = Packed.text(out -> SagaPlanCodec.write(this, FORMAT, out));
        if (text == null || text.length() > LONGEST_TEXT) {
            throw new TxnException(
                    ErrorCode.SAGA_TOO_LARGE,
                    null,
                    "definition",
                    definition,
                    "steps",
                    steps.size(),
                    "characters",
                    text == null ? "too many to count" : text.length(),
                    "longest",
                    LONGEST_TEXT);
        }
        return text;
    }

    /** @throws TxnException BAD_REQUEST when the text is no plan, or one of a later format */
    public static SagaPlan decode(String text) {
        if (text.length() > LONGEST_TEXT) {
            throw new TxnException(ErrorCode.BAD_REQUEST, null, "field", SagaHead.PLAN, "reason", "it is too long");
        }
        return Packed.read(SagaHead.PLAN, text, in -> SagaPlanCodec.read(in, FORMAT));
    }
}
