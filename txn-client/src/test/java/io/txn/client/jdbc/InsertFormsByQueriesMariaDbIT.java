package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Dialect;
import io.txn.test.DatabaseKind;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** As on MySQL, which does not return the rows it changed. */
@EnabledIfSystemProperty(named = "txn.test.wide", matches = "true")
class InsertFormsByQueriesMariaDbIT extends InsertFormsContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    @Override
    UnaryOperator<Dialect> adjust() {
        return Dialect::withQueriesOnly;
    }

    @Override
    boolean byQueries() {
        return true;
    }
}
