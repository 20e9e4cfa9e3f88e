package io.txn.coordinator;

import io.txn.test.SeataClient.Version;

/** The newest engine: the only one in the short form of the build. */
class Seata26SagaIT extends SagaEngineContract {

    Seata26SagaIT() {
        super(Version.V2_6);
    }
}
