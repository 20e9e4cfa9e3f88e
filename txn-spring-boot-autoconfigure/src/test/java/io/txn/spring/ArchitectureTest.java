package io.txn.spring;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClasses;
import io.txn.test.ArchitectureRules;
import org.junit.jupiter.api.Test;

/** Glue: the annotation and the propagation know the client, the auto-configuration knows both, and only the embedded coordinator knows the coordinator. */
class ArchitectureTest {

    private static final JavaClasses CLASSES = ArchitectureRules.mainClasses("io.txn.spring");

    @Test
    void packagesFormNoCycles() {
        ArchitectureRules.noPackageCycles("io.txn.spring").check(CLASSES);
    }

    @Test
    void everyPackageIsNullMarked() {
        ArchitectureRules.everyPackageIsNullMarked().check(CLASSES);
    }

    @Test
    void nothingKnowsTheCoordinatorOrJackson() {
        JavaClasses others =
                CLASSES.that(DescribedPredicate.describe("are not the embedded coordinator", type -> !type.getName()
                        .equals("io.txn.spring.autoconfigure.EmbeddedCoordinator")));
        ArchitectureRules.neverDependOn("io.txn.spring..", "io.txn.coordinator..")
                .check(others);
        JavaClasses noCodecs = CLASSES.that(DescribedPredicate.describe("do not store results", type -> !type.getName()
                .matches(".*\\.(IdempotencyBeans|Jackson[23]ResultCodec).*")));
        ArchitectureRules.neverDependOn("io.txn.spring..", "com.fasterxml..", "tools.jackson..")
                .check(noCodecs);
    }

    @Test
    void onlyTheWiringKnowsAutoConfiguration() {
        ArchitectureRules.neverDependOn(
                        "io.txn.spring",
                        "org.springframework.boot.autoconfigure..",
                        "io.txn.spring.autoconfigure..",
                        "io.txn.spring.propagation..")
                .check(CLASSES);
        ArchitectureRules.neverDependOn(
                        "io.txn.spring.propagation",
                        "org.springframework.boot..",
                        "io.txn.spring",
                        "io.txn.spring.autoconfigure..")
                .check(CLASSES);
    }

    @Test
    void timeAndChanceComeInThroughTheDoor() {
        ArchitectureRules.timeAndChanceComeInThroughTheDoor().check(CLASSES);
    }
}
