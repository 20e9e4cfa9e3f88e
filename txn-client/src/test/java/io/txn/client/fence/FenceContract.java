package io.txn.client.fence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.txn.client.rpc.Pause;
import io.txn.protocol.BranchId;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every database must let the fence do, under both isolation levels that applications use. One database for all tests; each works on branches of its own. */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class FenceContract {

    private static final int RC = Connection.TRANSACTION_READ_COMMITTED;
    private static final int RR = Connection.TRANSACTION_REPEATABLE_READ;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Random random = seeded();
    private TestDatabase database;
    private HikariDataSource readCommitted;
    private HikariDataSource repeatableRead;
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");
    private Fence fence;
    private long branches = 1;

    abstract DatabaseKind kind();

    private static Random seeded() {
        long seed = Long.getLong("txn.test.seed", System.nanoTime());
        System.out.println("FenceContract: -Dtxn.test.seed=" + seed);
        return new Random(seed);
    }

    @BeforeAll
    void start() {
        database = TestDatabases.of(kind());
        readCommitted = pool(RC);
        repeatableRead = pool(RR);
        fence = new Fence(readCommitted, FenceOptions.DEFAULTS, () -> now, new Random(1), Pause.REAL);
        fence.prepare();
        database.execute("CREATE TABLE ledger (branch BIGINT NOT NULL, what VARCHAR(20) NOT NULL)");
    }

    @AfterAll
    void stop() {
        threads.shutdownNow();
        readCommitted.close();
        repeatableRead.close();
    }

    private HikariDataSource pool(int isolation) {
        HikariConfig config = new HikariConfig();
        config.setDataSource(database.dataSource());
        config.setMaximumPoolSize(16);
        config.setTransactionIsolation(Integer.toString(isolation));
        return new HikariDataSource(config);
    }

    private FenceTransaction transaction(int isolation) {
        return new JdbcFenceTransaction(isolation == RC ? readCommitted : repeatableRead);
    }

    private synchronized FenceKey key() {
        return FenceKey.of(Xid.of("127.0.0.1:8091", 7), new BranchId(branches++));
    }

    /** Work that writes a line of its own into the same local transaction. */
    private static Fence.Work<String> noting(FenceKey key, String what) {
        return passage -> {
            try (PreparedStatement insert =
                    passage.connection().prepareStatement("INSERT INTO ledger (branch, what) VALUES (?, ?)")) {
                insert.setLong(1, key.branch().value());
                insert.setString(2, what);
                insert.executeUpdate();
            }
            return what;
        };
    }

    private FenceVerdict pass(int isolation, FenceKey key, FencePhase phase) {
        return pass(isolation, key, phase, noting(key, phase.name()));
    }

    private FenceVerdict pass(int isolation, FenceKey key, FencePhase phase, Fence.Work<?> work) {
        try {
            return fence.pass(transaction(isolation), key, phase, work).verdict();
        } catch (Throwable e) {
            throw new AssertionError(phase + " failed: " + e, e);
        }
    }

    private List<String> ledger(FenceKey key) {
        return query("SELECT what FROM ledger WHERE branch = " + key.branch().value() + " ORDER BY what");
    }

    private String state(FenceKey key) {
        List<String> states = query(
                "SELECT state FROM txn_fence WHERE branch_id = " + key.branch().value());
        return states.isEmpty()
                ? null
                : FenceState.of(Integer.parseInt(states.get(0))).name();
    }

    private List<String> query(String sql) {
        List<String> rows = new ArrayList<>();
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            while (result.next()) {
                rows.add(result.getString(1));
            }
            return rows;
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    /** Calls that lead to a row that says so. */
    private FenceKey in(int isolation, FenceState state) {
        FenceKey key = key();
        List<FencePhase> calls = state == null
                ? List.of()
                : switch (state) {
                    case BEGUN -> List.of(FencePhase.BEGIN);
                    case DONE -> List.of(FencePhase.FIRST);
                    case CONFIRMED -> List.of(FencePhase.FIRST, FencePhase.CONFIRM);
                    case CANCELLED -> List.of(FencePhase.BEGIN, FencePhase.CANCEL);
                    case REFUSED -> List.of(FencePhase.CANCEL);
                };
        calls.forEach(phase -> pass(isolation, key, phase, passage -> null));
        assertThat(state(key)).isEqualTo(state == null ? null : state.name());
        return key;
    }

    @ParameterizedTest
    @ValueSource(ints = {RC, RR})
    void everyLineOfTheDecisionTableHolds(int isolation) {
        List<DecisionTable.Line> lines = DecisionTable.read().lines();
        assertThat(lines).hasSize(24);
        for (DecisionTable.Line line : lines) {
            FenceKey key = in(isolation, line.found());
            assertThat(pass(isolation, key, line.phase())).as("%s", line).isEqualTo(line.verdict());
            assertThat(ledger(key))
                    .as("%s", line)
                    .isEqualTo(line.runs() ? List.of(line.phase().name()) : List.of());
            assertThat(state(key)).as("%s", line).isEqualTo(line.then().name());
            // And again, right away: nothing runs a second time.
            FenceVerdict again = pass(isolation, key, line.phase());
            FenceVerdict expected = line.runs() ? FenceVerdict.REPEATED : line.verdict();
            assertThat(again).as("%s, repeated", line).isEqualTo(expected);
            assertThat(ledger(key)).as("%s, repeated", line).hasSize(line.runs() ? 1 : 0);
        }
    }

    /** The same, by callers who come at once: one of them works, where any may, and the others are told what the table says of a repeated call. */
    @ParameterizedTest
    @ValueSource(ints = {RC, RR})
    void everyLineOfTheDecisionTableHoldsForCallersWhoComeAtOnce(int isolation) throws Exception {
        int callers = 4;
        for (DecisionTable.Line line : DecisionTable.read().lines()) {
            FenceKey key = in(isolation, line.found());
            CountDownLatch go = new CountDownLatch(1);
            List<Future<FenceVerdict>> calls = new ArrayList<>();
            for (int i = 0; i < callers; i++) {
                calls.add(threads.submit(() -> {
                    go.await();
                    return pass(isolation, key, line.phase());
                }));
            }
            go.countDown();
            List<FenceVerdict> verdicts = new ArrayList<>();
            for (Future<FenceVerdict> call : calls) {
                verdicts.add(call.get(60, TimeUnit.SECONDS)); // no deadlock surfaced, or this throws
            }
            List<FenceVerdict> expected = new ArrayList<>(
                    Collections.nCopies(callers - 1, line.runs() ? FenceVerdict.REPEATED : line.verdict()));
            expected.add(line.verdict());
            assertThat(verdicts).as("%s", line).containsExactlyInAnyOrderElementsOf(expected);
            assertThat(ledger(key)).as("%s", line).hasSize(line.runs() ? 1 : 0);
            assertThat(state(key)).as("%s", line).isEqualTo(line.then().name());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {RC, RR})
    void aFirstThatFailsLeavesNothingAndItsCancelIsEmpty(int isolation) {
        FenceKey key = key();
        IllegalStateException failure = new IllegalStateException("no");
        assertThatThrownBy(() -> fence.pass(transaction(isolation), key, FencePhase.FIRST, passage -> {
                    noting(key, "half").run(passage);
                    throw failure;
                }))
                .isSameAs(failure);
        assertThat(ledger(key)).isEmpty();
        assertThat(state(key)).isNull();
        assertThat(pass(isolation, key, FencePhase.CANCEL)).isEqualTo(FenceVerdict.EMPTY);
        assertThat(pass(isolation, key, FencePhase.FIRST)).isEqualTo(FenceVerdict.TOO_LATE);
        assertThat(ledger(key)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {RC, RR})
    void anAnnouncedFirstThatFailsIsCancelledAndNotConfirmed(int isolation) throws Throwable {
        FenceKey key = key();
        fence.passApart(transaction(isolation), key, FencePhase.BEGIN, null, passage -> null);
        assertThatThrownBy(() -> fence.pass(transaction(isolation), key, FencePhase.FIRST, passage -> {
                    throw new IllegalStateException("half of it is done elsewhere");
                }))
                .isInstanceOf(IllegalStateException.class);
        assertThat(state(key)).isEqualTo("BEGUN");
        assertThat(pass(isolation, key, FencePhase.CONFIRM)).isEqualTo(FenceVerdict.NOTHING_TO_CONFIRM);
        assertThat(pass(isolation, key, FencePhase.CANCEL)).isEqualTo(FenceVerdict.RUN);
        assertThat(ledger(key)).containsExactly("CANCEL");
    }

    @ParameterizedTest
    @ValueSource(ints = {RC, RR})
    void whatAFirstKeptItsEndReads(int isolation) {
        FenceKey key = key();
        String text = "result ".repeat(2000) + "ä€𝄞";
        pass(isolation, key, FencePhase.FIRST, passage -> {
            passage.keep(text);
            return null;
        });
        List<String> seen = new ArrayList<>();
        pass(isolation, key, FencePhase.CANCEL, passage -> seen.add(passage.data()));
        assertThat(seen).containsExactly(text);
        FenceKey other = key();
        pass(isolation, other, FencePhase.FIRST, passage -> null);
        pass(isolation, other, FencePhase.CANCEL, passage -> seen.add(passage.data()));
        assertThat(seen).containsExactly(text, null);
    }

    @ParameterizedTest
    @ValueSource(ints = {RC, RR})
    void partsOfOneBranchDoNotSeeEachOther(int isolation) {
        FenceKey whole = key();
        FenceKey part = new FenceKey(whole.xid(), whole.branch(), "mail");
        assertThat(pass(isolation, whole, FencePhase.FIRST)).isEqualTo(FenceVerdict.RUN);
        assertThat(pass(isolation, part, FencePhase.CANCEL)).isEqualTo(FenceVerdict.EMPTY);
        assertThat(pass(isolation, whole, FencePhase.CONFIRM)).isEqualTo(FenceVerdict.RUN);
        assertThatThrownBy(() -> new FenceKey(whole.xid(), whole.branch(), "x".repeat(65)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    /** A first that holds its row until it is told how to end. */
    private final class HeldFirst {

        private final CountDownLatch arrived = new CountDownLatch(1);
        private final CompletableFuture<Boolean> keep = new CompletableFuture<>();
        private final Future<FenceVerdict> verdict;

        HeldFirst(int isolation, FenceKey key) throws Exception {
            verdict = threads.submit(() -> {
                try {
                    return fence.pass(transaction(isolation), key, FencePhase.FIRST, passage -> {
                                noting(key, "FIRST").run(passage);
                                arrived.countDown();
                                if (!keep.get(60, TimeUnit.SECONDS)) {
                                    throw new IllegalStateException("taken back");
                                }
                                return null;
                            })
                            .verdict();
                } catch (IllegalStateException e) {
                    return null;
                } catch (Throwable e) {
                    throw new AssertionError(e);
                }
            });
            assertThat(arrived.await(60, TimeUnit.SECONDS)).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {RC, RR})
    void anEndWaitsForAFirstThatIsUnderWay(int isolation) throws Exception {
        for (FencePhase end : List.of(FencePhase.CONFIRM, FencePhase.CANCEL)) {
            for (boolean kept : new boolean[] {true, false}) {
                FenceKey key = key();
                HeldFirst first = new HeldFirst(isolation, key);
                Future<FenceVerdict> ended = threads.submit(() -> pass(isolation, key, end));
                first.keep.complete(kept);
                assertThat(first.verdict.get(60, TimeUnit.SECONDS)).isEqualTo(kept ? FenceVerdict.RUN : null);
                FenceVerdict expected = kept
                        ? FenceVerdict.RUN
                        : end == FencePhase.CANCEL ? FenceVerdict.EMPTY : FenceVerdict.NOTHING_TO_CONFIRM;
                assertThat(ended.get(60, TimeUnit.SECONDS))
                        .as("%s, kept %s", end, kept)
                        .isEqualTo(expected);
                assertThat(ledger(key)).containsExactlyElementsOf(kept ? List.of(end.name(), "FIRST") : List.of());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {RC, RR})
    void whateverComesAtOnceHappensOnceAndInOrder(int isolation) throws Exception {
        int rounds = Boolean.getBoolean("txn.test.full") ? 300 : 8;
        for (int round = 0; round < rounds; round++) {
            List<FenceKey> keys = List.of(key(), key(), key());
            FencePhase end = random.nextBoolean() ? FencePhase.CONFIRM : FencePhase.CANCEL;
            List<FenceKey> order = new ArrayList<>();
            for (FenceKey key : keys) {
                Collections.addAll(order, key, key, key, key);
            }
            Collections.shuffle(order, random);
            CountDownLatch go = new CountDownLatch(1);
            List<Future<FenceVerdict>> calls = new ArrayList<>();
            List<FencePhase> phases = new ArrayList<>();
            for (int i = 0; i < order.size(); i++) {
                FenceKey key = order.get(i);
                FencePhase phase = random.nextInt(3) == 0 ? FencePhase.FIRST : end;
                phases.add(phase);
                calls.add(threads.submit(() -> {
                    go.await();
                    return pass(isolation, key, phase);
                }));
            }
            go.countDown();
            List<FenceVerdict> verdicts = new ArrayList<>();
            for (Future<FenceVerdict> call : calls) {
                verdicts.add(call.get(60, TimeUnit.SECONDS)); // no deadlock surfaced, or this throws
            }
            for (FenceKey key : keys) {
                List<FenceVerdict> firsts = new ArrayList<>();
                List<FenceVerdict> ends = new ArrayList<>();
                for (int i = 0; i < order.size(); i++) {
                    if (order.get(i).equals(key)) {
                        (phases.get(i) == FencePhase.FIRST ? firsts : ends).add(verdicts.get(i));
                    }
                }
                String said = end + " firsts " + firsts + " ends " + ends;
                assertThat(Collections.frequency(firsts, FenceVerdict.RUN))
                        .as(said)
                        .isLessThanOrEqualTo(1);
                assertThat(Collections.frequency(ends, FenceVerdict.RUN))
                        .as(said)
                        .isLessThanOrEqualTo(1);
                boolean kept = firsts.contains(FenceVerdict.RUN);
                if (ends.contains(FenceVerdict.RUN)) {
                    assertThat(kept).as(said).isTrue();
                }
                if (kept && !ends.isEmpty()) {
                    assertThat(ends).as(said).contains(FenceVerdict.RUN);
                }
                if (!kept && !firsts.isEmpty()) {
                    assertThat(firsts).as(said).containsOnly(FenceVerdict.TOO_LATE);
                }
                assertThat(ledger(key).size())
                        .as(said)
                        .isEqualTo((kept ? 1 : 0) + (ends.contains(FenceVerdict.RUN) ? 1 : 0));
            }
        }
    }

    @Test
    void whatTheDatabaseWantsAgainInsideAnothersTransactionReachesTheCaller() throws Exception {
        FenceKey key = key();
        SQLException wanted = new SQLException("deadlock", "40001");
        FenceTransaction open = new FenceTransaction() {
            @Override
            public boolean isOpen() {
                return true;
            }

            @Override
            public <T> T execute(Work<T> work) throws Throwable {
                return work.run((Connection) java.lang.reflect.Proxy.newProxyInstance(
                        FenceContract.class.getClassLoader(), new Class<?>[] {Connection.class}, (p, m, a) -> {
                            throw wanted;
                        }));
            }

            @Override
            public <T> T executeApart(Work<T> work) throws Throwable {
                return execute(work);
            }
        };
        long before = fence.begunAnew();
        assertThatThrownBy(() -> fence.pass(open, key, FencePhase.FIRST, passage -> null))
                .isSameAs(wanted);
        assertThat(fence.begunAnew()).isEqualTo(before);
        // Whoever may begin anew does so, ten times.
        assertThatThrownBy(() -> fence.passApart(open, key, FencePhase.FIRST, null, passage -> null))
                .isSameAs(wanted);
        assertThat(fence.begunAnew()).isEqualTo(before + Fence.TRIES - 1);
    }

    @Test
    void anEndThatMeetsAnotherDatabaseIsNoSuccess() throws Throwable {
        TestDatabase other = TestDatabases.of(kind());
        Fence there = Fence.of(other.dataSource(), FenceOptions.DEFAULTS);
        there.prepare();
        FenceKey key = key();
        String here = fence.database(transaction(RC));
        assertThat(fence.pass(transaction(RC), key, FencePhase.FIRST, here, noting(key, "FIRST"))
                        .verdict())
                .isEqualTo(FenceVerdict.RUN);
        // The transactions lead elsewhere, as those of a router do that was not told where to go.
        for (FencePhase end : List.of(FencePhase.CANCEL, FencePhase.CONFIRM)) {
            TxnException refused = catchThrowableOfType(
                    TxnException.class,
                    () -> fence.pass(
                            new JdbcFenceTransaction(other.dataSource()), key, end, here, noting(key, "WRONG")));
            assertThat(refused.code()).isEqualTo(ErrorCode.OTHER_DATABASE);
        }
        assertThat(there.database(new JdbcFenceTransaction(other.dataSource()))).isNotEqualTo(here);
        Fence either = Fence.ofSeveral(database.dataSource(), FenceOptions.DEFAULTS);
        assertThat(either.database(transaction(RC))).isEqualTo(here);
        assertThat(either.database(new JdbcFenceTransaction(other.dataSource())))
                .isNotEqualTo(here);
        assertThat(fence.pass(transaction(RR), key, FencePhase.CANCEL, here, noting(key, "CANCEL"))
                        .verdict())
                .as("what was refused has left nothing, here or there")
                .isEqualTo(FenceVerdict.RUN);
        assertThat(ledger(key)).containsExactly("CANCEL", "FIRST");
        assertThat(there.pass(new JdbcFenceTransaction(other.dataSource()), key, FencePhase.FIRST, passage -> "")
                        .verdict())
                .isEqualTo(FenceVerdict.RUN);
    }

    @Test
    void aConnectionComesBackInTheModeItCameIn() throws Throwable {
        try (Connection only = database.dataSource().getConnection()) {
            Connection kept = (Connection) java.lang.reflect.Proxy.newProxyInstance(
                    FenceContract.class.getClassLoader(), new Class<?>[] {Connection.class}, (p, m, a) -> {
                        try {
                            return m.getName().equals("close") ? null : m.invoke(only, a);
                        } catch (java.lang.reflect.InvocationTargetException e) {
                            throw e.getCause();
                        }
                    });
            FenceTransaction transaction =
                    new JdbcFenceTransaction((javax.sql.DataSource) java.lang.reflect.Proxy.newProxyInstance(
                            FenceContract.class.getClassLoader(),
                            new Class<?>[] {javax.sql.DataSource.class},
                            (p, m, a) -> kept));
            FenceKey key = key();
            assertThatThrownBy(() -> fence.pass(transaction, key, FencePhase.FIRST, passage -> {
                        throw new IllegalStateException("fails");
                    }))
                    .hasMessage("fails");
            assertThat(only.getAutoCommit()).isTrue();
            fence.pass(transaction, key, FencePhase.FIRST, noting(key, "FIRST"));
            assertThat(only.getAutoCommit()).isTrue();
        }
    }

    @Test
    void anEndWaitsForItsRowNoLongerThanItsCallerDoes() throws Throwable {
        if (kind() == DatabaseKind.H2) {
            return; // gives up after a second or two whatever it is told
        }
        FenceKey key = key();
        Fence impatient = new Fence(
                readCommitted,
                true,
                FenceOptions.DEFAULTS,
                () -> now,
                new Random(1),
                Pause.REAL,
                Duration.ofSeconds(1));
        pass(RC, key, FencePhase.FIRST);
        try (Connection holder = readCommitted.getConnection()) {
            holder.setAutoCommit(false);
            try (Statement update = holder.createStatement()) {
                update.executeUpdate("UPDATE txn_fence SET calls = calls + 1 WHERE branch_id = "
                        + key.branch().value());
            }
            Future<?> end = threads.submit(() -> {
                try {
                    return impatient.pass(transaction(RC), key, FencePhase.CANCEL, noting(key, "CANCEL"));
                } catch (Throwable e) {
                    throw new IllegalStateException(e);
                }
            });
            assertThatThrownBy(() -> end.get(40, TimeUnit.SECONDS)).hasRootCauseInstanceOf(SQLException.class);
            holder.rollback();
        }
        assertThat(pass(RC, key, FencePhase.CANCEL)).isEqualTo(FenceVerdict.RUN);
    }

    @Test
    void ageTakesOnlyWhatIsOver() {
        Instant then = now;
        FenceKey done = in(RC, FenceState.DONE);
        FenceKey begun = in(RC, FenceState.BEGUN);
        FenceKey confirmed = in(RC, FenceState.CONFIRMED);
        FenceKey cancelled = in(RC, FenceState.CANCELLED);
        FenceKey refused = in(RC, FenceState.REFUSED);
        try {
            now = then.plus(FenceOptions.DEFAULTS.keep()).minusMillis(1);
            fence.cleanUp();
            assertThat(state(confirmed)).isEqualTo("CONFIRMED");
            FenceKey young = in(RC, FenceState.CONFIRMED);
            now = then.plus(FenceOptions.DEFAULTS.keep()).plusMillis(2);
            long before = fence.deleted();
            assertThat(fence.cleanUp()).isGreaterThanOrEqualTo(3);
            assertThat(fence.deleted()).isGreaterThanOrEqualTo(before + 3);
            assertThat(state(confirmed)).isNull();
            assertThat(state(cancelled)).isNull();
            assertThat(state(refused)).isNull();
            assertThat(state(done)).isEqualTo("DONE");
            assertThat(state(begun)).isEqualTo("BEGUN");
            assertThat(state(young)).isEqualTo("CONFIRMED");
            assertThat(fence.unfinished()).isGreaterThanOrEqualTo(2);
        } finally {
            now = then;
        }
    }

    @Test
    void ageTakesTheRowsOfStepsWhenNoSagaIsAsOld() throws Throwable {
        Instant then = now;
        FenceKey step = new FenceKey(in(RC, FenceState.DONE).xid(), new BranchId(4_711), "");
        fence.pass(transaction(RC), step, FencePhase.FIRST, passage -> {
            passage.keep(Fence.STEP_BEGINS + "\"a\"}");
            return null;
        });
        FenceKey action = in(RC, FenceState.DONE);
        try {
            now = then.plus(Fence.STEPS_KEPT).minusSeconds(1);
            fence.cleanUp();
            assertThat(state(step)).isEqualTo("DONE");
            now = then.plus(Fence.STEPS_KEPT).plusSeconds(1);
            fence.cleanUp();
            assertThat(state(step)).isNull();
            assertThat(state(action)).isEqualTo("DONE");
        } finally {
            now = then;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {RC, RR})
    void ageTakesTheRowsOfHandWrittenCodeLikeThoseOfStepsAndNobodyWaitsForTheirEnd(int isolation) throws Throwable {
        Instant then = now;
        try {
            Instant made = then.plus(Fence.STEPS_KEPT);
            now = made.plus(FenceOptions.DEFAULTS.keep()).plusSeconds(1);
            fence.cleanUp();
            long others = fence.unfinished();
            now = made;
            List<FenceKey> done = List.of(key(), key(), key());
            List<String> kept = Arrays.asList("text", null, Fence.STEP_BEGINS + "1}");
            fence.passByHand(transaction(isolation), done.get(1), FencePhase.BEGIN, passage -> "");
            for (int i = 0; i < done.size(); i++) {
                String text = kept.get(i);
                for (FenceVerdict verdict : List.of(FenceVerdict.RUN, FenceVerdict.REPEATED)) {
                    Fence.Passed<String> passed =
                            fence.passByHand(transaction(isolation), done.get(i), FencePhase.FIRST, passage -> {
                                passage.keep(text);
                                return "";
                            });
                    assertThat(passed.verdict()).isEqualTo(verdict);
                    assertThat(passed.kept()).isEqualTo(text);
                }
            }
            FenceKey begun = key();
            fence.passByHand(transaction(isolation), begun, FencePhase.BEGIN, passage -> "");
            FenceKey cancelled = key();
            List<String> seen = new ArrayList<>();
            fence.passByHand(transaction(isolation), cancelled, FencePhase.FIRST, passage -> {
                passage.keep("for the end");
                return "";
            });
            assertThat(fence.passByHand(
                                    transaction(isolation),
                                    cancelled,
                                    FencePhase.CANCEL,
                                    passage -> seen.add(passage.data()))
                            .verdict())
                    .isEqualTo(FenceVerdict.RUN);
            assertThat(seen).containsExactly("for the end");
            assertThatThrownBy(() -> fence.pass(transaction(isolation), key(), FencePhase.FIRST, passage -> {
                        passage.keep(Fence.BY_HAND + ":x");
                        return "";
                    }))
                    .isInstanceOf(IllegalArgumentException.class);
            now = made.plus(FenceOptions.DEFAULTS.keep()).plusSeconds(1);
            fence.cleanUp();
            assertThat(done).allSatisfy(key -> assertThat(state(key)).isEqualTo("DONE"));
            assertThat(state(cancelled)).isNull();
            assertThat(fence.unfinished()).as("the one that has only begun").isEqualTo(others + 1);
            now = made.plus(Fence.STEPS_KEPT).minusSeconds(1);
            fence.cleanUp();
            assertThat(done).allSatisfy(key -> assertThat(state(key)).isEqualTo("DONE"));
            now = made.plus(Fence.STEPS_KEPT).plusSeconds(1);
            fence.cleanUp();
            assertThat(done).allSatisfy(key -> assertThat(state(key)).isNull());
            assertThat(state(begun)).isEqualTo("BEGUN");
        } finally {
            now = then;
        }
    }

    @Test
    void aTableThatIsMissingOrWrongIsSaidWithTheScript() {
        TestDatabase empty = TestDatabases.of(kind());
        TxnException missing = catchThrowableOfType(
                TxnException.class, () -> Fence.of(empty.dataSource(), FenceOptions.DEFAULTS.withCreateTable(false))
                        .prepare());
        assertThat(missing.code()).isEqualTo(ErrorCode.NO_FENCE_TABLE);
        assertThat(String.valueOf(missing.facts().get("script"))).startsWith("io/txn/client/fence/schema/");
        Fence made = Fence.of(empty.dataSource(), FenceOptions.DEFAULTS.withTable("barrier"));
        made.prepare();
        Fence.of(empty.dataSource(), FenceOptions.DEFAULTS.withTable("barrier").withCreateTable(false))
                .prepare();
        empty.execute("CREATE TABLE txn_fence (xid VARCHAR(128) NOT NULL, branch_id BIGINT NOT NULL, part VARCHAR(64)"
                + " NOT NULL, state INT, calls INT, data VARCHAR(100), created BIGINT, modified BIGINT)");
        TxnException keyless =
                catchThrowableOfType(TxnException.class, () -> Fence.of(empty.dataSource(), FenceOptions.DEFAULTS)
                        .prepare());
        assertThat(keyless.code()).isEqualTo(ErrorCode.NO_FENCE_TABLE);
        assertThat(keyless).hasMessageContaining("primary key");
        assertThatThrownBy(() -> FenceOptions.DEFAULTS.withTable("a; DROP TABLE b"))
                .isInstanceOf(TxnException.class);
        assertThatThrownBy(() -> FenceOptions.DEFAULTS.withKeep(Duration.ZERO)).isInstanceOf(TxnException.class);
    }
}
