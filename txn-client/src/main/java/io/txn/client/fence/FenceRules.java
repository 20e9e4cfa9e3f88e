package io.txn.client.fence;

import org.jspecify.annotations.Nullable;

/** The decision table of the fence; {@code docs/fence.md} shows it. Pure. */
final class FenceRules {

    /** @param state what the row says from then on */
    record Decision(FenceVerdict verdict, FenceState state) {}

    private FenceRules() {}

    /** @param found what the row said before this call; null when it was this call that made it */
    static Decision decide(FencePhase phase, @Nullable FenceState found) {
        return switch (phase) {
            case BEGIN -> found == null ? run(FenceState.BEGUN) : first(found);
            case FIRST -> found == null || found == FenceState.BEGUN ? run(FenceState.DONE) : first(found);
            case CONFIRM -> confirm(found);
            case CANCEL -> cancel(found);
        };
    }

    private static Decision run(FenceState next) {
        return new Decision(FenceVerdict.RUN, next);
    }

    private static Decision stays(FenceVerdict verdict, FenceState found) {
        return new Decision(verdict, found);
    }

    private static Decision first(FenceState found) {
        return switch (found) {
            case BEGUN, DONE, CONFIRMED -> stays(FenceVerdict.REPEATED, found);
            case CANCELLED, REFUSED -> stays(FenceVerdict.TOO_LATE, found);
        };
    }

    private static Decision confirm(@Nullable FenceState found) {
        if (found == null) {
            return new Decision(FenceVerdict.NOTHING_TO_CONFIRM, FenceState.REFUSED);
        }
        return switch (found) {
            case DONE -> run(FenceState.CONFIRMED);
            case CONFIRMED -> stays(FenceVerdict.REPEATED, found);
            case BEGUN, REFUSED -> stays(FenceVerdict.NOTHING_TO_CONFIRM, found);
            case CANCELLED -> stays(FenceVerdict.CONTRADICTED, found);
        };
    }

    private static Decision cancel(@Nullable FenceState found) {
        if (found == null) {
            return new Decision(FenceVerdict.EMPTY, FenceState.REFUSED);
        }
        return switch (found) {
            case BEGUN, DONE -> run(FenceState.CANCELLED);
            case CANCELLED -> stays(FenceVerdict.REPEATED, found);
            case REFUSED -> stays(FenceVerdict.EMPTY, found);
            case CONFIRMED -> stays(FenceVerdict.CONTRADICTED, found);
        };
    }

    /** What the row says when the call that makes it is of this phase. */
    static FenceState whenNew(FencePhase phase) {
        return decide(phase, null).state();
    }
}
