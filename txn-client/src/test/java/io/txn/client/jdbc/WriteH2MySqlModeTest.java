package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;

/** H2 as it stands in for MySQL in many teams' tests: names in lower case, and not case-sensitive. */
class WriteH2MySqlModeTest extends WriteContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }

    @Override
    TestDatabase freshDatabase() {
        return TestDatabases.h2(";MODE=MySQL;DATABASE_TO_LOWER=TRUE;CASE_INSENSITIVE_IDENTIFIERS=TRUE");
    }

    @Override
    String table(String name) {
        return name;
    }
}
