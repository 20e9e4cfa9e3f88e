package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class LockedRowsMariaDbIT extends LockedRowsContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
