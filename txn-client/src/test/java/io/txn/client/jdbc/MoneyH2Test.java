package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class MoneyH2Test extends MoneyContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }
}
