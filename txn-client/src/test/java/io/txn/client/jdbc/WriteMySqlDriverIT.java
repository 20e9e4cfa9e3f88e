package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;

/** MariaDB through MySQL's own driver. */
class WriteMySqlDriverIT extends WriteContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    @Override
    TestDatabase freshDatabase() {
        return TestDatabases.mariaDb().withMySqlDriver();
    }
}
