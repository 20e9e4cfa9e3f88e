package io.txn.protocol;

/**
 * The id of a branch transaction, unique across all coordinators of a deployment.
 *
 * @param value a positive 63-bit number
 */
public record BranchId(long value) {

    public BranchId {
        if (value <= 0) {
            throw new IllegalArgumentException("a branch id is positive, got " + value);
        }
    }

    @Override
    public String toString() {
        return Long.toString(value);
    }
}
