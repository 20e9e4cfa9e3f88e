package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class DirtyRowsMariaDbIT extends DirtyRowsContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
