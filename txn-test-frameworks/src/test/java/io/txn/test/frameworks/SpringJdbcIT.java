package io.txn.test.frameworks;

import io.txn.test.DatabaseKind;
import org.junit.jupiter.api.Nested;

class SpringJdbcIT {

    @Nested
    class OnH2 extends SpringJdbcContract {
        @Override
        DatabaseKind kind() {
            return DatabaseKind.H2;
        }
    }

    @Nested
    class OnMariaDb extends SpringJdbcContract {
        @Override
        DatabaseKind kind() {
            return DatabaseKind.MARIADB;
        }
    }

    @Nested
    class OnPostgres extends SpringJdbcContract {
        @Override
        DatabaseKind kind() {
            return DatabaseKind.POSTGRESQL;
        }
    }
}
