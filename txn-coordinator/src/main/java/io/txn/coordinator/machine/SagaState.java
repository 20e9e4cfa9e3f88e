package io.txn.coordinator.machine;

import io.txn.protocol.saga.JsonText;
import io.txn.protocol.saga.Recovery;
import io.txn.protocol.saga.Step;
import io.txn.protocol.saga.Work;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How far a saga is that the coordinator drives: part of its {@link GlobalTransaction}, whose branches of the same ids say how often each execution was called in vain, and when it is next. Immutable.
 *
 * @param input JSON, as it came
 * @param places one for each step of the plan, in its order
 * @param executions in the order in which they began; each round of a loop makes new ones
 * @param ended how many executions have ended, one way or the other
 * @param resultBytes of all results
 */
public record SagaState(
        PlanText plan, String input, List<Place> places, List<Execution> executions, int ended, int resultBytes) {

    public SagaState {
        places = List.copyOf(places);
        executions = List.copyOf(executions);
    }

    /** How a step of the plan stands. */
    public enum Settled {
        /** Its turn has not come. */
        OPEN,
        /** It is being executed, or failed. */
        BEGUN,
        /** It is over, and those that come after it may begin. */
        DONE,
        /** No way led to it. */
        LEFT_OUT
    }

    /**
     * A step of the plan, in its present round.
     *
     * @param branch of its last execution; 0: none
     * @param chosen of a choice that is done: the step that it chose; else -1
     * @param rounds of a choice: how often it went back
     */
    public record Place(Settled settled, long branch, int chosen, int rounds) {
        static final Place FRESH = new Place(Settled.OPEN, 0, -1, 0);
    }

    /** How an execution of a step stands. */
    public enum Progress {
        /** It is being called. */
        RUNNING,
        /** It says that it is under way. */
        ONGOING,
        DONE,
        /** It failed, and what came of its calls is not known. */
        FAILED,
        /** It was refused at its first call: nothing was done. */
        REFUSED
    }

    /**
     * One execution of a step.
     *
     * @param branch its branch, of the same transaction
     * @param step its place in the plan
     * @param beganAfter how many executions had ended before it began
     * @param order in which they ended, from 1; 0: not ended. When a saga turns, those that were under way end with that
     * @param result JSON; null: none, or not known
     */
    public record Execution(
            long branch,
            int step,
            Progress progress,
            long beganAt,
            int beganAfter,
            int order,
            @Nullable String result) {

        boolean isUnderWay() {
            return progress == Progress.RUNNING || progress == Progress.ONGOING;
        }
    }

    static SagaState planned(PlanText plan, String input) {
        List<Place> places = new ArrayList<>();
        for (int i = 0; i < plan.plan().steps().size(); i++) {
            places.add(Place.FRESH);
        }
        return new SagaState(plan, input, places, List.of(), 0, 0);
    }

    public Step step(Execution execution) {
        return plan.plan().steps().get(execution.step);
    }

    /** The execution of this branch, or null. */
    public @Nullable Execution execution(long branch) {
        for (Execution execution : executions) {
            if (execution.branch == branch) {
                return execution;
            }
        }
        return null;
    }

    boolean isUnderWay(long branch) {
        Execution execution = execution(branch);
        return execution != null && execution.isUnderWay();
    }

    /** Whether nothing is known to have come of an execution: as far as it is recorded, no call of it came to an end without saying what it did. */
    boolean isFirstCall(GlobalTransaction transaction, Execution execution) {
        Branch branch = transaction.branch(execution.branch);
        return execution.progress == Progress.RUNNING && branch != null && branch.attempts() == 0;
    }

    /** Whether it has begun what can only go forward. */
    boolean isBeyondReturn() {
        for (Execution execution : executions) {
            if (step(execution).recovery() == Recovery.FORWARD
                    && step(execution).work() instanceof Work.Call) {
                return true;
            }
        }
        return false;
    }

    /** What compensates an execution; null when nothing does or has to. */
    Work.@Nullable Call compensation(Execution execution) {
        return execution.progress == Progress.REFUSED ? null : step(execution).compensation();
    }

    /** The saga's result, JSON; {@code null} when it has none. */
    public String result() {
        String name = plan.plan().result();
        String result = name == null ? null : resultOf(plan.plan().indexOf(name), Integer.MAX_VALUE);
        return result == null ? "null" : result;
    }

    /** What an execution is given: see {@link io.txn.protocol.saga.SagaPlan}. */
    public String given(Execution execution, boolean compensate) {
        Step step = step(execution);
        StringBuilder out = new StringBuilder(200).append("{\"input\":");
        String from = step.inputFrom();
        String own = from == null ? input : resultOf(plan.plan().indexOf(from), execution.beganAfter);
        out.append(own == null ? "null" : own).append(",\"results\":{");
        boolean first = true;
        for (String name : step.results()) {
            String result = resultOf(plan.plan().indexOf(name), execution.beganAfter);
            if (result != null) {
                out.append(first ? "" : ",")
                        .append(JsonText.quoted(name))
                        .append(':')
                        .append(result);
                first = false;
            }
        }
        out.append('}');
        if (compensate && execution.result != null) {
            out.append(",\"result\":").append(execution.result);
        }
        return out.append('}').toString();
    }

    /** Of the last execution of a step that had ended by then; null when there is none. */
    private @Nullable String resultOf(int step, int by) {
        Execution last = null;
        for (Execution execution : executions) {
            boolean counts = execution.step == step && execution.order > 0 && execution.order <= by;
            if (counts && (last == null || last.order < execution.order)) {
                last = execution;
            }
        }
        return last == null ? null : last.result;
    }

    // What events make of it

    SagaState begun(long branch, int step, long at) {
        List<Execution> list = new ArrayList<>(executions);
        list.add(new Execution(branch, step, Progress.RUNNING, at, ended, 0, null));
        Place place = places.get(step);
        return with(place(step, new Place(Settled.BEGUN, branch, -1, place.rounds)), list, ended, resultBytes);
    }

    SagaState settled(int step, boolean done) {
        Place place = places.get(step);
        return with(
                place(step, new Place(done ? Settled.DONE : Settled.LEFT_OUT, place.branch, -1, place.rounds)),
                executions,
                ended,
                resultBytes);
    }

    SagaState ongoing(long branch) {
        return replaced(branch, Progress.ONGOING, null, false);
    }

    /** Also what came too late for the saga, but in time for its compensation. */
    SagaState done(long branch, @Nullable String result) {
        Execution execution = execution(branch);
        if (execution == null) {
            return this;
        }
        SagaState after = replaced(branch, Progress.DONE, result, true);
        return execution.isUnderWay() ? after.settled(execution.step, true) : after;
    }

    SagaState failed(long branch, boolean refused, String cause) {
        Execution execution = execution(branch);
        if (execution == null) {
            return this;
        }
        boolean goesOn = step(execution).recovery() == Recovery.CONTINUE;
        String result = goesOn ? "{\"failure\":" + JsonText.quoted(cause) + "}" : null;
        SagaState after = replaced(branch, refused ? Progress.REFUSED : Progress.FAILED, result, true);
        return goesOn ? after.settled(execution.step, true) : after;
    }

    /** The choice of this branch was made; going back opens the body of the loop. */
    SagaState chosen(long branch, int next) {
        Execution execution = execution(branch);
        if (execution == null) {
            return this;
        }
        Step choice = step(execution);
        String name = plan.plan().steps().get(next).name();
        SagaState after = replaced(branch, Progress.DONE, JsonText.quoted(name), true);
        int rounds = places.get(execution.step).rounds;
        if (choice.work() instanceof Work.Choice work && work.back().contains(name)) {
            BitSet body = plan.plan().body(next, execution.step);
            List<Place> list = new ArrayList<>(after.places);
            for (int i = body.nextSetBit(0); i >= 0; i = body.nextSetBit(i + 1)) {
                // An inner loop has its rounds anew; this one has had one more.
                list.set(i, i == execution.step ? new Place(Settled.OPEN, branch, -1, rounds + 1) : Place.FRESH);
            }
            return after.with(list, after.executions, after.ended, after.resultBytes);
        }
        return after.with(
                after.place(execution.step, new Place(Settled.DONE, branch, next, rounds)),
                after.executions,
                after.ended,
                after.resultBytes);
    }

    /** What is under way ends, nobody knows how. */
    SagaState turned() {
        SagaState after = this;
        for (Execution execution : executions) {
            if (execution.isUnderWay()) {
                after = after.replaced(execution.branch, Progress.FAILED, null, true);
            }
        }
        return after;
    }

    /** What is kept when it has ended: how far each step came, and the saga's result. */
    SagaState forRetention() {
        String name = plan.plan().result();
        int kept = name == null ? -1 : plan.plan().indexOf(name);
        List<Execution> list = new ArrayList<>(executions.size());
        for (Execution e : executions) {
            list.add(
                    e.step == kept
                            ? e
                            : new Execution(e.branch, e.step, e.progress, e.beganAt, e.beganAfter, e.order, null));
        }
        return with(places, list, ended, resultBytes).withoutInput();
    }

    private SagaState withoutInput() {
        return new SagaState(plan, "null", places, executions, ended, resultBytes);
    }

    private List<Place> place(int step, Place place) {
        List<Place> list = new ArrayList<>(places);
        list.set(step, place);
        return list;
    }

    private SagaState replaced(long branch, Progress progress, @Nullable String result, boolean ends) {
        List<Execution> list = new ArrayList<>(executions);
        int last = ended;
        int bytes = resultBytes;
        for (int i = 0; i < list.size(); i++) {
            Execution e = list.get(i);
            if (e.branch == branch) {
                int order = ends && e.order == 0 ? ++last : e.order;
                list.set(i, new Execution(branch, e.step, progress, e.beganAt, e.beganAfter, order, result));
                bytes += result == null ? 0 : JsonText.bytes(result);
            }
        }
        return with(places, list, last, bytes);
    }

    private SagaState with(List<Place> newPlaces, List<Execution> newExecutions, int newEnded, int newResultBytes) {
        return new SagaState(plan, input, newPlaces, newExecutions, newEnded, newResultBytes);
    }
}
