package io.txn.coordinator;

import io.txn.test.DatabaseKind;
import io.txn.test.SeataClient.Version;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** {@code org.apache.seata:seata-all:2.5.0}. */
@EnabledIfSystemProperty(named = SeataModesContract.FULL, matches = "true")
class Seata25ModesIT extends SeataModesContract {

    Seata25ModesIT() {
        super(Version.V2_5, DatabaseKind.MARIADB);
    }
}
