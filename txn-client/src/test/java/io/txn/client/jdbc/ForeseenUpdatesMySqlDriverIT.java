package io.txn.client.jdbc;

import io.txn.test.TestDatabase;

class ForeseenUpdatesMySqlDriverIT extends ForeseenUpdatesContract {

    @Override
    TestDatabase freshDatabase() {
        return super.freshDatabase().withMySqlDriver();
    }
}
