package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class LockedRowsH2Test extends LockedRowsContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }
}
