package io.txn.client.fence;

import io.txn.test.DatabaseKind;

class FencePostgresIT extends FenceContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }
}
