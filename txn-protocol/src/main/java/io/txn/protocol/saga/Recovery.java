package io.txn.protocol.saga;

/** What a step's failure means: it was refused, its attempts are used up, or its time is over. */
public enum Recovery {
    /** The saga turns: nothing more is begun, and what was done is compensated. */
    COMPENSATE,
    /**
     * The saga does not turn for this step. Attempts that are used up and a refusal need a person (the saga waits in NEEDS_ATTENTION, other steps go on), the timeout of the step does not count, and when
     * such a step has begun the deadline of the saga does not turn it either. Other steps may still turn it, and then this one is compensated; if it has no compensation, a plan in which they could is not started
     * ({@link SagaPlan#problem}).
     */
    FORWARD,
    /**
     * The failure is a result: the step counts as done, its result is {@code {"failure": "<cause>"}}, and a choice behind it may look at that. Should the saga turn later, it is compensated unless it was refused at its first
     * call.
     */
    CONTINUE
}
