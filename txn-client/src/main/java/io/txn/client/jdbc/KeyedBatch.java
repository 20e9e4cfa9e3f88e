package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.sql.KeyCondition;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import io.txn.protocol.ErrorCode;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Many executions of one UPDATE or DELETE, each of which names the key of its row: all the rows are read and locked before by their keys, the batch runs as the
 * application made it, and the rows are read again. Whatever else the conditions say, whichever elements meet the same row, the images before and after all
 * of them tell what was done, as no other row can have been reached. For one run.
 */
final class KeyedBatch {

    private final WriteRun run;
    private final ByKey write;
    private final KeyedRows rows;
    private final List<KeyedRows.Part> key;
    /** Whether the elements say nothing of their rows but their keys. */
    private final boolean onlyKeys;

    private final TableImages images;

    /**
     * A write that reaches no other rows than those its condition names.
     *
     * @param columns which the images hold
     * @param source table and alias
     * @param foreseen what it makes of its rows; null when that is not known before
     */
    record ByKey(
            TableChange.Kind kind,
            Table table,
            List<Column> columns,
            Fragment source,
            Fragment where,
            @Nullable ForeseenBatch foreseen) {

        /** Null when the statement is more than a condition on rows of one table. */
        static @Nullable ByKey of(
                TableChange.Kind kind,
                Plan.Selection selection,
                List<Target> targets,
                List<Column> columns,
                @Nullable ForeseenBatch foreseen) {
            boolean plain = targets.size() == 1
                    && selection.from().size() == 1
                    && !selection.several()
                    && !selection.ignores()
                    && selection.with().isEmpty()
                    && selection.tail().isEmpty()
                    && selection.returning() == null;
            return plain
                    ? new ByKey(
                            kind,
                            targets.get(0).table(),
                            columns,
                            selection.from().get(0),
                            selection.where(),
                            foreseen)
                    : null;
        }
    }

    private KeyedBatch(WriteRun run, ByKey write, List<KeyedRows.Part> key, boolean onlyKeys) {
        this.run = run;
        this.write = write;
        this.key = key;
        this.onlyKeys = onlyKeys;
        this.images = new TableImages(run, write.table());
        this.rows = new KeyedRows(run, images, write.columns(), write.source(), key);
    }

    /** Nothing when the elements do not all name the key of their row, in the same way. */
    static Optional<KeyedBatch> of(WriteRun run, @Nullable ByKey write, List<Parameters> elements) {
        if (write == null) {
            return Optional.empty();
        }
        KeyCondition condition = KeyCondition.of(write.where(), run.dialect().syntax());
        List<KeyedRows.Part> key = new ArrayList<>();
        for (Column column : write.table().key()) {
            condition.equalities().stream()
                    .filter(e -> column.equals(write.table().column(e.column())))
                    .findFirst()
                    .ifPresent(e -> key.add(new KeyedRows.Part(e.written(), e.value())));
        }
        boolean named = key.size() == write.table().key().size();
        return named && key.stream().allMatch(part -> part.boundAlike(elements))
                ? Optional.of(new KeyedBatch(
                        run,
                        write,
                        key,
                        condition.whole() && condition.equalities().size() == key.size()))
                : Optional.empty();
    }

    /** Runs the batch; nothing, and nothing was done, when the driver will not tell enough. */
    Optional<Outcome> run(DriverBatch batch) throws SQLException {
        Map<List<Value>, List<Value>> before = rows.read(batch.elements(), true, batch.marked());
        String incomplete = run.incomplete();
        if (incomplete != null) {
            throw Refusals.misplaced(
                    ErrorCode.CAPTURE_FAILED, "table", write.table().lockName(), "reason", incomplete);
        }
        boolean deletes = write.kind() == TableChange.Kind.DELETE;
        boolean allFound = before.size() == batch.elements().size();
        if (deletes && !allFound && run.dialect().habits().hidesCounts() && !noneCanCome()) {
            return Optional.empty();
        }
        if (batch.ofRow() && !allFound) {
            throw Refusals.notSupported(
                    "the row is not there any more, or cannot be found by the key that the driver shows",
                    "read it again, or send UPDATE or DELETE");
        }
        run.changed();
        batch.run();
        Map<List<Value>, List<Value>> changed = foreseen(before, batch);
        Map<List<Value>, List<Value>> after;
        try {
            after = changed != null || deletes && allAreGone(before, batch)
                    ? Map.of()
                    : rows.read(batch.elements(), run.dialect().afterImageLocks());
        } catch (SQLException e) {
            if (batch.failure() != null) {
                // The transaction is over for the database; what it says now is of no interest.
                throw batch.failure();
            }
            throw e;
        }
        List<RowChange> changes =
                changed != null ? changed(before, changed) : deletes ? deleted(before, after) : updated(before, after);
        if (deletes && batch.ofRow() && batch.failure() == null && changes.isEmpty()) {
            run.incomplete("the driver deleted another row than the one that was read before");
        }
        boolean counted = batch.failure() == null && batch.changed() >= 0;
        if (deletes && !allFound && batch.changed() != changes.size() && (counted || !noneCanCome())) {
            run.incomplete("of " + batch.changed() + " deleted rows, " + changes.size() + " were read before");
        }
        boolean nothing = batch.failure() == null
                && batch.changed() == 0
                && !run.dialect().countsOnlyChanged();
        return Optional.of(new Outcome(
                -1,
                nothing ? List.of() : images.change(write.kind(), write.columns(), changes),
                GeneratedKeys.NONE,
                run.incomplete()));
    }

    /** Whether a key that was looked for and not found stays without a row: MySQL and MariaDB lock the place where it would be. */
    private boolean noneCanCome() throws SQLException {
        return run.dialect().product().isMySqlFamily()
                && run.connection().getTransactionIsolation() >= Connection.TRANSACTION_REPEATABLE_READ;
    }

    /** The rows that were locked match still, so each of them was deleted; when as many were deleted as that, no other row was. */
    private boolean allAreGone(Map<List<Value>, List<Value>> before, DriverBatch batch) {
        return onlyKeys && batch.failure() == null && batch.changed() == before.size();
    }

    /** Those of the rows that were changed as they are now; null when that is not known without reading them. */
    private @Nullable Map<List<Value>, List<Value>> foreseen(Map<List<Value>, List<Value>> before, DriverBatch batch) {
        ForeseenBatch foreseen = write.foreseen();
        return foreseen == null || batch.failure() != null
                ? null
                : foreseen.rows(before, batch.elements(), key, onlyKeys, batch.counts());
    }

    private static List<RowChange> changed(
            Map<List<Value>, List<Value>> before, Map<List<Value>, List<Value>> changed) {
        List<RowChange> changes = new ArrayList<>(before.size());
        before.forEach((row, values) -> changes.add(new RowChange(values, changed.getOrDefault(row, values))));
        return changes;
    }

    private List<RowChange> updated(Map<List<Value>, List<Value>> before, Map<List<Value>, List<Value>> after) {
        if (!before.keySet().equals(after.keySet())) {
            run.incomplete("a row came or went while its changes were read");
        }
        List<RowChange> changes = new ArrayList<>();
        before.forEach((row, values) -> {
            List<Value> now = after.get(row);
            if (now != null) {
                changes.add(new RowChange(values, now));
            }
        });
        return changes;
    }

    private static List<RowChange> deleted(Map<List<Value>, List<Value>> before, Map<List<Value>, List<Value>> after) {
        List<RowChange> changes = new ArrayList<>();
        before.forEach((row, values) -> {
            if (!after.containsKey(row)) {
                changes.add(new RowChange(values, null));
            }
        });
        return changes;
    }
}
