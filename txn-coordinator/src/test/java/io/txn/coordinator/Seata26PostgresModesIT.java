package io.txn.coordinator;

import io.txn.test.DatabaseKind;
import io.txn.test.SeataClient.Version;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The newest client on PostgreSQL. */
@EnabledIfSystemProperty(named = SeataModesContract.FULL, matches = "true")
class Seata26PostgresModesIT extends SeataModesContract {

    Seata26PostgresModesIT() {
        super(Version.V2_6, DatabaseKind.POSTGRESQL);
    }
}
