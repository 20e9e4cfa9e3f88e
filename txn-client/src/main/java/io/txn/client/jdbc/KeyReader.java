package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Collects what getGeneratedKeys will show from columns that a RETURNING has besides the image. For one statement execution. */
final class KeyReader {

    private final WriteRun run;
    private final List<Column> columns;
    private final List<@Nullable Object[]> keys = new ArrayList<>();
    private final List<GeneratedKeys.Column> labels = new ArrayList<>();

    KeyReader(WriteRun run, Table table) throws SQLException {
        this(run, run.keyRequest().columns(table, run.dialect()));
    }

    /** One for an UPDATE or DELETE: MySQL's drivers show no keys of those, others the columns that were asked for. */
    static KeyReader ofChange(WriteRun run, Table table) throws SQLException {
        return run.dialect().product().isMySqlFamily() ? none(run) : new KeyReader(run, table);
    }

    /** One that collects nothing. */
    static KeyReader none(WriteRun run) {
        return new KeyReader(run, List.of());
    }

    private KeyReader(WriteRun run, List<Column> columns) {
        this.run = run;
        this.columns = columns;
    }

    /** The columns as they are added to a RETURNING list; nothing when the application wants no keys. */
    String reads(String qualifier) {
        return columns.isEmpty()
                ? ""
                : columns.stream().map(c -> ", " + qualifier + c.sqlName()).collect(Collectors.joining());
    }

    List<Column> columns() {
        return columns;
    }

    int size() {
        return columns.size();
    }

    /** Keeps what the current row has from column {@code first} on. */
    void add(ResultSet row, int first) throws SQLException {
        keys.add(values(row, first));
    }

    /** What the current row has from column {@code first} on. */
    @Nullable
    Object[] values(ResultSet row, int first) throws SQLException {
        ResultSetMetaData about = labels.isEmpty() && !columns.isEmpty() ? row.getMetaData() : null;
        @Nullable Object[] values = new Object[columns.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = row.getObject(first + i);
            if (about != null) {
                labels.add(GeneratedKeys.Column.of(about, first + i, label(columns.get(i))));
            }
        }
        return values;
    }

    private String label(Column column) {
        if (!run.dialect().product().isMySqlFamily()) {
            return column.name();
        }
        return run.dialect().driver().startsWith("MariaDB") ? "insert_id" : "GENERATED_KEY";
    }

    GeneratedKeys keys() {
        return keys(keys);
    }

    /** Those rows that are chosen, under this reader's labels. */
    GeneratedKeys keys(List<@Nullable Object[]> chosen) {
        return columns.isEmpty() ? GeneratedKeys.NONE : new GeneratedKeys(labels, chosen);
    }
}
