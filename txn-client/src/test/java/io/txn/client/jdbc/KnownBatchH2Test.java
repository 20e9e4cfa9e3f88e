package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class KnownBatchH2Test extends KnownBatchContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }
}
