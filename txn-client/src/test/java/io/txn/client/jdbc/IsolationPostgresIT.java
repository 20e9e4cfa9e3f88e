package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class IsolationPostgresIT extends IsolationContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }
}
