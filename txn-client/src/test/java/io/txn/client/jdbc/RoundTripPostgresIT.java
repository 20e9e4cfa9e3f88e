package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class RoundTripPostgresIT extends RoundTripContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }

    @Override
    String column() {
        return "PostgreSQL 18";
    }
}
