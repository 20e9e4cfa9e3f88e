package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;
import javax.sql.DataSource;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The same on connections that are kept. */
@EnabledIfSystemProperty(named = "txn.test.wide", matches = "true")
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
