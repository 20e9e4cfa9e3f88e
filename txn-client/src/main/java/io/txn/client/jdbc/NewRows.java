package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rows that a statement made or changed, as they are now, and their number: H2's driver gives every column of them by getGeneratedKeys, in the
 * text that CAST would give too.
 */
record NewRows(int count, List<List<Value>> images, GeneratedKeys keys) {

    /** Runs the statement. */
    static NewRows of(WriteRun run, Table table, Query query) throws SQLException {
        List<Column> keyColumns = run.keyRequest().columns(table, run.dialect());
        List<Column> columns = table.columns();
        List<Column> read = new ArrayList<>(columns);
        keyColumns.stream().filter(c -> !columns.contains(c)).forEach(read::add); // generated ones
        String[] names = read.stream().map(Column::name).toArray(String[]::new);
        TableImages images = new TableImages(run, table);
        List<List<Value>> rows = new ArrayList<>();
        List<@Nullable Object[]> keys = new ArrayList<>();
        List<GeneratedKeys.Column> labels = new ArrayList<>();
        Query.Preparing preparing = sql -> run.connection().prepareStatement(sql, names);
        int count = query.use(run.connection(), run.scope(), preparing, (statement, text) -> {
            int updated = statement instanceof PreparedStatement prepared
                    ? prepared.executeUpdate()
                    : statement.executeUpdate(text, names);
            run.changed();
            try (ResultSet row = statement.getGeneratedKeys()) {
                images.checkIdentity(row.getMetaData().getSchemaName(1));
                for (Column column : keyColumns) {
                    labels.add(GeneratedKeys.Column.of(row.getMetaData(), read.indexOf(column) + 1, column.name()));
                }
                while (row.next()) {
                    rows.add(TableImages.values(row, columns, 1));
                    @Nullable Object[] shown = new Object[keyColumns.size()];
                    for (int i = 0; i < shown.length; i++) {
                        shown[i] = row.getObject(read.indexOf(keyColumns.get(i)) + 1);
                    }
                    keys.add(shown);
                }
            }
            return updated;
        });
        return new NewRows(count, rows, keyColumns.isEmpty() ? GeneratedKeys.NONE : new GeneratedKeys(labels, keys));
    }
}
