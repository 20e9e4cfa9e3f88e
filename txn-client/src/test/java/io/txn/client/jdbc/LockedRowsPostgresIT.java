package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class LockedRowsPostgresIT extends LockedRowsContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }
}
