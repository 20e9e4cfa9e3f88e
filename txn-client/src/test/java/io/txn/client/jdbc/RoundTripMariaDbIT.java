package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class RoundTripMariaDbIT extends RoundTripContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    @Override
    String column() {
        return "MariaDB";
    }
}
