package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.undo.ImageColumn;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

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
    private final @Nullable List<Column> set;
    /** The columns by which others refer to a row: what makes it one that can be followed, and what it is compared by. */
    private final List<Column> referred;

    /**
     * @param capture captures the statement itself, telling of each row of the table what it was and what it is
     * @param set the columns that it may change; null when it is rows that it deletes that others follow
     */
    FollowedCapture(WriteCapture capture, WriteRun run, Table table, @Nullable List<Column> set) {
        this.capture = capture;
        this.run = run;
        this.table = table;
        this.images = new TableImages(run, table);
        this.set = set;
        this.referred = set == null ? table.key() : Followers.neededColumns(table, set);
    }

    private Followers followers() {
        return set == null ? new Followers(run).deleting(table) : new Followers(run).setting(table, set);
    }

    @Override
    public void check() throws SQLException {
        followers().check();
        capture.check();
    }

    @Override
    public Outcome run(Parameters parameters) throws SQLException {
        Savepoint before = run.connection().setSavepoint();
        Followers followers = followers();
        followers.check();
        Set<Moved> known = Set.of();
        for (int tries = 0; ; tries++) {
            Outcome outcome = capture.run(parameters);
            String incomplete = run.incomplete();
            Set<Moved> moved = incomplete == null ? moved(outcome.changes()) : Set.of();
            if (incomplete == null && moved.equals(known)) {
                Outcome all = new Outcome(
                        outcome.count(),
                        followers.with(outcome.changes()),
                        outcome.keys(),
                        run.incomplete(),
                        outcome.rows(),
                        outcome.warnings());
                run.connection().releaseSavepoint(before);
                return all;
            }
            run.connection().rollback(before);
            run.unchanged();
            if (incomplete != null) {
                throw refused(incomplete);
            }
            if (tries == TRIES) {
                throw refused("it does not write the same rows when it runs again");
            }
            followers = followers();
            followers.check();
            List<List<Value>> rows = locked(moved);
            followers.read(Map.of(table.sqlName(), new Followers.Own(table.columns(), rows)));
            known = new HashSet<>();
            for (List<Value> row : rows) {
                known.add(new Moved(images.keyOf(table.columns(), row), referredOf(table.columns(), row)));
            }
        }
    }

    private static SQLException refused(String reason) {
        return Refusals.notSupported(
                "other rows follow by a foreign key what it changes or deletes, and " + reason,
                "send UPDATE, DELETE and INSERT by themselves");
    }

    /** A row that may be followed, as it was: its key, and what others refer to. */
    private record Moved(List<Value> key, List<Value> referred) {}

    private List<Value> referredOf(List<Column> columns, List<Value> row) {
        return referred.stream().map(c -> row.get(columns.indexOf(c))).toList();
    }

    private Set<Moved> moved(List<TableChange> changes) {
        Set<Moved> moved = new LinkedHashSet<>();
        TableChange.Kind kind = set == null ? TableChange.Kind.DELETE : TableChange.Kind.UPDATE;
        for (TableChange change : changes) {
            if (change.kind() == kind) {
                List<String> names =
                        change.columns().stream().map(ImageColumn::name).toList();
                List<Integer> places =
                        referred.stream().map(c -> names.indexOf(c.name())).toList();
                for (RowChange row : change.rows()) {
                    List<Value> was = places.stream().map(row.original()::get).toList();
                    if (set == null
                            || !was.equals(
                                    places.stream().map(row.existing()::get).toList())) {
                        moved.add(new Moved(change.keyOf(row.original()), was));
                    }
                }
            }
        }
        return moved;
    }

    private List<List<Value>> locked(Set<Moved> moved) throws SQLException {
        List<List<Value>> keys = moved.stream().map(Moved::key).toList();
        List<List<Value>> rows = new ArrayList<>();
        for (int from = 0; from < keys.size(); from += TableImages.KEYS_PER_QUERY) {
            Query query = new Query()
                    .add("SELECT " + run.dialect().identity("") + TableImages.reads(table.columns(), "") + " FROM "
                            + table.sqlName() + " WHERE ")
                    .addKeys(table.key(), keys.subList(from, Math.min(from + TableImages.KEYS_PER_QUERY, keys.size())))
                    .add(run.dialect().allForUpdate());
            images.readImage(query, () -> {}, table.columns(), rows);
        }
        return rows;
    }
}
