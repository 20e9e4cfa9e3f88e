package io.txn.coordinator.engine;

/**
 * The engine's figures since its start.
 *
 * @param sizes how much there was when the engine last looked
 * @param mailbox commands waiting
 */
public record EngineFigures(
        Sizes sizes,
        long begun,
        long committed,
        long rolledBack,
        long timedOut,
        long branchesRegistered,
        long lockConflicts,
        Waits waits,
        long callsFailed,
        long mailbox) {

    /** How much there is. */
    public record Sizes(
            long transactions,
            long active,
            long unfinished,
            long needingAttention,
            long locks,
            long requestKeys,
            long requestKeyBytes,
            long callsInFlight,
            long waiting) {}

    /**
     * How waits for rows ended.
     *
     * @param granted with what was waited for
     * @param grantedMillis how long all these waited together
     * @param deadlocks as a victim
     * @param over because the time to wait was over
     */
    public record Waits(long granted, long grantedMillis, long deadlocks, long over) {}
}
