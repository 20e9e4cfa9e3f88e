package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class IsolationFormsMariaDbIT extends IsolationFormsContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
