package io.txn.client.jdbc;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import io.txn.client.WorkMode;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.rm.ResourceManager;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A data source whose local transactions are branches of the global transaction that is bound to the calling thread. Outside a global
 * transaction everything passes through to the physical data source untouched. Thread-safe, as far as the physical one is.
 *
 * <p>{@link #unwrap(Class)} leads to the physical data source; what is done through it is not seen and not undone.
 */
public final class AtDataSource implements DataSource, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(AtDataSource.class);

    /** A client property that only connections of this class have: what stands above passes the question on, also where it stubs {@link #isWrapperFor}. */
    static final String MARK = "io.txn.at";

    private final DataSource physical;
    private final AtResource resource;
    private final PhaseTwoConnections phaseTwo;
    private final XaResource xa;

    /** As the driver says it, unless somebody knows better. */
    private volatile String url;

    private final @Nullable String user;

    private AtDataSource(
            DataSource physical,
            AtResource resource,
            PhaseTwoConnections phaseTwo,
            XaResource xa,
            String url,
            @Nullable String user) {
        this.url = url;
        this.user = user;
        this.xa = xa;
        this.physical = physical;
        this.resource = resource;
        this.phaseTwo = phaseTwo;
    }

    /**
     * Wraps a physical data source (a pool, not a router). Opens one connection to learn which database it is, and announces the
     * resource; the undo table is not touched yet, see {@link #prepare()}. Branches are finished on connections of {@code physical}: a pool that is full of waiters
     * holds them up then.
     *
     * @throws io.txn.protocol.TxnException DATABASE_NOT_SUPPORTED when AT mode does not know the database; DATABASE_NOT_ASKED when it cannot be reached, or turns the account away
     */
    public static AtDataSource wrap(
            DataSource physical, AtOptions options, ContextCarrier contexts, ResourceManager resources) {
        return wrap(physical, options, contexts, resources, null, UnaryOperator.identity());
    }

    /**
     * The same with connections of their own to finish branches on.
     *
     * @param forPhaseTwo makes connections to the same database that are none of the pool's; nothing is taken from it before the first branch is finished, and at most
     *     as many at a time as the options say; it is not closed here
     */
    public static AtDataSource wrap(
            DataSource physical,
            AtOptions options,
            ContextCarrier contexts,
            ResourceManager resources,
            DataSource forPhaseTwo) {
        return wrap(physical, options, contexts, resources, forPhaseTwo, UnaryOperator.identity());
    }

    /** Wraps with another way to capture than the database's best. */
    static AtDataSource wrap(
            DataSource physical,
            AtOptions options,
            ContextCarrier contexts,
            ResourceManager resources,
            @Nullable DataSource forPhaseTwo,
            UnaryOperator<Dialect> adjust) {
        return wrap(physical, options, contexts, resources, forPhaseTwo, adjust, System::nanoTime);
    }

    /** The same with another way to tell how time goes by. */
    static AtDataSource wrap(
            DataSource physical,
            AtOptions options,
            ContextCarrier contexts,
            ResourceManager resources,
            @Nullable DataSource forPhaseTwo,
            UnaryOperator<Dialect> adjust,
            LongSupplier nanos) {
        Dialect dialect;
        String url;
        String user;
        try (Connection connection = physical.getConnection()) {
            url = connection.getMetaData().getURL();
            user = connection.getMetaData().getUserName();
            dialect = adjust.apply(Dialect.of(connection));
            if (dialect.losesAcknowledgedCommits(connection)) {
                LOG.warn(new TxnException(ErrorCode.H2_NOT_DURABLE, null, "resource", dialect.resourceId())
                        .getMessage());
            }
            for (String hidden : options.xa() ? List.<String>of() : dialect.missingGrants(connection)) {
                LOG.warn(new TxnException(
                                ErrorCode.CATALOG_HIDDEN, null, "resource", dialect.resourceId(), "hidden", hidden)
                        .getMessage());
            }
        } catch (SQLException e) {
            throw new TxnException(ErrorCode.DATABASE_NOT_ASKED, e, "problem", e.getMessage());
        }
        AtResource resource = new AtResource(physical, dialect, options, contexts, resources, UUID::randomUUID, nanos);
        PhaseTwoConnections phaseTwo = new PhaseTwoConnections(resource, forPhaseTwo);
        resources.register(new PhaseTwo(resource, phaseTwo));
        XaResource xa =
                new XaResource(resource, phaseTwo, () -> UUID.randomUUID().getLeastSignificantBits());
        // Branches of an earlier run wait to be ended, whether or not this one ever works so.
        xa.announceWhereAnyoneEnds();
        return new AtDataSource(physical, resource, phaseTwo, xa, url, user);
    }

    /**
     * Whether connections of this data source come from a wrapped one, whatever stands in between and whatever that says about what it wraps.
     * Opens one connection.
     */
    public static boolean isBeneath(DataSource dataSource) {
        try (Connection connection = dataSource.getConnection()) {
            return MARK.equals(connection.getClientInfo(MARK));
        } catch (SQLException | RuntimeException e) {
            return false; // drivers may refuse properties that they do not know, and ours is none of theirs
        }
    }

    /**
     * Creates or checks the undo table, or, in XA mode, whether the server can prepare transactions. To be called once the application's own database initialisers have run; without this call, it
     * happens before the first statement inside a global transaction, and a guard ({@code GlobalLockTemplate}) before that knows its rows by the URL only.
     *
     * @throws io.txn.protocol.TxnException XA_NOT_POSSIBLE; NO_UNDO_TABLE when it is missing and may not be created, or cannot be
     */
    public void prepare() {
        if (resource.options().xa()) {
            xa.prepare();
        } else {
            resource.prepare();
        }
    }

    /**
     * Looks at the database, for people. Takes one connection, asks the catalog, tries the undo table and takes that back.
     *
     * @throws SQLException when the database cannot be asked
     */
    public DatabaseFindings look() throws SQLException {
        return resource.look();
    }

    /**
     * What stands in the way of XA mode, for transactions that want it of a data source that is not set up so. Asks the database, the first time.
     *
     * @return null when nothing does
     */
    public @Nullable String xaProblem() {
        try {
            xa.prepare();
            return null;
        } catch (TxnException e) {
            Object expected = e.facts().get("expected");
            return e.facts().get("problem") + (expected == null ? "" : "; expected: " + expected);
        }
    }

    /** The id under which the coordinator knows this data source. */
    public String resourceId() {
        return resource.dialect().resourceId();
    }

    /**
     * Where it leads to, as the pool was told where that is known, else as the driver says it: a property that pools have too, by which others learn which database this is (ShardingSphere), or connect to it
     * as somebody else (Flyway and Liquibase in Spring Boot). May hold secrets.
     */
    public String getUrl() {
        return url;
    }

    /** As whom it connects; null where the driver does not say. A property that pools have too. */
    public @Nullable String getUsername() {
        return user;
    }

    /** Whether it works in XA mode unless a transaction says otherwise: then it needs neither an undo table nor keys. */
    public boolean isXa() {
        return resource.options().xa();
    }

    /**
     * Has the pool be told of connections that are closed for good instead of given back, as those of branches that MariaDB has prepared. To be called before the first use.
     *
     * @param pool drops a connection of its, without a word in the log
     */
    public AtDataSource evictingBy(Consumer<Connection> pool) {
        xa.evictBy(pool);
        return this;
    }

    /**
     * Tells the URL that the pool was given. Drivers may say another one: that of MariaDB names the user in it, whom nobody can overrule then. To be called before the first use.
     *
     * @param told null where nobody knows
     */
    public AtDataSource reachedBy(@Nullable String told) {
        if (told != null) {
            url = told;
        }
        return this;
    }

    /** The data source that was wrapped. */
    public DataSource physical() {
        return physical;
    }

    /** What looks after its prepared branches. */
    XaResource xa() {
        return xa;
    }

    PhaseTwoConnections phaseTwo() {
        return phaseTwo;
    }

    @Override
    public Connection getConnection() throws SQLException {
        prepareIfNeeded();
        return wrapped(physical.getConnection());
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        prepareIfNeeded();
        return wrapped(physical.getConnection(user, password));
    }

    /** Before a connection is taken: making the table needs one too, and the pool may have no second. */
    private void prepareIfNeeded() throws SQLException {
        TransactionContext now = resource.contexts().current();
        if (now != null) {
            try {
                // What is held has a connection, perhaps the last one.
                resource.resources().prepareHeld(now.xidWithin());
            } catch (TxnException e) {
                throw Refusals.rolledBack(e);
            }
        }
        if (xa.isFor(now)) {
            try {
                xa.prepare();
            } catch (TxnException e) {
                throw Refusals.rolledBack(e);
            }
            return;
        }
        WorkContext context = resource.context();
        if (context != null && context.xid() != null && !resource.isPrepared()) {
            try {
                resource.prepare();
            } catch (TxnException e) {
                throw Refusals.rolledBack(e);
            }
        }
    }

    private Connection wrapped(Connection connection) throws SQLException {
        TransactionContext context = resource.contexts().current();
        // What is done by own hand passes through either, and the connection may be used beyond that.
        boolean plain = context == null || context.mode() == WorkMode.OWN;
        if (plain ? resource.options().xa() : xa.isFor(context)) {
            return Proxies.of(Connection.class, new XaConnectionHandler(xa, resource.contexts(), connection));
        }
        return Proxies.of(Connection.class, new ConnectionHandler(resource, connection));
    }

    @Override
    public PrintWriter getLogWriter() throws SQLException {
        return physical.getLogWriter();
    }

    @Override
    public void setLogWriter(PrintWriter out) throws SQLException {
        physical.setLogWriter(out);
    }

    @Override
    public void setLoginTimeout(int seconds) throws SQLException {
        physical.setLoginTimeout(seconds);
    }

    @Override
    public int getLoginTimeout() throws SQLException {
        return physical.getLoginTimeout();
    }

    @Override
    public java.util.logging.Logger getParentLogger() throws SQLFeatureNotSupportedException {
        return physical.getParentLogger();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        if (type.isInstance(this)) {
            return type.cast(this);
        }
        return type.isInstance(physical) ? type.cast(physical) : physical.unwrap(type);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) throws SQLException {
        return type.isInstance(this) || type.isInstance(physical) || physical.isWrapperFor(type);
    }

    /** Closes the connections for phase two; the physical data source is closed by whoever made it. */
    @Override
    public void close() {
        xa.close();
        phaseTwo.close();
        resource.deadlines().close();
    }
}
