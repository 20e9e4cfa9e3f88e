package io.txn.coordinator.engine;

import io.txn.coordinator.machine.Event;
import java.util.concurrent.atomic.AtomicLong;

/** What the engine has counted since its start. Written by its thread only, read by any. */
final class Counters {

    private final AtomicLong begun = new AtomicLong();
    private final AtomicLong committed = new AtomicLong();
    private final AtomicLong rolledBack = new AtomicLong();
    private final AtomicLong timedOut = new AtomicLong();
    private final AtomicLong branchesRegistered = new AtomicLong();
    private final AtomicLong lockConflicts = new AtomicLong();
    private final AtomicLong callsFailed = new AtomicLong();

    private final AtomicLong waitsGranted = new AtomicLong();
    private final AtomicLong waitedMillis = new AtomicLong();
    private final AtomicLong deadlocks = new AtomicLong();
    private final AtomicLong waitsOver = new AtomicLong();

    private final AtomicLong mistakes = new AtomicLong();

    private static void add(AtomicLong counter) {
        counter.lazySet(counter.getPlain() + 1);
    }

    void count(Event event) {
        if (event instanceof Event.Begun) {
            add(begun);
        } else if (event instanceof Event.CommitDecided) {
            add(committed);
        } else if (event instanceof Event.RollbackDecided e) {
            add(rolledBack);
            if (e.timedOut()) {
                add(timedOut);
            }
        } else if (event instanceof Event.BranchRegistered) {
            add(branchesRegistered);
        }
    }

    void lockConflict() {
        add(lockConflicts);
    }

    void waitGranted(long millis) {
        add(waitsGranted);
        waitedMillis.lazySet(waitedMillis.getPlain() + millis);
    }

    void deadlock() {
        add(deadlocks);
    }

    void waitOver() {
        add(waitsOver);
    }

    void callFailed() {
        add(callsFailed);
    }

    void mistake() {
        add(mistakes);
    }

    long mistakes() {
        return mistakes.get();
    }

    EngineFigures figures(EngineFigures.Sizes sizes, long mailbox) {
        return new EngineFigures(
                sizes,
                begun.get(),
                committed.get(),
                rolledBack.get(),
                timedOut.get(),
                branchesRegistered.get(),
                lockConflicts.get(),
                new EngineFigures.Waits(waitsGranted.get(), waitedMillis.get(), deadlocks.get(), waitsOver.get()),
                callsFailed.get(),
                mailbox);
    }
}
