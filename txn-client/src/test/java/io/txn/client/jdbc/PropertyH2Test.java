package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class PropertyH2Test extends PropertyContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }
}
