package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class UndoTableMariaDbIT extends UndoTableContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
