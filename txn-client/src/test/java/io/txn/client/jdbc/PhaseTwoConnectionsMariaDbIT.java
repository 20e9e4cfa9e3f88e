package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class PhaseTwoConnectionsMariaDbIT extends PhaseTwoConnectionsContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
