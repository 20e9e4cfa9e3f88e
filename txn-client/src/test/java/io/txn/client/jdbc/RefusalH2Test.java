package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class RefusalH2Test extends RefusalContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }
}
