package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class LocalTransactionH2Test extends LocalTransactionContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }
}
