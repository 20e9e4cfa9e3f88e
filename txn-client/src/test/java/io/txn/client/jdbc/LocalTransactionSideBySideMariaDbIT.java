package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

/** The same while the branch is being registered. */
class LocalTransactionSideBySideMariaDbIT extends LocalTransactionContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    @Override
    boolean sideBySide() {
        return true;
    }
}
