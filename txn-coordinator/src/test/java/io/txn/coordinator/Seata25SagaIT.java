package io.txn.coordinator;

import io.txn.test.SeataClient.Version;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The engine of 2.5, in the long form of the build. */
@EnabledIfSystemProperty(named = SeataModesContract.FULL, matches = "true")
class Seata25SagaIT extends SagaEngineContract {

    Seata25SagaIT() {
        super(Version.V2_5);
    }
}
