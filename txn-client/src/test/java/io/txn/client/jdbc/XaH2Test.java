package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class XaH2Test extends XaContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }
}
