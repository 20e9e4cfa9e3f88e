package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class BehindH2Test extends BehindContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }
}
