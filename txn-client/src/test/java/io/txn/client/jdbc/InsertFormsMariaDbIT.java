package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class InsertFormsMariaDbIT extends InsertFormsContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
