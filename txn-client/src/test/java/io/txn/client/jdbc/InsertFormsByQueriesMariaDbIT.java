package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Dialect;
import io.txn.test.DatabaseKind;
import java.util.function.UnaryOperator;

/** As on MySQL, which does not return the rows it changed. */
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
