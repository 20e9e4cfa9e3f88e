package io.txn.client.fence;

import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.rpc.Pause;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The fence of one business database: lets the first phase and the ends of a branch happen at most once and in order. Thread-safe.
 *
 * <p>Each call first arrives at the row of its branch: it makes it, or takes it over from whoever has it, whose end it waits for. So two calls never decide at once, whatever the
 * isolation level. Then {@link FenceRules} say whether to go on. The row is committed together with the work, in the business's own local transaction. A deadlock or a serialization
 * failure can hit the arrival only, or the business itself: at the arrival nothing has been done yet, so the local transaction is begun anew here and nobody hears of it.
 */
public final class Fence {

    private static final Logger log = LoggerFactory.getLogger(Fence.class);

    /** How often a local transaction is begun anew at most. */
    static final int TRIES = 10;

    /** With this begins what a step of a saga keeps. */
    public static final String STEP_BEGINS = "{\"step\":";

    /** With this begins what hand-written code keeps, in the table and nowhere else. */
    static final String BY_HAND = "txn:by-hand";

    /** Longer than a saga takes: the row of a step stays so long, because nothing tells when its saga is over. */
    static final Duration STEPS_KEPT = Duration.ofDays(90);

    private static final Duration PAUSE = Duration.ofMillis(5);
    private static final int DELETED_AT_ONCE = 1_000;
    private static final int DELETED_IN_ALL = 1_000_000;

    private final DataSource dataSource;
    private final FenceOptions options;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final Pause pause;
    private final AtomicLong deleted = new AtomicLong();
    private final AtomicLong begunAnew = new AtomicLong();
    private volatile long unfinished;

    private volatile @Nullable Prepared prepared;

    /** Not a monitor: whoever talks to a database inside one holds a virtual thread's carrier. */
    private final ReentrantLock preparing = new ReentrantLock();

    /** @param database the identity of the one database; of several, that of the one that was met first */
    private record Prepared(Dialect dialect, FenceTable table, String database) {}

    /** Whether all connections lead to one database; else each call asks where it has got to. */
    private final boolean oneDatabase;

    private final int endSeconds;

    Fence(DataSource dataSource, FenceOptions options, InstantSource clock, RandomGenerator random, Pause pause) {
        this(dataSource, true, options, clock, random, pause, FenceTransaction.END_MAX);
    }

    /** @param endMax how long an end waits for whoever has its row: the coordinator has given the call up soon after, and calls again */
    Fence(
            DataSource dataSource,
            boolean oneDatabase,
            FenceOptions options,
            InstantSource clock,
            RandomGenerator random,
            Pause pause,
            Duration endMax) {
        this.endSeconds = (int) Math.max(1, endMax.toSeconds());
        this.oneDatabase = oneDatabase;
        this.dataSource = dataSource;
        this.options = options;
        this.clock = clock;
        this.random = random;
        this.pause = pause;
    }

    /** The fence of the database that a data source leads to; the table is not touched before {@link #prepare} or the first call. */
    public static Fence of(DataSource dataSource, FenceOptions options) {
        return new Fence(dataSource, options, InstantSource.system(), new Random(), Pause.REAL);
    }

    /**
     * The fence of what may lead to one database now and to another one then: a router, or something that cannot be looked into. Each action asks which one it
     * is in. The table is made, and cleaned up, in the one that {@code dataSource} leads to.
     */
    public static Fence ofSeveral(DataSource dataSource, FenceOptions options) {
        return new Fence(
                dataSource, false, options, InstantSource.system(), new Random(), Pause.REAL, FenceTransaction.END_MAX);
    }

    /**
     * Makes or checks the table, once.
     *
     * @throws TxnException NO_FENCE_TABLE, DATABASE_NOT_SUPPORTED
     */
    public void prepare() {
        prepared();
    }

    private Prepared prepared() {
        Prepared known = prepared;
        if (known != null) {
            return known;
        }
        preparing.lock();
        try {
            Prepared meanwhile = prepared;
            if (meanwhile != null) {
                return meanwhile;
            }
            Prepared made = prepareNow();
            prepared = made;
            return made;
        } finally {
            preparing.unlock();
        }
    }

    private Prepared prepareNow() {
        try (Connection connection = dataSource.getConnection()) {
            boolean autoCommit = connection.getAutoCommit();
            connection.setAutoCommit(true);
            Dialect dialect = Dialect.of(connection);
            FenceTable table = new FenceTable(dialect, options);
            table.prepare(connection);
            String database = table.makeIdentity(connection, UUID.randomUUID().toString(), clock.instant());
            connection.setAutoCommit(autoCommit);
            return new Prepared(dialect, table, database);
        } catch (SQLException e) {
            throw new TxnException(ErrorCode.NO_FENCE_TABLE, e, "problem", e.getMessage());
        }
    }

    /** What a call that may run does, in the local transaction that holds its row. */
    @FunctionalInterface
    public interface Work<T extends @Nullable Object> {
        T run(Passage passage) throws Throwable;
    }

    /** A call that may run. For the thread of the work, until it ends. */
    public static final class Passage {

        private final Connection connection;
        private @Nullable String data;

        /** @param data as the work gave it: no mark of the table's */
        private Passage(Connection connection, @Nullable String data) {
            this.connection = connection;
            this.data = data;
        }

        /** The connection of the local transaction; neither committed nor closed by the work. */
        public Connection connection() {
            return connection;
        }

        /** What an earlier call of the branch kept, or null. */
        public @Nullable String data() {
            return data;
        }

        /** Keeps a text for the branch's later calls, with the local transaction. */
        public void keep(@Nullable String text) {
            if (text != null && text.startsWith(BY_HAND)) {
                throw new IllegalArgumentException("what is kept must not begin with the fence's own " + BY_HAND);
            }
            data = text;
        }
    }

    /**
     * How a call went.
     *
     * @param result what the work returned; null when it was not run
     * @param kept what the branch keeps, from this call or an earlier one; null for nothing
     */
    public record Passed<T extends @Nullable Object>(
            FenceVerdict verdict,
            @Nullable T result,
            @Nullable String kept) {}

    /**
     * Runs the work if its turn has come, in a local transaction that is committed together with what the fence notes. The work must not be called in any other
     * way. When this throws, the local transaction was rolled back, and so was the note.
     *
     * @return the verdict; nothing was run unless it is {@link FenceVerdict#RUN}
     * @throws Throwable what the work threw, untouched; an {@link SQLException} of the database
     */
    public <T extends @Nullable Object> Passed<T> pass(
            FenceTransaction transaction, FenceKey key, FencePhase phase, Work<T> work) throws Throwable {
        return pass(transaction, key, phase, null, work);
    }

    /**
     * The same in one database only.
     *
     * @param database as {@link #database} said where the branch began; null: whichever it is
     * @throws TxnException OTHER_DATABASE, and nothing was done, when the local transaction is in another one
     */
    public <T extends @Nullable Object> Passed<T> pass(
            FenceTransaction transaction, FenceKey key, FencePhase phase, @Nullable String database, Work<T> work)
            throws Throwable {
        return pass(transaction, key, phase, database, work, false);
    }

    /** The same in a local transaction of its own, whatever is open, in whichever database that is. */
    public <T extends @Nullable Object> Passed<T> passApart(
            FenceTransaction transaction, FenceKey key, FencePhase phase, Work<T> work) throws Throwable {
        return passApart(transaction, key, phase, null, work);
    }

    /** The same in a local transaction of its own, whatever is open. */
    public <T extends @Nullable Object> Passed<T> passApart(
            FenceTransaction transaction, FenceKey key, FencePhase phase, @Nullable String database, Work<T> work)
            throws Throwable {
        return pass(transaction, key, phase, database, work, true);
    }

    /**
     * The same for code that nobody tells when the branch is over, like the endpoint of a saga's HTTP step: when its first is done, the row waits for no end, and goes when it is old. {@link FencePhase#BEGIN} is in
     * a local transaction of its own.
     */
    public <T extends @Nullable Object> Passed<T> passByHand(
            FenceTransaction transaction, FenceKey key, FencePhase phase, Work<T> work) throws Throwable {
        Prepared ready = prepared();
        return begun(
                transaction,
                phase == FencePhase.BEGIN,
                ready,
                key,
                connection -> within(ready, connection, key, phase, null, work, true));
    }

    private <T extends @Nullable Object> Passed<T> pass(
            FenceTransaction transaction,
            FenceKey key,
            FencePhase phase,
            @Nullable String database,
            Work<T> work,
            boolean apart)
            throws Throwable {
        Prepared ready = prepared();
        return begun(
                transaction,
                apart,
                ready,
                key,
                connection -> within(ready, connection, key, phase, database, work, false));
    }

    /**
     * The identity of the database that a local transaction of the calling thread is in or would be in: what its URL says is no identity, because servers are replaced and routers choose.
     *
     * @throws Throwable an {@link SQLException} of the database
     */
    public String database(FenceTransaction transaction) throws Throwable {
        Prepared ready = prepared();
        if (oneDatabase) {
            return ready.database();
        }
        String known = transaction.<@Nullable String>execute(
                connection -> ready.table().identity(connection));
        return known != null
                ? known
                : transaction.executeApart(connection ->
                        ready.table().makeIdentity(connection, UUID.randomUUID().toString(), clock.instant()));
    }

    /**
     * Whether the open local transaction still holds a first that was kept: whoever goes back to a savepoint takes its row along.
     *
     * @throws Throwable an {@link SQLException} of the database
     */
    public boolean isKept(FenceTransaction transaction, FenceKey key) throws Throwable {
        Prepared ready = prepared();
        return transaction.execute(connection -> ready.table().state(connection, key) == FenceState.DONE);
    }

    /**
     * Whether nothing of a first was kept. From then on it is refused: the answer stays true. In a local transaction of its own; waits for a first that is under way.
     *
     * @throws Throwable an {@link SQLException} of the database; then nothing is known
     */
    public boolean refuseUnlessKept(FenceTransaction transaction, FenceKey key, @Nullable String database)
            throws Throwable {
        Prepared ready = prepared();
        return begun(transaction, true, ready, key, connection -> {
            FenceTable.Row row = arrive(ready, connection, key, FenceState.REFUSED, clock.instant(), endSeconds);
            requireSame(database, row, key);
            return row.state() == FenceState.REFUSED;
        });
    }

    /** Runs work that begins with an arrival, again and again as long as it is the arrival that fails and the database asks for it. */
    private <T extends @Nullable Object> T begun(
            FenceTransaction transaction, boolean apart, Prepared ready, FenceKey key, FenceTransaction.Work<T> work)
            throws Throwable {
        boolean mayBeginAnew = apart || !transaction.isOpen();
        for (int tries = 1; ; tries++) {
            try {
                return apart ? transaction.executeApart(work) : transaction.execute(work);
            } catch (ArrivalException e) {
                SQLException reason = e.reason();
                if (!mayBeginAnew || tries == TRIES || !wantsAnother(ready.dialect(), reason)) {
                    throw reason;
                }
                begunAnew.incrementAndGet();
                log.debug("the fence begins anew key={} tries={} cause={}", key, tries, reason.toString());
                pause(tries);
            }
        }
    }

    private static FenceTable.Row arrive(
            Prepared ready, Connection connection, FenceKey key, FenceState state, Instant now, int seconds) {
        try {
            return ready.table().arrive(connection, key, state, now, seconds);
        } catch (SQLException e) {
            throw new ArrivalException(e);
        }
    }

    private void pause(int tries) throws InterruptedException {
        long most = PAUSE.toNanos() << Math.min(tries, 6);
        pause.forAbout(Duration.ofNanos(1 + random.nextLong(most)));
    }

    private <T extends @Nullable Object> Passed<T> within(
            Prepared ready,
            Connection connection,
            FenceKey key,
            FencePhase phase,
            @Nullable String database,
            Work<T> work,
            boolean byHand)
            throws Throwable {
        Instant now = clock.instant();
        int seconds =
                switch (phase) {
                    case BEGIN, FIRST -> 0;
                    case CONFIRM, CANCEL -> endSeconds;
                };
        FenceTable.Row row = arrive(ready, connection, key, FenceRules.whenNew(phase), now, seconds);
        requireSame(database, row, key);
        boolean isNew = row.calls() == 1;
        FenceRules.Decision decision = FenceRules.decide(phase, isNew ? null : row.state());
        if (decision.verdict() != FenceVerdict.RUN) {
            log.debug("the fence says {} key={} phase={} found={}", decision.verdict(), key, phase, row.state());
            return new Passed<>(decision.verdict(), null, row.data());
        }
        Passage passage = new Passage(connection, row.data());
        T result = work.run(passage);
        boolean marked = byHand && phase == FencePhase.FIRST;
        if (decision.state() != row.state() || passage.data != null || marked) {
            ready.table().write(connection, key, decision.state(), passage.data, marked, now);
        }
        return new Passed<>(FenceVerdict.RUN, result, passage.data);
    }

    /** What has no identity yet is a database that no branch has told of. */
    private static void requireSame(@Nullable String database, FenceTable.Row row, FenceKey key) {
        if (database != null && !database.equals(row.database())) {
            throw new TxnException(
                    ErrorCode.OTHER_DATABASE,
                    null,
                    "xid",
                    key.xid(),
                    "branchId",
                    key.branch(),
                    "began",
                    database,
                    "now",
                    row.database() == null ? "none" : row.database());
        }
    }

    /** Whether the database asks for the local transaction to be tried again. */
    private static boolean wantsAnother(Dialect dialect, SQLException error) {
        Set<Integer> codes =
                switch (dialect.product()) {
                    // Deadlock, lock wait over, record changed since the snapshot.
                    case MYSQL, MARIADB -> Set.of(1213, 1205, 1020);
                    // Lock time-out, row changed at the same time; a duplicate that another has not committed.
                    case H2 -> Set.of(50200, 90131, 23505);
                    case POSTGRESQL -> Set.of();
                };
        String state = String.valueOf(error.getSQLState());
        return codes.contains(error.getErrorCode()) || state.startsWith("40") || state.equals("55P03");
    }

    /** The arrival failed: nothing was run. Crosses the transaction, which rolls back over it. */
    private static final class ArrivalException extends RuntimeException {

        private static final long serialVersionUID = 1L;

        private final SQLException reason;

        ArrivalException(SQLException reason) {
            super(null, reason, false, false);
            this.reason = reason;
        }

        SQLException reason() {
            return reason;
        }
    }

    // Cleaning up

    /**
     * Deletes rows whose branch is over and that are older than the options keep, and those that are done and hear of no end when no saga is as old. Rows whose end is still owed stay, whatever their age, and are counted.
     *
     * @return how many were deleted
     */
    public long cleanUp() {
        Prepared ready = prepared();
        Instant before = clock.instant().minus(options.keep());
        long total = 0;
        try (Connection connection = dataSource.getConnection()) {
            boolean autoCommit = connection.getAutoCommit();
            connection.setAutoCommit(false);
            try {
                int some;
                do {
                    some = ready.table().deleteSome(connection, before, DELETED_AT_ONCE);
                    connection.commit();
                    total += some;
                } while (some == DELETED_AT_ONCE && total < DELETED_IN_ALL);
                Instant stepsBefore =
                        clock.instant().minus(options.keep().compareTo(STEPS_KEPT) > 0 ? options.keep() : STEPS_KEPT);
                do {
                    some = ready.table().deleteSomeEndless(connection, stepsBefore, DELETED_AT_ONCE);
                    connection.commit();
                    total += some;
                } while (some == DELETED_AT_ONCE && total < DELETED_IN_ALL);
                unfinished = ready.table().unfinished(connection, before);
            } finally {
                connection.rollback();
                connection.setAutoCommit(autoCommit);
            }
        } catch (SQLException e) {
            log.warn(
                    "old rows of the fence could not be deleted, the next round tries again resource={} cause={}",
                    ready.dialect().resourceId(),
                    e.toString());
        }
        deleted.addAndGet(total);
        if (unfinished > 0) {
            log.warn(
                    "branches are older than {} and their end has not come: look them up at the coordinator resource={} count={}",
                    options.keep(),
                    ready.dialect().resourceId(),
                    unfinished);
        }
        return total;
    }

    /** How many rows were deleted since the start. */
    public long deleted() {
        return deleted.get();
    }

    /** How many rows, at the last clean-up, were older than the options keep although their branch was not over. */
    public long unfinished() {
        return unfinished;
    }

    /** How often local transactions were begun anew since the start, because the database asked for it. */
    public long begunAnew() {
        return begunAnew.get();
    }

    /** Whether all connections lead to one database; else each call finds out where it has got to. */
    public boolean isOfOneDatabase() {
        return oneDatabase;
    }

    /** The id of the database, as the coordinator would know it. */
    public String resourceId() {
        return prepared().dialect().resourceId();
    }

    FenceOptions options() {
        return options;
    }
}
