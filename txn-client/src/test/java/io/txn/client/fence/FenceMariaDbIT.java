package io.txn.client.fence;

import io.txn.test.DatabaseKind;

class FenceMariaDbIT extends FenceContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }
}
