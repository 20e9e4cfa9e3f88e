package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Capture;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.test.DatabaseKind;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** As on PostgreSQL before 18, which does not return the rows as they were. */
@EnabledIfSystemProperty(named = "txn.test.wide", matches = "true")
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
