package io.txn.protocol;

import com.tngtech.archunit.core.domain.JavaClasses;
import io.txn.test.ArchitectureRules;
import org.junit.jupiter.api.Test;

/** The ids and errors know nothing, messages know these, the codec knows messages, the transport knows the codec. */
class ArchitectureTest {

    private static final JavaClasses CLASSES = ArchitectureRules.mainClasses("io.txn.protocol");

    @Test
    void packagesFormNoCycles() {
        ArchitectureRules.noPackageCycles("io.txn.protocol").check(CLASSES);
    }

    @Test
    void everyPackageIsNullMarked() {
        ArchitectureRules.everyPackageIsNullMarked().check(CLASSES);
    }

    @Test
    void idsAndErrorsAreJavaOnly() {
        ArchitectureRules.onlyDependOn("io.txn.protocol", "java..", "io.txn.protocol")
                .check(CLASSES);
    }

    @Test
    void messagesAreJavaOnly() {
        ArchitectureRules.onlyDependOn(
                        "io.txn.protocol.message", "java..", "io.txn.protocol", "io.txn.protocol.message")
                .check(CLASSES);
    }

    @Test
    void theCodecKnowsBuffersButNoChannels() {
        ArchitectureRules.onlyDependOn(
                        "io.txn.protocol.codec",
                        "java..",
                        "io.netty.buffer",
                        "io.txn.protocol",
                        "io.txn.protocol.message",
                        "io.txn.protocol.codec")
                .check(CLASSES);
    }

    @Test
    void theTransportKnowsNothingOfTransactions() {
        ArchitectureRules.onlyDependOn(
                        "io.txn.protocol.transport",
                        "java..",
                        "javax.net.ssl",
                        "io.netty..",
                        "org.slf4j..",
                        "io.txn.protocol..")
                .check(CLASSES);
    }

    @Test
    void whatIsReadIsOfAClosedSetOfTypes() {
        ArchitectureRules.noGeneralDeserialiser().check(CLASSES);
    }

    @Test
    void whatUnfoldsHasABound() {
        ArchitectureRules.onlyUnfolds("(Compressor|Packed)").check(CLASSES);
    }

    @Test
    void timeAndChanceAreNotTakenFromTheAir() {
        ArchitectureRules.timeAndChanceComeInThroughTheDoor().check(CLASSES);
    }

    @Test
    void proofsOfIdentityKnowNoConnections() {
        ArchitectureRules.onlyDependOn(
                        "io.txn.protocol.access",
                        "java..",
                        "javax.crypto..",
                        "io.txn.protocol",
                        "io.txn.protocol.access")
                .check(CLASSES);
    }
}
