package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Table;
import java.sql.SQLException;

/** The capture of a write that may make rows of one table: it needs their images whole. For one statement execution. */
abstract class TableCapture implements WriteCapture {

    final WriteRun run;
    final Table table;
    final TableImages images;

    TableCapture(WriteRun run, Table table) {
        this.run = run;
        this.table = table;
        this.images = new TableImages(run, table);
    }

    @Override
    public void check() throws SQLException {
        TableImages.requireSupported(table, table.columns());
    }
}
