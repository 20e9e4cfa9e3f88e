package io.txn.coordinator.engine;

import io.txn.coordinator.CoordinatorOptions;

/** Engine settings for tests: as a patient engine with room has them, but for what the test says. */
final class Settings {

    private int mailbox = 1_000;
    private long mailboxBytes = 1L << 26;
    private int unwritten = 1_000;
    private int callsInFlight = 100;
    private long callTimeout = 5_000;
    private long initiatorWait = 5_000;
    private long retentionTime = 3_600_000;
    private int retentionCount = 10_000;
    private long restartGrace = 200;
    private long snapshotRecords = 1_000_000;
    private long snapshotBytes = 1L << 40;
    private int pointlessTimers = 4_096;

    private Settings() {}

    static Settings usual() {
        return new Settings();
    }

    Settings mailbox(int to) {
        mailbox = to;
        return this;
    }

    Settings mailboxBytes(long to) {
        mailboxBytes = to;
        return this;
    }

    Settings unwritten(int to) {
        unwritten = to;
        return this;
    }

    Settings callsInFlight(int to) {
        callsInFlight = to;
        return this;
    }

    Settings callTimeout(long to) {
        callTimeout = to;
        return this;
    }

    Settings initiatorWait(long to) {
        initiatorWait = to;
        return this;
    }

    Settings retentionTime(long to) {
        retentionTime = to;
        return this;
    }

    Settings retentionCount(int to) {
        retentionCount = to;
        return this;
    }

    Settings restartGrace(long to) {
        restartGrace = to;
        return this;
    }

    Settings snapshotRecords(long to) {
        snapshotRecords = to;
        return this;
    }

    Settings snapshotBytes(long to) {
        snapshotBytes = to;
        return this;
    }

    Settings pointlessTimers(int to) {
        pointlessTimers = to;
        return this;
    }

    EngineSettings build() {
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
