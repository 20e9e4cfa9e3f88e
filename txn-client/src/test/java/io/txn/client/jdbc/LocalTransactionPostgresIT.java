package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class LocalTransactionPostgresIT extends LocalTransactionContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }
}
