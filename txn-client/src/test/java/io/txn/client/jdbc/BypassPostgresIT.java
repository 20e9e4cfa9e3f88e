package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class BypassPostgresIT extends BypassContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }
}
