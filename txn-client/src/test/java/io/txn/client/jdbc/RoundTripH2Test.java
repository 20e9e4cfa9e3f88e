package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;

class RoundTripH2Test extends RoundTripContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }

    @Override
    String column() {
        return "H2";
    }
}
