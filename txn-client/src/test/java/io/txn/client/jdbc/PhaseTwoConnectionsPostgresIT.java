package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class PhaseTwoConnectionsPostgresIT extends PhaseTwoConnectionsContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }
}
