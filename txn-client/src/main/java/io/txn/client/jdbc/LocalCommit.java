package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Capture;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Stamps;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.undo.LockKeys;
import io.txn.client.jdbc.undo.Reliance;
import io.txn.client.jdbc.undo.TableChange;
import io.txn.client.jdbc.undo.UndoFormat;
import io.txn.client.jdbc.undo.UndoTable;
import io.txn.client.observation.TxnObserver;
import io.txn.client.observation.Work;
import io.txn.client.rm.BranchRegistration;
import io.txn.client.rm.ResourceManager;
import io.txn.protocol.BranchId;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.message.BranchStatus;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * The end of a local transaction that did work of a global one: register the branch, write the undo record, commit. When {@link #commit}
 * returns, rows and undo record are durable together and the branch is known to the coordinator. When it throws, nothing of the local
 * transaction is left to be committed by a clean-up, except when the database itself failed to answer COMMIT; nobody knows then, and phase two
 * finds out.
 */
final class LocalCommit {

    private static final Logger LOG = LoggerFactory.getLogger(LocalCommit.class);

    /** The key under which lines of log name the branch while its end is under way. */
    private static final String MDC_BRANCH = "branchId";

    /** Bytes that an undo record may have, before it is compressed, from which on it is large. */
    private static final int LARGE = 32 << 10;

    /** Bytes from which on an undo record is compressed that is sent nowhere. */
    private static final int COMPRESSED_FROM_IN_PROCESS = 1 << 20;

    private final AtResource resource;
    private final Connection connection;

    /** Sees the branch whose end is under way. */
    private TxnObserver.Span observer = TxnObserver.Span.NONE;

    /** When everything that is being committed had been written. */
    private long wrote;

    /** Whether the analyses of all its statements tell that their tables are what they were. */
    private boolean analysedSame;

    /** Whether auto-commit may be switched on with the commit. */
    private boolean maySwitchOn;

    private boolean switchedOn;

    LocalCommit(AtResource resource, Connection connection) {
        this.resource = resource;
        this.connection = connection;
    }

    /**
     * Commits.
     *
     * @param holding whether the caller keeps its row locks while a lock conflict is tried again; one attempt otherwise
     */
    void commit(LocalTransaction local, boolean holding) throws SQLException {
        commit(local, holding, false);
    }

    /**
     * The same.
     *
     * @param maySwitchOn whether the session may be in auto-commit mode afterwards, because it is switched on next most of the time
     * @return whether it is
     */
    boolean commit(LocalTransaction local, boolean holding, boolean maySwitchOn) throws SQLException {
        this.maySwitchOn = maySwitchOn;
        switchedOn = false;
        try {
            commitOrRefuse(local, holding);
        } catch (RuntimeException | Error e) {
            // Nothing that is foreseen, such as running out of memory; a clean-up must find nothing to commit all the
            // same.
            rollBack(local, e);
            throw e;
        }
        return switchedOn;
    }

    private void commitOrRefuse(LocalTransaction local, boolean holding) throws SQLException {
        WorkContext context = resource.context();
        Xid current = context == null ? null : context.xid();
        Xid xid = local.xid();
        if (local.spans(current)) {
            throw failed(
                    local,
                    Refusals.rolledBack(
                            ErrorCode.LOCAL_TRANSACTION_SPANS,
                            null,
                            "began",
                            xid == null ? "none" : xid,
                            "now",
                            current == null ? "none" : current));
        }
        if (local.notedRows().any()) {
            try {
                local.notedRows().read(connection, resource.dialect());
            } catch (SQLException e) {
                throw failed(local, e);
            }
        }
        Duration guard = local.guard();
        if (xid == null && guard != null) {
            commitGuarded(local, WorkContext.guarded(guard), holding);
            return;
        }
        if (context == null || xid == null || !local.hasChanges()) {
            commitPlainly(local);
            return;
        }
        String incomplete = local.incomplete();
        if (incomplete != null) {
            throw failed(local, Refusals.rolledBack(ErrorCode.CAPTURE_FAILED, null, "xid", xid, "reason", incomplete));
        }
        SQLException late = late(xid, context);
        if (late != null) {
            throw failed(local, late);
        }
        commitBranch(xid, context, local, holding);
    }

    /** What is to be said when the time of the global transaction is over; null when it is not. */
    private @Nullable SQLException late(Xid xid, WorkContext context) {
        return context.expired(resource.options().clock().instant())
                ? Refusals.rolledBack(
                        ErrorCode.TRANSACTION_TIMED_OUT,
                        null,
                        "xid",
                        xid,
                        "deadline",
                        Objects.requireNonNull(context.deadline()))
                : null;
    }

    /**
     * Commits if no global transaction holds a row that was touched. The row locks of the database are held until the commit is done: whoever would
     * take one of these rows globally has to change it in the database first, and waits there.
     */
    private void commitGuarded(LocalTransaction local, WorkContext context, boolean holding) throws SQLException {
        String incomplete = local.incomplete();
        if (incomplete != null) {
            throw failed(local, Refusals.rolledBack(ErrorCode.CAPTURE_FAILED, null, "reason", incomplete));
        }
        String lockKeys = LockKeys.of(local.changes());
        GlobalLocks locks = new GlobalLocks(resource);
        try {
            if (holding) {
                locks.await(context, lockKeys, locks.end(context), true);
            } else {
                locks.require(context, lockKeys);
            }
        } catch (SQLException e) {
            throw failed(local, e);
        }
        commitPlainly(local);
    }

    /** Nothing to undo: as without a proxy. A database that refuses the commit has rolled back, or the caller does. */
    private void commitPlainly(LocalTransaction local) throws SQLException {
        connection.commit();
        local.ended();
    }

    private void commitBranch(Xid xid, WorkContext context, LocalTransaction local, boolean holding)
            throws SQLException {
        wrote = resource.nanos();
        analysedSame = resource.tables().analysedSame(local);
        Undo undo = new Undo(xid, local);
        BranchRegistration registration;
        try {
            registration = new BranchRegistration(
                    xid,
                    BranchType.AT,
                    resource.dialect().resourceId(),
                    LockKeys.of(local.changes()),
                    resource.applicationData(undo.parts()),
                    context.deadline(),
                    resource.options().lockWait());
        } catch (TxnException e) {
            throw failed(local, Refusals.of(e));
        }
        observer = resource.resources()
                .observer()
                .begin(new Work.Branch(xid, BranchType.AT, resource.dialect().resourceId()));
        Instant began = resource.options().clock().instant();
        int others = resource.committing().getAndIncrement();
        try {
            BranchId lent = resource.resources().lentBranchId(xid);
            if (lent == null || mayGoWithCommit(local, undo, others)) {
                oneAfterTheOther(context, local, registration, undo, lent, holding);
            } else {
                sideBySide(context, local, registration, undo, lent, holding);
            }
            observer.outcome("committed");
        } catch (SQLException | RuntimeException | Error e) {
            observer.failed(e);
            throw e;
        } finally {
            resource.committing().decrementAndGet();
            observer.close();
            observer = TxnObserver.Span.NONE;
            resource.took(Duration.between(began, resource.options().clock().instant()));
        }
    }

    /**
     * Whether the undo record may go to the database with the COMMIT, once the registration was granted: that saves a round trip where the tables need no look of our
     * own: there is nothing to ask, it is known of the statements, or one of those who commit at this time looks. On MariaDB a large record takes the server longer than a near one's round trip, so that is
     * better done while the registration is under way.
     */
    private boolean mayGoWithCommit(LocalTransaction local, Undo undo, int others) {
        if (!resource.undoTable().commitsTogether()) {
            return false;
        }
        return resource.dialect().product() == Dialect.Product.POSTGRESQL
                ? analysedSame || others > 0
                : undo.mostLength() < LARGE
                        && local.tables().stream().noneMatch(table -> capturedWhole(table, local.changes()));
    }

    /** The undo record holds the branch's id, which may come with the answer to its registration only. */
    private void oneAfterTheOther(
            WorkContext context,
            LocalTransaction local,
            BranchRegistration registration,
            Undo undo,
            @Nullable BranchId lent,
            boolean holding)
            throws SQLException {
        ResourceManager.Registration started;
        try {
            started = start(registration, lent);
        } catch (TxnException e) {
            throw failed(local, Refusals.of(e));
        }
        byte[] body;
        try {
            body = undo.body();
        } catch (RuntimeException | Error e) {
            giveUp(local, started, registration.xid(), e);
            throw e;
        }
        BranchId branch;
        try {
            branch = registered(context, registration, lent, started, holding);
        } catch (TxnException e) {
            throw failed(local, Refusals.of(e));
        }
        end(context, local, registration.xid(), branch, body);
    }

    /** The id is there before: the record is written while the registration is under way, and nothing is committed before that was granted. */
    private void sideBySide(
            WorkContext context,
            LocalTransaction local,
            BranchRegistration registration,
            Undo undo,
            BranchId lent,
            boolean holding)
            throws SQLException {
        ResourceManager.Registration started;
        try {
            started = start(registration, lent);
        } catch (TxnException e) {
            throw failed(local, Refusals.of(e));
        }
        try {
            write(local, registration.xid(), lent, undo.body());
        } catch (SQLException | TxnException e) {
            SQLException reason = reason(e, registration.xid(), lent, false);
            giveUp(local, started, registration.xid(), reason);
            throw reason;
        } catch (RuntimeException | Error e) {
            // First what holds up others: the registration may wait for rows that somebody wants to have back.
            giveUp(local, started, registration.xid(), e);
            throw e;
        }
        BranchId branch;
        try {
            branch = registered(context, registration, lent, started, holding);
        } catch (TxnException e) {
            throw failed(local, Refusals.of(e));
        }
        end(context, local, registration.xid(), branch, null);
    }

    /** Rolls back and withdraws, even where memory does not suffice for the first: a registration that is never over would keep phase two out. */
    private void giveUp(LocalTransaction local, ResourceManager.Registration started, Xid xid, Throwable reason) {
        boolean rolledBack = false;
        try {
            rolledBack = rollBack(local, reason);
        } finally {
            withdraw(started, xid, rolledBack);
        }
    }

    /** Lets a registration come to its end whose local transaction came to nothing. */
    private void withdraw(ResourceManager.Registration started, Xid xid, boolean rolledBack) {
        BranchId branch;
        try {
            branch = started.await();
        } catch (TxnException e) {
            LOG.debug("a branch that was given up is not registered: xid={}", xid, e);
            return;
        }
        try {
            if (rolledBack) {
                reportFailed(xid, branch);
            }
        } finally {
            resource.resources().phaseOneEnded(branch);
        }
    }

    /**
     * Commits what belongs to a registered branch.
     *
     * @param undo what is still to be written; null when it was
     */
    private void end(WorkContext context, LocalTransaction local, Xid xid, BranchId branch, byte @Nullable [] undo)
            throws SQLException {
        observer.branch(branch);
        MDC.put(MDC_BRANCH, branch.toString());
        try {
            // The registration may have waited for rows, and this process may have stood still. By now the coordinator
            // rolls back, and somebody may have given the branch up whom nobody answered.
            SQLException late = late(xid, context);
            if (late != null) {
                if (rollBack(local, late)) {
                    reportFailed(xid, branch);
                }
                throw late;
            }
            if (undo == null) {
                endByItself(local, xid, branch, () -> {});
                return;
            }
            boolean seen = seen(local);
            Stamps stamps = seen ? null : stamps(local);
            if (stamps == null && resource.undoTable().commitsTogether()) {
                endTogether(local, xid, branch, undo, seen);
            } else {
                endByItself(local, xid, branch, () -> write(local, xid, branch, undo, stamps));
            }
        } finally {
            MDC.remove(MDC_BRANCH);
            resource.resources().phaseOneEnded(branch);
        }
    }

    /** What is left to be written of a registered branch. */
    private interface Rest {
        void write() throws SQLException;
    }

    private void endByItself(LocalTransaction local, Xid xid, BranchId branch, Rest rest) throws SQLException {
        LocalTransaction.Written written = Objects.requireNonNull(local.written());
        boolean commitSent = false;
        boolean mayBeKept = false;
        try {
            rest.write();
            commitSent = true;
            mayBeKept = true;
            connection.commit();
            local.ended();
        } catch (SQLException | TxnException e) {
            SQLException reason = reason(e, xid, branch, commitSent);
            boolean rolledBack = rollBack(local, reason);
            if (!commitSent && rolledBack) {
                reportFailed(xid, branch);
            }
            mayBeKept = commitSent && !(rolledBack && isRefusal(reason));
            throw reason;
        } finally {
            if (mayBeKept) {
                written.kept();
            }
        }
    }

    /** The undo record and the COMMIT as one message. Where that fails, the undo record tells whether it was committed: the two are never apart. */
    private void endTogether(LocalTransaction local, Xid xid, BranchId branch, byte[] undo, boolean seen)
            throws SQLException {
        LocalTransaction.Written written = Objects.requireNonNull(local.written());
        boolean switching = maySwitchOn && resource.undoTable().switchesAutoCommit();
        boolean mayBeKept = true;
        try {
            resource.undoTable()
                    .insertAndCommit(connection, xid, branch, UndoFormat.sealed(xid, branch, undo), seen, switching);
        } catch (SQLException | TxnException e) {
            SQLException reason = reason(e, xid, branch, true);
            if (failedTogether(local, xid, branch, reason, switching)) {
                return;
            }
            mayBeKept = false;
            throw reason;
        } catch (RuntimeException | Error e) {
            // Whatever came to the server: nobody may go on with this session.
            abort(e);
            throw e;
        } finally {
            if (mayBeKept) {
                written.kept();
            }
        }
        switchedOn = switching;
        local.ended();
        if (!switching) {
            bookCommit(xid, branch);
        }
    }

    /** No round trip where the driver sees that nothing is open: pools and drivers keep their books by it. */
    private void bookCommit(Xid xid, BranchId branch) {
        try {
            connection.commit();
        } catch (SQLException | RuntimeException e) {
            LOG.warn("a connection failed right behind a commit that is done: xid={}, branchId={}", xid, branch, e);
            abort(e);
        }
    }

    /**
     * Finds out what became of a message that failed. That a session shows no record is no proof that none will come: it may be another session, which the driver
     * made when it lost the first one. Then nothing is reported, and the coordinator's call leaves a defence row.
     *
     * @return whether it was committed; false where it is known that it was not, and never will be
     * @throws SQLException where nobody knows, or its transaction has ended without it
     */
    private boolean failedTogether(
            LocalTransaction local, Xid xid, BranchId branch, SQLException reason, boolean switching)
            throws SQLException {
        if (isNotUnderstood(reason)) {
            resource.undoTable().commitSeparately();
        }
        if (!rollBack(local, reason) || switching && !switchedOff(reason)) {
            throw reason;
        }
        UndoTable.Stored stored = stored(xid, branch, reason);
        if (stored == null) {
            if (isRefusal(reason)) {
                reportFailed(xid, branch);
                return false;
            }
            throw reason;
        }
        if (stored.defence()) {
            throw Refusals.rolledBack(ErrorCode.LOCAL_COMMIT_LATE, reason, "xid", xid, "branchId", branch);
        }
        LOG.warn(
                "a commit was answered by a failure, and is there: xid={}, branchId={}, cause={}",
                xid,
                branch,
                reason.getMessage());
        return true;
    }

    /** Whether something between here and the server does not take the two statements together any more. */
    static boolean isNotUnderstood(SQLException failure) {
        String state = String.valueOf(failure.getSQLState());
        return state.startsWith("42") || state.startsWith("0A");
    }

    /** Whether the server that had the transaction said no to it. */
    private boolean isRefusal(SQLException failure) {
        String state = String.valueOf(failure.getSQLState());
        return isNotUnderstood(failure)
                || failure.getCause() instanceof TxnException refused && refused.code() == ErrorCode.NO_UNDO_TABLE
                || state.startsWith("22")
                || state.startsWith("23")
                || state.startsWith("40") && !state.equals("40003") // which says that nobody knows
                || state.startsWith("53")
                || resource.dialect().isDuplicate(failure);
    }

    /** Whether the session is surely in the mode that everybody takes it to be in. */
    private boolean switchedOff(SQLException reason) {
        try {
            UndoTable.switchOff(connection);
            return true;
        } catch (SQLException | RuntimeException e) {
            reason.addSuppressed(e);
            abort(reason);
            return false;
        }
    }

    /** @throws SQLException the reason, when nobody knows */
    private UndoTable.@Nullable Stored stored(Xid xid, BranchId branch, SQLException reason) throws SQLException {
        try {
            UndoTable.Stored stored = resource.undoTable().lock(connection, xid, branch);
            connection.rollback();
            return stored;
        } catch (SQLException | RuntimeException e) {
            reason.addSuppressed(e);
            abort(reason);
            throw reason;
        }
    }

    /** Adds the undo record to the local transaction. */
    private void write(LocalTransaction local, Xid xid, BranchId branch, byte[] undo) throws SQLException {
        write(local, xid, branch, undo, analysedSame ? null : stamps(local));
    }

    /** Whether the tables are known to be what they were, without a look of our own. */
    private boolean seen(LocalTransaction local) {
        if (analysedSame) {
            return true;
        }
        boolean seen = resource.tables().lookedAtSince(local.tables(), wrote);
        if (seen) {
            resource.tables().analysedSameIs(local);
        }
        return seen;
    }

    /** What is to be asked about the tables before the commit; null when nothing is. */
    private @Nullable Stamps stamps(LocalTransaction local) {
        return resource.tables().stamps(local.tables(), table -> capturedWhole(table, local.changes()));
    }

    private void write(LocalTransaction local, Xid xid, BranchId branch, byte[] undo, @Nullable Stamps stamps)
            throws SQLException {
        byte[] content = UndoFormat.sealed(xid, branch, undo);
        UndoTable.Look look = UndoTable.Look.CHANGED;
        long began = resource.nanos();
        try {
            look = resource.undoTable().insert(connection, xid, branch, content, analysedSame, stamps);
        } finally {
            if (look == UndoTable.Look.CHANGED && stamps != null) {
                resource.tables().notSeen(local.tables());
            }
        }
        if (look == UndoTable.Look.CHANGED) {
            requireStill(xid, local.tables());
        } else if (look == UndoTable.Look.SAME_FOR_ALL) {
            resource.tables().lookedAt(local.tables(), began);
            resource.tables().analysedSameIs(local);
        }
    }

    /** Whether rows of this table are to be restored in all their columns. */
    private static boolean capturedWhole(Table table, List<TableChange> changes) {
        return changes.stream()
                .anyMatch(change -> change.lockName().equals(table.lockName())
                        && (change.kind() == TableChange.Kind.DELETE
                                || change.kind() == TableChange.Kind.UPDATE
                                        && change.columns().size()
                                                == table.columns().size()));
    }

    /** The catalog says that something about the tables changed since it was asked about them: it may be nothing that matters. */
    private void requireStill(Xid xid, Set<Table> tables) throws SQLException {
        resource.tables().forget();
        for (Table table : tables) {
            Table now = resource.dialect().table(connection, table.named(resource.dialect()));
            if (now == null || !table.isStill(now)) {
                throw new TxnException(
                        ErrorCode.CAPTURE_FAILED,
                        null,
                        "xid",
                        xid,
                        "reason",
                        "table " + table.lockName()
                                + " was changed (columns, keys, triggers) since its definition was read, and what was done to it may be more than was captured");
            }
        }
    }

    /**
     * What the undo record says, before its branch has an id. Made when it is needed, so that of all but large ones it is made while the registration is under
     * way.
     */
    private final class Undo {

        private final Xid xid;
        private final LocalTransaction local;
        private final long mostLength;
        private byte @Nullable [] body;

        Undo(Xid xid, LocalTransaction local) {
            this.xid = xid;
            this.local = local;
            this.mostLength = UndoFormat.mostLength(xid, local.changes(), local.tables());
        }

        /** What the record is no longer than, before it is compressed. */
        long mostLength() {
            return mostLength;
        }

        /** How many rows of the undo table the record will take. */
        int parts() {
            return mostLength <= resource.options().maxUndoBytes()
                            && mostLength <= Integer.MAX_VALUE
                            && UndoTable.parts((int) mostLength) == 1
                    ? 1
                    : UndoTable.parts(UndoFormat.length(xid, body()));
        }

        byte[] body() {
            byte[] known = body;
            if (known == null) {
                known = encoded();
                body = known;
            }
            return known;
        }

        private byte[] encoded() {
            List<TableChange> changes = local.changes();
            List<TableChange> effective = new ArrayList<>(changes.size());
            for (TableChange change : changes) {
                TableChange undone = change.effective();
                if (undone != null) {
                    effective.add(undone);
                }
            }
            // Where the insertion of the record brings no stamp back, nobody else asks for columns that came meanwhile.
            boolean asked = resource.dialect().product() == Dialect.Product.H2
                    || resource.dialect().insert() == Capture.RETURNING;
            List<Table> whole = asked
                    ? List.of()
                    : local.tables().stream()
                            .filter(table -> capturedWhole(table, changes))
                            .toList();
            int most = resource.options().maxUndoBytes();
            // Most often H2 is in this process: nothing is sent, and compressing takes longer than writing the record.
            int compressedFrom = resource.dialect().product() == Dialect.Product.H2
                    ? Math.max(UndoFormat.COMPRESSED_FROM, Math.min(most, COMPRESSED_FROM_IN_PROCESS))
                    : UndoFormat.COMPRESSED_FROM;
            byte[] undo = UndoFormat.body(effective, Reliance.of(local.tables(), whole), compressedFrom);
            if (undo.length > most) {
                throw new TxnException(ErrorCode.UNDO_TOO_LARGE, null, "xid", xid, "bytes", undo.length, "limit", most);
            }
            return undo;
        }
    }

    private SQLException reason(Exception e, Xid xid, BranchId branch, boolean commitSent) {
        if (e instanceof TxnException refusal) {
            return Refusals.of(refusal);
        }
        SQLException failure = (SQLException) e;
        if (!commitSent && resource.dialect().isDuplicate(failure)) {
            return Refusals.rolledBack(ErrorCode.LOCAL_COMMIT_LATE, failure, "xid", xid, "branchId", branch);
        }
        if (resource.dialect().isDenied(failure)
                && String.valueOf(failure.getMessage())
                        .toLowerCase(Locale.ROOT)
                        .contains(resource.options().undoTable().toLowerCase(Locale.ROOT))) {
            return Refusals.rolledBack(
                    ErrorCode.NO_UNDO_TABLE,
                    failure,
                    "resource",
                    resource.dialect().resourceId(),
                    "problem",
                    String.valueOf(failure.getMessage()));
        }
        return failure;
    }

    private ResourceManager.Registration start(BranchRegistration registration, @Nullable BranchId lent) {
        return resource.resources().startRegistration(registration, lent);
    }

    private BranchId registered(
            WorkContext context,
            BranchRegistration registration,
            @Nullable BranchId lent,
            ResourceManager.Registration started,
            boolean holding) {
        try (LockPolling polling = new LockPolling(resource, registration.xid())) {
            return registered(context, registration, lent, started, holding, polling);
        }
    }

    private BranchId registered(
            WorkContext context,
            BranchRegistration registration,
            @Nullable BranchId lent,
            ResourceManager.Registration started,
            boolean holding,
            LockPolling polling) {
        int triesLeft = holding ? resource.triesForLocks() : 0;
        ResourceManager.Registration now = started;
        while (true) {
            try {
                return now.await();
            } catch (TxnException e) {
                boolean again = e.code() == ErrorCode.LOCK_CONFLICT
                        && triesLeft > 0
                        && !context.expired(resource.options().clock().instant());
                if (again) {
                    polling.refused();
                }
                if (!again || !pause(resource.options().lockRetryInterval())) {
                    throw e;
                }
                triesLeft--;
            }
            now = start(registration, lent);
        }
    }

    /** Waits; false when the thread was told to stop. */
    static boolean pause(Duration duration) {
        try {
            Thread.sleep(duration.toMillis());
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Rolls back, and returns the exception to throw. */
    private SQLException failed(LocalTransaction local, SQLException reason) {
        rollBack(local, reason);
        return reason;
    }

    /**
     * Rolls back so that no clean-up can commit what is left; a connection on which that fails is aborted.
     *
     * @return whether the database is known to have rolled back
     */
    boolean rollBack(LocalTransaction local, Throwable reason) {
        local.ended();
        try {
            connection.rollback();
            return true;
        } catch (SQLException | RuntimeException e) {
            reason.addSuppressed(e);
            abort(reason);
            return false;
        } catch (Error e) {
            if (e != reason) {
                e.addSuppressed(reason);
            }
            abort(e);
            throw e;
        }
    }

    /** Some drivers' abort does nothing, so the connection is closed as well: it must not commit any more. */
    private void abort(Throwable reason) {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException | RuntimeException e) {
            reason.addSuppressed(e);
        }
        try {
            connection.close();
        } catch (SQLException | RuntimeException e) {
            reason.addSuppressed(e);
        }
    }

    private void reportFailed(Xid xid, BranchId branch) {
        try {
            resource.resources()
                    .report(xid, branch, BranchType.AT, BranchStatus.PHASE_ONE_FAILED, resource.applicationData());
        } catch (TxnException e) {
            // The coordinator will call the branch back, find no undo record, and leave a defence row: nothing is lost
            // by not knowing now.
            LOG.warn(
                    "could not report that a local transaction was rolled back, the coordinator will find out: xid={}, branchId={}, cause={}",
                    xid,
                    branch,
                    e.getMessage());
        }
    }

    static @Nullable ErrorCode codeOf(SQLException e) {
        return e.getCause() instanceof TxnException reason ? reason.code() : null;
    }
}
