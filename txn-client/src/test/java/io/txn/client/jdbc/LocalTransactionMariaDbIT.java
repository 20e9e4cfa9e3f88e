package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class LocalTransactionMariaDbIT extends LocalTransactionContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
