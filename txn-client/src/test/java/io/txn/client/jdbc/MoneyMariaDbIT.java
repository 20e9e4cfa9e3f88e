package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class MoneyMariaDbIT extends MoneyContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
