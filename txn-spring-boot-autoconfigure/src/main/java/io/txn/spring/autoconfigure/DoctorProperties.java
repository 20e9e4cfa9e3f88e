package io.txn.spring.autoconfigure;

import java.time.Duration;
import java.util.List;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What an application says about itself and global transactions.
 *
 * @param enabled whether everything is looked at once the application runs: one INFO record says what was found, and one WARN line each what is wrong. It takes a thread for a moment, and delays nothing
 * @param accepted codes of problems that are known and meant (TXN-AT003): they are in the record, and get no WARN line
 * @param clocksMayDiffer by how much the clocks of this machine and of the coordinator may differ
 */
@ConfigurationProperties("txn.doctor")
record DoctorProperties(
        @DefaultValue("true") boolean enabled,
        @DefaultValue List<String> accepted,
        @DefaultValue("5s") Duration clocksMayDiffer) {

    /** What is bound where nothing is set; a test compares the two. */
    static DoctorProperties defaults() {
        return new DoctorProperties(true, List.of(), Duration.ofSeconds(5));
    }

    DoctorProperties {
        accepted = List.copyOf(accepted);
    }
}
