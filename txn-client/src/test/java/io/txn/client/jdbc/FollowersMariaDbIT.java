package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class FollowersMariaDbIT extends FollowersContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
