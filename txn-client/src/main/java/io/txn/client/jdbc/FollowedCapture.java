package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.undo.TableChange;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An upsert or MERGE whose rows others follow by a foreign key. Which rows it will change or delete is known only when it has run: so it runs, and if it did that to rows
 * which can be followed, it is taken back to a savepoint, these rows and their {@link Followers} are read and locked, and it runs again. It has to do the same to
 * the same rows then; what came in between makes all start over.
 */
final class FollowedCapture implements WriteCapture {

    private static final int TRIES = 3;

    private final WriteCapture capture;
    private final WriteRun run;
    private final Table table;
    private final TableImages images;
    private final List<Column> set;
    private final boolean deletes;
    private final MovedRows moved;

    /**
     * @param capture captures the statement itself, telling {@link RowChanges} of each row of the table what it was and what it is
     * @param set the columns that it may change; empty when nobody follows that
     * @param deletes whether it may delete rows that others follow
     */
    FollowedCapture(WriteCapture capture, WriteRun run, Table table, List<Column> set, boolean deletes) {
        this.capture = capture;
        this.run = run;
        this.table = table;
        this.images = new TableImages(run, table);
        this.set = set;
        this.deletes = deletes;
        this.moved = new MovedRows(images, Followers.comparedColumns(table, set), deletes);
        run.watch(moved);
    }

    /** Who follows the rows that are deleted, and who those that are changed. */
    private final class Family {

        private final Followers ofDeleted = new Followers(run);
        private final Followers ofChanged = new Followers(run);

        Family() throws SQLException {
            if (deletes) {
                ofDeleted.deleting(table);
                ofDeleted.check();
            }
            if (!set.isEmpty()) {
                ofChanged.setting(table, set);
                ofChanged.check();
                ofDeleted.besideOthers();
            }
        }

        Set<MovedRows.Moved> read(Set<MovedRows.Moved> rows) throws SQLException {
            Set<MovedRows.Moved> known = new HashSet<>();
            read(ofDeleted, locked(rows, true), true, known);
            read(ofChanged, locked(rows, false), false, known);
            return known;
        }

        private void read(Followers followers, List<List<Value>> rows, boolean deleted, Set<MovedRows.Moved> known)
                throws SQLException {
            if (!rows.isEmpty()) {
                followers.read(Map.of(table.sqlName(), new Followers.Own(table.columns(), rows)));
                rows.forEach(row -> known.add(moved.of(row, deleted)));
            }
        }

        /** Whoever follows both what is deleted and what is changed comes back when the first of these is undone, and is found as it was by the second. */
        List<TableChange> with(List<TableChange> own) throws SQLException {
            return ofChanged.with(ofDeleted.with(own));
        }
    }

    @Override
    public void check() throws SQLException {
        new Family();
        capture.check();
    }

    @Override
    public Outcome run(Parameters parameters) throws SQLException {
        Savepoint before = run.connection().setSavepoint();
        try {
            Outcome outcome = run(parameters, before);
            run.connection().releaseSavepoint(before);
            return outcome;
        } catch (SQLException e) {
            // PostgreSQL wants nothing more to be done once a statement has failed, and the application is to see that.
            if (run.dialect().product() != Dialect.Product.POSTGRESQL || LocalCommit.codeOf(e) != null) {
                run.takeBack(before, e);
            }
            throw e;
        }
    }

    private Outcome run(Parameters parameters, Savepoint before) throws SQLException {
        Family family = new Family();
        Set<MovedRows.Moved> known = Set.of();
        for (int tries = 0; ; tries++) {
            Outcome outcome = capture.run(parameters);
            String incomplete = run.incomplete();
            if (incomplete == null && moved.all().equals(known)) {
                Outcome all = new Outcome(
                        outcome.count(),
                        family.with(outcome.changes()),
                        outcome.keys(),
                        run.incomplete(),
                        outcome.rows(),
                        outcome.warnings());
                incomplete = all.incomplete();
                if (incomplete == null) {
                    return all;
                }
            }
            if (incomplete != null) {
                throw refused(incomplete);
            }
            if (tries == TRIES) {
                throw refused("it does not write the same rows when it runs again");
            }
            run.connection().rollback(before);
            run.unchanged();
            family = new Family();
            known = family.read(moved.all());
        }
    }

    private static SQLException refused(String reason) {
        return Refusals.notSupported(
                "other rows follow by a foreign key what it changes or deletes, and " + reason,
                "send UPDATE, DELETE and INSERT by themselves");
    }

    /** Reads and locks the rows that are to be changed or deleted. */
    private List<List<Value>> locked(Set<MovedRows.Moved> moved, boolean deleted) throws SQLException {
        List<List<Value>> keys = moved.stream()
                .filter(row -> row.deleted() == deleted)
                .map(MovedRows.Moved::key)
                .toList();
        List<List<Value>> rows = new ArrayList<>();
        for (int from = 0; from < keys.size(); from += TableImages.KEYS_PER_QUERY) {
            Query query = new Query()
                    .add("SELECT " + run.dialect().identity("", table) + TableImages.reads(table.columns(), "")
                            + " FROM " + table.sqlName() + " WHERE ")
                    .addKeys(table.key(), keys.subList(from, Math.min(from + TableImages.KEYS_PER_QUERY, keys.size())))
                    .add(run.dialect().allForUpdate());
            images.readImage(query, () -> {}, table.columns(), rows);
        }
        return rows;
    }
}
