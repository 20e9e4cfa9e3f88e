package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class PhaseTwoH2Test extends PhaseTwoContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }
}
