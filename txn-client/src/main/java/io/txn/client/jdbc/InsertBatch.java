package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.sql.InsertValue;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Many executions of one INSERT, each of which gives its row a key: the batch goes as the application made it, so that its driver decides how it is sent. What the rows hold is what the
 * statement itself says of all of them, beyond doubt; otherwise, on MariaDB, they are read by those keys. For one run.
 */
final class InsertBatch {

    /** An identity may be told not to take the value that the statement gives. */
    private static final Pattern OVERRIDING = Pattern.compile("(?i)\\bOVERRIDING\\b");

    private final WriteRun run;
    private final Table table;
    private final TableImages images;
    private final KeyedRows rows;
    private final @Nullable List<List<Value>> given;

    private InsertBatch(
            WriteRun run, Table table, Plan.Insert plan, List<KeyedRows.Part> key, @Nullable List<List<Value>> given) {
        this.run = run;
        this.table = table;
        this.given = given;
        this.images = new TableImages(run, table);
        this.rows = new KeyedRows(
                run, images, table.columns(), new Fragment(plan.table().written(), 0, 0), key);
    }

    /** Null when the elements do not all give their row a key, in the same way, or would have to be read where the database returns them. */
    static @Nullable InsertBatch of(WriteRun run, Table table, Plan.Insert plan, List<Parameters> elements) {
        List<KeyedRows.Part> key = new ArrayList<>();
        for (Column column : table.key()) {
            InsertValue given = plan.rows().size() == 1 ? given(table, plan, column) : null;
            if (given == null || !gives(column, given, elements)) {
                return null;
            }
            key.add(new KeyedRows.Part(column.sqlName(), given.source()));
        }
        if (!key.stream().allMatch(part -> part.boundAlike(elements))) {
            return null;
        }
        List<List<Value>> given = given(run, table, plan, elements);
        boolean reads = run.dialect().product() == Dialect.Product.MARIADB;
        return given == null && !reads ? null : new InsertBatch(run, table, plan, key, given);
    }

    private static @Nullable InsertValue given(Table table, Plan.Insert plan, Column column) {
        for (int i = 0; i < plan.columns().size(); i++) {
            if (column.equals(table.column(plan.columns().get(i)))) {
                return plan.rows().get(0).get(i);
            }
        }
        return null;
    }

    private static boolean gives(Column column, InsertValue given, List<Parameters> elements) {
        return InsertCapture.isKnown(given)
                && !(column.is(Column.Trait.IDENTITY)
                        && elements.stream().anyMatch(element -> InsertCapture.isMade(given, element)));
    }

    /** Runs the batch; null, and nothing was done, when an element failed. */
    @Nullable
    Outcome run(DriverBatch batch) throws SQLException {
        if (batch.elements().size() > run.options().maxRowsPerStatement()) {
            throw images.tooManyRows();
        }
        Savepoint before = run.connection().setSavepoint();
        run.changed();
        batch.run();
        BatchUpdateException failure = batch.failure();
        if (failure != null) {
            if (String.valueOf(failure.getSQLState()).startsWith("40")) {
                throw failure; // a deadlock's victim has no savepoint any more
            }
            run.takeBack(before, failure);
            return null;
        }
        run.connection().releaseSavepoint(before);
        List<List<Value>> made = made(batch.elements());
        if (batch.changed() >= 0 && batch.changed() != made.size()) {
            run.incomplete("of " + made.size() + " rows, " + batch.changed() + " were inserted");
        }
        if (made.size() != batch.elements().size()) {
            run.incomplete("of " + batch.elements().size() + " inserted rows, " + made.size()
                    + " were found again by their keys");
        }
        List<RowChange> changes = new ArrayList<>(made.size());
        for (List<Value> row : made) {
            changes.add(new RowChange(null, row));
        }
        return new Outcome(
                -1,
                images.change(TableChange.Kind.INSERT, table.columns(), changes),
                GeneratedKeys.NONE,
                run.incomplete());
    }

    private List<List<Value>> made(List<Parameters> elements) throws SQLException {
        if (given == null) {
            return List.copyOf(
                    rows.read(elements, run.dialect().afterImageLocks()).values());
        }
        new Query()
                .add("SELECT " + run.dialect().identity(""))
                .read(run.connection(), run.scope(), row -> images.checkIdentity(row.getString(1)));
        return given;
    }

    /** The rows as the statement says them; null when it does not say all. */
    private static @Nullable List<List<Value>> given(
            WriteRun run, Table table, Plan.Insert plan, List<Parameters> elements) {
        GivenValues values = OVERRIDING.matcher(plan.head().text()).find()
                ? null
                : GivenValues.of(run.dialect().product(), table, plan.columns(), table.columns());
        if (values == null) {
            return null;
        }
        List<List<Value>> rows = new ArrayList<>(elements.size());
        for (Parameters element : elements) {
            List<Value> row = values.row(plan.rows().get(0), element);
            if (row == null) {
                return null;
            }
            rows.add(row);
        }
        return rows;
    }
}
