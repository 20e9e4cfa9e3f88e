package io.txn.client.jdbc;

import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;

/** MariaDB through MySQL's own driver. */
class TypesMySqlDriverIT extends TypesMariaDbIT {

    @Override
    TestDatabase freshDatabase() {
        return TestDatabases.mariaDb().withMySqlDriver();
    }
}
