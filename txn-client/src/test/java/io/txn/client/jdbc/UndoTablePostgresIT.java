package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class UndoTablePostgresIT extends UndoTableContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }
}
