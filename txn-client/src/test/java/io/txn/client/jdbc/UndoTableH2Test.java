package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class UndoTableH2Test extends UndoTableContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }
}
