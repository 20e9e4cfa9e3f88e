package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Dialect;
import io.txn.test.DatabaseKind;
import java.util.function.UnaryOperator;

/** MySQL's way, measured on MariaDB. */
class RoundTripMySqlIT extends RoundTripContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    @Override
    UnaryOperator<Dialect> adjust() {
        return Dialect::withQueriesOnly;
    }

    @Override
    String column() {
        return "MySQL";
    }
}
