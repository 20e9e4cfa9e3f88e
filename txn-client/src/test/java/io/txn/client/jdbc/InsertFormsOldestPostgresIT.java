package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** On a PostgreSQL that does not return the rows as they were, as none before 18 does. */
@EnabledIfSystemProperty(named = "txn.test.wide", matches = "true")
class InsertFormsOldestPostgresIT extends InsertFormsContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }

    @Override
    TestDatabase freshDatabase() {
        return TestDatabases.oldestPostgres();
    }

    @Override
    boolean byQueries() {
        return true;
    }
}
