package io.txn.client;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Counts the global transactions that this process opened and has not ended yet, and closes the door behind them. Thread-safe. */
final class LaunchedTransactions {

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition none = lock.newCondition();
    private int running;
    private boolean draining;

    /** @param inside whether whoever asks works in a global transaction already; they are let in to the end */
    boolean enter(boolean inside) {
        lock.lock();
        try {
            if (draining && !inside) {
                return false;
            }
            running++;
            return true;
        } finally {
            lock.unlock();
        }
    }

    void leave() {
        lock.lock();
        try {
            if (--running == 0) {
                none.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Closes the door, and waits until nothing runs; false when something still does after {@code wait}. An interrupt ends the wait. */
    boolean drain(Duration wait) {
        long left = wait.toNanos();
        lock.lock();
        try {
            draining = true;
            while (running > 0 && left > 0) {
                left = none.awaitNanos(left);
            }
            return running == 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return running == 0;
        } finally {
            lock.unlock();
        }
    }
}
