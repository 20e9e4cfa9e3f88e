package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class WriteMariaDbIT extends WriteContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
