package io.txn.client.jdbc;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import io.txn.client.WorkMode;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.sql.Mentions;
import io.txn.client.jdbc.sql.PlainStatement;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.xa.XaBranches;
import io.txn.client.jdbc.xa.XaId;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A connection whose local transactions, inside a global one, are prepared instead of committed. Like any connection, for one thread at a time.
 *
 * <p>A branch begins with the first statement. At its local commit it is registered and prepared, or held where it may be the only one ({@link XaPhaseOne}); one that changed nothing is ended there and then, and
 * nobody hears of it. Where a prepared branch belongs to the session that prepared it, that session has to go before anybody can end the branch: this happens when the connection is closed or used again, so that what the
 * application still reads from its statements stays readable; until then the coordinator is told to wait. What is used again afterwards is another physical connection.
 */
final class XaConnectionHandler implements InvocationHandler, MetaDataHandler.Source {

    /** What the application may set for all that follows. */
    private static final Set<String> SETTINGS = Set.of(
            "setReadOnly",
            "setCatalog",
            "setSchema",
            "setTransactionIsolation",
            "setHoldability",
            "setTypeMap",
            "setNetworkTimeout",
            "setClientInfo");

    private final XaResource xa;
    private final AtResource resource;
    private final XaBranches branches;
    private final ContextCarrier contexts;
    private @Nullable Connection physical;
    private boolean closed;
    /** What the next physical connection is set to. */
    private boolean autoCommit;

    private final Map<String, Call> settings = new LinkedHashMap<>();

    private @Nullable Working working;
    /** What has the physical connection for itself until that is used again, or for good when it is not. */
    private @Nullable XaPhaseOne pending;

    /** Whether statements outside any global transaction have run in the local transaction that is open, and whether one may have written. */
    private boolean touched;

    private boolean wroteOutside;

    /** A branch under way. */
    private static final class Working {
        private final TransactionContext context;
        private final XaId id;
        /** Whether it is one statement's, and ends with it. */
        private final boolean single;

        private boolean wrote;
        /** Its statements, also where only the database will know whether they wrote. */
        private LocalTransaction.Written written;
        /** What takes back a setting that outlives the branch. */
        private @Nullable String unlimit;

        Working(TransactionContext context, XaId id, boolean single) {
            this.context = context;
            this.id = id;
            this.single = single;
            this.written = LocalTransaction.Written.more(null, context.participation());
        }

        Xid xid() {
            return context.xidWithin();
        }

        void written() {
            written = LocalTransaction.Written.more(written, context.participation());
        }
    }

    XaConnectionHandler(XaResource xa, ContextCarrier contexts, Connection physical) throws SQLException {
        this.xa = xa;
        this.resource = xa.resource();
        this.branches = xa.branches();
        this.contexts = contexts;
        this.physical = physical;
        this.autoCommit = physical.getAutoCommit();
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] arguments)
            throws SQLException {
        @Nullable Object[] given = arguments == null ? new Object[0] : arguments;
        switch (method.getName()) {
            case "createStatement" -> {
                return Proxies.of(
                        Statement.class, new XaStatementHandler(this, (Connection) proxy, method, given, null));
            }
            case "prepareStatement" -> {
                return Proxies.of(
                        PreparedStatement.class,
                        new XaStatementHandler(this, (Connection) proxy, method, given, String.valueOf(given[0])));
            }
            case "prepareCall" -> {
                return Proxies.of(
                        CallableStatement.class,
                        new XaStatementHandler(this, (Connection) proxy, method, given, String.valueOf(given[0])));
            }
            case "commit" -> {
                commit();
                return null;
            }
            case "rollback" -> {
                if (given.length == 1) {
                    physical().rollback((Savepoint) given[0]);
                } else {
                    rollback();
                }
                return null;
            }
            case "getAutoCommit" -> {
                return autoCommit;
            }
            case "setAutoCommit" -> {
                setAutoCommit((Boolean) Objects.requireNonNull(given[0]));
                return null;
            }
            case "close" -> {
                close();
                return null;
            }
            case "isClosed" -> {
                return closed || (physical != null && pending == null && physical.isClosed());
            }
            case "abort" -> {
                working = null;
                closed = true;
                Connection now = physical;
                physical = null;
                if (now != null) {
                    Proxies.call(now, method, arguments);
                }
                XaPhaseOne local = pending;
                pending = null;
                if (local != null) {
                    local.aborted();
                }
                return null;
            }
            case "getWarnings", "clearWarnings" -> {
                // Frameworks ask before they close: that must not count as going on.
                return pending != null ? null : Proxies.call(physical(), method, arguments);
            }
            case "getMetaData" -> {
                return MetaDataHandler.of(this, (Connection) proxy);
            }
            case "getClientInfo" -> {
                return given.length == 1 && AtDataSource.MARK.equals(given[0])
                        ? AtDataSource.MARK
                        : Proxies.call(physical(), method, arguments);
            }
            case "unwrap", "isWrapperFor" -> {
                return Proxies.unwrap(proxy, physical(), method.getName(), (Class<?>) Objects.requireNonNull(given[0]));
            }
            case "equals" -> {
                return proxy == given[0];
            }
            case "hashCode" -> {
                return System.identityHashCode(proxy);
            }
            case "toString" -> {
                return "XA connection over " + physical;
            }
            default -> {
                Object result = Proxies.call(physical(), method, arguments);
                if (SETTINGS.contains(method.getName())) {
                    boolean named = method.getName().equals("setClientInfo") && given.length == 2;
                    settings.put(method.getName() + (named ? String.valueOf(given[0]) : ""), new Call(method, given));
                }
                return result;
            }
        }
    }

    @Override
    public DatabaseMetaData asking() throws SQLException {
        return physical().getMetaData();
    }

    @Override
    public void unwrapped() throws SQLException {
        physical(); // nothing is held or prepared beside what comes now
    }

    /** Whether what runs now may be in a branch. */
    boolean isInside() {
        return contexts.current() != null;
    }

    /** A call that can be made again. */
    record Call(Method method, @Nullable Object[] arguments) {
        @Nullable
        Object on(Object target) throws SQLException {
            return Proxies.call(target, method, arguments);
        }
    }

    /** The connection that statements are made on. */
    Connection current() throws SQLException {
        return physical();
    }

    /** Whether another connection has taken the place of that one, or is about to. */
    boolean hasLeft(Connection connection) {
        return physical != connection;
    }

    /** Whether a connection may be replaced while the application goes on with it. */
    boolean replaces() {
        return branches.isBoundToItsSession() || branches.endsWithItsConnection();
    }

    /** The connection to work on: another one, when the last one had to go with a prepared branch. */
    private Connection physical() throws SQLException {
        if (closed) {
            throw new SQLException("the connection is closed", "08003");
        }
        XaPhaseOne local = pending;
        if (local != null) {
            goOnAfter(local);
        }
        Connection now = physical;
        if (now == null) {
            now = resource.physical().getConnection();
            boolean good = false;
            try {
                for (Call setting : settings.values()) {
                    setting.on(now);
                }
                now.setAutoCommit(autoCommit);
                good = true;
            } finally {
                if (!good) {
                    now.close();
                }
            }
            physical = now;
        }
        return now;
    }

    private void goOnAfter(XaPhaseOne local) throws SQLException {
        SQLException failure = local.goesOn();
        physical = local.takenOver();
        pending = null;
        if (physical != null) {
            physical.setAutoCommit(autoCommit);
        }
        if (failure != null) {
            throw failure;
        }
    }

    private void setAutoCommit(boolean on) throws SQLException {
        Working now = working;
        if (on && !autoCommit && now != null) {
            boolean wrote = now.wrote;
            try {
                commit();
            } catch (SQLException | RuntimeException | Error e) {
                if (wrote) {
                    resource.lost(now.context.participation(), now.xid(), e);
                }
                throw e;
            }
        }
        if (physical != null && pending == null) {
            physical.setAutoCommit(on);
        }
        autoCommit = on;
        if (on) {
            outsideEnded();
        }
    }

    private void outsideEnded() {
        touched = false;
        wroteOutside = false;
    }

    // Statements

    /** A statement is about to run: in the branch, which it begins if it is the first. */
    void before(String sql, boolean surelyWrites) throws SQLException {
        TransactionContext context = contexts.current();
        boolean wanted = xa.isFor(context);
        if (context != null && !wanted && context.mode() != WorkMode.OWN) {
            throw Refusals.misplaced(
                    ErrorCode.CONNECTION_OF_OTHER_MODE, "resource", xa.resourceId(), "taken", "XA", "now", "AT");
        }
        PlainStatement plain = resource.plans().plain(sql);
        boolean asked = branches.tellsReadersFromWriters(); // at the end
        boolean writes = surelyWrites || plain.writes() || (wanted && !asked && mayWriteBehind(sql));
        Working now = working;
        if (now != null) {
            if (context == null || !wanted || !now.xid().equals(context.xidWithin())) {
                throw spans(now.xid(), context);
            }
            requireUnderstood(sql, plain);
            now.wrote |= writes;
            if (writes || asked) {
                now.written();
            }
            return;
        }
        if (context == null || !wanted) {
            touched = true;
            wroteOutside |= writes && !autoCommit;
            return;
        }
        requireUnderstood(sql, plain);
        if (autoCommit && !writes && !asked) {
            return; // its locks, if any, go with it
        }
        begin(context, writes);
    }

    /** Whether a function or a view that the text names may write. */
    private boolean mayWriteBehind(String sql) throws SQLException {
        Mentions text = resource.plans().mentions(sql);
        return resource.tables().routines(physical(), text.called()).mayWrite(text, false) != null;
    }

    private static SQLException spans(@Nullable Xid began, @Nullable TransactionContext now) {
        return Refusals.misplaced(
                ErrorCode.LOCAL_TRANSACTION_SPANS,
                "began",
                began == null ? "none" : began,
                "now",
                now == null ? "none" : now.xidWithin());
    }

    /** What would end the local transaction behind the branch's back. */
    private void requireUnderstood(String sql, PlainStatement plain) throws SQLException {
        if (resource.plans().statements(sql).several()) {
            throw Refusals.notSupported(
                    "a text with several statements may end the local transaction", "send them one by one");
        }
        if (resource.plans().plan(sql) instanceof Plan.Control) {
            throw Refusals.notSupported(
                    "transaction control as SQL would end the branch behind its back",
                    "use commit, rollback and setSavepoint of the connection");
        }
        if (plain.definesTables() && resource.dialect().product() != Dialect.Product.POSTGRESQL) {
            throw Refusals.notSupported(
                    "it may change a table's definition, which commits", "do it outside the global transaction");
        }
    }

    private void begin(TransactionContext context, boolean writes) throws SQLException {
        if (context.expired(resource.options().clock().instant())) {
            throw Refusals.misplaced(
                    ErrorCode.TRANSACTION_TIMED_OUT,
                    "xid",
                    context.xidWithin(),
                    "deadline",
                    String.valueOf(context.deadline()));
        }
        if (wroteOutside) {
            throw spans(null, context);
        }
        Connection connection = physical();
        boolean single = autoCommit;
        if (single) {
            connection.setAutoCommit(false);
        } else if (touched) {
            connection.commit(); // of reads only: a branch begins where no transaction is open
        }
        XaId id = xa.newId(context.xidWithin());
        boolean begun = false;
        try {
            branches.begin(connection, id);
            begun = true;
        } finally {
            if (!begun && single) {
                connection.setAutoCommit(true);
            }
        }
        Working now = new Working(context, id, single);
        now.wrote = writes;
        working = now;
        if (xa.hasPrepared(context.xidWithin())) {
            // What holds a row may be this very transaction, and would hold it until the decision.
            Duration wait = resource.options().lockWait();
            try {
                now.unlimit = branches.limitLockWait(connection, wait.isZero() ? Duration.ofSeconds(1) : wait);
            } catch (SQLException e) {
                takeBack(connection, now, e);
                throw e;
            }
        }
    }

    /** Rows that are changed through a result set are changed after the statement has run, and its branch may have ended with it. */
    void requireThatRowsMayBeChangedLater() throws SQLException {
        if (autoCommit && xa.isFor(contexts.current())) {
            throw Refusals.notSupported(
                    "in auto-commit mode the branch ends with the query, and rows that are changed through its result would be in none",
                    "switch auto-commit off (@Transactional)");
        }
    }

    /** Whether the branch ends with the statement that is about to run. */
    boolean endsWithTheStatement() {
        Working now = working;
        return now != null && now.single;
    }

    /** What a statement's failure means. */
    SQLException explained(SQLException failure) {
        Working now = working;
        if (now != null && branches.isLockTimeout(failure) && xa.hasPrepared(now.xid())) {
            SQLException explained = Refusals.rolledBack(
                    ErrorCode.ROW_HELD_BY_ITSELF, null, "xid", now.xid(), "resource", xa.resourceId());
            explained.addSuppressed(failure);
            return explained;
        }
        return failure;
    }

    /** A statement has run. */
    void after(boolean good) throws SQLException {
        Working now = working;
        if (now == null || !now.single) {
            return;
        }
        try {
            if (good) {
                commit();
            } else {
                rollback();
            }
        } finally {
            if (physical != null && pending == null) {
                physical.setAutoCommit(true);
            }
        }
    }

    // The end of a local transaction

    private void commit() throws SQLException {
        Working now = working;
        if (now == null) {
            if (pending == null) {
                physical().commit();
            }
            outsideEnded();
            return;
        }
        outsideEnded();
        Connection connection = physical();
        TransactionContext context = contexts.current();
        if (context == null || !now.xid().equals(context.xidWithin())) {
            throw failed(connection, now, spans(now.xid(), context));
        }
        boolean nothing;
        String number = null;
        try {
            if (branches.tellsReadersFromWriters()) {
                // What a text seems to do is no match for what the database knows that was done.
                boolean mayBeHeld = resource.resources().wouldHold(now.xid());
                number = branches.written(connection, mayBeHeld).orElse(null);
                nothing = number == null;
            } else {
                nothing = !now.wrote;
            }
            if (nothing) {
                branches.seal(connection, now.id);
                branches.commitInOnePhase(connection, now.id);
                working = null;
                XaPhaseOne.unlimit(connection, now.unlimit);
            }
        } catch (SQLException | RuntimeException | Error e) {
            // Of whatever kind: what comes next may be auto-commit, which commits.
            takeBack(connection, now, e);
            throw e;
        }
        if (!nothing) {
            working = null;
            leave(new XaPhaseOne(xa, now.context, now.id, number, now.unlimit, now.written, connection));
        }
    }

    private void leave(XaPhaseOne local) throws SQLException {
        pending = local;
        boolean good = false;
        try {
            local.begin();
            good = true;
        } finally {
            if (!good) {
                pending = null;
                physical = local.takenOver();
            }
        }
    }

    /** Takes back, and returns what to throw. */
    private SQLException failed(Connection connection, Working now, SQLException reason) {
        takeBack(connection, now, reason);
        return reason;
    }

    /** A connection on which that does not work is aborted. */
    private void takeBack(Connection connection, Working now, Throwable reason) {
        working = null;
        if (!XaPhaseOne.takeBack(xa, connection, now.id, now.unlimit, reason)) {
            physical = null;
        }
    }

    private void rollback() throws SQLException {
        Working now = working;
        outsideEnded();
        if (now == null) {
            if (pending == null) {
                physical().rollback();
            }
            return;
        }
        Connection connection = physical();
        SQLException reason = new SQLException("the branch could not be rolled back, so its connection was closed");
        takeBack(connection, now, reason);
        if (physical == null) {
            throw reason;
        }
    }

    /** What was not committed is taken back. */
    private void close() throws SQLException {
        if (closed) {
            return;
        }
        XaPhaseOne local = pending;
        if (local != null) {
            closed = true;
            pending = null;
            physical = null;
            local.givenBack(autoCommit);
            return;
        }
        Connection connection = physical;
        Working now = working;
        if (connection != null && now != null) {
            takeBack(connection, now, new SQLException("closed before commit"));
        }
        closed = true;
        connection = physical;
        physical = null;
        if (connection != null) {
            connection.close();
        }
    }
}
