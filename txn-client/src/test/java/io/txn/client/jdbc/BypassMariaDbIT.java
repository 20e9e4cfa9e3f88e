package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class BypassMariaDbIT extends BypassContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
