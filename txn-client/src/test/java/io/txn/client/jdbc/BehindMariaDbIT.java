package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class BehindMariaDbIT extends BehindContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
