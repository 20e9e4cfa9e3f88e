package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class PhaseTwoPostgresIT extends PhaseTwoContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }
}
