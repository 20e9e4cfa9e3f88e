package io.txn.client.jdbc;

import io.txn.test.TestDatabase;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

@EnabledIfSystemProperty(named = "txn.test.wide", matches = "true")
class ForeseenUpdatesMySqlDriverIT extends ForeseenUpdatesContract {

    @Override
    TestDatabase freshDatabase() {
        return super.freshDatabase().withMySqlDriver();
    }
}
