package io.txn.client.jdbc;

import io.txn.client.TransactionContext;
import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.sql.Mentions;
import io.txn.client.jdbc.sql.PlainStatement;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.sql.TableName;
import io.txn.client.jdbc.undo.UndoTable;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.sql.BatchUpdateException;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A connection whose local transaction may be a branch of a global one. Names the methods whose behaviour differs; all others go to the
 * physical connection. Like any connection, for one thread at a time.
 */
final class ConnectionHandler implements InvocationHandler, MetaDataHandler.Source {

    /** How often a statement is run again at most because others were faster; the end of the wait comes first, if the clock moves. */
    static final int MOST_RUNS = 1_000;

    /** Switches auto-commit off on MariaDB, together with the statement that follows. */
    static final String BEGIN = "BEGIN NOT ATOMIC SET autocommit = 0; ";

    /** On a line of its own, behind whatever a comment hides. */
    static final String END = "\n; END";
    /** Sets a savepoint that nobody goes back to: it is gone when the transaction is. */
    static final String MARK = "SAVEPOINT txn_batch";

    /** What of a connection may be called whatever the mode, or sets it. */
    private static final Set<String> IN_ANY_MODE = Set.of(
            "createStatement", // what it executes looks for itself
            "prepareStatement",
            "commit",
            "rollback",
            "getAutoCommit",
            "setAutoCommit",
            "close",
            "isClosed",
            "isValid",
            "abort",
            "getWarnings",
            "clearWarnings",
            "isReadOnly",
            "getTransactionIsolation",
            "getHoldability",
            "getCatalog",
            "getSchema",
            "getClientInfo",
            "getNetworkTimeout",
            "isWrapperFor",
            "equals",
            "hashCode",
            "toString");

    private final AtResource resource;
    private final Connection physical;
    private final LocalTransaction local = new LocalTransaction();
    private final LocalCommit localCommit;
    private final GlobalLocks locks;
    private final CheckedReads reads;
    /** The savepoints of this transaction by their names in lower case, so that SQL can speak of them. */
    private final Map<String, Savepoint> savepoints = new HashMap<>();
    /** Whether the transaction was begun by SQL, and the application believes itself in auto-commit mode. */
    private boolean begunBySql;
    /** Whether the application is given auto-commit mode with its connections, and so most likely goes back to it. */
    private final boolean usuallyAutoCommit;
    /**
     * The session is in auto-commit mode, which the application has switched off: the last commit brought it there, because most often the application switches it on next, or it is {@link #unsaid}.
     * {@link #resume()} puts that right before anything is done, or the first statement does it ({@link #begin}).
     */
    private boolean ahead;
    /** That auto-commit is off was told to nobody yet, neither pool nor server. */
    private boolean unsaid;
    /** Somebody works past this proxy, and nobody could put it right before that. */
    private boolean bypassed;
    /** Something ran outside any global transaction, in auto-commit mode, that may have begun a transaction which the mode does not show: {@code START TRANSACTION}. */
    private boolean begunElsewhere;
    /** Where unqualified names lead, as far as the application switched it by JDBC's means. */
    private String namespace = "";

    ConnectionHandler(AtResource resource, Connection physical) throws SQLException {
        this.resource = resource;
        this.physical = physical;
        this.usuallyAutoCommit = resource.undoTable().switchesAutoCommit() && physical.getAutoCommit();
        this.localCommit = new LocalCommit(resource, physical);
        this.locks = new GlobalLocks(resource);
        this.reads = new CheckedReads(resource, physical, local, locks);
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] arguments)
            throws SQLException {
        @Nullable Object[] given = arguments == null ? new Object[0] : arguments;
        if (ahead && !IN_ANY_MODE.contains(method.getName())) {
            resume();
        }
        switch (method.getName()) {
            case "createStatement" -> {
                Statement statement = (Statement) Objects.requireNonNull(Proxies.call(physical, method, arguments));
                return Proxies.of(
                        Statement.class, new StatementHandler(this, proxy(proxy), statement, null, KeyRequest.NONE));
            }
            case "prepareStatement" -> {
                PreparedStatement statement =
                        (PreparedStatement) Objects.requireNonNull(Proxies.call(physical, method, arguments));
                KeyRequest keys = given.length == 2 ? KeyRequest.of(Objects.requireNonNull(given[1])) : KeyRequest.NONE;
                return Proxies.of(
                        PreparedStatement.class,
                        new StatementHandler(this, proxy(proxy), statement, String.valueOf(given[0]), keys));
            }
            case "prepareCall" -> {
                CallableStatement statement =
                        (CallableStatement) Objects.requireNonNull(Proxies.call(physical, method, arguments));
                return Proxies.of(
                        CallableStatement.class,
                        new StatementHandler(this, proxy(proxy), statement, String.valueOf(given[0]), KeyRequest.NONE));
            }
            case "commit" -> {
                commit();
                return null;
            }
            case "rollback" -> {
                if (given.length == 1 && given[0] instanceof Savepoint savepoint) {
                    rollback(savepoint);
                } else {
                    rollback();
                }
                return null;
            }
            case "getAutoCommit" -> {
                return begunBySql || inAutoCommit();
            }
            case "setAutoCommit" -> {
                setAutoCommit((Boolean) Objects.requireNonNull(given[0]));
                return null;
            }
            case "setSavepoint" -> {
                Savepoint savepoint = (Savepoint) Objects.requireNonNull(Proxies.call(physical, method, arguments));
                local.savepointSet(savepoint, given.length == 0 ? null : (String) given[0]);
                if (given.length > 0) {
                    savepoints.put(String.valueOf(given[0]).toLowerCase(Locale.ROOT), savepoint);
                }
                return savepoint;
            }
            case "releaseSavepoint" -> {
                Proxies.call(physical, method, arguments);
                if (given[0] instanceof Savepoint savepoint) {
                    local.savepointReleased(savepoint);
                }
                return null;
            }
            case "setSchema", "setCatalog" -> {
                Proxies.call(physical, method, arguments);
                namespace = method.getName() + ' ' + given[0];
                return null;
            }
            case "close" -> {
                close();
                return null;
            }
            case "getClientInfo" -> {
                return given.length == 1 && AtDataSource.MARK.equals(given[0])
                        ? AtDataSource.MARK
                        : Proxies.call(physical, method, arguments);
            }
            case "getMetaData" -> {
                return MetaDataHandler.of(this, proxy(proxy));
            }
            case "unwrap", "isWrapperFor" -> {
                if (method.getName().equals("unwrap")) {
                    unwrapped();
                }
                return Proxies.unwrap(proxy, physical, method.getName(), (Class<?>) Objects.requireNonNull(given[0]));
            }
            case "equals" -> {
                return proxy == given[0];
            }
            case "hashCode" -> {
                return System.identityHashCode(proxy);
            }
            case "toString" -> {
                return "AT connection over " + physical;
            }
            default -> {
                return Proxies.call(physical, method, arguments);
            }
        }
    }

    @Override
    public DatabaseMetaData asking() throws SQLException {
        resume();
        return physical.getMetaData();
    }

    @Override
    public void unwrapped() throws SQLException {
        resume();
        bypassed();
        local.seenByOthers();
    }

    private static Connection proxy(Object proxy) {
        return (Connection) proxy;
    }

    AtResource resource() {
        return resource;
    }

    private void commit() throws SQLException {
        if (ahead) {
            return; // nothing was done since
        }
        if (physical.getAutoCommit()) {
            physical.commit();
        } else {
            try {
                ahead = localCommit.commit(local, true, usuallyAutoCommit && !bypassed);
            } finally {
                ended();
            }
        }
    }

    private void rollback(Savepoint savepoint) throws SQLException {
        try {
            physical.rollback(savepoint);
        } catch (SQLException e) {
            if (local.hasChanges() && resource.dialect().lostSavepoint(e)) {
                local.incomplete("a savepoint is gone: the database rolled back what came before");
            }
            throw e;
        }
        local.rolledBackTo(savepoint);
    }

    private void rollback() throws SQLException {
        if (!ahead) {
            physical.rollback();
        }
        local.ended();
        ended();
    }

    /** The session is what the application takes it for, from now on. */
    void resume() throws SQLException {
        if (!ahead) {
            return;
        }
        boolean switched = false;
        try {
            if (unsaid) {
                physical.setAutoCommit(false);
            } else {
                UndoTable.switchOff(physical);
                bypassed = true; // who goes on once goes on again, and would pay for it each time
            }
            switched = true;
        } finally {
            if (!switched) {
                // What came next would be committed by itself.
                physical.abort(Runnable::run);
            }
        }
        said();
    }

    /** The session is what the application takes it for. */
    private void said() {
        ahead = false;
        unsaid = false;
    }

    /** Whether the next statement may switch auto-commit off itself, which saves a round trip. */
    boolean begins() {
        return ahead && beginsTogether();
    }

    private boolean beginsTogether() {
        return resource.undoTable().commitsTogether() && resource.beginsTogether();
    }

    /** Whether {@link #MARK} may go with another statement. */
    boolean marksTogether(StatementScope scope) {
        return resource.dialect().product() == Dialect.Product.MARIADB
                && resource.undoTable().commitsTogether()
                && !scope.isLimitedByDriver();
    }

    /** Sets {@link #MARK} by itself. */
    void mark() throws SQLException {
        resume();
        try (Statement statement = physical.createStatement()) {
            statement.execute(MARK);
        }
    }

    /** Whether this is surely the transaction in which {@link #MARK} was set. */
    boolean isMarked() {
        try (Statement statement = physical.createStatement()) {
            statement.execute("RELEASE " + MARK);
            return true;
        } catch (SQLException e) {
            return false;
        }
    }

    /** A statement between {@link #BEGIN} and {@link #END}. */
    interface First<T> {
        T run(Connection connection) throws SQLException;
    }

    /**
     * Runs the first statement of a transaction, which switches auto-commit off itself. When it fails, auto-commit is off, and nothing was done.
     *
     * @throws SQLException also when it did what it should, and that could not be told
     */
    <T> T begin(First<T> first) throws SQLException {
        T result;
        try {
            result = first.run(physical);
            // The driver heard from the server that it is off, so this is for the books of those between.
            physical.setAutoCommit(false);
        } catch (SQLException | RuntimeException | Error e) {
            backToTheBeginning(e);
            throw e;
        }
        said();
        return result;
    }

    /** Takes back what a first statement may have done, and switches auto-commit off, whatever driver and pool believe that it is. */
    private void backToTheBeginning(Throwable reason) throws SQLException {
        boolean back = false;
        try (Statement rollback = physical.createStatement()) {
            rollback.execute("ROLLBACK");
            UndoTable.switchOff(physical);
            back = true;
        } catch (SQLException | RuntimeException e) {
            reason.addSuppressed(e);
        } finally {
            if (!back) {
                physical.abort(Runnable::run);
            }
        }
        said();
    }

    /** From now on somebody may send what is not seen here. */
    void bypassed() {
        bypassed = true;
    }

    /** The transaction is over; one that was begun by SQL leaves auto-commit mode behind. */
    private void ended() throws SQLException {
        savepoints.clear();
        if (begunBySql) {
            begunBySql = false;
            said();
            if (!physical.isClosed()) {
                physical.setAutoCommit(true);
            }
        }
    }

    /** Transaction control that was sent as SQL is done by JDBC's means. */
    void control(Plan.Control control) throws SQLException {
        resume();
        boolean open = !physical.getAutoCommit();
        switch (control.word()) {
            case BEGIN -> {
                if (!open) {
                    physical.setAutoCommit(false);
                    local.ended();
                    begunBySql = true;
                } else if (resource.dialect().product().isMySqlFamily()) {
                    localCommit.commit(local, true); // as the server does with what is open
                }
            }
            case COMMIT -> {
                if (open) {
                    commit();
                }
            }
            case ROLLBACK -> {
                if (open) {
                    rollback();
                }
            }
            case SAVEPOINT -> {
                Savepoint savepoint = physical.setSavepoint(control.name());
                local.savepointSet(savepoint, control.name());
                savepoints.put(control.name().toLowerCase(Locale.ROOT), savepoint);
            }
            case ROLLBACK_TO -> {
                rollback(savepoint(control.name()));
            }
            case RELEASE -> {
                Savepoint savepoint = savepoint(control.name());
                physical.releaseSavepoint(savepoint);
                local.savepointReleased(savepoint);
            }
            case AUTO_COMMIT_ON -> setAutoCommit(true);
            case AUTO_COMMIT_OFF -> setAutoCommit(false);
        }
    }

    private Savepoint savepoint(String name) throws SQLException {
        Savepoint savepoint = savepoints.get(name.toLowerCase(Locale.ROOT));
        if (savepoint == null) {
            throw new SQLException("there is no savepoint " + name, "3B001");
        }
        return savepoint;
    }

    /** A statement for reads that go with others in one text. */
    Connection physical() {
        return physical;
    }

    /** Switching auto-commit on ends the local transaction, as JDBC says; so it goes the way of commit. */
    private void setAutoCommit(boolean on) throws SQLException {
        if (ahead && !on) {
            return; // it is off, as far as anybody can see
        }
        if (on && !ahead && !physical.getAutoCommit()) {
            LocalTransaction.Written written = local.hasChanges() ? local.written() : null;
            Xid xid = local.xid();
            try {
                localCommit.commit(local, true, usuallyAutoCommit && !bypassed);
            } catch (SQLException | RuntimeException | Error e) {
                if (written != null && xid != null) {
                    resource.lost(written.participation(), xid, e);
                }
                throw e;
            }
        }
        said();
        begunBySql = false;
        savepoints.clear();
        boolean begins = physical.getAutoCommit();
        if (begins) {
            local.ended(); // nothing that ran so far is part of what begins
        }
        if (!on && begins && mayBeSaidLater()) {
            ahead = true;
            unsaid = true;
        } else {
            physical.setAutoCommit(on);
        }
    }

    /** Whether switching auto-commit off may wait for the first statement, because that is likely to do it on its way. */
    private boolean mayBeSaidLater() {
        WorkContext context = resource.context();
        return usuallyAutoCommit
                && !bypassed
                && !begunElsewhere
                && beginsTogether()
                && context != null
                && context.xid() != null
                && !resource.wantsXa();
    }

    /** What was not committed is rolled back; that some drivers would commit it on close is not left to them. */
    private void close() throws SQLException {
        if (!physical.isClosed() && local.hasChanges()) {
            SQLException reason = new SQLException("closed before commit");
            localCommit.rollBack(local, reason);
        }
        local.ended();
        if (begunBySql && !physical.isClosed()) {
            physical.rollback();
            ended();
        }
        physical.close();
    }

    /**
     * What the calling thread's statements are subject to, or null.
     *
     * @throws SQLException when this connection cannot do what is wanted of them
     */
    @Nullable
    WorkContext context() throws SQLException {
        if (resource.wantsXa()) {
            throw Refusals.misplaced(
                    ErrorCode.CONNECTION_OF_OTHER_MODE,
                    "resource",
                    resource.dialect().resourceId(),
                    "taken",
                    "AT",
                    "now",
                    "XA");
        }
        return resource.context();
    }

    // Outside a global transaction

    /**
     * A statement is about to run outside any global transaction.
     *
     * @return what is to be done when it has run
     */
    PlainStatement beforePlain(String sql, boolean surelyWrites) throws SQLException {
        PlainStatement plain = resource.plans().plain(sql);
        boolean writes = plain.writes() || surelyWrites;
        begunElsewhere |= writes && usuallyAutoCommit && physical.getAutoCommit();
        // What is done by own hand goes with whatever the local transaction belongs to: its undo is no matter of the
        // undo log.
        if (writes && !resource.worksByOwnHand() && !physical.getAutoCommit()) {
            local.pin(null);
        }
        return plain;
    }

    void afterPlain(PlainStatement plain) {
        if (plain.definesTables()) {
            resource.tables().forget();
        }
        if (plain.temporaryTable() != null) {
            resource.tables().temporary(plain.temporaryTable());
        }
    }

    // Inside a global transaction

    /** Refuses a statement that calls what may write, by name or through a view, a default, a check or an operator. */
    void requireNoWritingFunction(String sql, Plan plan) throws SQLException {
        boolean writes = plan instanceof Plan.Write;
        Mentions text = resource.plans().mentions(sql);
        String reason = resource.tables().routines(physical, text.called()).mayWrite(text, writes);
        if (reason != null) {
            throw Refusals.notSupported(
                    reason,
                    "call it outside the global transaction, or name it under functionsThatOnlyRead if it writes nothing");
        }
    }

    /** Refuses what would let rows have one key for a while: images are told apart by keys. */
    void requireNoKeyDeferred(Plan.Deferring deferring) throws SQLException {
        String key = resource.dialect().deferrableKey(physical, deferring.names());
        if (key != null) {
            throw Refusals.notSupported(
                    "key " + key + " may then stand for several rows until the commit",
                    "name the foreign keys that are to be deferred, or declare the key NOT DEFERRABLE");
        }
    }

    /** Refuses a setting for one transaction where the next one is ours. */
    void requireOpenTransaction() throws SQLException {
        if (inAutoCommit() && resource.dialect().product().isMySqlFamily()) {
            throw Refusals.notSupported(
                    "in auto-commit mode it would hold for the first statement that a capture sends, and no longer",
                    "use Connection.setTransactionIsolation or SET SESSION, or switch auto-commit off before");
        }
    }

    /** Refuses a call of what may write. */
    void requireReading(Plan.Call call) throws SQLException {
        String reason =
                resource.tables().mayWrite(physical, call, resource.plans().mentions(call.body()));
        if (reason != null) {
            throw Refusals.notSupported(
                    reason,
                    "send its statements, call it outside the global transaction, or name it under functionsThatOnlyRead if it writes nothing");
        }
    }

    /** Work in a local transaction. */
    interface Work<T> {
        T run(LocalTransaction transaction) throws SQLException;
    }

    /** Runs a write, in the local transaction that is open, or in one of its own. */
    Outcome write(WorkContext context, Plan.Write plan, Parameters parameters, KeyRequest keys, StatementScope scope)
            throws SQLException {
        return inTransaction(context, transaction -> write(context, plan, parameters, keys, scope, transaction));
    }

    /** Runs rows of several executions of one INSERT as one statement. */
    Outcome insert(
            WorkContext context,
            Plan.Insert plan,
            List<InsertCapture.InsertRow> rows,
            KeyRequest keys,
            StatementScope scope,
            LocalTransaction transaction)
            throws SQLException {
        return Objects.requireNonNull(captured(
                context, plan, keys, scope, transaction, (capture, run) -> ((InsertCapture) capture).insert(rows)));
    }

    /** Runs several executions of one INSERT as the application's own batch; null, and nothing was done, when one failed, or their rows give no keys. */
    @Nullable
    Outcome insertAsMade(
            WorkContext context,
            Plan.Insert plan,
            DriverBatch batch,
            StatementScope scope,
            LocalTransaction transaction)
            throws SQLException {
        return captured(context, plan, KeyRequest.NONE, scope, transaction, (capture, run) -> ((InsertCapture) capture)
                .insertAsMade(batch));
    }

    /** Runs several executions of one INSERT as the application's own batch; null, and nothing was done, when the keys of their rows are not known before. */
    @Nullable
    Outcome insert(
            WorkContext context,
            Plan.Insert plan,
            DriverBatch batch,
            StatementScope scope,
            LocalTransaction transaction)
            throws SQLException {
        return captured(context, plan, KeyRequest.NONE, scope, transaction, (capture, run) -> ((InsertCapture) capture)
                .insert(batch));
    }

    /** Runs several executions of one UPDATE or DELETE as the application's own batch; null, and nothing was done, when that could not be captured. */
    @Nullable
    Outcome batch(
            WorkContext context, Plan.Write plan, DriverBatch batch, StatementScope scope, LocalTransaction transaction)
            throws SQLException {
        return captured(context, plan, KeyRequest.NONE, scope, transaction, (capture, run) -> {
            Optional<KeyedBatch> keyed = KeyedBatch.of(run, capture.byKey(), batch.elements());
            return keyed.isPresent() ? keyed.get().run(batch).orElse(null) : null;
        });
    }

    /** Has the driver change or delete a row, whatever comes with that. */
    Outcome row(
            WorkContext context,
            Plan.Write plan,
            DriverBatch row,
            Parameters newKey,
            StatementScope scope,
            LocalTransaction transaction)
            throws SQLException {
        return Objects.requireNonNull(captured(context, plan, KeyRequest.NONE, scope, transaction, (capture, run) -> {
            Table table = run.writable(plan.table());
            List<Column> set = null;
            if (plan instanceof Plan.Update update) {
                set = new ArrayList<>();
                for (Plan.Assigned assigned : update.assigned()) {
                    set.add(TableImages.column(table, assigned.column()));
                }
            }
            return new RowCapture(run, table, set).run(row, newKey);
        }));
    }

    /** Has the driver insert a row whose key the database makes. */
    Outcome made(
            WorkContext context,
            Plan.Insert plan,
            DriverBatch row,
            MadeRowCapture.ShownKey key,
            StatementScope scope,
            LocalTransaction transaction)
            throws SQLException {
        return Objects.requireNonNull(
                captured(context, plan, KeyRequest.NONE, scope, transaction, (capture, run) -> new MadeRowCapture(
                                run, run.writable(plan.table()))
                        .run(row, key)));
    }

    /**
     * Runs several executions of one write as one statement; null, and nothing was done, where there is no way to capture that.
     *
     * @param counts takes what each counts
     */
    @Nullable
    Outcome together(
            WorkContext context,
            Plan.Write plan,
            List<Parameters> executions,
            long[] counts,
            StatementScope scope,
            LocalTransaction transaction)
            throws SQLException {
        return captured(
                context,
                plan,
                KeyRequest.NONE,
                scope,
                transaction,
                (capture, run) -> capture.together(executions, counts));
    }

    /** Refuses a write that must not run, before others run. */
    void check(WorkContext context, Plan.Write plan, KeyRequest keys, StatementScope scope) throws SQLException {
        checked(plan, keys, scope);
    }

    /** What the catalog says of a table that a statement names. */
    Table table(TableName name) throws SQLException {
        return resource.tables().table(physical, name, namespace);
    }

    /** Whether the key by which rows of this table are known is its primary key. */
    boolean isPrimary(Table table) throws SQLException {
        boolean mySql = resource.dialect().product().isMySqlFamily();
        List<String> names = new ArrayList<>();
        try (ResultSet keys = physical.getMetaData()
                .getPrimaryKeys(mySql ? table.schema() : null, mySql ? null : table.schema(), table.name())) {
            while (keys.next()) {
                names.add(keys.getString("COLUMN_NAME"));
            }
        }
        return names.size() == table.key().size()
                && names.containsAll(table.key().stream().map(Column::name).toList());
    }

    /** A savepoint of our own. */
    Savepoint mark(LocalTransaction transaction) throws SQLException {
        Savepoint savepoint = physical.setSavepoint();
        transaction.savepointSet(savepoint, null);
        return savepoint;
    }

    /** Takes back to a savepoint of our own because of a failure, which is thrown where the savepoint is gone with everything else. */
    void back(LocalTransaction transaction, Savepoint savepoint, SQLException failure) throws SQLException {
        try {
            physical.rollback(savepoint);
        } catch (SQLException e) {
            transaction.incomplete("a savepoint is gone: the database rolled back what came before");
            failure.addSuppressed(e);
            throw failure;
        }
        transaction.rolledBackTo(savepoint);
        drop(transaction, savepoint);
    }

    /** A savepoint of our own is not needed any more, and may be gone already. */
    void drop(LocalTransaction transaction, Savepoint savepoint) {
        forget(physical, savepoint);
        transaction.savepointReleased(savepoint);
    }

    static void forget(Connection connection, Savepoint savepoint) {
        try {
            connection.releaseSavepoint(savepoint);
        } catch (SQLException e) {
            // It went with what was rolled back, or goes with it: what failed before is what is to be told.
        }
    }

    void forget(LocalTransaction transaction, Savepoint savepoint) throws SQLException {
        physical.releaseSavepoint(savepoint);
        transaction.savepointReleased(savepoint);
    }

    /** The same after a failure, which is thrown where the savepoint is gone with everything else. */
    void forget(LocalTransaction transaction, Savepoint savepoint, SQLException failure) throws SQLException {
        try {
            forget(transaction, savepoint);
        } catch (SQLException e) {
            transaction.incomplete("a savepoint is gone: the database rolled back what came before");
            failure.addSuppressed(e);
            throw failure;
        }
    }

    Outcome write(
            WorkContext context,
            Plan.Write plan,
            Parameters parameters,
            KeyRequest keys,
            StatementScope scope,
            LocalTransaction transaction)
            throws SQLException {
        return Objects.requireNonNull(
                captured(context, plan, keys, scope, transaction, (capture, run) -> capture.run(parameters)));
    }

    private interface Capturing {
        @Nullable
        Outcome run(WriteCapture capture, WriteRun run) throws SQLException;
    }

    private record Checked(WriteRun run, WriteCapture capture) {}

    /** A column that is not known may have come this moment: then it is looked for once more. */
    private Checked checked(Plan.Write plan, KeyRequest keys, StatementScope scope) throws SQLException {
        try {
            WriteRun run = new WriteRun(this, scope, keys);
            return new Checked(run, WriteCapture.of(plan, run));
        } catch (SQLException e) {
            if (!TableImages.NO_COLUMN.equals(e.getSQLState()) || LocalCommit.codeOf(e) != null) {
                throw e;
            }
            resource.tables().forget();
            WriteRun run = new WriteRun(this, scope, keys);
            return new Checked(run, WriteCapture.of(plan, run));
        }
    }

    private @Nullable Outcome captured(
            WorkContext context,
            Plan.Write plan,
            KeyRequest keys,
            StatementScope scope,
            LocalTransaction transaction,
            Capturing capturing)
            throws SQLException {
        Checked checked = checked(plan, keys, scope);
        WriteRun run = checked.run();
        WriteCapture capture = checked.capture();
        run.notingIn(transaction.notedRows());
        transaction.pin(context.xid());
        if (WriteCapture.setsVariables(plan, run)) {
            transaction.runOnce();
        }
        try {
            Outcome outcome = capturing.run(capture, run);
            if (outcome != null) {
                transaction.add(outcome, run.owing());
                TransactionContext working = resource.contexts().current();
                if (context.xid() != null && working != null) {
                    transaction.writtenFor(working.participation());
                }
            }
            transaction.uses(run.tables(), run.analysis());
            if (context.xid() == null) {
                transaction.guarded(context.lockWait());
            }
            return outcome;
        } catch (SQLException | RuntimeException | Error e) {
            // Of a batch, more may have run after that.
            boolean nothingLeft = e instanceof SQLException failure
                    && !(failure instanceof BatchUpdateException)
                    && !transaction.hasChanges()
                    && takesAllBack(failure);
            if (run.leftChanges() && !nothingLeft) {
                transaction.incomplete("a statement ran, and reading what it changed failed: "
                        + e.getClass().getSimpleName());
            }
            if (e instanceof SQLException failure) {
                throw explained(failure, context, transaction);
            }
            throw e;
        }
    }

    /**
     * Runs work in the local transaction that is open. In auto-commit mode it gets one of its own, which is committed with its branch, and run
     * again from the start, with nothing held meanwhile, when another global transaction holds one of its rows.
     */
    <T> T inTransaction(WorkContext context, Work<T> work) throws SQLException {
        requirePrepared(context);
        if (!inAutoCommit()) {
            return inOpenTransaction(work);
        }
        int triesLeft = resource.triesForLocks();
        Instant end = locks.end(context);
        int runs = 0;
        while (true) {
            LocalTransaction own = new LocalTransaction();
            try {
                return inOwnTransaction(work, own, false);
            } catch (RowsHeldException e) {
                if (own.runsOnce()) {
                    throw Refusals.noWait(e);
                }
                locks.await(context, e.lockKeys(), end, false);
                if (++runs == MOST_RUNS) {
                    throw e;
                }
            } catch (SQLException e) {
                ErrorCode code = LocalCommit.codeOf(e);
                boolean conflict = code == ErrorCode.LOCK_CONFLICT || code == ErrorCode.LOCK_CONFLICT_ROLLING_BACK;
                boolean again = conflict
                        && !own.runsOnce()
                        && triesLeft > 0
                        && !context.expired(resource.options().clock().instant())
                        && LocalCommit.pause(resource.options().lockRetryInterval());
                if (!again) {
                    throw e;
                }
                triesLeft--;
            }
        }
    }

    /** The same with work that cannot be run again: it waits with its rows held. */
    <T> T inTransactionOnce(WorkContext context, Work<T> work) throws SQLException {
        requirePrepared(context);
        return inAutoCommit() ? inOwnTransaction(work, new LocalTransaction(), true) : inOpenTransaction(work);
    }

    private void requirePrepared(WorkContext context) throws SQLException {
        try {
            if (context.xid() != null) {
                resource.prepare();
            }
        } catch (TxnException e) {
            throw Refusals.misplaced(
                    e.code(), "resource", resource.dialect().resourceId(), "problem", String.valueOf(e.getMessage()));
        }
    }

    private <T> T inOpenTransaction(Work<T> work) throws SQLException {
        try {
            return work.run(local);
        } catch (SQLException e) {
            failed(e);
            throw e;
        }
    }

    /** A statement failed, perhaps with all that came before it. */
    void failed(SQLException failure) {
        if (local.hasChanges() && local.incomplete() == null && takesAllBack(failure)) {
            local.incomplete("the database rolled back what came before: SQL state " + failure.getSQLState()
                    + ", error " + failure.getErrorCode());
        }
    }

    /**
     * Whether with this failure, or one of those that it tells of, the database has rolled back all that came before: as a deadlock's victim. Some go on in a new
     * transaction then.
     */
    boolean takesAllBack(SQLException failure) {
        for (SQLException one = failure; one != null; one = one.getNextException()) {
            // A driver may pack what the server said more than once.
            for (Throwable told = one; told instanceof SQLException said; told = told.getCause()) {
                if (isEnd(said)) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean isEnd(SQLException failure) {
        return LocalCommit.codeOf(failure) == null && resource.dialect().takesAllBack(physical, failure);
    }

    private <T> T inOwnTransaction(Work<T> work, LocalTransaction own, boolean holding) throws SQLException {
        physical.setAutoCommit(false);
        try {
            T result;
            try {
                result = work.run(own);
            } catch (SQLException e) {
                localCommit.rollBack(own, e);
                throw e;
            } catch (RuntimeException | Error e) {
                localCommit.rollBack(own, e);
                throw e;
            }
            localCommit.commit(own, holding || own.runsOnce(), true); // it is switched on below
            return result;
        } finally {
            if (!physical.isClosed()) {
                physical.setAutoCommit(true);
            }
        }
    }

    /** Reads rows that no other global transaction holds; waits for them, as configured. */
    CheckedReads.Shown read(CheckedReads.Reading reading) throws SQLException {
        return inAutoCommit()
                ? inTransaction(reading.context(), transaction -> reads.once(reading))
                : reads.inOpenTransaction(reading);
    }

    String namespace() {
        return namespace;
    }

    /** A statement is about to run in the application's local transaction. */
    void touch() throws SQLException {
        resume();
        local.touch();
    }

    /** The same of one that {@link #begins()}, or whose capture has that done. */
    void touchFirst() {
        local.touch();
    }

    /** How many seconds a statement may take before the global transaction's deadline; 0 when that is not known, or the database cannot be told. */
    int secondsLeft(WorkContext context) {
        Instant deadline = context.deadline();
        if (deadline == null || !resource.dialect().limitsStatements()) {
            return 0;
        }
        Duration left = Duration.between(resource.options().clock().instant(), deadline);
        return left.isNegative()
                ? 1
                : (int) Math.min(Integer.MAX_VALUE / 1_000, left.plusMillis(999).toSeconds());
    }

    /** What a statement's failure means: a time limit that was reached is the deadline's. */
    SQLException explained(SQLException failure, WorkContext context, LocalTransaction transaction) {
        boolean late = context.expired(resource.options().clock().instant())
                && LocalCommit.codeOf(failure) == null
                && resource.dialect().isTimeout(failure);
        if (!late) {
            return failure;
        }
        transaction.incomplete("a statement was stopped at the deadline");
        return Refusals.rolledBack(
                ErrorCode.TRANSACTION_TIMED_OUT,
                failure,
                "xid",
                String.valueOf(context.xid()),
                "deadline",
                Objects.requireNonNull(context.deadline()));
    }

    boolean inAutoCommit() throws SQLException {
        return !ahead && physical.getAutoCommit();
    }

    /** A row is about to be changed outside any global transaction. */
    void pinPlain() throws SQLException {
        resume();
        if (!physical.getAutoCommit()) {
            local.pin(null);
        }
    }
}
