package io.txn.client.fence;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.time.Duration;

/**
 * How fences work. Immutable.
 *
 * @param table the name of the table, without schema
 * @param createTable whether a missing table is made
 * @param keep how old rows become whose branch is over
 * @param cleanUpInterval how often such rows are looked for
 */
public record FenceOptions(String table, boolean createTable, Duration keep, Duration cleanUpInterval) {

    // The defaults as texts, so that configuration metadata can quote them: each stands here and nowhere else.

    public static final String TABLE = "txn_fence";
    public static final String CREATE_TABLE = "true";
    public static final String KEEP = "P7D";
    public static final String CLEAN_UP_INTERVAL = "PT1H";

    public static final FenceOptions DEFAULTS = new FenceOptions(
            TABLE, Boolean.parseBoolean(CREATE_TABLE), Duration.parse(KEEP), Duration.parse(CLEAN_UP_INTERVAL));

    public FenceOptions {
        if (!table.matches("[A-Za-z_][A-Za-z0-9_]{0,39}")) {
            throw invalid("table", table, "a name of at most 40 letters, digits and underscores");
        }
        if (keep.isNegative() || keep.isZero()) {
            throw invalid(
                    "keep",
                    keep,
                    "a positive duration; a coordinator that was away for longer could repeat a call whose row is gone");
        }
        if (cleanUpInterval.isNegative() || cleanUpInterval.isZero()) {
            throw invalid("clean-up-interval", cleanUpInterval, "a positive duration");
        }
    }

    public FenceOptions withTable(String value) {
        return new FenceOptions(value, createTable, keep, cleanUpInterval);
    }

    public FenceOptions withCreateTable(boolean value) {
        return new FenceOptions(table, value, keep, cleanUpInterval);
    }

    /** @param value how old rows become whose branch is over */
    public FenceOptions withKeep(Duration value) {
        return new FenceOptions(table, createTable, value, cleanUpInterval);
    }

    private static TxnException invalid(String key, Object value, String expected) {
        return new TxnException(
                ErrorCode.BAD_CONFIGURATION, null, "key", "txn.fence." + key, "value", value, "expected", expected);
    }
}
