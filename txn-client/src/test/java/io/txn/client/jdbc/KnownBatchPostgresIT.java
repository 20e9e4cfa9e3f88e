package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class KnownBatchPostgresIT extends KnownBatchContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }
}
