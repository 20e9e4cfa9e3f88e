package io.txn.spring.autoconfigure;

import io.txn.client.jdbc.XaReconciler;
import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Branches that databases hold prepared (XA mode) although no coordinator will end them.
 *
 * @param orphans what becomes of them: report names them in the log and the metrics; roll-back takes them back, which is safe where all coordinators that use this database are known to
 *     this application
 * @param reconcileInterval how often the databases' lists are compared with what the coordinators know; a branch is looked at twice before it counts
 */
@ConfigurationProperties("txn.xa")
record XaProperties(
        @DefaultValue("report") XaReconciler.Orphans orphans,
        @DefaultValue(XaReconciler.INTERVAL) Duration reconcileInterval) {

    /** What is bound where nothing is set; a test compares the two. */
    static XaProperties defaults() {
        return new XaProperties(XaReconciler.Orphans.REPORT, Duration.parse(XaReconciler.INTERVAL));
    }
}
