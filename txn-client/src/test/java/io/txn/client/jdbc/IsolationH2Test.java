package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class IsolationH2Test extends IsolationContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }
}
