package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class DirtyRowsH2Test extends DirtyRowsContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }
}
