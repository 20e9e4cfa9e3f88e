package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class WriteH2Test extends WriteContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }
}
