package io.txn.coordinator;

import io.txn.test.SeataClient.Version;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The engine of 2.0, in the long form of the build. */
@EnabledIfSystemProperty(named = SeataModesContract.FULL, matches = "true")
class Seata20SagaIT extends SagaEngineContract {

    Seata20SagaIT() {
        super(Version.V2_0);
    }
}
