package io.txn.client.jdbc;

import io.txn.client.TransactionContext;
import io.txn.client.jdbc.xa.XaBranches;
import io.txn.client.jdbc.xa.XaId;
import io.txn.client.rm.Branch;
import io.txn.client.rm.BranchResource;
import io.txn.client.rm.BranchResult;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.message.BranchStatus;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all connections of one data source share when they work in XA mode, and what ends their prepared branches. Thread-safe. An end can be asked for again: a branch that the database does not
 * know (any more) is said to be unknown, and the coordinator decides from when on that means done.
 */
final class XaResource implements BranchResource {

    private static final Logger LOG = LoggerFactory.getLogger(XaResource.class);
    private static final Pattern ID = Pattern.compile("\"xa\"\\s*:\\s*\"([^\"]*)\"");

    private static final Pattern DATABASE = Pattern.compile("\"database\"\\s*:\\s*\"([^\"]*)\"");

    /** The number under which the database wrote the branch, where it says so. */
    private static final Pattern WRITTEN = Pattern.compile("\"written\"\\s*:\\s*\"(\\d{1,19}@[0-9A-F]{8})\"");

    private static final int MOST_REMEMBERED = 10_000;
    private static final int IDLE_SECONDS = 10;

    /** How many branches are prepared at a time because they were held for too long: each of them waits for its coordinator and its database. */
    private static final int PREPARING_AT_MOST = 4;

    private final AtResource resource;
    private final XaBranches branches;
    private final PhaseTwoConnections phaseTwo;
    private final LongSupplier random;
    /** Which database this is, as it was seen last. */
    private volatile @Nullable String database;

    private volatile Consumer<Connection> evict = connection -> {};

    private final AtomicBoolean checked = new AtomicBoolean();
    private final AtomicBoolean announced = new AtomicBoolean();

    /** Only tells a self-made wait from others: what others end is forgotten when many more have come. */
    private final Map<Xid, Boolean> preparedLately = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Xid, Boolean> eldest) {
            return size() > MOST_REMEMBERED;
        }
    };

    /** Says when something is held for too long, and does nothing else; has a thread only while something is held. */
    private final ScheduledThreadPoolExecutor timer;

    /** Prepares what is held for too long. What waits here has a connection each, so its number is bounded by the pool. */
    private final ThreadPoolExecutor preparing;

    /** Connections that keep prepared branches alive, where those end with their connection. */
    private final Map<XaId, Connection> held = new ConcurrentHashMap<>();

    /** @param phaseTwo a pool full of those who wait for rows of prepared branches must not hold up their end */
    XaResource(AtResource resource, PhaseTwoConnections phaseTwo, LongSupplier random) {
        this.resource = resource;
        this.branches = new XaBranches(resource.dialect());
        this.phaseTwo = phaseTwo;
        this.random = random;
        timer = new ScheduledThreadPoolExecutor(1, task -> daemon(task, "txn-xa-timer"));
        timer.setRemoveOnCancelPolicy(true);
        timer.setKeepAliveTime(IDLE_SECONDS, TimeUnit.SECONDS);
        timer.allowCoreThreadTimeOut(true);
        preparing = new ThreadPoolExecutor(
                PREPARING_AT_MOST,
                PREPARING_AT_MOST,
                IDLE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(MOST_REMEMBERED),
                task -> daemon(task, "txn-xa-held"));
        preparing.allowCoreThreadTimeOut(true);
    }

    private static Thread daemon(Runnable task, String name) {
        Thread made = new Thread(task, name);
        made.setDaemon(true);
        return made;
    }

    XaBranches branches() {
        return branches;
    }

    /** Who is told of connections that will be closed behind the pool's back; nobody else touches them then. */
    void evictBy(Consumer<Connection> pool) {
        evict = pool;
    }

    /** Without this a pool takes a connection that is not wanted any more for one that broke, and says so each time. */
    void evict(Connection connection) {
        evict.accept(connection);
    }

    AtResource resource() {
        return resource;
    }

    /** Whether local transactions under the context are XA branches here. */
    boolean isFor(@Nullable TransactionContext context) {
        if (context == null) {
            return false;
        }
        return switch (context.mode()) {
            case AS_CONFIGURED -> resource.options().xa();
            case XA -> true;
            case OWN -> false;
        };
    }

    /** Announces the resource where any connection can end a branch, with or without a word of those that prepared it. */
    void announceWhereAnyoneEnds() {
        if (!branches.endsWithItsConnection() && announced.compareAndSet(false, true)) {
            resource.resources().register(this);
        }
    }

    /**
     * Looks, once, whether the server can do it, and announces the resource.
     *
     * @throws TxnException XA_NOT_POSSIBLE
     */
    void prepare() {
        if (checked.get()) {
            return;
        }
        try (Connection connection = resource.physical().getConnection()) {
            String identity = branches.identity(connection);
            database = identity;
            phaseTwo.leadsTo(identity);
            String warning = branches.check(connection);
            if (warning != null && checked.compareAndSet(false, true)) {
                LOG.warn("{} resource={}", warning, resourceId());
            }
        } catch (SQLException e) {
            throw new TxnException(ErrorCode.XA_NOT_POSSIBLE, e, "resource", resourceId(), "problem", e.getMessage());
        }
        checked.set(true);
        if (announced.compareAndSet(false, true)) {
            resource.resources().register(this);
        }
    }

    XaId newId(Xid xid) {
        return XaId.of(xid, random.getAsLong(), resourceId());
    }

    /** A branch of the transaction is about to be prepared. */
    void prepares(Xid xid) {
        synchronized (preparedLately) {
            preparedLately.put(xid, Boolean.TRUE);
        }
    }

    /** Whether one was, not long ago, and has not been ended here: it keeps its rows. */
    boolean hasPrepared(Xid xid) {
        synchronized (preparedLately) {
            return preparedLately.containsKey(xid);
        }
    }

    /** It keeps nothing any more. */
    void ended(Xid xid) {
        synchronized (preparedLately) {
            preparedLately.remove(xid);
        }
    }

    /** What the coordinator keeps with the branch. */
    String applicationData(XaId id, @Nullable String number) {
        String known = database;
        return "{\"xa\":\"" + id + '"' + (known == null ? "" : ",\"database\":\"" + known + '"')
                + (number == null ? "" : ",\"written\":\"" + number + '"') + '}';
    }

    /** Keeps a connection until its branch has ended. */
    void hold(XaId id, Connection connection) {
        held.put(id, connection);
    }

    @Override
    public String resourceId() {
        return resource.dialect().resourceId();
    }

    @Override
    public BranchType branchType() {
        return BranchType.XA;
    }

    /** A prepared branch can be ended from anywhere, except where connections hold it. */
    @Override
    public boolean standsFor(BranchResource other) {
        return other instanceof XaResource && !branches.endsWithItsConnection();
    }

    @Override
    public BranchResult commit(Branch branch) {
        return end(branch, true);
    }

    @Override
    public BranchResult rollback(Branch branch) {
        return end(branch, false);
    }

    private BranchResult end(Branch branch, boolean commit) {
        ended(branch.xid());
        XaId id = id(branch.applicationData());
        if (id == null) {
            return later(commit, "the branch names no prepared transaction that this version can read");
        }
        try {
            if (!branches.endsWithItsConnection()) {
                return endAnywhere(branch, id, commit);
            }
            XaBranches.Found found = endHeld(id, commit);
            if (found == null) {
                String cause = ErrorCode.XA_BRANCH_LOST.id() + ' ' + ErrorCode.XA_BRANCH_LOST.sentence();
                // Without its connection it was taken back, which is what a rollback wants.
                return commit ? BranchResult.commitImpossible(cause) : BranchResult.rolledBack();
            }
            return result(id, found, commit);
        } catch (SQLException e) {
            return later(
                    commit,
                    e.getClass().getSimpleName() + ", SQL state " + e.getSQLState() + ", error " + e.getErrorCode());
        }
    }

    // One phase

    /** Has something done on another thread, unless the future is cancelled before its time; null when that is too late. At that time a few are done side by side. */
    @Nullable
    Future<?> later(Duration wait, Runnable task) {
        try {
            return timer.schedule(() -> begin(task), wait.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            return null; // it is closed: whatever runs ends by itself
        }
    }

    private void begin(Runnable task) {
        try {
            preparing.execute(task);
        } catch (RejectedExecutionException e) {
            LOG.debug("closed or overrun: what is held stays so until its scope ends resource={}", resourceId());
        }
    }

    /** What became of a local transaction whose commit was not answered, by the word of the database that it was in. */
    XaBranches.Became became(String number) throws SQLException {
        return phaseTwo.plainly(connection -> {
            String known = database;
            return known != null && known.equals(branches.identity(connection))
                    ? branches.became(connection, number)
                    : XaBranches.Became.UNKNOWN;
        });
    }

    void close() {
        timer.shutdownNow();
        preparing.shutdownNow();
    }

    // Orphans

    /** Whether anybody but those who hold them can list and end prepared branches. */
    boolean canBeReconciled() {
        return !branches.endsWithItsConnection();
    }

    /** The prepared branches of ours in this database. */
    Set<XaId> listed() throws SQLException {
        try (Connection connection = resource.physical().getConnection()) {
            return new HashSet<>(branches.prepared(connection, resourceId()));
        }
    }

    /** Whether no coordinator will end it. */
    boolean isOrphan(XaId id) {
        Xid xid = id.xid();
        return xid == null || !resource.resources().isUnderWay(xid);
    }

    /** Takes a branch back that nobody will end. */
    XaBranches.Found takeBackOrphan(XaId id) throws SQLException {
        return phaseTwo.plainly(connection -> branches.finish(connection, id, false));
    }

    private static BranchResult result(XaId id, XaBranches.Found found, boolean commit) {
        return switch (found) {
            case ENDED -> commit ? BranchResult.committed() : BranchResult.rolledBack();
            case ELSEWHERE -> later(commit, "the session that prepared it has not ended yet");
            case UNKNOWN ->
                new BranchResult(
                        commit
                                ? BranchStatus.PHASE_TWO_COMMIT_FAILED_XAER_NOTA_RETRYABLE
                                : BranchStatus.PHASE_TWO_ROLLBACK_FAILED_XAER_NOTA_RETRYABLE,
                        "the database does not know " + id);
        };
    }

    private static BranchResult later(boolean commit, String cause) {
        return commit ? BranchResult.commitLater(cause) : BranchResult.rollbackLater(cause);
    }

    private static @Nullable XaId id(@Nullable String applicationData) {
        Matcher matcher = ID.matcher(applicationData == null ? "" : applicationData);
        return matcher.find() ? XaId.parse(matcher.group(1)) : null;
    }

    private BranchResult endAnywhere(Branch branch, XaId id, boolean commit) throws SQLException {
        return phaseTwo.plainly(connection -> {
            XaBranches.Found found = branches.finish(connection, id, commit);
            if (found == XaBranches.Found.UNKNOWN) {
                // To the coordinator that means done, some time: only the database that prepared it may say so.
                Matcher named = DATABASE.matcher(String.valueOf(branch.applicationData()));
                String here = branches.identity(connection);
                database = here;
                if (named.find() && !named.group(1).equals(here)) {
                    return later(
                            commit,
                            ErrorCode.OTHER_DATABASE.id() + ' ' + ErrorCode.OTHER_DATABASE.sentence() + ": "
                                    + named.group(1) + ", not " + here);
                }
                Matcher written = WRITTEN.matcher(String.valueOf(branch.applicationData()));
                if (written.find()) {
                    return unknown(id, branches.became(connection, written.group(1)), commit);
                }
            }
            return result(id, found, commit);
        });
    }

    /** What a branch is that the database does not know any more, and remembers the end of. */
    private static BranchResult unknown(XaId id, XaBranches.Became became, boolean commit) {
        return switch (became) {
            case COMMITTED ->
                commit ? BranchResult.committed() : BranchResult.rollbackImpossible(endedOtherwise(id, "committed"));
            case TAKEN_BACK ->
                commit ? BranchResult.commitImpossible(endedOtherwise(id, "rolled back")) : BranchResult.rolledBack();
            // To the coordinator "unknown" means done, some time; there is nobody who could take back what is not
            // there.
            case ELSEWHERE ->
                commit
                        ? BranchResult.commitLater(ErrorCode.XA_BRANCH_NOT_ON_STANDBY.id() + ' '
                                + ErrorCode.XA_BRANCH_NOT_ON_STANDBY.sentence() + ": " + id)
                        : result(id, XaBranches.Found.UNKNOWN, false);
            case UNDER_WAY -> later(commit, "the local transaction of " + id + " has not ended at the server yet");
            case UNKNOWN -> result(id, XaBranches.Found.UNKNOWN, commit);
        };
    }

    private static String endedOtherwise(XaId id, String how) {
        return ErrorCode.XA_ENDED_OTHERWISE.id() + ' ' + ErrorCode.XA_ENDED_OTHERWISE.sentence() + ": " + id + " was "
                + how;
    }

    /** Null when the connection is gone. */
    private XaBranches.@Nullable Found endHeld(XaId id, boolean commit) throws SQLException {
        Connection connection = held.get(id);
        if (connection == null || connection.isClosed()) {
            held.remove(id);
            return null;
        }
        XaBranches.Found found = branches.finish(connection, id, commit);
        held.remove(id);
        connection.setAutoCommit(true);
        connection.close();
        return found;
    }
}
