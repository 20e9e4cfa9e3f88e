package io.txn.client.fence;

/** What the fence says to a call. */
public enum FenceVerdict {
    /** Do it. */
    RUN,
    /** It was done before: nothing to do, and that is a success. */
    REPEATED,
    /** A cancel whose first was never kept: nothing to do, and that is a success. The first is refused from now on. */
    EMPTY,
    /** A first whose end has come already: it must not happen. */
    TOO_LATE,
    /** A confirm whose first was never kept, or never ended. Something is wrong, and a person has to look. */
    NOTHING_TO_CONFIRM,
    /** The other end has been carried out. Something is wrong, and a person has to look. */
    CONTRADICTED;

    /** Whether the call has succeeded or will have when its work has. */
    public boolean isGood() {
        return switch (this) {
            case RUN, REPEATED, EMPTY -> true;
            case TOO_LATE, NOTHING_TO_CONFIRM, CONTRADICTED -> false;
        };
    }
}
