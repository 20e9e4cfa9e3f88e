package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class BehindPostgresIT extends BehindContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }
}
