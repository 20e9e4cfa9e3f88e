package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import java.math.BigDecimal;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A row that the driver inserts in its own way and whose key the database makes: it is read by the key that PostgreSQL's driver shows afterwards, or by the
 * number that MySQL and MariaDB say they made last. For one run.
 */
final class MadeRowCapture {

    private final WriteRun run;
    private final Table table;
    private final TableImages images;

    MadeRowCapture(WriteRun run, Table table) {
        this.run = run;
        this.table = table;
        this.images = new TableImages(run, table);
    }

    /** The key that the driver shows of the row that it has inserted. */
    interface ShownKey {
        /** A parameter a column; null where it shows none. */
        @Nullable
        Parameters of(Table table) throws SQLException;
    }

    /** Refuses a table of which the made key does not become known. */
    private void requireCounted() throws SQLException {
        if (table.key().size() != 1 || !table.key().get(0).is(Column.Trait.IDENTITY)) {
            throw Refusals.notSupported(
                    "rows are changed through a ResultSet, and no counter makes the key of the new row",
                    "set the key, or send INSERT");
        }
    }

    /** Has the row inserted. */
    Outcome run(DriverBatch row, ShownKey shown) throws SQLException {
        boolean counts = run.dialect().product().isMySqlFamily();
        if (counts) {
            requireCounted();
        }
        BigDecimal before = counts ? lastNumber("") : null;
        if (counts) {
            // A row that gets no number of a counter would be taken for an older one.
            lastNumber("0");
        }
        run.changed();
        row.run();
        if (row.failure() != null) {
            if (before != null) {
                lastNumber(before.toPlainString());
            }
            if (!isOfDatabase(row.failure())) {
                run.incomplete("the driver failed beside the row that it was to insert");
            }
            return new Outcome(-1, List.of(), GeneratedKeys.NONE, run.incomplete());
        }
        Parameters key = counts ? madeLast() : shown.of(table);
        List<List<Value>> rows = key == null ? List.of() : read(key);
        if (before != null && lastNumber("").signum() == 0) {
            lastNumber(before.toPlainString());
        }
        if (rows.size() != 1) {
            run.incomplete("the row that the driver inserted is not found by a key that it shows");
        }
        List<RowChange> made =
                rows.stream().map(values -> new RowChange(null, values)).toList();
        return new Outcome(
                -1,
                images.change(TableChange.Kind.INSERT, table.columns(), made),
                GeneratedKeys.NONE,
                run.incomplete());
    }

    /** Whether the database refused the row, and so nothing is there; PostgreSQL then takes no other statement. */
    private boolean isOfDatabase(SQLException failure) {
        if (run.dialect().product() != Dialect.Product.POSTGRESQL) {
            return failure.getErrorCode() != 0;
        }
        try {
            new Query().add("SELECT 1").read(run.connection(), run.scope(), row -> {});
            return false;
        } catch (SQLException e) {
            return true;
        }
    }

    /** Makes this the last number that was made; the one that it was when the text is empty. */
    private BigDecimal lastNumber(String number) throws SQLException {
        List<BigDecimal> last = new ArrayList<>();
        new Query()
                .add("SELECT LAST_INSERT_ID(" + number + ")")
                .read(
                        run.connection(),
                        run.scope(),
                        row -> last.add(Objects.requireNonNullElse(row.getBigDecimal(1), BigDecimal.ZERO)));
        return last.get(0);
    }

    private Parameters madeLast() throws SQLException {
        Parameters key = new Parameters();
        try {
            key.kept(
                    PreparedStatement.class.getMethod("setBigDecimal", int.class, BigDecimal.class),
                    new Object[] {1, lastNumber("")});
        } catch (NoSuchMethodException e) {
            throw new AssertionError(e);
        }
        return key;
    }

    private List<List<Value>> read(Parameters key) throws SQLException {
        List<List<Value>> rows = new ArrayList<>();
        Query query = new Query()
                .add("SELECT " + run.dialect().identity("", table) + TableImages.reads(table.columns(), "") + " FROM "
                        + table.sqlName() + " WHERE ");
        for (int i = 0; i < table.key().size(); i++) {
            query.add((i == 0 ? "" : " AND ") + table.key().get(i).sqlName() + " = ")
                    .add(new Fragment("?", i, 1), key);
        }
        images.readImage(
                query.add(run.dialect().afterImageLocks() ? run.dialect().allForUpdate() : ""),
                () -> {},
                table.columns(),
                rows);
        return rows;
    }
}
