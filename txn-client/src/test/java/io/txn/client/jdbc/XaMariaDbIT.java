package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class XaMariaDbIT extends XaContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
