package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class PhaseTwoConnectionsH2Test extends PhaseTwoConnectionsContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }
}
