package io.txn.coordinator.engine;

/**
 * The engine's bounds and delays. Times in milliseconds.
 *
 * @param mailbox commands waiting to be decided
 * @param mailboxBytes bytes of these, as {@link Engine} estimates them
 * @param unwritten answers waiting for the disk
 * @param callsInFlight branch calls waiting for an answer
 * @param callTimeout how long a branch call may take
 * @param initiatorWait how long an initiator waits for the first pass of phase two before it is told how far it is
 * @param retentionTime how long a finished transaction stays visible
 * @param retentionCount how many finished transactions stay visible
 * @param restartGrace how long transactions from before a restart may at least still be decided
 * @param snapshotRecords records after which a snapshot is taken
 * @param snapshotBytes bytes of records after which a snapshot is taken
 * @param lockWaiters requests that wait for rows
 * @param lockWaitersPerConnection of these, of one caller
 * @param pointlessTimers how many timers may stay behind that mean nothing any more, beside as many as mean something
 */
public record EngineSettings(
        int mailbox,
        long mailboxBytes,
        int unwritten,
        int callsInFlight,
        long callTimeout,
        long initiatorWait,
        long retentionTime,
        int retentionCount,
        long restartGrace,
        long snapshotRecords,
        long snapshotBytes,
        int lockWaiters,
        int lockWaitersPerConnection,
        int pointlessTimers) {

    private static final int SAGA_FACTOR = 4;

    /** How long a call to the engine of a saga may take: it may run several steps. Until then nobody else is called, so that no two engines go side by side. */
    public static long sagaCallTimeout(long callTimeout) {
        return SAGA_FACTOR * callTimeout;
    }

    LockWaiting.Limits waitLimits() {
        return new LockWaiting.Limits(
                lockWaiters, lockWaitersPerConnection, LockWaiting.Limits.MOST_ROWS, LockWaiting.Limits.MOST_BYTES);
    }
}
