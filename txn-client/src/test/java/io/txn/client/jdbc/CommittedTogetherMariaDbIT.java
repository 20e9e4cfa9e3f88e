package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class CommittedTogetherMariaDbIT extends CommittedTogetherContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
