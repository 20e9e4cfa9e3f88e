package io.txn.coordinator.engine;

import io.txn.coordinator.CoordinatorOptions;

/** Engine settings for tests, with what few of them are about as it usually is. */
final class Settings {

    private Settings() {}

    static EngineSettings of(
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
            long snapshotBytes) {
        return of(
                mailbox,
                mailboxBytes,
                unwritten,
                callsInFlight,
                callTimeout,
                initiatorWait,
                retentionTime,
                retentionCount,
                restartGrace,
                snapshotRecords,
                snapshotBytes,
                4_096);
    }

    static EngineSettings of(
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
            int pointlessTimers) {
        return new EngineSettings(
                mailbox,
                mailboxBytes,
                unwritten,
                callsInFlight,
                callTimeout,
                initiatorWait,
                retentionTime,
                retentionCount,
                restartGrace,
                snapshotRecords,
                snapshotBytes,
                CoordinatorOptions.Limits.DEFAULT_LOCK_WAITERS,
                CoordinatorOptions.Limits.DEFAULT_LOCK_WAITERS_PER_CONNECTION,
                pointlessTimers);
    }
}
