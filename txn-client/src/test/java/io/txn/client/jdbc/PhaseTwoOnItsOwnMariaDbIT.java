package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;
import javax.sql.DataSource;

/** The same on connections that are kept. */
class PhaseTwoOnItsOwnMariaDbIT extends PhaseTwoContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    @Override
    DataSource forPhaseTwo() {
        return counter;
    }
}
