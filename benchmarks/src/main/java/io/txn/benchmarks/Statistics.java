package io.txn.benchmarks;

/**
 * What a forked coordinator says about itself: the part of {@link io.txn.coordinator.CoordinatorStatistics} that is printed here.
 *
 * @param allocatedBytes what its threads have taken of the heap since they began
 */
record Statistics(
        long unfinished,
        long locks,
        long begun,
        long committed,
        long rolledBack,
        long branchesRegistered,
        long lockConflicts,
        long callsFailed,
        long journalRecords,
        long journalBytes,
        long fsyncs,
        long allocatedBytes) {

    /** Reads what {@link CoordinatorMain} writes. */
    static Statistics parse(String text) {
        String[] parts = text.split(" ");
        int i = 0;
        return new Statistics(
                Long.parseLong(parts[i++]),
                Long.parseLong(parts[i++]),
                Long.parseLong(parts[i++]),
                Long.parseLong(parts[i++]),
                Long.parseLong(parts[i++]),
                Long.parseLong(parts[i++]),
                Long.parseLong(parts[i++]),
                Long.parseLong(parts[i++]),
                Long.parseLong(parts[i++]),
                Long.parseLong(parts[i++]),
                Long.parseLong(parts[i++]),
                Long.parseLong(parts[i++]));
    }
}
