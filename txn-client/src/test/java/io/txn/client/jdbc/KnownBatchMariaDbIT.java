package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class KnownBatchMariaDbIT extends KnownBatchContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
