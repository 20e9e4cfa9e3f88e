package io.txn.coordinator;

import com.tngtech.archunit.core.domain.JavaClasses;
import io.txn.test.ArchitectureRules;
import org.junit.jupiter.api.Test;

/** The machine and the lock table are pure, the journal knows nobody, nothing goes in circles. */
class ArchitectureTest {

    private static final JavaClasses CLASSES = ArchitectureRules.mainClasses("io.txn.coordinator");

    @Test
    void packagesFormNoCycles() {
        ArchitectureRules.noPackageCycles("io.txn.coordinator").check(CLASSES);
    }

    @Test
    void everyPackageIsNullMarked() {
        ArchitectureRules.everyPackageIsNullMarked().check(CLASSES);
    }

    @Test
    void theLockTableIsPure() {
        ArchitectureRules.onlyDependOn(
                        "io.txn.coordinator.lock",
                        "java.lang..",
                        "java.util",
                        "java.util.function",
                        "io.txn.protocol",
                        "io.txn.coordinator.lock")
                .check(CLASSES);
    }

    @Test
    void theMachineIsPure() {
        ArchitectureRules.onlyDependOn(
                        "io.txn.coordinator.machine",
                        "java.lang..",
                        "java.util",
                        "java.util.function",
                        "java.util.stream",
                        "io.txn.protocol",
                        "io.txn.protocol.extension",
                        "io.txn.protocol.saga",
                        "io.txn.coordinator.lock",
                        "io.txn.coordinator.machine")
                .check(CLASSES);
    }

    @Test
    void theEngineKnowsNoWire() {
        ArchitectureRules.onlyDependOn(
                        "io.txn.coordinator.engine",
                        "java..",
                        "org.slf4j..",
                        "io.txn.protocol",
                        "io.txn.protocol.extension",
                        "io.txn.protocol.saga",
                        "io.txn.coordinator.lock",
                        "io.txn.coordinator.machine",
                        "io.txn.coordinator.journal",
                        "io.txn.coordinator.engine")
                .check(CLASSES);
    }

    @Test
    void whatIsReadIsOfAClosedSetOfTypes() {
        ArchitectureRules.noGeneralDeserialiser().check(CLASSES);
    }

    @Test
    void nothingIsUnfoldedHere() {
        ArchitectureRules.onlyUnfolds("Nobody").check(CLASSES);
    }

    @Test
    void timeAndChanceComeInThroughTheDoor() {
        ArchitectureRules.timeAndChanceComeInThroughTheDoor("Coordinator", "FileJournal")
                .check(CLASSES);
    }
}
