package io.txn.spring.propagation;

/**
 * One way in which global transactions leave this process, enter it, or move to another of its threads.
 *
 * @param name of what carries them, for people
 * @param covers which uses of it
 * @param bound what ends a call under way once its transaction has no time left; empty where that does not matter
 */
public record Carrier(String name, Way way, String covers, String bound) {

    /** Where it leads. */
    public enum Way {
        /** Into this process. */
        IN,
        /** Out of it. */
        OUT,
        /** To another thread of it. */
        THREADS,
        /** Nowhere, on purpose. */
        NONE
    }
}
