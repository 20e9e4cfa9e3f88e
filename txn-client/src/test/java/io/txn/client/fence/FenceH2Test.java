package io.txn.client.fence;

import io.txn.test.DatabaseKind;

class FenceH2Test extends FenceContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }
}
