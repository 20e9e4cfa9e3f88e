package io.txn.coordinator;

import io.txn.test.DatabaseKind;
import io.txn.test.SeataClient.Version;

/** The newest client on MariaDB: the only one in the short form of the build. */
class Seata26ModesIT extends SeataModesContract {

    Seata26ModesIT() {
        super(Version.V2_6, DatabaseKind.MARIADB);
    }
}
