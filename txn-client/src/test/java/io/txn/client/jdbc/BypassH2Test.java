package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class BypassH2Test extends BypassContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }
}
