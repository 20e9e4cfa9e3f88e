package io.txn.test.frameworks;

import io.txn.test.DatabaseKind;
import org.junit.jupiter.api.Nested;

class MyBatisIT {

    @Nested
    class OnH2 extends MyBatisContract {
        @Override
        DatabaseKind kind() {
            return DatabaseKind.H2;
        }
    }

    @Nested
    class OnMariaDb extends MyBatisContract {
        @Override
        DatabaseKind kind() {
            return DatabaseKind.MARIADB;
        }
    }

    @Nested
    class OnPostgres extends MyBatisContract {
        @Override
        DatabaseKind kind() {
            return DatabaseKind.POSTGRESQL;
        }
    }
}
