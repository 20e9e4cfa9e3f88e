package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Trigger;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.undo.ImageColumn;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import io.txn.protocol.ErrorCode;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLSyntaxErrorException;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads rows of one table as images: the columns by their codecs, and beside them what says which table was really read. What is wrong with an
 * image after the change has happened makes the run incomplete. For one statement execution.
 */
final class TableImages {

    static final int KEYS_PER_QUERY = 500;

    /** The SQL state that says that a table has no such column. */
    static final String NO_COLUMN = "42703";

    private final WriteRun run;
    private final Table table;

    TableImages(WriteRun run, Table table) {
        this.run = run;
        this.table = table;
    }

    Table table() {
        return table;
    }

    WriteRun execution() {
        return run;
    }

    /** Refuses columns of types whose values cannot be kept. */
    static void requireSupported(Table table, List<Column> columns) throws SQLException {
        for (Column column : columns) {
            if (!column.codec().supported()) {
                throw Refusals.refused(
                        ErrorCode.VALUE_NOT_SUPPORTED,
                        "table",
                        table.lockName(),
                        "column",
                        column.name(),
                        "type",
                        column.type());
            }
        }
    }

    /** The column that a statement writes to. */
    static Column column(Table table, Identifier written) throws SQLException {
        Column column = table.column(written);
        if (column == null) {
            throw new SQLSyntaxErrorException(
                    "table " + table.lockName() + " has no column " + written.text() + " that can be written",
                    NO_COLUMN);
        }
        return column;
    }

    SQLException tooManyRows() {
        return Refusals.notSupported(
                "it writes more than " + run.options().maxRowsPerStatement() + " rows",
                "write fewer rows at a time, or raise maxRowsPerStatement");
    }

    void readImage(Query query, Runnable executed, List<Column> columns, Collection<List<Value>> into)
            throws SQLException {
        query.read(run.connection(), run.scope(), executed, row -> {
            checkIdentity(row.getString(1));
            into.add(values(row, columns, 2));
        });
    }

    /** Whether two images of all columns have one key. */
    boolean sameKey(List<Value> row, List<Value> other) {
        return keyOf(table.columns(), row).equals(keyOf(table.columns(), other));
    }

    List<Value> keyOf(List<Column> columns, List<Value> row) {
        Value[] key = new Value[table.key().size()];
        for (int i = 0; i < key.length; i++) {
            Column column = table.key().get(i);
            int place = 0;
            // Most columns are one and the same object wherever they occur.
            while (place < columns.size() && columns.get(place) != column) {
                place++;
            }
            key[i] = row.get(place < columns.size() ? place : columns.indexOf(column));
        }
        return List.of(key);
    }

    static String reads(List<Column> columns, String qualifier) {
        StringBuilder reads = new StringBuilder(64 * columns.size());
        for (Column column : columns) {
            reads.append(", ").append(column.codec().readFrom(qualifier + column.sqlName()));
        }
        return reads.toString();
    }

    static List<Value> values(ResultSet row, List<Column> columns, int first) throws SQLException {
        Value[] values = new Value[columns.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = columns.get(i).codec().get(row, first + i);
        }
        return List.of(values); // what cannot be changed is not copied again
    }

    void checkIdentity(@Nullable String identity) {
        String found = identity == null ? "" : identity;
        if (found.startsWith(Dialect.AMBIGUOUS)) {
            found = found.substring(Dialect.AMBIGUOUS.length());
            if (table.printedBySetting()) {
                run.incomplete("the session prints values of " + table.lockName() + " so that they cannot be read back:"
                        + " leave extra_float_digits and IntervalStyle as they are by default");
            }
        }
        if (!table.identities().isEmpty() && !table.identities().contains(found)) {
            run.incomplete("the statement reached another table than " + table.schema() + '.' + table.name()
                    + ": the schema, the search path or a temporary table changed what its name means");
        }
    }

    /** What happened to rows of this table; nothing when there are none. */
    List<TableChange> change(TableChange.Kind kind, List<Column> columns, List<RowChange> rows) {
        if (rows.isEmpty()) {
            return List.of();
        }
        if (rows.size() > run.options().maxRowsPerStatement()) {
            run.incomplete("it changed more than " + run.options().maxRowsPerStatement() + " rows");
        }
        Set<String> left =
                run.options().leftToTriggers(table, kind == TableChange.Kind.UPDATE ? Trigger.Event.UPDATE : null);
        ImageColumn[] images = new ImageColumn[columns.size()];
        for (int i = 0; i < images.length; i++) {
            images[i] = ImageColumn.of(table, columns.get(i), left);
        }
        return List.of(new TableChange(kind, table.schema(), table.name(), table.lockName(), List.of(images), rows));
    }
}
