package io.txn.coordinator;

import io.txn.test.DatabaseKind;
import io.txn.test.SeataClient.Version;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** {@code io.seata:seata-all:2.0.0}. */
@EnabledIfSystemProperty(named = SeataModesContract.FULL, matches = "true")
class Seata20ModesIT extends SeataModesContract {

    Seata20ModesIT() {
        super(Version.V2_0, DatabaseKind.MARIADB);
    }
}
