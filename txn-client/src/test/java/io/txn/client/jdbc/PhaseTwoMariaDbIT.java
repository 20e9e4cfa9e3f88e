package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class PhaseTwoMariaDbIT extends PhaseTwoContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
