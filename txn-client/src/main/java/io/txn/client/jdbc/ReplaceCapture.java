package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.InsertValue;
import io.txn.client.jdbc.sql.Plan;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * REPLACE on MariaDB. It is sent as an INSERT that gives every column of a row which is in the way the new values, and tells what that row was
 * ({@link RememberingInsert}): the same rows come out, and no round trip is added. Where that is not the same, because a new row stands in the way of two rows, or because
 * rows that refer to a replaced one have a say, the rows in the way are deleted first, by the values that the new rows will have in each unique key: the statement
 * says them, or a rehearsal, which is taken back, shows them. What comes in between fails on its key, and everything starts over with a rehearsal.
 */
final class ReplaceCapture implements WriteCapture {

    private static final int TRIES = 3;

    private final Plan.RichInsert plan;
    private final WriteRun run;
    private final Table table;
    private final TableImages images;

    ReplaceCapture(Plan.RichInsert plan, WriteRun run, Table table) {
        this.plan = plan;
        this.run = run;
        this.table = table;
        this.images = new TableImages(run, table);
    }

    @Override
    public void check() throws SQLException {
        new Followers(run).deleting(table).check();
        TableImages.requireSupported(table, table.columns());
    }

    @Override
    public Outcome run(Parameters parameters) throws SQLException {
        if (table.referencedBy().isEmpty()) {
            try {
                return insert(parameters, new RowChanges(images), 0);
            } catch (SQLException e) {
                if (run.leftChanges() || !run.dialect().isDuplicate(e)) {
                    throw e;
                }
                // It stands in the way of two rows: the database has taken the statement back.
            }
        }
        return deleteAndInsert(parameters);
    }

    private Outcome deleteAndInsert(Parameters parameters) throws SQLException {
        Savepoint before = run.connection().setSavepoint();
        for (int tries = 1; ; tries++) {
            try {
                Set<List<Value>> known = tries == 1 ? given(parameters) : Set.of();
                Set<List<Value>> rehearsed = known.isEmpty() ? rehearse(parameters) : known;
                if (known.isEmpty()) {
                    run.connection().rollback(before);
                }
                RowChanges changes = new RowChanges(images);
                Followers followers = new Followers(run).deleting(table);
                followers.check();
                int deleted = deleteInTheWay(rehearsed, changes, followers);
                Outcome outcome = followed(insert(parameters, changes, deleted), followers);
                run.connection().releaseSavepoint(before);
                return outcome;
            } catch (SQLException e) {
                run.connection().rollback(before);
                run.unchanged();
                if (tries == TRIES || !run.dialect().isDuplicate(e)) {
                    throw e;
                }
            }
        }
    }

    private List<Column> uniqueColumns() {
        Set<Column> columns = new LinkedHashSet<>(table.key());
        table.uniqueKeys().forEach(columns::addAll);
        return List.copyOf(columns);
    }

    /** What the new rows will have in the columns that unique keys consist of, as far as the statement says it; nothing else. */
    private Set<List<Value>> given(Parameters parameters) {
        GivenValues values = GivenValues.of(run.dialect().product(), table, plan.columns(), uniqueColumns());
        if (values == null) {
            return Set.of();
        }
        Set<List<Value>> rows = new LinkedHashSet<>();
        for (List<InsertValue> listed : plan.rows()) {
            List<Value> row = values.row(listed, parameters);
            if (row == null) {
                return Set.of();
            }
            rows.add(row);
        }
        return rows;
    }

    /** What the new rows will have in the columns that unique keys consist of. */
    private Set<List<Value>> rehearse(Parameters parameters) throws SQLException {
        Set<List<Value>> rows = new LinkedHashSet<>();
        List<Column> columns = uniqueColumns();
        images.readImage(
                new Query()
                        .add(plan.body(), parameters)
                        .add(" RETURNING " + run.dialect().identity("", table) + TableImages.reads(columns, "")),
                run::changed,
                columns,
                rows);
        return rows;
    }

    private static Outcome followed(Outcome outcome, Followers followers) throws SQLException {
        return new Outcome(
                outcome.count(),
                followers.with(outcome.changes()),
                outcome.keys(),
                outcome.incomplete(),
                outcome.rows(),
                outcome.warnings());
    }

    private int deleteInTheWay(Set<List<Value>> rehearsed, RowChanges changes, Followers followers)
            throws SQLException {
        List<List<Value>> rows = List.copyOf(rehearsed);
        if (followers.any()) {
            List<List<Value>> there = new ArrayList<>();
            for (int from = 0; from < rows.size(); from += TableImages.KEYS_PER_QUERY) {
                Query query = new Query()
                        .add("SELECT " + run.dialect().identity("", table) + TableImages.reads(table.columns(), "")
                                + " FROM " + table.sqlName() + " WHERE ");
                addInTheWay(query, rows.subList(from, Math.min(from + TableImages.KEYS_PER_QUERY, rows.size())));
                images.readImage(query.add(run.dialect().allForUpdate()), () -> {}, table.columns(), there);
            }
            followers.read(Map.of(
                    table.sqlName(),
                    new Followers.Own(table.columns(), there.stream().distinct().toList())));
        }
        int deleted = 0;
        for (int from = 0; from < rows.size(); from += TableImages.KEYS_PER_QUERY) {
            List<List<Value>> chunk = rows.subList(from, Math.min(from + TableImages.KEYS_PER_QUERY, rows.size()));
            Query query = new Query().add("DELETE FROM " + table.sqlName() + " WHERE ");
            addInTheWay(query, chunk);
            List<List<Value>> gone = new ArrayList<>();
            query.add(" RETURNING " + run.dialect().identity("", table) + TableImages.reads(table.columns(), ""));
            images.readImage(query, run::changed, table.columns(), gone);
            gone.forEach(row -> changes.add(row, null));
            deleted += gone.size();
        }
        return deleted;
    }

    /** The rows that have, in one of the unique keys, what a new row will have. */
    private void addInTheWay(Query query, List<List<Value>> chunk) {
        List<Column> columns = uniqueColumns();
        boolean first = true;
        for (List<Column> key : table.uniqueKeys()) {
            List<List<Value>> values = chunk.stream()
                    .map(row ->
                            key.stream().map(c -> row.get(columns.indexOf(c))).toList())
                    .filter(row -> !row.contains(Value.NULL))
                    .distinct()
                    .toList();
            query.add(first ? "" : " OR ").addKeys(key, values);
            first = false;
        }
    }

    private Outcome insert(Parameters parameters, RowChanges changes, int deleted) throws SQLException {
        KeyReader keys = new KeyReader(run, table);
        List<@Nullable Object[]> shown = new ArrayList<>();
        long[] count = {deleted};
        // A row that stays as it is counts once where the server may change it in its place: under its only unique key.
        boolean changesInPlace =
                table.uniqueKeys().size() == 1 && table.referencedBy().isEmpty();
        String every = new RowMemory(run, table).everyColumn();
        ReturningStatement.Result result = new RememberingInsert(run, table, keys)
                .run(
                        new Query().add("INSERT INTO ").add(plan.target(), parameters),
                        query -> query.add(every),
                        plan.returning(),
                        parameters,
                        (before, after, key) -> {
                            changes.add(before, after);
                            boolean once = before == null || before.equals(after) && changesInPlace;
                            count[0] += once ? 1 : 2;
                            shown.add(key);
                        });
        boolean made = InsertCapture.makesIdentity(table, plan.columns(), plan.rows(), parameters);
        List<@Nullable Object[]> last = shown.isEmpty() ? shown : shown.subList(shown.size() - 1, shown.size());
        return new Outcome(
                count[0],
                changes.changes(),
                plan.returning() == null ? keys.keys(made ? shown : last) : GeneratedKeys.NONE,
                run.incomplete(),
                result.rows(),
                result.warnings());
    }
}
