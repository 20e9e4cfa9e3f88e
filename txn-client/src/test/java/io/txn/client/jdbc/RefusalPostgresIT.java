package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class RefusalPostgresIT extends RefusalContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }
}
