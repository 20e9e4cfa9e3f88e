package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class DirtyRowsPostgresIT extends DirtyRowsContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }
}
