package io.txn.coordinator;

/**
 * Figures of a coordinator since it was started.
 *
 * @param transactions held in memory, unfinished and retained
 * @param active of these, not decided yet
 * @param unfinished of these, not yet committed or rolled back to the end
 * @param needingAttention of these, waiting for a person
 * @param locks rows locked
 * @param requestKeys idempotency keys kept
 * @param requestKeyBytes what they and their results hold, by estimate
 * @param begun transactions begun
 * @param committed transactions decided to commit
 * @param rolledBack transactions decided to roll back, timed out ones included
 * @param timedOut transactions rolled back because their deadline passed
 * @param branchesRegistered branches registered
 * @param lockConflicts registrations refused because of a lock
 * @param lockWaiters requests that wait for rows
 * @param lockWaitsGranted requests that got their rows after waiting
 * @param lockWaitMillis how long these waited together
 * @param deadlocks requests refused because they and others waited for each other
 * @param lockWaitsOver requests refused because the time for which they would wait was over
 * @param callsInFlight branch calls waiting for an answer
 * @param callsFailed branch calls that failed
 * @param mailbox commands waiting for the engine
 * @param sessions connections of registered clients
 * @param registrationsRefused registrations refused, and connections closed because they asked before they had registered
 * @param connectionsRefused connections closed before anybody registered on them, for what they did or for what they did not do in time
 * @param journalRecords records handed to the journal
 * @param journalBytes bytes of these
 * @param fsyncs how often the journal forced the disk
 * @param fsyncNanos how long that took altogether, in nanoseconds
 */
public record CoordinatorStatistics(
        long transactions,
        long active,
        long unfinished,
        long needingAttention,
        long locks,
        long requestKeys,
        long requestKeyBytes,
        long begun,
        long committed,
        long rolledBack,
        long timedOut,
        long branchesRegistered,
        long lockConflicts,
        long lockWaiters,
        long lockWaitsGranted,
        long lockWaitMillis,
        long deadlocks,
        long lockWaitsOver,
        long callsInFlight,
        long callsFailed,
        long mailbox,
        long sessions,
        long registrationsRefused,
        long connectionsRefused,
        long journalRecords,
        long journalBytes,
        long fsyncs,
        long fsyncNanos) {}
