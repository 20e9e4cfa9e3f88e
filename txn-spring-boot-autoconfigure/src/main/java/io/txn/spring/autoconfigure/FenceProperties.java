package io.txn.spring.autoconfigure;

import io.txn.client.fence.FenceOptions;
import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The fence of actions (TCC, sagas): the table that lets each of their calls happen once and in order.
 *
 * @param table the name of the table, without schema
 * @param createTable whether a missing table is created at start; switch it off where the account has no such right, and run the shipped script
 * @param keep how old rows become whose branch is over; a coordinator that was away for longer could repeat a call whose row is gone
 * @param cleanUpInterval how often such rows are looked for
 */
@ConfigurationProperties("txn.fence")
record FenceProperties(
        @DefaultValue(FenceOptions.TABLE) String table,
        @DefaultValue(FenceOptions.CREATE_TABLE) boolean createTable,
        @DefaultValue(FenceOptions.KEEP) Duration keep,
        @DefaultValue(FenceOptions.CLEAN_UP_INTERVAL) Duration cleanUpInterval) {

    /** What is bound where nothing is set; a test compares the two. */
    static FenceProperties defaults() {
        FenceOptions defaults = FenceOptions.DEFAULTS;
        return new FenceProperties(
                defaults.table(), defaults.createTable(), defaults.keep(), defaults.cleanUpInterval());
    }

    FenceOptions toOptions() {
        return new FenceOptions(table, createTable, keep, cleanUpInterval);
    }
}
