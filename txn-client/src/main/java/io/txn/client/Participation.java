package io.txn.client;

import io.txn.protocol.extension.RollbackCause;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * What became of a global transaction's work in one place: by its opener from begin to end, by a participant from an arrival to its answer. Shared by all
 * threads that work there. Thread-safe.
 */
public final class Participation {

    private volatile boolean worked;
    private final AtomicReference<@Nullable String> mark = new AtomicReference<>();

    /** Something was kept that only a rollback undoes, here or further down: a branch was committed, or a call may have done such a thing. */
    public void worked() {
        worked = true;
    }

    /** Whether something was, or may have been, kept. */
    public boolean hasWorked() {
        return worked;
    }

    /**
     * Work failed and left something behind: the transaction may only be rolled back, whoever catches the failure.
     *
     * @param cause where and why, in one line; the first one stays
     * @return whether it was the first
     */
    public boolean mark(String cause) {
        return mark.compareAndSet(null, RollbackCause.brief(cause));
    }

    /** Why it may only be rolled back; null as long as nothing failed. */
    public @Nullable String mark() {
        return mark.get();
    }
}
