package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.ForeignKey;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.InsertValue;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.undo.TableChange;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * REPLACE on MariaDB. It is sent as an INSERT that gives every column of a row which is in the way the new values, and tells what that row was
 * ({@link RememberingInsert}): the same rows come out, and no round trip is added. Where that is not the same, because a new row stands in the way of two rows, or because
 * rows that refer to a replaced one have a say, the rows in the way are deleted first, by the values that the new rows will have in each unique key: the statement
 * says them, or a rehearsal, which is taken back, shows them. Where the order of rows matters to the outcome, because a value is read from rows that would be gone, or new rows stand in
 * each other's way, and where somebody came in between, the rehearsed rows are inserted one by one, each after what is in its way then is deleted.
 */
final class ReplaceCapture extends TableCapture {

    private static final int TRIES = 3;

    private final Plan.RichInsert plan;

    ReplaceCapture(Plan.RichInsert plan, WriteRun run, Table table) {
        super(run, table);
        this.plan = plan;
    }

    @Override
    public void check() throws SQLException {
        new Followers(run).deleting(table).check();
        super.check();
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
                Followers followers = new Followers(run).deleting(table);
                followers.check();
                Outcome outcome = tries == 1 && inAnyOrder()
                        ? all(parameters, before, followers)
                        : rowByRow(parameters, before, followers);
                run.connection().releaseSavepoint(before);
                return outcome;
            } catch (SQLException e) {
                run.scope().release();
                run.backTo(before, e);
                if (!run.dialect().isDuplicate(e)) {
                    run.forget(before);
                    throw e;
                }
                if (tries == TRIES) {
                    run.forget(before);
                    SQLException refusal = Refusals.notSupported(
                            "its new rows stand in the way of each other, or of rows that cannot be looked for: others write them, or a unique key is"
                                    + " on a part of a column or on an expression",
                            "write each row by a statement of its own, or DELETE and INSERT");
                    refusal.addSuppressed(e);
                    throw refusal;
                }
            }
        }
    }

    /** Whether the same rows come, however often, when all rows in the way are gone before the first. */
    private boolean inAnyOrder() {
        return !plan.rows().isEmpty()
                && (plan.rows().size() == 1 || !refersToItself())
                && uniqueColumns().stream().noneMatch(column -> column.is(Column.Trait.COMPUTED_DEFAULT))
                && plan.rows().stream()
                        .allMatch(row -> row.stream().allMatch(value -> value.independent() && !value.otherEachTime()));
    }

    private boolean refersToItself() {
        return table.referencedBy().stream().anyMatch(ForeignKey::ofItself);
    }

    private Outcome all(Parameters parameters, Savepoint before, Followers followers) throws SQLException {
        Set<List<Value>> known = given(parameters);
        if (known.isEmpty()) {
            known = new Written()
                    .by(new Query().add(plan.body(), parameters), null, parameters)
                    .inUniqueColumns();
            run.connection().rollback(before);
        }
        RowChanges changes = new RowChanges(images);
        int deleted = deleteInTheWay(known, changes, followers);
        if (table.referencedBy().isEmpty()) {
            return insert(parameters, changes, deleted);
        }
        // No new row may change another one in its place: who refers to that has a say.
        Written written = new Written()
                .by(new Query().add("INSERT INTO ").add(plan.target(), parameters), plan.returning(), parameters);
        written.rows.forEach(row -> changes.add(null, row));
        return written.outcome(parameters, followers.with(changes.changes()), deleted + written.rows.size());
    }

    /** As the database goes about it, with what a rehearsal shows of the rows. */
    private Outcome rowByRow(Parameters parameters, Savepoint before, Followers followers) throws SQLException {
        Written written = new Written().by(new Query().add(plan.body(), parameters), plan.returning(), parameters);
        run.connection().rollback(before);
        if (written.rows.size() > run.options().maxRowsPerStatement()) {
            throw images.tooManyRows();
        }
        RowChanges changes = new RowChanges(images);
        long count = written.rows.size();
        boolean atOnce = followers.any();
        if (atOnce) {
            if (written.rows.size() > 1 && refersToItself()) {
                throw Refusals.notSupported(
                        "rows of the table itself would follow those that it replaces",
                        "write each row by a statement of its own");
            }
            count += deleteInTheWay(written.inUniqueColumns(), changes, followers);
        }
        for (List<Value> row : written.rows) {
            if (!atOnce) {
                count += deleteInTheWay(Set.of(inUniqueColumns(row)), changes, followers);
            }
            insert(row);
            changes.add(null, row);
        }
        return written.outcome(parameters, followers.with(changes.changes()), count);
    }

    private List<Value> inUniqueColumns(List<Value> row) {
        return uniqueColumns().stream()
                .map(c -> row.get(table.columns().indexOf(c)))
                .toList();
    }

    private void insert(List<Value> row) throws SQLException {
        Query query = new Query()
                .add("INSERT INTO " + table.sqlName() + " ("
                        + table.columns().stream().map(Column::sqlName).collect(Collectors.joining(", "))
                        + ") VALUES (");
        for (int i = 0; i < row.size(); i++) {
            query.add(i == 0 ? "" : ", ").add(table.columns().get(i), row.get(i));
        }
        query.add(")").update(run.connection(), run.scope());
        run.changed();
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
        Written written = new Written();
        long[] count = {deleted};
        // A row that stays as it is counts once where the server may change it in its place: under its only unique key.
        boolean changesInPlace = table.soleUnique();
        String every = new RowMemory(run, table).everyColumn();
        written.result = new RememberingInsert(run, table, written.keys)
                .run(
                        new Query().add("INSERT INTO ").add(plan.target(), parameters),
                        query -> query.add(every),
                        plan.returning(),
                        parameters,
                        (before, after, key) -> {
                            changes.add(before, after);
                            boolean once = before == null || before.equals(after) && changesInPlace;
                            count[0] += once ? 1 : 2;
                            written.shown.add(key);
                        });
        return written.outcome(parameters, changes.changes(), count[0]);
    }

    /** What a statement returned. */
    private final class Written {

        private final KeyReader keys = new KeyReader(run, table);
        private final List<@Nullable Object[]> shown = new ArrayList<>();
        private final List<List<Value>> rows = new ArrayList<>();
        private ReturningStatement.@Nullable Result result;

        Written() throws SQLException {}

        Written by(Query query, Plan.@Nullable Returning returning, Parameters parameters) throws SQLException {
            List<Column> columns = table.columns();
            result = new ReturningStatement(run, returning)
                    .run(
                            query,
                            parameters,
                            "",
                            run.dialect().identity("", table) + TableImages.reads(columns, "") + keys.reads(""),
                            1 + columns.size() + keys.size(),
                            (row, first) -> {
                                images.checkIdentity(row.getString(first));
                                rows.add(TableImages.values(row, columns, first + 1));
                                shown.add(keys.values(row, first + 1 + columns.size()));
                            });
            return this;
        }

        Set<List<Value>> inUniqueColumns() {
            Set<List<Value>> values = new LinkedHashSet<>();
            rows.forEach(row -> values.add(ReplaceCapture.this.inUniqueColumns(row)));
            return values;
        }

        Outcome outcome(Parameters parameters, List<TableChange> changes, long count) {
            boolean made = InsertCapture.makesIdentity(table, plan.columns(), plan.rows(), parameters);
            List<@Nullable Object[]> last = shown.isEmpty() ? shown : shown.subList(shown.size() - 1, shown.size());
            return new Outcome(
                    count,
                    changes,
                    plan.returning() == null ? keys.keys(made ? shown : last) : GeneratedKeys.NONE,
                    run.incomplete(),
                    result == null ? null : result.rows(),
                    result == null ? null : result.warnings());
        }
    }
}
