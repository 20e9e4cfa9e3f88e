package io.txn.client.jdbc;

import io.txn.client.TransactionContext;
import io.txn.client.jdbc.xa.XaBranches;
import io.txn.client.jdbc.xa.XaId;
import io.txn.client.rm.BranchRegistration;
import io.txn.client.rm.ResourceManager;
import io.txn.client.rpc.HeldWork;
import io.txn.protocol.BranchId;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.message.BranchStatus;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A local transaction in XA mode that its application has committed, from then until its connection is free again. Thread-safe.
 *
 * <p>It is prepared at once, or <em>held</em>: as long as it is all that there is of its global transaction, and no coordinator has heard of that, nobody else needs to know what becomes of it. It is
 * then prepared when more comes, or after {@link #HELD_AT_MOST}, or committed in one phase when the global transaction ends. The connection is its own meanwhile, also when the application gives it
 * back; nothing else is sent over it.
 */
final class XaPhaseOne implements HeldWork {

    private static final Logger LOG = LoggerFactory.getLogger(XaPhaseOne.class);

    /** Whoever takes longer does not notice a second round, and its rows are to be freed by the coordinator at the deadline. */
    private static final Duration HELD_AT_MOST = Duration.ofSeconds(1);

    /** How often, and how long in between, a database is asked what became of a commit whose answer was lost. */
    private static final int QUESTIONS = 50;

    private static final Duration BETWEEN_QUESTIONS = Duration.ofMillis(200);

    private enum State {
        /** Neither committed nor prepared. */
        HELD,
        /** The thread that has the lock is about to prepare it. */
        PREPARING,
        PREPARED,
        /** Committed in one phase, or taken back because that was wanted. */
        ENDED,
        /** Taken back because it could not be otherwise. */
        FAILED
    }

    private final XaResource xa;
    private final XaBranches branches;
    private final TransactionContext context;
    private final XaId id;
    private final @Nullable String number;
    private final @Nullable String unlimit;
    private final LocalTransaction.Written written;
    private final AtomicBoolean kept = new AtomicBoolean();

    /** Not a monitor: whoever talks to a database inside one holds a virtual thread's carrier. */
    private final ReentrantLock lock = new ReentrantLock();

    // Guarded by the lock.
    private @Nullable Connection connection;
    private State state = State.HELD;
    private @Nullable BranchId branch;
    private @Nullable SQLException failure;
    private @Nullable Future<?> timer;
    private boolean givenBack;
    private boolean autoCommit;

    /**
     * @param number under which the database wrote what was changed, where it {@linkplain XaBranches#written says so}
     * @param unlimit what takes back a setting that outlives the branch
     * @param written what may have been written in it
     */
    XaPhaseOne(
            XaResource xa,
            TransactionContext context,
            XaId id,
            @Nullable String number,
            @Nullable String unlimit,
            LocalTransaction.Written written,
            Connection connection) {
        this.xa = xa;
        this.branches = xa.branches();
        this.context = context;
        this.id = id;
        this.number = number;
        this.unlimit = unlimit;
        this.written = written;
        this.connection = connection;
    }

    private Xid xid() {
        return context.xidWithin();
    }

    private ResourceManager manager() {
        return xa.resource().resources();
    }

    /**
     * Holds it if that may be, else prepares it.
     *
     * @throws SQLException it could not be prepared, and was taken back
     */
    void begin() throws SQLException {
        if (!manager().hold(xid(), this)) {
            prepareNow();
            return;
        }
        stays();
        lock.lock();
        try {
            if (state == State.HELD) {
                timer = xa.later(HELD_AT_MOST, this::prepareInTime);
            }
        } finally {
            lock.unlock();
        }
    }

    /** From here on something may be there that only the end of the global transaction ends. */
    private void stays() {
        if (kept.compareAndSet(false, true)) { // once: that it is prepared after all says nothing of whatever runs then
            written.kept();
        }
        xa.prepares(xid());
    }

    private void prepareInTime() {
        try {
            manager().prepareHeld(xid());
        } catch (RuntimeException e) {
            LOG.debug("what was held could not be prepared, which its scope will be told xid={}", xid(), e);
        }
    }

    // Two phases

    @Override
    public void prepare() {
        try {
            prepareNow();
        } catch (SQLException e) {
            throw new TxnException(
                    ErrorCode.HELD_WORK_FAILED, e, "xid", xid(), "resource", xa.resourceId(), "reason", e.getMessage());
        }
    }

    private void prepareNow() throws SQLException {
        lock.lock();
        try {
            switch (state) {
                case HELD -> registerAndPrepare();
                case FAILED -> throw Objects.requireNonNull(failure);
                // Its own registration comes by here too, like any other.
                case PREPARING, PREPARED, ENDED -> {}
            }
        } finally {
            lock.unlock();
        }
    }

    private void registerAndPrepare() throws SQLException {
        Connection now = Objects.requireNonNull(connection);
        cancelTimer();
        state = State.PREPARING;
        try {
            register();
            stays();
            prepare(now);
            state = State.PREPARED;
        } catch (SQLException e) {
            failure = e;
            throw e;
        } finally {
            if (state != State.PREPARED) {
                fail(new SQLException("it could not be prepared"));
            }
            if (state != State.PREPARED || !(branches.isBoundToItsSession() || branches.endsWithItsConnection())) {
                endPhaseOne();
            }
            if (givenBack) {
                letGo();
            }
        }
    }

    private void register() throws SQLException {
        try {
            branch = manager()
                    .registerBranch(new BranchRegistration(
                            xid(),
                            BranchType.XA,
                            xa.resourceId(),
                            null,
                            xa.applicationData(id, number),
                            context.deadline(),
                            Duration.ZERO));
        } catch (TxnException e) {
            SQLException refused = Refusals.of(e);
            takeBack(refused);
            throw refused;
        }
    }

    private void prepare(Connection now) throws SQLException {
        try {
            branches.prepare(now, id);
        } catch (SQLException e) {
            if (takeBack(e)) {
                endPhaseOne();
                reportFailed();
            }
            throw e;
        }
    }

    private void fail(SQLException unexpected) {
        state = State.FAILED;
        if (failure == null) {
            failure = unexpected;
            takeBack(unexpected);
        }
    }

    private void endPhaseOne() {
        BranchId running = branch;
        if (running != null) {
            manager().phaseOneEnded(running);
        }
    }

    private void reportFailed() {
        BranchId registered = Objects.requireNonNull(branch);
        try {
            manager()
                    .report(
                            xid(),
                            registered,
                            BranchType.XA,
                            BranchStatus.PHASE_ONE_FAILED,
                            xa.applicationData(id, number));
        } catch (TxnException e) {
            LOG.warn(
                    "could not report that a local transaction was rolled back, the coordinator will find out: xid={}, branchId={}, cause={}",
                    xid(),
                    registered,
                    e.getMessage());
        }
    }

    // One phase

    @Override
    public void commit() {
        lock.lock();
        try {
            cancelTimer();
            switch (state) {
                case HELD -> commitHeld();
                case FAILED -> throw refused(Objects.requireNonNull(failure));
                case PREPARING, PREPARED, ENDED -> throw new IllegalStateException("not held any more: " + state);
            }
        } finally {
            lock.unlock();
        }
    }

    private void commitHeld() {
        Connection now = Objects.requireNonNull(connection);
        boolean sent = false;
        boolean over = false;
        state = State.ENDED;
        try {
            branches.seal(now, id);
            sent = true;
            branches.commitInOnePhase(now, id);
            over = true;
        } catch (SQLException | RuntimeException e) {
            if (!sent || (e instanceof SQLException answer && branches.surelyRefused(answer))) {
                over = takeBack(e); // its session ends where that does not work, and the database takes it back
                throw refused(e);
            }
            // What is unchecked comes from what lies between, before or behind the commit: that is no answer either.
            abort(xa, now, e);
            connection = null;
            requireCommitted(e);
        } finally {
            if (!over && connection != null) {
                // Nobody may get a connection with a transaction open on it, and switching auto-commit on would commit
                // that.
                abort(xa, now, new SQLException("it could not be ended"));
                connection = null;
            }
            xa.ended(xid());
            if (givenBack) {
                letGo();
            }
        }
    }

    private TxnException refused(Exception e) {
        return new TxnException(
                ErrorCode.COMMIT_REFUSED,
                e,
                "xid",
                xid(),
                "resource",
                xa.resourceId(),
                "reason",
                "its only local transaction was taken back: " + e.getMessage());
    }

    /** The answer to the commit was lost. */
    private void requireCommitted(Exception lost) {
        XaBranches.Became became = number == null ? XaBranches.Became.UNKNOWN : asked(number, lost);
        switch (became) {
            case COMMITTED -> LOG.info("committed, as the database says that was asked again xid={}", xid(), lost);
            case TAKEN_BACK -> throw refused(lost);
            case UNDER_WAY, ELSEWHERE, UNKNOWN ->
                throw new TxnException(
                        ErrorCode.OUTCOME_UNKNOWN,
                        lost,
                        "xid",
                        xid(),
                        "resource",
                        xa.resourceId(),
                        "reason",
                        "the database did not answer the commit of its only local transaction: look at its rows");
        }
    }

    private XaBranches.Became asked(String transaction, Exception lost) {
        XaBranches.Became last = XaBranches.Became.UNKNOWN;
        for (int asked = 0; asked < QUESTIONS; asked++) {
            if (asked > 0 && !LocalCommit.pause(BETWEEN_QUESTIONS)) {
                return last;
            }
            try {
                last = xa.became(transaction);
                if (last != XaBranches.Became.UNDER_WAY) {
                    return last;
                }
            } catch (SQLException e) {
                lost.addSuppressed(e); // it may still be starting
            }
        }
        return last;
    }

    @Override
    public void rollBack() {
        lock.lock();
        try {
            cancelTimer();
            if (state == State.HELD) {
                state = State.ENDED;
                takeBack(new SQLException("its global transaction is rolled back"));
                xa.ended(xid());
                if (givenBack) {
                    letGo();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void cancelTimer() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    // The connection

    /** The application goes on with its connection, so there may be more; what came of that, if it failed. */
    @Nullable
    SQLException goesOn() {
        try {
            manager().prepareHeld(xid());
            return null;
        } catch (TxnException e) {
            return Refusals.rolledBack(e);
        }
    }

    /**
     * The connection, to be used by others than this.
     *
     * @return null when it had to go
     * @throws SQLException it is still held
     */
    @Nullable
    Connection takenOver() throws SQLException {
        lock.lock();
        try {
            if (state == State.HELD) {
                throw new SQLException("the global transaction of this connection is just being ended", "25000");
            }
            if (state == State.PREPARED && (branches.isBoundToItsSession() || branches.endsWithItsConnection())) {
                letGo();
            }
            Connection now = connection;
            connection = null;
            return now;
        } finally {
            lock.unlock();
        }
    }

    /**
     * The application has closed its connection.
     *
     * @param mode the auto-commit mode that it left
     */
    void givenBack(boolean mode) {
        lock.lock();
        try {
            givenBack = true;
            autoCommit = mode;
            if (state != State.HELD) {
                letGo();
            }
        } finally {
            lock.unlock();
        }
    }

    /** The application has aborted its connection: what was not prepared has gone with it. */
    void aborted() {
        lock.lock();
        try {
            connection = null;
            if (state == State.HELD) {
                cancelTimer();
                state = State.FAILED;
                failure = new SQLException("its connection was aborted", "08003");
                xa.ended(xid());
            }
            endPhaseOne();
        } finally {
            lock.unlock();
        }
    }

    private void letGo() {
        Connection now = connection;
        connection = null;
        try {
            if (now == null) {
                return;
            }
            if (state == State.PREPARED && branches.endsWithItsConnection()) {
                xa.hold(id, now);
            } else if (state == State.PREPARED && branches.isBoundToItsSession()) {
                abort(xa, now, new SQLException("the session of a prepared branch ends"));
            } else {
                close(now);
            }
        } finally {
            endPhaseOne();
        }
    }

    private void close(Connection now) {
        try {
            now.setAutoCommit(autoCommit);
            now.close();
        } catch (SQLException e) {
            abort(xa, now, e);
        }
    }

    private boolean takeBack(Throwable reason) {
        Connection now = connection;
        boolean done = false;
        try {
            done = now != null && takeBack(xa, now, id, unlimit, reason);
        } finally {
            if (!done) {
                connection = null;
            }
        }
        return done;
    }

    /** Whether the database is known to have taken the branch back; else the connection is aborted, so that no clean-up can commit what is left. */
    static boolean takeBack(XaResource xa, Connection connection, XaId id, @Nullable String unlimit, Throwable reason) {
        try {
            xa.branches().takeBack(connection, id);
            unlimit(connection, unlimit);
            return true;
        } catch (SQLException | RuntimeException e) {
            reason.addSuppressed(e);
            abort(xa, connection, reason);
            return false;
        } catch (Error e) {
            abort(xa, connection, e);
            throw e;
        }
    }

    static void unlimit(Connection connection, @Nullable String sql) throws SQLException {
        if (sql != null) {
            try (Statement statement = connection.createStatement()) {
                statement.execute(sql);
            }
        }
    }

    private static void abort(XaResource xa, Connection connection, Throwable reason) {
        xa.evict(connection);
        try {
            connection.abort(Runnable::run);
        } catch (SQLException | RuntimeException e) {
            reason.addSuppressed(e);
        }
        try {
            connection.close();
        } catch (SQLException | RuntimeException e) {
            LOG.debug("a connection that was aborted is closed", e);
        }
    }
}
