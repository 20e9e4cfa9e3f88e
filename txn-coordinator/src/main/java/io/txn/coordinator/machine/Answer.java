package io.txn.coordinator.machine;

/** What came of a call of phase two. */
public enum Answer {
    /** The branch did it, now or earlier. */
    DONE,
    /** The branch could not; it may work later. */
    RETRYABLE,
    /** The branch says that it will never work. */
    NEVER,
    /** An XA branch's database does not know it (any more). */
    NOT_FOUND,
    /** No answer in time, or one that means nothing. */
    UNREACHABLE,
    /** There is nobody to call. Uses up no attempt: the call waits for a resource manager to come. */
    ABSENT
}
