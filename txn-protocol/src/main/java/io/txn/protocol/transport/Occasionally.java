package io.txn.protocol.transport;

/** Lets the first, second, fourth, eighth … of many equal log lines pass, so that a peer cannot fill the disk. Not thread-safe. */
final class Occasionally {

    private long count;

    /** Counts one more, and says whether it is worth a line. */
    boolean next() {
        count++;
        return (count & (count - 1)) == 0;
    }

    /** How many there have been. */
    long count() {
        return count;
    }
}
