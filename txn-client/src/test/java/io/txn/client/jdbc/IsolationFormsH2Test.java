package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class IsolationFormsH2Test extends IsolationFormsContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }
}
