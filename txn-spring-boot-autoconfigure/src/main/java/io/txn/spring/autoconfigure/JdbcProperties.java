package io.txn.spring.autoconfigure;

import io.txn.client.Isolation;
import io.txn.client.jdbc.AtOptions;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.time.Duration;
import java.util.Set;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * AT and XA mode on this application's data sources.
 *
 * @param enabled whether data sources are wrapped, so that their local transactions are branches of the global one
 * @param createUndoTable whether a missing undo table is created at start; switch it off where the account has no such right, and run the
 *     shipped script
 * @param undoTable the name of the undo table, without schema
 * @param excluded names of data source beans that are left alone: their changes are not undone
 * @param lockTries how often a row lock that another global transaction holds is asked for again; more waits longer with the local transaction
 *     open
 * @param lockRetryInterval the wait before a row lock is asked for again
 * @param maxRowsPerStatement how many rows one statement may write in a global transaction; more are refused, because their images are kept in
 *     memory and in the undo table
 * @param maxUndoSize how large one undo record may become; more fails the local commit
 * @param phaseTwoConnections how many connections beside the pool branches are finished on at most; 0 takes them from the pool, and when it is full of those who wait
 *     for rows, the undo that would free them waits too
 * @param functionsThatOnlyRead functions of the database, and views that call them, of which you vouch that they write nothing; what neither the database
 *     nor its text proves to be so is refused in a global transaction
 * @param columnsLeftToTriggers columns that triggers set before each row, such as orders.updated_at, or updated_at for every table: a rollback sets them back only as far as the trigger
 *     lets it, and does not notice when others have changed them; without it, statements at which such a trigger fires are refused in a global transaction
 * @param isolation what plain reads in global transactions may show of rows that others, not yet decided, have written, where @GlobalTransactional does not
 *     say: with read-committed they wait for such rows, each asks the coordinator once, and reads that cannot be checked are refused
 * @param mode how local transactions take part: at captures what statements change and undoes that; xa has the database itself prepare them, which needs no undo table,
 *     shows nothing before the decision, and keeps the database's row locks until then
 * @param xa names of data source beans that work in XA mode, whatever the mode is
 */
@ConfigurationProperties("txn.jdbc")
record JdbcProperties(
        @DefaultValue("true") boolean enabled,
        @DefaultValue("true") boolean createUndoTable,
        @DefaultValue("undo_log") String undoTable,
        @DefaultValue Set<String> excluded,
        @DefaultValue("30") int lockTries,
        @DefaultValue("10ms") Duration lockRetryInterval,
        @DefaultValue("10000") int maxRowsPerStatement,
        @DefaultValue("16MB") DataSize maxUndoSize,
        @DefaultValue(AtOptions.PHASE_TWO_CONNECTIONS) int phaseTwoConnections,
        @DefaultValue Set<String> functionsThatOnlyRead,
        @DefaultValue Set<String> columnsLeftToTriggers,
        @DefaultValue("read-uncommitted") Isolation isolation,
        @DefaultValue("at") Mode mode,
        @DefaultValue Set<String> xa) {

    /** How a data source takes part. */
    enum Mode {
        AT,
        XA
    }

    JdbcProperties {
        excluded = Set.copyOf(excluded);
        functionsThatOnlyRead = Set.copyOf(functionsThatOnlyRead);
        columnsLeftToTriggers = Set.copyOf(columnsLeftToTriggers);
        xa = Set.copyOf(xa);
    }

    /** What is bound where nothing is set; a test compares the two. */
    static JdbcProperties defaults() {
        return new JdbcProperties(
                true,
                true,
                "undo_log",
                Set.of(),
                30,
                Duration.ofMillis(10),
                10_000,
                DataSize.ofMegabytes(16),
                Integer.parseInt(AtOptions.PHASE_TWO_CONNECTIONS),
                Set.of(),
                Set.of(),
                Isolation.READ_UNCOMMITTED,
                Mode.AT,
                Set.of());
    }

    /** @param dataSource its bean name */
    AtOptions toOptions(String dataSource) {
        return toOptions().withXa(mode == Mode.XA || xa.contains(dataSource));
    }

    AtOptions toOptions() {
        try {
            return options();
        } catch (TxnException e) {
            throw new TxnException(
                    ErrorCode.BAD_CONFIGURATION,
                    null,
                    "under",
                    "txn.jdbc",
                    "key",
                    e.facts().get("key"),
                    "value",
                    e.facts().get("value"),
                    "expected",
                    e.facts().get("expected"));
        }
    }

    private AtOptions options() {
        return AtOptions.DEFAULTS
                .withCreateUndoTable(createUndoTable)
                .withUndoTable(undoTable)
                .withLockRetry(lockTries, lockRetryInterval)
                .withBounds(maxRowsPerStatement, (int) Math.min(maxUndoSize.toBytes(), Integer.MAX_VALUE))
                .withPhaseTwoConnections(phaseTwoConnections)
                .withFunctionsThatOnlyRead(functionsThatOnlyRead)
                .withColumnsLeftToTriggers(columnsLeftToTriggers)
                .withIsolation(isolation);
    }
}
