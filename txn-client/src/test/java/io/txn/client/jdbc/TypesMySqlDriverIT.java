package io.txn.client.jdbc;

import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** MariaDB through MySQL's own driver. */
@EnabledIfSystemProperty(named = "txn.test.wide", matches = "true")
class TypesMySqlDriverIT extends TypesMariaDbIT {

    @Override
    TestDatabase freshDatabase() {
        return TestDatabases.mariaDb().withMySqlDriver();
    }
}
