package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Capture;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.test.DatabaseKind;
import java.util.function.UnaryOperator;

/** As on PostgreSQL before 18, which does not return the rows as they were. */
class InsertFormsByQueriesPostgresIT extends InsertFormsContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }

    @Override
    UnaryOperator<Dialect> adjust() {
        return dialect -> dialect.withUpdate(Capture.QUERIES);
    }

    @Override
    boolean byQueries() {
        return true;
    }
}
