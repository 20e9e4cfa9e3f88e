package io.txn.coordinator.machine;

/** What came of a call of phase two. */
public enum Answer {
    /** The branch did it, now or earlier. */
    DONE,
    /** The branch could not; it may work later. */
    RETRYABLE,
    /** The branch says that it will never work. */
    NEVER,
    /** A saga's engine says that it ended, but in the other direction than it was called for. */
    ENDED_OTHERWISE,
    /** A saga's engine says that it is to go on in the other direction. */
    TURNED,
    /** An XA branch's database does not know it (any more). */
    NOT_FOUND,
    /** No answer in time, or one that means nothing. */
    UNREACHABLE,
    /** There is nobody to call. Uses up no attempt: the call waits for a resource manager to come. */
    ABSENT;

    /** Whether the work is over, so that it counts however late it is heard. */
    public boolean isDone() {
        return this == DONE || this == ENDED_OTHERWISE;
    }
}
