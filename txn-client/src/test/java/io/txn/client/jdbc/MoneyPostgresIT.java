package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class MoneyPostgresIT extends MoneyContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }
}
