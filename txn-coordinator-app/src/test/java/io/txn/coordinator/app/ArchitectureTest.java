package io.txn.coordinator.app;

import com.tngtech.archunit.core.domain.JavaClasses;
import io.txn.test.ArchitectureRules;
import org.junit.jupiter.api.Test;

/** The application wires; the admin API and the registration know the coordinator's front door and not each other. */
class ArchitectureTest {

    private static final JavaClasses CLASSES = ArchitectureRules.mainClasses("io.txn.coordinator.app");

    @Test
    void packagesFormNoCycles() {
        ArchitectureRules.noPackageCycles("io.txn.coordinator.app").check(CLASSES);
    }

    @Test
    void everyPackageIsNullMarked() {
        ArchitectureRules.everyPackageIsNullMarked().check(CLASSES);
    }

    @Test
    void onlyTheFrontDoorOfTheCoordinatorIsUsed() {
        ArchitectureRules.neverDependOn(
                        "io.txn.coordinator.app..",
                        "io.txn.coordinator.engine..",
                        "io.txn.coordinator.journal..",
                        "io.txn.coordinator.lock..",
                        "io.txn.coordinator.seata..",
                        "io.txn.client..")
                .check(CLASSES);
    }

    @Test
    void theAdminApiDoesNotKnowTheRegistry() {
        ArchitectureRules.neverDependOn(
                        "io.txn.coordinator.app.admin", "io.txn.coordinator.app.registration", "com.alibaba..")
                .check(CLASSES);
        ArchitectureRules.neverDependOn("io.txn.coordinator.app.registration", "io.txn.coordinator.app.admin")
                .check(CLASSES);
    }

    @Test
    void timeAndChanceComeInThroughTheDoor() {
        ArchitectureRules.timeAndChanceComeInThroughTheDoor("CoordinatorApplication", "CoordinatorConfiguration")
                .check(CLASSES);
    }
}
