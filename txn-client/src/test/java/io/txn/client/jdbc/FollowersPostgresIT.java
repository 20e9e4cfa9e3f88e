package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class FollowersPostgresIT extends FollowersContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }
}
