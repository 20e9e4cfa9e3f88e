package io.txn.client.fence;

/** How far a branch has come in one database. The number is what the table holds. */
public enum FenceState {
    /** The first is under way or broke off, and may have left something beyond this database. */
    BEGUN(1),
    /** The first is kept. */
    DONE(2),
    /** Confirmed. */
    CONFIRMED(3),
    /** Cancelled. */
    CANCELLED(4),
    /** An end came without a first; the first is refused from now on. */
    REFUSED(5);

    private final int number;

    FenceState(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }

    /** Whether nobody is owed anything any more, so that age may take the row. */
    boolean isOver() {
        return switch (this) {
            case BEGUN, DONE -> false;
            case CONFIRMED, CANCELLED, REFUSED -> true;
        };
    }

    static FenceState of(int number) {
        for (FenceState state : values()) {
            if (state.number == number) {
                return state;
            }
        }
        throw new IllegalStateException("a newer version wrote state " + number + " into the fence");
    }
}
