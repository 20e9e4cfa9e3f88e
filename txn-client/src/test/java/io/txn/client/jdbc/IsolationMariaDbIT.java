package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class IsolationMariaDbIT extends IsolationContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
