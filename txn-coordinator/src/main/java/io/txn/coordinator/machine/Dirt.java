package io.txn.coordinator.machine;

import io.txn.protocol.extension.RowData;
import org.jspecify.annotations.Nullable;

/**
 * The rows that keep a branch from being undone, and what was decided about them.
 *
 * @param report an {@link io.txn.protocol.extension.UndoReport}; null when the branch is over
 * @param decision an {@link io.txn.protocol.extension.UndoDecision} that goes out with each call until the branch is done or reports anew; null while there is none
 * @param decidedBy who decided and why; stays with the branch when it is done
 */
public record Dirt(
        @Nullable RowData report,
        @Nullable RowData decision,
        @Nullable String decidedBy) {

    /** What is worth keeping when the branch is over: no rows. */
    @Nullable
    Dirt forRetention() {
        return decidedBy == null ? null : new Dirt(null, null, decidedBy);
    }

    /** How many characters it holds of rows. */
    int size() {
        return (report == null ? 0 : report.text().length())
                + (decision == null ? 0 : decision.text().length());
    }
}
