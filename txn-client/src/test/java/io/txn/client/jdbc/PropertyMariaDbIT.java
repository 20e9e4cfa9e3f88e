package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class PropertyMariaDbIT extends PropertyContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
