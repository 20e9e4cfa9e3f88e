package io.txn.protocol.saga;

import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A step of a {@link SagaPlan}.
 *
 * @param name unique in its plan: letters, digits and {@code . _ - /}. A sub-saga's steps are named {@code <step>/<step of the sub-saga>}
 * @param after names of the steps it comes after; empty for those the saga begins with
 * @param compensation undoes it; null: there is nothing to undo, or it cannot be undone. For calls only
 * @param policy of {@code work}
 * @param compensationPolicy of {@code compensation}; when its attempts are used up, or it is refused, a person is needed
 * @param inputFrom the step whose result is this one's input; null: the input of the saga. It lets a sub-saga have an input of its own
 * @param results names of steps whose results are handed over with the input, as far as there are any by then
 * @param part what it belongs to, for people and diagrams: {@code <definition>@<version>} of a sub-saga; null: the saga itself
 */
public record Step(
        String name,
        Work work,
        List<String> after,
        Work.@Nullable Call compensation,
        Policy policy,
        Policy compensationPolicy,
        Recovery recovery,
        @Nullable String inputFrom,
        List<String> results,
        @Nullable String part) {

    public Step {
        SagaPlan.name(name);
        after = List.copyOf(after);
        results = List.copyOf(results);
        if (new HashSet<>(after).size() != after.size() || new HashSet<>(results).size() != results.size()) {
            throw new IllegalArgumentException("step " + name + " names another one twice");
        }
        if (compensation != null && !(work instanceof Work.Call)) {
            throw new IllegalArgumentException("step " + name + " calls nobody, so there is nothing to compensate");
        }
        if (part != null) {
            SagaPlan.text("a part", part, SagaPlan.LONGEST_NAME + 20);
        }
    }

    /** The policy by which a coordinator calls its work. */
    public Policy appliedPolicy() {
        return policy.applied(isEndless());
    }

    /** The policy by which a coordinator calls its compensation, which it does until that succeeds. */
    public Policy appliedCompensationPolicy() {
        return compensationPolicy.applied(true);
    }

    private boolean isEndless() {
        return recovery == Recovery.FORWARD && policy.maxAttempts() == 0;
    }

    /** Why it should be in no plan that is made now; null when it may. */
    @Nullable
    String problem() {
        String problem = policy.problem(isEndless());
        if (problem != null) {
            return "step " + name + ' ' + problem;
        }
        problem = compensation == null ? null : compensationPolicy.problem(true);
        return problem == null ? null : "the compensation of step " + name + ' ' + problem;
    }

    /** One that calls somebody, with what is usual everywhere else. */
    public static Step calling(String name, Work.Call call, Work.@Nullable Call compensation, String... after) {
        return new Step(
                name,
                call,
                List.of(after),
                compensation,
                Policy.DEFAULT,
                Policy.DEFAULT,
                Recovery.COMPENSATE,
                null,
                List.of(),
                null);
    }
}
