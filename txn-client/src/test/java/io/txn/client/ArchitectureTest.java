package io.txn.client;

import com.tngtech.archunit.core.domain.JavaClasses;
import io.txn.test.ArchitectureRules;
import org.junit.jupiter.api.Test;

/** Discovery knows addresses, rpc knows connections, rm knows branches, the root knows transactions, jdbc knows SQL; each builds on those before. */
class ArchitectureTest {

    private static final JavaClasses CLASSES = ArchitectureRules.mainClasses("io.txn.client");

    @Test
    void packagesFormNoCycles() {
        ArchitectureRules.noPackageCycles("io.txn.client").check(CLASSES);
    }

    @Test
    void everyPackageIsNullMarked() {
        ArchitectureRules.everyPackageIsNullMarked().check(CLASSES);
    }

    @Test
    void discoveryKnowsNoConnections() {
        ArchitectureRules.onlyDependOn(
                        "io.txn.client.discovery",
                        "java..",
                        "org.slf4j..",
                        "com.alibaba.nacos.api..",
                        "io.txn.protocol",
                        "io.txn.client.discovery")
                .check(CLASSES);
    }

    @Test
    void observersKnowTheWordsOfTheProtocolOnly() {
        ArchitectureRules.onlyDependOn(
                        "io.txn.client.observation",
                        "java..",
                        "org.slf4j..",
                        "io.txn.protocol",
                        "io.txn.client.observation")
                .check(CLASSES);
    }

    @Test
    void connectionsKnowNoTransactions() {
        ArchitectureRules.onlyDependOn(
                        "io.txn.client.rpc",
                        "java..",
                        "org.slf4j..",
                        "io.txn.protocol..",
                        "io.txn.client.discovery",
                        "io.txn.client.observation",
                        "io.txn.client.rpc")
                .check(CLASSES);
    }

    @Test
    void theResourceManagerKnowsNeitherScopesNorSql() {
        ArchitectureRules.onlyDependOn(
                        "io.txn.client.rm",
                        "java..",
                        "org.slf4j..",
                        "io.txn.protocol..",
                        "io.txn.client.observation",
                        "io.txn.client.rpc",
                        "io.txn.client.rm")
                .check(CLASSES);
    }

    @Test
    void transactionsKnowNoSql() {
        ArchitectureRules.neverDependOn("io.txn.client", "java.sql..", "javax.sql..", "io.txn.client.jdbc..")
                .check(CLASSES);
    }

    @Test
    void sqlIsUnderstoodWithoutAConnection() {
        ArchitectureRules.onlyDependOn(
                        "io.txn.client.jdbc.sql",
                        "java.lang..",
                        "java.util..",
                        "net.sf.jsqlparser..",
                        "io.txn.client.jdbc.sql")
                .check(CLASSES);
    }

    @Test
    void undoKnowsNeitherProxiesNorTheCoordinator() {
        ArchitectureRules.onlyDependOn(
                        "io.txn.client.jdbc.undo",
                        "java..",
                        "org.jspecify..",
                        "io.txn.protocol",
                        // The words in which an undo tells of rows in its way, and is told what to do with them.
                        "io.txn.protocol.extension",
                        "io.txn.client.jdbc.sql",
                        "io.txn.client.jdbc.dialect",
                        "io.txn.client.jdbc.undo")
                .check(CLASSES);
    }

    @Test
    void nothingKnowsSpringOrTheCoordinator() {
        ArchitectureRules.neverDependOn("io.txn.client..", "org.springframework..", "io.txn.coordinator..")
                .check(CLASSES);
    }

    @Test
    void whatIsReadIsOfAClosedSetOfTypes() {
        ArchitectureRules.noGeneralDeserialiser().check(CLASSES);
    }

    @Test
    void timeAndChanceComeInThroughTheDoor() {
        ArchitectureRules.timeAndChanceComeInThroughTheDoor("TxnClient", "AtDataSource", "Fence")
                .check(CLASSES);
    }
}
