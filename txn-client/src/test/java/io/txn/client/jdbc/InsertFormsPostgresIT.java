package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class InsertFormsPostgresIT extends InsertFormsContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }
}
