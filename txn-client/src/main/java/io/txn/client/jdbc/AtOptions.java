package io.txn.client.jdbc;

import io.txn.client.Isolation;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Trigger;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * How AT mode behaves on one data source. Immutable; {@link #DEFAULTS} and the {@code with…} methods make variants.
 *
 * @param createUndoTable whether a missing undo table is created; without it, a missing table is an error before the first change
 * @param undoTable name of the undo table, unquoted, without schema; the identity of the database is kept in
 *     {@code <undoTable>_database} beside it
 * @param planCacheSize how many SQL texts keep their plan
 * @param metadataMaxAge how long the catalog's answer about a table is trusted where no commit looks by the way; an undo finds what came
 *     meanwhile and stops
 * @param maxRowsPerStatement how many rows one statement may write inside a global transaction; more are refused
 * @param maxUndoBytes how large one undo record may become; more fails the local commit
 * @param lockTries how often a global lock held by another transaction is asked for again, at a coordinator in which one cannot wait; 0 gives up at once
 * @param lockRetryInterval the wait between two of these tries
 * @param lockWait how long a row held by another global transaction is waited for in the coordinator's queue; 0: not at all, nowhere. Row locks of the
 *     database are held meanwhile, so it should be shorter than the time the database lets others wait for them
 * @param phaseTwoWaitMax how long an undo waits for a row lock of the database before it is tried again later
 * @param phaseTwoConnections how many connections beside the pool branches are finished on at most, if something to make them from is given; 0: they come
 *     from the pool, and a pool full of waiters holds up the undo that would free them
 * @param functionsThatOnlyRead functions of the database, and views, of which the account vouches that they write nothing, with or without schema; others
 *     are refused where neither the database nor their text proves it
 * @param columnsLeftToTriggers columns that triggers set and an undo leaves to them, as {@code column}, {@code table.column} or {@code schema.table.column}: it sets
 *     them back, the triggers may set them again, and nobody compares them; without, what such a trigger fires at is refused
 * @param isolation what plain reads may show of other global transactions, where neither the transaction nor its scope says; DEFAULT is
 *     READ_UNCOMMITTED
 * @param xa whether local transactions are prepared by the database itself (XA) instead of being captured, where the transaction does not say otherwise
 * @param clock the time against which deadlines are checked
 */
public record AtOptions(
        boolean createUndoTable,
        String undoTable,
        int planCacheSize,
        Duration metadataMaxAge,
        int maxRowsPerStatement,
        int maxUndoBytes,
        int lockTries,
        Duration lockRetryInterval,
        Duration lockWait,
        Duration phaseTwoWaitMax,
        int phaseTwoConnections,
        Set<String> functionsThatOnlyRead,
        Set<String> columnsLeftToTriggers,
        Isolation isolation,
        boolean xa,
        InstantSource clock) {

    /** The default of {@link #lockWait}, as a text that configuration metadata can quote. */
    public static final String LOCK_WAIT = "PT2S";

    /** The default of {@link #phaseTwoConnections}, likewise. */
    public static final String PHASE_TWO_CONNECTIONS = "4";

    /** What holds when nothing is configured. */
    public static final AtOptions DEFAULTS = new AtOptions(
            true,
            "undo_log",
            1_000,
            Duration.ofSeconds(30),
            10_000,
            16 << 20,
            30,
            Duration.ofMillis(10),
            Duration.parse(LOCK_WAIT),
            Duration.ofSeconds(3),
            Integer.parseInt(PHASE_TWO_CONNECTIONS),
            Set.of(),
            Set.of(),
            Isolation.READ_UNCOMMITTED,
            false,
            InstantSource.system());

    public AtOptions {
        if (!undoTable.matches("[A-Za-z_][A-Za-z0-9_]{0,50}")) {
            throw bad("undoTable", undoTable, "letters, digits and underscores, at most 51, beginning with no digit");
        }
        functionsThatOnlyRead = names("functionsThatOnlyRead", functionsThatOnlyRead, "names of functions");
        columnsLeftToTriggers = names("columnsLeftToTriggers", columnsLeftToTriggers, "names of columns");
        requirePositive("planCacheSize", planCacheSize);
        requirePositive("maxRowsPerStatement", maxRowsPerStatement);
        requirePositive("maxUndoBytes", maxUndoBytes);
        if (lockTries < 0) {
            throw bad("lockTries", lockTries, "0 or more");
        }
        requirePositive("metadataMaxAge", metadataMaxAge);
        requirePositive("lockRetryInterval", lockRetryInterval);
        if (lockWait.isNegative()) {
            throw bad("lockWait", lockWait, "0 or more");
        }
        requirePositive("phaseTwoWaitMax", phaseTwoWaitMax);
        if (phaseTwoConnections < 0) {
            throw bad("phaseTwoConnections", phaseTwoConnections, "0 or more");
        }
    }

    public AtOptions withPhaseTwoConnections(int most) {
        Draft draft = new Draft(this);
        draft.phaseTwoConnections = most;
        return draft.options();
    }

    /** @param on whether local transactions are prepared by the database itself */
    public AtOptions withXa(boolean on) {
        Draft draft = new Draft(this);
        draft.xa = on;
        return draft.options();
    }

    public AtOptions withCreateUndoTable(boolean create) {
        Draft draft = new Draft(this);
        draft.createUndoTable = create;
        return draft.options();
    }

    public AtOptions withUndoTable(String name) {
        Draft draft = new Draft(this);
        draft.undoTable = name;
        return draft.options();
    }

    public AtOptions withMetadataMaxAge(Duration age) {
        Draft draft = new Draft(this);
        draft.metadataMaxAge = age;
        return draft.options();
    }

    public AtOptions withBounds(int rowsPerStatement, int undoBytes) {
        Draft draft = new Draft(this);
        draft.maxRowsPerStatement = rowsPerStatement;
        draft.maxUndoBytes = undoBytes;
        return draft.options();
    }

    public AtOptions withLockRetry(int tries, Duration interval) {
        Draft draft = new Draft(this);
        draft.lockTries = tries;
        draft.lockRetryInterval = interval;
        return draft.options();
    }

    public AtOptions withLockWait(Duration wait) {
        Draft draft = new Draft(this);
        draft.lockWait = wait;
        return draft.options();
    }

    public AtOptions withPhaseTwoWaitMax(Duration wait) {
        Draft draft = new Draft(this);
        draft.phaseTwoWaitMax = wait;
        return draft.options();
    }

    public AtOptions withFunctionsThatOnlyRead(Set<String> names) {
        Draft draft = new Draft(this);
        draft.functionsThatOnlyRead = names;
        return draft.options();
    }

    public AtOptions withColumnsLeftToTriggers(Set<String> names) {
        Draft draft = new Draft(this);
        draft.columnsLeftToTriggers = names;
        return draft.options();
    }

    public AtOptions withIsolation(Isolation wanted) {
        Draft draft = new Draft(this);
        draft.isolation = wanted;
        return draft.options();
    }

    public AtOptions withClock(InstantSource source) {
        Draft draft = new Draft(this);
        draft.clock = source;
        return draft.options();
    }

    /**
     * The columns of a table that its triggers set and an undo leaves to them.
     *
     * @param event at which these fire; null for any
     */
    Set<String> leftToTriggers(Table table, Trigger.@Nullable Event event) {
        if (columnsLeftToTriggers.isEmpty() || table.triggers().isEmpty()) {
            return Set.of();
        }
        String name = table.name() + '.';
        return table.setByTriggers(event).stream()
                .filter(column ->
                        isLeft(column) || isLeft(name + column) || isLeft(table.schema() + '.' + name + column))
                .filter(table::concernsItsRowAlone)
                .collect(Collectors.toUnmodifiableSet());
    }

    private boolean isLeft(String name) {
        return columnsLeftToTriggers.contains(name.toLowerCase(Locale.ROOT));
    }

    /** What a variant is made of. */
    private static final class Draft {
        boolean createUndoTable;
        String undoTable;
        int planCacheSize;
        Duration metadataMaxAge;
        int maxRowsPerStatement;
        int maxUndoBytes;
        int lockTries;
        Duration lockRetryInterval;
        Duration lockWait;
        Duration phaseTwoWaitMax;
        int phaseTwoConnections;
        Set<String> functionsThatOnlyRead;
        Set<String> columnsLeftToTriggers;
        Isolation isolation;
        boolean xa;
        InstantSource clock;

        Draft(AtOptions from) {
            createUndoTable = from.createUndoTable;
            undoTable = from.undoTable;
            planCacheSize = from.planCacheSize;
            metadataMaxAge = from.metadataMaxAge;
            maxRowsPerStatement = from.maxRowsPerStatement;
            maxUndoBytes = from.maxUndoBytes;
            lockTries = from.lockTries;
            lockRetryInterval = from.lockRetryInterval;
            lockWait = from.lockWait;
            phaseTwoWaitMax = from.phaseTwoWaitMax;
            phaseTwoConnections = from.phaseTwoConnections;
            functionsThatOnlyRead = from.functionsThatOnlyRead;
            columnsLeftToTriggers = from.columnsLeftToTriggers;
            isolation = from.isolation;
            xa = from.xa;
            clock = from.clock;
        }

        AtOptions options() {
            return new AtOptions(
                    createUndoTable,
                    undoTable,
                    planCacheSize,
                    metadataMaxAge,
                    maxRowsPerStatement,
                    maxUndoBytes,
                    lockTries,
                    lockRetryInterval,
                    lockWait,
                    phaseTwoWaitMax,
                    phaseTwoConnections,
                    functionsThatOnlyRead,
                    columnsLeftToTriggers,
                    isolation,
                    xa,
                    clock);
        }
    }

    private static Set<String> names(String key, Set<String> given, String expected) {
        Set<String> names = given.stream()
                .map(name -> name.trim().toLowerCase(Locale.ROOT))
                .collect(Collectors.toUnmodifiableSet());
        if (names.contains("")) {
            throw bad(key, names, expected);
        }
        return names;
    }

    private static void requirePositive(String key, int value) {
        if (value <= 0) {
            throw bad(key, value, "1 or more");
        }
    }

    private static void requirePositive(String key, Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw bad(key, value, "a positive duration");
        }
    }

    private static TxnException bad(String key, Object value, String expected) {
        return new TxnException(ErrorCode.BAD_CONFIGURATION, null, "key", key, "value", value, "expected", expected);
    }
}
