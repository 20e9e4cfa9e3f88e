package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class FollowersH2Test extends FollowersContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }
}
