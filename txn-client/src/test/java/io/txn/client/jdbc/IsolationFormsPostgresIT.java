package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class IsolationFormsPostgresIT extends IsolationFormsContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }
}
