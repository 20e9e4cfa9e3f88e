package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class XaPostgresIT extends XaContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }
}
