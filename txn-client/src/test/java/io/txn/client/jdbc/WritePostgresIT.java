package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class WritePostgresIT extends WriteContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }
}
