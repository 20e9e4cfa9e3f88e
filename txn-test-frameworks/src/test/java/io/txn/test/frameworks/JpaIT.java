package io.txn.test.frameworks;

import io.txn.test.DatabaseKind;
import org.junit.jupiter.api.Nested;

class JpaIT {

    @Nested
    class OnH2 extends JpaContract {
        @Override
        DatabaseKind kind() {
            return DatabaseKind.H2;
        }
    }

    @Nested
    class OnMariaDb extends JpaContract {
        @Override
        DatabaseKind kind() {
            return DatabaseKind.MARIADB;
        }
    }

    @Nested
    class OnPostgres extends JpaContract {
        @Override
        DatabaseKind kind() {
            return DatabaseKind.POSTGRESQL;
        }
    }
}
