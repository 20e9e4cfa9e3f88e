package io.txn.client;

/** What a global transaction's scope does with one that surrounds it. */
public enum Propagation {
    /** Works in the surrounding transaction, or opens one. */
    REQUIRED,
    /** Opens one of its own; a surrounding one is suspended meanwhile and knows nothing of it. */
    REQUIRES_NEW,
    /** Works in the surrounding transaction, or without one. */
    SUPPORTS,
    /** Works without one; a surrounding one is suspended meanwhile. */
    NOT_SUPPORTED,
    /** Works in the surrounding transaction, and refuses to work without one. */
    MANDATORY,
    /** Refuses to work in a surrounding transaction. */
    NEVER
}
