package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class RefusalMariaDbIT extends RefusalContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
