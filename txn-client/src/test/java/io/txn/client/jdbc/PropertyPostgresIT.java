package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class PropertyPostgresIT extends PropertyContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }
}
