package io.txn.coordinator.machine;

import io.txn.protocol.saga.SagaPlan;

/**
 * A plan with the text it came as, which is what journals keep. Two of the same text are one.
 */
public record PlanText(String text, SagaPlan plan) {

    /** @throws io.txn.protocol.TxnException BAD_REQUEST when the text is no plan */
    public static PlanText of(String text) {
        return new PlanText(text, SagaPlan.decode(text));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PlanText that && that.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return plan.definition() + "@" + plan.version();
    }
}
