package io.txn.client.jdbc;

import io.txn.client.ContextCarrier;
import io.txn.client.LockGuard;
import io.txn.client.Participation;
import io.txn.client.TransactionContext;
import io.txn.client.WorkMode;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.sql.Plans;
import io.txn.client.jdbc.undo.UndoTable;
import io.txn.client.rm.ResourceManager;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What all connections of one data source share. Thread-safe. */
final class AtResource {

    private static final Logger LOG = LoggerFactory.getLogger(AtResource.class);

    private static final Pattern DATABASE = Pattern.compile("\"database\"\\s*:\\s*\"([^\"]*)\"");

    private static final Pattern UNDO_PARTS = Pattern.compile("\"undoParts\"\\s*:\\s*(\\d{1,4})(?!\\d)");

    /** Seconds before the deadline of a transaction. */
    private static final int LEFT_TO_THE_DRIVER = 5;

    /** Who has more of them is told of these. */
    private static final int MOST_WITHOUT_KEY = 50;

    private final DataSource physical;
    private final Dialect dialect;
    private final AtOptions options;
    private final ContextCarrier contexts;
    private final ResourceManager resources;
    private final Plans plans;
    private final Tables tables;
    private final UndoTable undoTable;
    private final DeadlineWatch deadlines;
    private final AtomicLong numbers;
    private final LongSupplier nanos;
    /** Local commits that are under way. */
    private final AtomicInteger committing = new AtomicInteger();

    private volatile @Nullable String database;
    /** By which name coordinators know this database's rows, whatever its URL. */
    private volatile String rows = "";
    /** Whether a first statement may switch auto-commit off on its way. */
    private volatile boolean beginning = true;

    /** Not a monitor: whoever talks to a database inside one holds a virtual thread's carrier. */
    private final ReentrantLock preparing = new ReentrantLock();

    AtResource(
            DataSource physical,
            Dialect dialect,
            AtOptions options,
            ContextCarrier contexts,
            ResourceManager resources,
            Supplier<UUID> ids,
            LongSupplier nanos) {
        this.physical = physical;
        this.dialect = dialect;
        this.options = options;
        this.contexts = contexts;
        this.resources = resources;
        this.plans = new Plans(dialect.syntax(), options.planCacheSize());
        this.tables = new Tables(dialect, options.metadataMaxAge(), options.functionsThatOnlyRead(), options.clock());
        this.undoTable = new UndoTable(dialect, options.undoTable(), ids);
        this.nanos = nanos;
        this.deadlines = new DeadlineWatch(LEFT_TO_THE_DRIVER, nanos);
        // Not from one on: sessions outlive resources, and may hold what a failed statement of another one left there.
        this.numbers = new AtomicLong(ids.get().getMostSignificantBits() >>> 16);
    }

    /** A number for one execution of a statement. */
    String nextNumber() {
        return Long.toString(numbers.incrementAndGet());
    }

    DataSource physical() {
        return physical;
    }

    Dialect dialect() {
        return dialect;
    }

    AtOptions options() {
        return options;
    }

    /** How time goes by, whatever somebody does to the clock. */
    long nanos() {
        return nanos.getAsLong();
    }

    /** How often rows are asked for again where one cannot wait for them: not at all when nobody wants to wait. */
    int triesForLocks() {
        return options.lockWait().isZero() ? 0 : options.lockTries();
    }

    ResourceManager resources() {
        return resources;
    }

    Plans plans() {
        return plans;
    }

    Tables tables() {
        return tables;
    }

    DeadlineWatch deadlines() {
        return deadlines;
    }

    UndoTable undoTable() {
        return undoTable;
    }

    ContextCarrier contexts() {
        return contexts;
    }

    /** What the calling thread's statements are subject to, or null. */
    @Nullable
    WorkContext context() {
        TransactionContext context = contexts.current();
        if (context != null && context.mode() != WorkMode.OWN) {
            return WorkContext.of(context, options);
        }
        LockGuard guard = contexts.currentGuard();
        return guard == null ? null : WorkContext.of(guard, options);
    }

    /** Whether the calling thread's local transactions are to be prepared by the database, and not captured. */
    boolean wantsXa() {
        TransactionContext context = contexts.current();
        return context != null
                && switch (context.mode()) {
                    case AS_CONFIGURED -> options.xa();
                    case XA -> true;
                    case OWN -> false;
                };
    }

    /** Whether the calling thread's statements are undone by a method of the application's, if at all. */
    boolean worksByOwnHand() {
        TransactionContext context = contexts.current();
        return context != null && context.mode() == WorkMode.OWN;
    }

    /** Local commits of branches that are under way. */
    AtomicInteger committing() {
        return committing;
    }

    /**
     * What was written in a global transaction was to be committed by a switch of auto-commit, and was not. Whoever switches at the end of something (Spring, behind a transaction and
     * its listeners) keeps that to itself, so the transaction is marked: nobody else would know that something is missing.
     *
     * @param written whose work that was
     */
    void lost(Participation written, Xid xid, Throwable failure) {
        String state = failure instanceof SQLException sql ? " " + sql.getSQLState() : "";
        written.mark(
                "what auto-commit was to commit was not: " + failure.getClass().getName() + state);
        TransactionContext context = contexts.current();
        if (context == null || !context.xidWithin().equals(xid)) {
            // Its scope here may be over, and its decision made: then nothing but this line tells of it.
            LOG.error("what auto-commit was to commit was not, behind its transaction: xid={}", xid, failure);
        }
    }

    /** The calling thread's branch took that long: its registration, with what was waited for rows, and its commit. */
    void took(Duration time) {
        TransactionContext context = contexts.current();
        if (context != null) {
            context.participation().took("branch of " + dialect().resourceId(), time);
        }
    }

    /** Whether the undo table is known to be there. */
    boolean isPrepared() {
        return database != null;
    }

    /** Makes or checks the undo table, once; returns the identity of the database. */
    String prepare() {
        String known = database;
        return known != null ? known : prepareNow();
    }

    private String prepareNow() {
        preparing.lock();
        try {
            String known = database;
            return known != null ? known : prepareOnce();
        } finally {
            preparing.unlock();
        }
    }

    private String prepareOnce() {
        try (Connection connection = physical.getConnection()) {
            boolean autoCommit = connection.getAutoCommit();
            connection.setAutoCommit(true);
            String identity = undoTable.prepare(connection, options.createUndoTable());
            rows = undoTable.rowsName(connection, identity);
            connection.setAutoCommit(autoCommit);
            database = identity;
            return identity;
        } catch (SQLException e) {
            throw new TxnException(
                    ErrorCode.NO_UNDO_TABLE, e, "resource", dialect.resourceId(), "problem", e.getMessage());
        }
    }

    /** See {@link AtDataSource#look()}. */
    DatabaseFindings look() throws SQLException {
        try (Connection connection = physical.getConnection()) {
            boolean autoCommit = connection.getAutoCommit();
            connection.setAutoCommit(true);
            try {
                String problem = undoTable.look(connection);
                String identity = problem == null ? undoTable.identityAt(connection) : null;
                return new DatabaseFindings(
                        dialect.resourceId(),
                        undoTable.tableName(),
                        problem,
                        identity == null ? null : undoTable.rowsName(connection, identity),
                        dialect.missingGrants(connection),
                        dialect.tablesWithoutKey(connection, MOST_WITHOUT_KEY),
                        options.columnsLeftToTriggers(),
                        dialect.losesAcknowledgedCommits(connection));
            } finally {
                connection.setAutoCommit(autoCommit);
            }
        }
    }

    /**
     * What the coordinator keeps with a branch: that row locks are held while it registers, which database it is in, and by which name others who reach that by another URL know its rows. The first key is known
     * to Seata's coordinator too.
     */
    String applicationData() {
        return applicationData(1);
    }

    /** @param undoParts how many rows the undo record takes: what phase two deletes without a look when it commits */
    String applicationData(int undoParts) {
        String parts = undoParts == 1 ? "" : ",\"undoParts\":" + undoParts;
        String identity = prepare();
        return "{\"autoCommit\":false,\"database\":\"" + identity + "\",\"rows\":\"" + rows + "\"" + parts + "}";
    }

    /** The same for who may have no undo table: null as long as nobody has looked for it. */
    @Nullable
    String knownApplicationData() {
        return isPrepared() ? applicationData() : null;
    }

    /** How many rows the undo record of a branch takes. */
    static int undoParts(@Nullable String applicationData) {
        Matcher parts = UNDO_PARTS.matcher(applicationData == null ? "" : applicationData);
        return parts.find() ? Integer.parseInt(parts.group(1)) : 1;
    }

    /** Whether a branch was registered in this very database; a branch that does not say is taken for one. */
    boolean isOfThisDatabase(@Nullable String applicationData) {
        if (applicationData == null) {
            return true;
        }
        Matcher named = DATABASE.matcher(applicationData);
        return !named.find() || named.group(1).equals(prepare());
    }

    /** Whether {@link ConnectionHandler#begin} is understood, as far as anybody tried. */
    boolean beginsTogether() {
        return beginning;
    }

    /** It was not, and the statement alone was. */
    void beginSeparately() {
        beginning = false;
    }
}
