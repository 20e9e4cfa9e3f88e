package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class InsertFormsH2Test extends InsertFormsContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }
}
