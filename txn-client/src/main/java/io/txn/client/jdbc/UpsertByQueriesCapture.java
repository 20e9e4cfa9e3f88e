package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.InsertValue;
import io.txn.client.jdbc.sql.Plan;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * IGNORE, ON DUPLICATE KEY UPDATE and REPLACE of listed rows on MySQL, which returns no rows: one statement for each row, which notes in a user variable
 * what the row was ({@link RowMemory}); the variable is read, and the row by its key, which has to be known.
 */
final class UpsertByQueriesCapture extends TableCapture {

    private final Plan.RichInsert plan;
    private final InsertCapture rows;
    private final String columns;

    UpsertByQueriesCapture(Plan.RichInsert plan, WriteRun run, Table table) throws SQLException {
        super(run, table);
        this.plan = plan;
        this.rows = new InsertCapture(asInsert(plan, table), run, table);
        this.columns = columns(plan, table);
    }

    /** The same rows as a plain INSERT. */
    static Plan.Insert asInsert(Plan.RichInsert plan, Table table) throws SQLException {
        if (plan.rows().isEmpty() || plan.columns().isEmpty()) {
            throw Refusals.notSupported(
                    "this database does not return the rows that it writes, and the statement does not list them with their columns",
                    "select the rows first, and write INSERT INTO table (columns) VALUES (…)");
        }
        if (plan.target().text().matches("(?is)\\S+\\s+PARTITION\\b.*")) {
            throw Refusals.notSupported("it names a partition", "leave it to the server to choose the partition");
        }
        List<Fragment> texts = new ArrayList<>();
        for (List<InsertValue> row : plan.rows()) {
            texts.add(new Fragment(
                    row.stream().map(v -> v.source().text()).collect(Collectors.joining(", ", "(", ")")),
                    row.get(0).source().firstParameter(),
                    row.stream().mapToInt(v -> v.source().parameterCount()).sum()));
        }
        String head = "INSERT INTO " + plan.table().written() + " (" + columns(plan, table) + ") VALUES";
        return new Plan.Insert(
                plan.table(), plan.statement(), plan.columns(), plan.rows(), new Fragment(head, 0, 0), texts);
    }

    private static String columns(Plan.RichInsert plan, Table table) throws SQLException {
        List<String> names = new ArrayList<>();
        for (Identifier column : plan.columns()) {
            names.add(TableImages.column(table, column).sqlName());
        }
        return String.join(", ", names);
    }

    @Override
    public void check() throws SQLException {
        super.check();
        if (plan.replace() && !table.referencedBy().isEmpty()) {
            throw Refusals.notSupported(
                    "rows of " + table.referencedBy().get(0).child() + " refer to the table",
                    "write DELETE and INSERT");
        }
        for (Identifier written : plan.assigned()) {
            if (table.isKey(TableImages.column(table, written))) {
                throw Refusals.notSupported(
                        "it changes keys, and this database does not return rows", "change the key by an UPDATE");
            }
        }
    }

    @Override
    public Outcome run(Parameters parameters) throws SQLException {
        List<InsertCapture.InsertRow> all = rows.rowsOf(parameters);
        List<InsertCapture.InsertKey> keys = new ArrayList<>();
        for (InsertCapture.InsertRow row : all) {
            keys.add(rows.insertKey(row));
        }
        Savepoint start = all.size() > 1 ? run.connection().setSavepoint() : null;
        RowChanges changes = new RowChanges(images);
        Written written = new Written();
        try {
            for (int i = 0; i < all.size(); i++) {
                one(all.get(i), keys.get(i), parameters, changes, written);
            }
        } catch (SQLException e) {
            if (start != null) {
                run.takeBack(start, e);
            }
            if (plan.replace() && !run.leftChanges() && run.dialect().isDuplicate(e)) {
                throw Refusals.notSupported(
                        "one of its rows stands in the way of two rows", "delete the rows in the way, then insert");
            }
            throw e;
        }
        if (start != null) {
            run.connection().releaseSavepoint(start);
        }
        return new Outcome(written.count, changes.changes(), written.keys, run.incomplete(), null, written.warnings);
    }

    /** What was told of the rows so far. */
    private static final class Written {
        private long count;
        private GeneratedKeys keys = GeneratedKeys.NONE;
        private @Nullable SQLWarning warnings;

        void add(@Nullable SQLWarning more) {
            if (warnings == null) {
                warnings = more;
            } else if (more != null) {
                warnings.setNextWarning(more);
            }
        }
    }

    private void one(
            InsertCapture.InsertRow row,
            InsertCapture.InsertKey key,
            Parameters parameters,
            RowChanges changes,
            Written written)
            throws SQLException {
        RowMemory memory = new RowMemory(run, table);
        String verb = plan.replace() ? "INSERT INTO" : plan.head().text();
        Query query = new Query()
                .add(verb + ' ' + plan.table().written() + " (" + columns + ") VALUES ")
                .add(row.text(), parameters);
        boolean remembers = plan.conflict() == Plan.Conflict.CHANGE;
        if (remembers) {
            query.add(" ").add(plan.rowAlias(), parameters).add(" ON DUPLICATE KEY UPDATE " + memory.noting() + ", ");
            if (plan.replace()) {
                query.add(memory.everyColumn());
            } else {
                query.add(plan.action(), parameters);
            }
        }
        List<Object> made = new ArrayList<>();
        int count = query.use(
                run.connection(),
                run.scope(),
                sql -> run.connection().prepareStatement(sql, Statement.RETURN_GENERATED_KEYS),
                (statement, text) -> {
                    int updated = statement instanceof PreparedStatement prepared
                            ? prepared.executeUpdate()
                            : statement.executeUpdate(text, Statement.RETURN_GENERATED_KEYS);
                    run.changed();
                    written.add(statement.getWarnings());
                    try (ResultSet ids = statement.getGeneratedKeys()) {
                        if (ids.next()) {
                            made.add(ids.getObject(1));
                            GeneratedKeys.Column label = GeneratedKeys.Column.of(
                                    ids.getMetaData(), 1, ids.getMetaData().getColumnLabel(1));
                            if (run.keyRequest().wanted()) {
                                written.keys = written.keys.and(new GeneratedKeys(
                                        List.of(label), List.<@Nullable Object[]>of(new Object[] {made.get(0)})));
                            }
                        }
                    }
                    return updated;
                });
        List<Value> before = remembers ? memory.recall() : null;
        if (before == null && count == 0) {
            return; // left alone
        }
        boolean keepsKey = before != null && !plan.replace();
        List<List<Value>> found =
                keepsKey && before != null ? readAgain(before) : rows.readInserted(List.of(key), made);
        if (found.size() != 1) {
            run.incomplete("a row that was written was not found again by its key");
            return;
        }
        List<Value> after = found.get(0);
        changes.add(before, after);
        boolean same = after.equals(before);
        boolean inPlace = table.soleUnique();
        written.count += !plan.replace() ? count : before == null || same && inPlace ? 1 : 2;
    }

    private List<List<Value>> readAgain(List<Value> before) throws SQLException {
        List<Column> all = table.columns();
        List<List<Value>> found = new ArrayList<>();
        Query query = new Query()
                .add("SELECT " + run.dialect().identity("", table) + TableImages.reads(all, "") + " FROM "
                        + table.sqlName() + " WHERE ")
                .addKeys(table.key(), List.of(images.keyOf(all, before)))
                .add(" FOR UPDATE");
        images.readImage(query, () -> {}, all, found);
        return found;
    }
}
