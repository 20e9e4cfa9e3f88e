package io.txn.coordinator.machine;

import io.txn.protocol.saga.Policy;
import io.txn.protocol.saga.SagaHead;
import io.txn.protocol.saga.Work;
import java.util.Objects;

/**
 * What a step of a saga is called for.
 *
 * @param compensate whether it is undone
 */
public record StepCall(SagaState saga, SagaState.Execution execution, boolean compensate, int attempt) {

    /** Whom: a call, or, for a choice, null. */
    public Work work() {
        return compensate
                ? Objects.requireNonNull(saga.compensation(execution))
                : saga.step(execution).work();
    }

    public SagaHead.Called called() {
        SagaHead.Call call = compensate
                ? SagaHead.Call.COMPENSATE
                : work() instanceof Work.Choice ? SagaHead.Call.CHOOSE : SagaHead.Call.ACTION;
        return new SagaHead.Called(
                call, saga.step(execution).name(), saga.plan().toString(), attempt);
    }

    /** JSON. */
    public String given() {
        return saga.given(execution, compensate);
    }

    public Policy policy() {
        return compensate
                ? saga.step(execution).appliedCompensationPolicy()
                : saga.step(execution).appliedPolicy();
    }

    /** The resource, or method and URL. */
    static String target(Work work) {
        if (work instanceof Work.Choice choice) {
            return choice.resource();
        } else if (work instanceof Work.Call call) {
            return call.target();
        }
        throw new AssertionError("nobody to call: " + work);
    }

    @Override
    public String toString() {
        return called().toString();
    }
}
