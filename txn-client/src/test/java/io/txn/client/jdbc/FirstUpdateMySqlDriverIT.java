package io.txn.client.jdbc;

import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;

/** MariaDB through MySQL's own driver, which asks for auto-commit whether or not it is as it should be. */
class FirstUpdateMySqlDriverIT extends FirstUpdateMariaDbIT {

    @Override
    TestDatabase freshDatabase() {
        return TestDatabases.mariaDb().withMySqlDriver();
    }

    @Override
    int roundTrips() {
        return 6;
    }
}
