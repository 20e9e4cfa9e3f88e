package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalLockTemplate;
import io.txn.client.Isolation;
import io.txn.client.LockGuard;
import io.txn.client.TransactionContext;
import io.txn.client.rm.BranchResult;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.protocol.message.BranchStatus;
import io.txn.test.Await;
import io.txn.test.DatabaseKind;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What global transactions, and writers outside them, see and overwrite of each other's work. */
abstract class IsolationContract extends AtContract {

    private static final Duration MAX = Duration.ofSeconds(60);
    private static final String DIRTY = "UPDATE account SET amount = 1000 WHERE id = 1";
    private static final String READ_1 = "SELECT amount FROM account WHERE id = 1";

    /** Patience enough for the other side on a slow machine; tests that want to see a refusal are impatient. */
    @Override
    AtOptions options() {
        return super.options()
                .withLockRetry(20_000, Duration.ofMillis(3))
                .withLockWait(MAX)
                .withPhaseTwoWaitMax(MAX.dividedBy(2));
    }

    private void impatient() {
        at = AtDataSource.wrap(
                counter,
                super.options().withLockRetry(2, Duration.ofMillis(3)).withLockWait(MAX),
                contexts,
                manager,
                forPhaseTwo(),
                adjust());
        at.prepare();
        counter.reset();
    }

    /** A global transaction that has changed row 1 and committed that locally. */
    private Xid holder() {
        Xid xid = begin();
        committed(xid, DIRTY);
        return xid;
    }

    @SuppressWarnings("try")
    private void readCommitted(Xid xid, boolean autoCommit, Work work) {
        TransactionContext context = TransactionContext.participant(xid).withIsolation(Isolation.READ_COMMITTED);
        try (ContextCarrier.Scope scope = contexts.bind(context);
                Connection connection = at.getConnection()) {
            connection.setAutoCommit(autoCommit);
            work.run(connection);
            if (!autoCommit) {
                connection.commit();
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private void guarded(boolean autoCommit, Work work) {
        try {
            new GlobalLockTemplate(contexts).execute(LockGuard.DEFAULT, () -> {
                try (Connection connection = at.getConnection()) {
                    connection.setAutoCommit(autoCommit);
                    work.run(connection);
                    if (!autoCommit) {
                        connection.commit();
                    }
                }
                return null;
            });
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> read(Connection connection, String sql, Object... parameters) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                select.setObject(i + 1, parameters[i]);
            }
            try (ResultSet rows = select.executeQuery()) {
                return shown(rows);
            }
        }
    }

    private static List<String> shown(ResultSet rows) throws SQLException {
        List<String> all = new ArrayList<>();
        while (rows.next()) {
            List<String> row = new ArrayList<>();
            for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                row.add(String.valueOf(rows.getObject(i)));
            }
            all.add(String.join("|", row));
        }
        return all;
    }

    private static CompletableFuture<Void> meanwhile(Runnable work) {
        return CompletableFuture.runAsync(work, task -> {
            Thread thread = new Thread(task, "meanwhile");
            thread.setDaemon(true);
            thread.start();
        });
    }

    private static void join(CompletableFuture<Void> work) {
        try {
            work.orTimeout(MAX.toSeconds(), TimeUnit.SECONDS).join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw e;
        }
    }

    /** The second question is asked with nothing held. */
    private void awaitLockQueries() {
        int[] asked = new int[1];
        Await.until("somebody waits for the row", MAX, () -> (asked[0] += manager.lockQueries()) > 1);
    }

    /** What somebody else is told by the database; nothing when it works. */
    private String attempt(String sql) {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
            return "";
        } catch (SQLException e) {
            return e.getMessage();
        }
    }

    /** A reader that meets the dirty row of a holder that rolls back while it waits has to show what is there afterwards. */
    private void readsAgainAfterTheUndo(Work reader) {
        Xid holder = holder();
        CompletableFuture<Void> reading = meanwhile(() -> {
            try {
                reader.run(null);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        awaitLockQueries();
        assertThat(reading).isNotDone();
        // Nobody holds its row meanwhile, so the undo does not wait for the one who waits for it.
        assertThat(manager.rollback(holder).done()).isTrue();
        join(reading);
    }

    // SELECT … FOR UPDATE

    @Test
    void aLockingReadThatWaitsHoldsNothingAndReadsAgain() {
        Xid first = begin();
        readsAgainAfterTheUndo(none -> inside(first, connection -> {
            assertThat(read(connection, READ_1 + " FOR UPDATE")).containsExactly("100.00");
            assertThat(read(connection, READ_1 + " FOR UPDATE")).containsExactly("100.00");
            connection.commit();
        }));
        Xid alone = begin();
        readsAgainAfterTheUndo(none -> autoCommitted(alone, connection -> {
            assertThat(read(connection, READ_1 + " FOR UPDATE")).containsExactly("100.00");
            assertThat(connection.getAutoCommit()).isTrue();
        }));
    }

    @Test
    void aLockingReadInTheMiddleOfATransactionLetsGoOfItsOwnLocksWhereTheDatabaseCan() {
        assumeTrue(!mariaDb(), "InnoDB keeps row locks behind a savepoint");
        Xid xid = begin();
        readsAgainAfterTheUndo(none -> committed(xid, connection -> {
            execute(connection, "UPDATE account SET amount = 7 WHERE id = 2");
            assertThat(read(connection, READ_1 + " FOR UPDATE")).containsExactly("100.00");
        }));
        assertThat(accounts()).containsExactly(ROW_1, "2|bob|7.00", ROW_3);
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void aLockingReadThatIsRefusedLeavesTheTransactionAsItWas() {
        impatient();
        Xid holder = holder();
        Xid other = begin();
        committed(other, connection -> {
            execute(connection, "UPDATE account SET amount = 7 WHERE id = 2");
            refusal(ErrorCode.LOCK_CONFLICT, () -> read(connection, READ_1 + " FOR UPDATE"));
            execute(connection, "UPDATE account SET amount = 8 WHERE id = 3");
        });
        assertThat(manager.commit(holder).done()).isTrue();
        assertThat(accounts()).containsExactly("1|ann|1000.00", "2|bob|7.00", "3|cy|8.00");
        assertRolledBack(other);
        assertThat(accounts()).containsExactly("1|ann|1000.00", ROW_2, ROW_3);
    }

    @Test
    void ofALimitedOrJoinedReadExactlyTheRowsThatItReturnsAreChecked() {
        impatient();
        Xid holder = holder();
        Xid other = begin();
        String join = "SELECT a.id, s.place FROM account a JOIN seat s ON s.train = a.id + 6 WHERE s.place = '1A'";
        for (boolean autoCommit : new boolean[] {true, false}) {
            Work work = connection -> {
                connection.setAutoCommit(autoCommit);
                assertThat(read(connection, "SELECT id FROM account ORDER BY id DESC LIMIT 2 FOR UPDATE"))
                        .containsExactly("3", "2");
                refusal(
                        ErrorCode.LOCK_CONFLICT,
                        () -> read(connection, "SELECT id FROM account ORDER BY id LIMIT 1 FOR UPDATE"));
                assertThat(read(connection, "SELECT id FROM account ORDER BY id LIMIT 1 OFFSET 1 FOR UPDATE"))
                        .containsExactly("2");
                assertThat(read(connection, join + " AND a.id = ? FOR UPDATE", 2))
                        .containsExactly("2|1A");
                refusal(ErrorCode.LOCK_CONFLICT, () -> read(connection, join + " ORDER BY 1 FOR UPDATE"));
                if (!mariaDb()) {
                    assertThat(read(
                                    connection,
                                    join + " AND a.id = ? FOR UPDATE OF s",
                                    kind() == DatabaseKind.H2 ? 2 : 1))
                            .hasSize(1);
                }
                connection.setAutoCommit(true);
            };
            autoCommitted(other, work);
        }
        manager.commit(holder);
    }

    @Test
    void theKeysBehindTheColumnsAreNotSeenAndChangeNothing() {
        Xid xid = begin();
        inside(xid, connection -> {
            try (Statement statement = connection.createStatement()) {
                statement.setMaxRows(2);
                // Were our column called id too, the database would order by it.
                String sql = "SELECT -amount AS id, owner FROM account ORDER BY id FOR UPDATE";
                assertThat(statement.execute(sql)).isTrue();
                assertThat(statement.getUpdateCount()).isEqualTo(-1);
                try (ResultSet rows = statement.getResultSet()) {
                    assertThat(rows.getMetaData().getColumnCount()).isEqualTo(2);
                    assertThat(rows.getStatement()).isSameAs(statement);
                    assertThat(rows.next()).isTrue();
                    assertThat(rows.getBigDecimal("id")).isEqualByComparingTo("-300");
                    assertThatThrownBy(() -> rows.getString(3)).isInstanceOf(SQLException.class);
                    assertThatThrownBy(() -> rows.getString("txn_0")).isInstanceOf(SQLException.class);
                    assertThat(rows.next()).isTrue();
                    assertThat(rows.next()).isFalse();
                }
                assertThat(statement.getMoreResults()).isFalse();
            }
        });
    }

    @Test
    void whoDoesNotWantToWaitInTheDatabaseDoesNotWaitForGlobalLocksEither() {
        Xid holder = holder();
        Xid other = begin();
        inside(other, connection -> {
            refusal(ErrorCode.LOCK_CONFLICT, () -> read(connection, READ_1 + " FOR UPDATE NOWAIT"));
            assertThat(manager.lockQueries()).isEqualTo(1);
            assertThat(read(connection, "SELECT id FROM account WHERE id > 1 ORDER BY id FOR UPDATE SKIP LOCKED"))
                    .containsExactly("2", "3");
        });
        manager.commit(holder);
    }

    @Test
    void ofAnAggregateAllRowsThatItMayHaveReadAreChecked() {
        assumeTrue(mariaDb(), "the others lock no rows for aggregates");
        impatient();
        Xid holder = holder();
        Xid other = begin();
        inside(other, connection -> {
            assertThat(read(connection, "SELECT COUNT(*) FROM account WHERE id > 1 FOR UPDATE"))
                    .containsExactly("2");
            refusal(
                    ErrorCode.LOCK_CONFLICT,
                    () -> read(connection, "SELECT SUM(amount) FROM account LOCK IN SHARE MODE"));
        });
        manager.commit(holder);
    }

    // Read committed

    @Test
    void aReadThatWantsCommittedRowsWaitsForThem() {
        for (boolean autoCommit : new boolean[] {true, false}) {
            Xid xid = begin();
            readsAgainAfterTheUndo(none -> readCommitted(xid, autoCommit, connection -> assertThat(
                            read(connection, "SELECT amount, owner FROM account WHERE id = ?", 1L))
                    .containsExactly("100.00|ann")));
        }
    }

    @Test
    void aReadThatWantsCommittedRowsIsNotFooledByAnOldSnapshot() {
        assumeTrue(!mariaDb(), "see the test of a snapshot that cannot be left");
        Xid xid = begin();
        readsAgainAfterTheUndo(none -> readCommitted(xid, false, connection -> {
            assertThat(read(connection, "SELECT id FROM account WHERE id = 2")).containsExactly("2");
            assertThat(read(connection, READ_1)).containsExactly("100.00");
        }));
    }

    @Test
    void aSnapshotThatWasTakenBeforeTheUndoIsNotShownAsCommitted() {
        Xid holder = holder();
        Xid xid = begin();
        readCommitted(xid, false, connection -> {
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            assertThat(read(connection, "SELECT id FROM account WHERE id = 2")).containsExactly("2");
            assertThat(manager.rollback(holder).done()).isTrue();
            try {
                assertThat(read(connection, READ_1)).containsExactly("100.00");
            } catch (SQLException e) {
                assertThat(e.getSQLState()).as("%s", e.getMessage()).startsWith("40");
                connection.rollback();
            }
            connection.rollback();
        });
    }

    @Test
    void aCommittedReadCostsOneQuestionAndNoStatement() {
        Xid xid = begin();
        readCommitted(xid, true, connection -> {
            String join = "SELECT a.id FROM account a JOIN seat s ON s.train = 7 ORDER BY a.id, s.place";
            read(connection, join); // learns of the tables
            counter.reset();
            manager.lockQueries();
            assertThat(read(connection, join)).hasSize(4 + 2);
            assertThat(counter.statements()).isEqualTo(1);
            assertThat(manager.lockQueries()).isEqualTo(1);
            counter.reset();
            assertThat(read(connection, "SELECT * FROM account ORDER BY id LIMIT 2"))
                    .containsExactly(ROW_1, ROW_2);
            assertThat(counter.statements()).isEqualTo(1);
            assertThat(manager.lockQueries()).isEqualTo(1);
            assertThat(read(connection, "SELECT * FROM account WHERE id = -1")).isEmpty();
            assertThat(read(connection, "SELECT 1")).containsExactly("1");
            assertThat(manager.lockQueries()).as("no rows, no question").isZero();
        });
        assertThat(manager.branches(xid)).isEmpty();
    }

    @Test
    void withoutTheOptionAPlainReadAsksNobody() {
        Xid holder = holder();
        Xid other = begin();
        autoCommitted(other, connection -> {
            assertThat(read(connection, READ_1)).containsExactly("1000.00");
            assertThat(manager.lockQueries()).isZero();
        });
        manager.commit(holder);
    }

    @Test
    void theDefaultComesFromTheDataSource() {
        impatient();
        AtDataSource before = at;
        at = AtDataSource.wrap(
                counter,
                super.options().withIsolation(Isolation.READ_COMMITTED),
                contexts,
                manager,
                forPhaseTwo(),
                adjust());
        Xid holder = holder();
        Xid other = begin();
        autoCommitted(other, connection -> refusal(ErrorCode.LOCK_CONFLICT, () -> read(connection, READ_1)));
        at = before;
        autoCommitted(other, connection -> assertThat(read(connection, READ_1)).containsExactly("1000.00"));
        manager.commit(holder);
    }

    @Test
    void itsOwnRowsAreCommittedEnough() {
        Xid xid = holder();
        readCommitted(xid, false, connection -> {
            execute(connection, "UPDATE account SET amount = 5 WHERE id = 2");
            assertThat(read(connection, "SELECT id, owner, amount FROM account ORDER BY id"))
                    .containsExactly("1|ann|1000.00", "2|bob|5.00", ROW_3);
        });
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void whatCannotBeCheckedIsRefusedWithAdvice() {
        behindTheBack(
                "CREATE VIEW rich AS SELECT * FROM account WHERE amount > 150",
                "CREATE TABLE keyless (a INT)",
                "INSERT INTO keyless VALUES (4)");
        Xid xid = begin();
        readCommitted(xid, false, connection -> {
            for (String sql : List.of(
                    "SELECT COUNT(*) FROM account",
                    "SELECT id FROM account WHERE id IN (SELECT train FROM seat)",
                    "SELECT id FROM account UNION SELECT train FROM seat",
                    "SELECT DISTINCT owner FROM account",
                    "SELECT * FROM rich")) {
                assertThat(refusal(ErrorCode.READ_NOT_CHECKABLE, () -> read(connection, sql))
                                .getMessage())
                        .contains("READ_COMMITTED");
            }
            // No global transaction can hold rows of a table without key.
            assertThat(read(connection, "SELECT a FROM keyless")).containsExactly("4");
            execute(connection, "UPDATE account SET amount = 5 WHERE id = 2");
        });
        assertRolledBack(xid);
    }

    // @GlobalLock

    @Test
    void aGuardedWriterDoesNotOverwriteADirtyRow() {
        impatient();
        Xid holder = holder();
        guarded(true, connection -> {
            refusal(ErrorCode.LOCK_CONFLICT, () -> execute(connection, "UPDATE account SET owner = 'me' WHERE id = 1"));
            assertThat(connection.getAutoCommit()).isTrue();
            assertThat(execute(connection, "UPDATE account SET owner = 'me' WHERE id = ?", 2L))
                    .isEqualTo(1);
        });
        try (Connection connection = at.getConnection()) {
            connection.setAutoCommit(false);
            new GlobalLockTemplate(contexts)
                    .execute(
                            LockGuard.DEFAULT,
                            () -> execute(connection, "UPDATE account SET owner = 'me' WHERE id < 4"));
            // The guard's scope is over, and what was written in it is guarded all the same.
            refusal(ErrorCode.LOCK_CONFLICT, connection::commit);
            connection.setAutoCommit(true);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
        assertThat(accounts()).containsExactly("1|ann|1000.00", "2|me|200.00", ROW_3);
        assertRolledBack(holder);
        assertThat(accounts()).containsExactly(ROW_1, "2|me|200.00", ROW_3);
        assertThat(undoRows()).isZero();
    }

    @Test
    void aWriterWithoutGuardMakesTheRollbackAskAPerson() {
        Xid holder = holder();
        behindTheBack("UPDATE account SET amount = 3 WHERE id = 1");
        BranchResult result = manager.rollback(holder);
        assertThat(result.status()).isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
        assertThat(accounts()).contains("1|ann|3.00");
    }

    @Test
    void aGuardedWriterInAutoCommitWaitsWithoutHoldingTheRowAndWritesOnWhatIsThereThen() {
        readsAgainAfterTheUndo(none -> guarded(true, connection -> assertThat(
                        execute(connection, "UPDATE account SET amount = amount + 1 WHERE id = 1"))
                .isEqualTo(1)));
        assertThat(accounts()).containsExactly("1|ann|101.00", ROW_2, ROW_3);
    }

    @Test
    void theRowIsLockedInTheDatabaseBetweenTheQuestionAndTheCommit() {
        List<String> attempts = new ArrayList<>();
        manager.duringLockQuery(() -> attempts.add(attempt("SELECT id FROM account WHERE id = 1 FOR UPDATE NOWAIT")));
        for (boolean autoCommit : new boolean[] {true, false}) {
            guarded(
                    autoCommit,
                    connection -> execute(connection, "UPDATE account SET amount = amount + 1 WHERE id = 1"));
        }
        Xid xid = begin();
        inside(xid, connection -> read(connection, READ_1 + " FOR UPDATE"));
        readCommitted(xid, true, connection -> read(connection, READ_1));
        manager.duringLockQuery(() -> {});
        assertThat(attempts).hasSize(4).doesNotContain("");
        assertThat(accounts()).contains("1|ann|102.00");
    }

    @Test
    void everyKindOfGuardedWriteIsGuarded() {
        impatient();
        Xid holder = begin();
        committed(holder, "DELETE FROM account WHERE id = 1", "UPDATE seat SET passenger = 'x' WHERE place = '1B'");
        for (boolean autoCommit : new boolean[] {true, false}) {
            for (String sql : List.of(
                    "INSERT INTO account (id, owner, amount) VALUES (1, 'new', 1)",
                    "INSERT INTO account (id, owner, amount) VALUES (9, 'new', 1), (1, 'new', 1)",
                    "UPDATE account SET id = 1 WHERE id = 2",
                    "UPDATE seat SET passenger = NULL",
                    "DELETE FROM seat WHERE train = 7")) {
                assertThatThrownBy(() -> guarded(autoCommit, connection -> execute(connection, sql)))
                        .as(sql)
                        .satisfies(e -> assertThat(codeOf(e)).isEqualTo(ErrorCode.LOCK_CONFLICT));
            }
        }
        guarded(false, connection -> {
            try (PreparedStatement insert =
                    connection.prepareStatement("INSERT INTO account (id, owner, amount) VALUES (?, 'b', 0)")) {
                for (long id = 20; id < 24; id++) {
                    insert.setLong(1, id);
                    insert.addBatch();
                }
                assertThat(insert.executeBatch()).containsExactly(1, 1, 1, 1);
            }
        });
        assertThat(manager.lockQueries()).isPositive();
        assertRolledBack(holder);
        assertThat(rows("SELECT COUNT(*) FROM account")).containsExactly("7");
        assertThat(accounts()).contains(ROW_1);
    }

    @Test
    void aGuardedTransactionAsksOnceAndLeavesNoTrace() {
        guarded(false, connection -> {
            execute(connection, "UPDATE account SET amount = 1 WHERE id = 1");
            execute(connection, "INSERT INTO note (text) VALUES ('a')");
            execute(connection, "UPDATE account SET amount = 2 WHERE id = 2");
            assertThat(read(connection, READ_1)).containsExactly("1.00");
            counter.reset();
        });
        // MariaDB has noted which row the last one met.
        assertThat(counter.sent())
                .filteredOn(s -> !s.equals("rollback") && !s.startsWith("SELECT CAST(@txn_noted"))
                .containsExactly("commit");
        assertThat(manager.lockQueries()).isEqualTo(1);
        assertThat(undoRows()).isZero();
        assertThat(manager.locks()).isEmpty();
        guarded(false, connection -> assertThat(read(connection, READ_1)).containsExactly("1.00"));
        assertThat(manager.lockQueries()).as("a plain read asks nobody").isZero();
    }

    @Test
    void aGuardedLockingReadWaitsToo() {
        readsAgainAfterTheUndo(none -> guarded(false, connection -> assertThat(read(connection, READ_1 + " FOR UPDATE"))
                .containsExactly("100.00")));
    }

    @Test
    void insideAGlobalTransactionAGuardChangesNothing() {
        Xid xid = begin();
        guarded(true, outside -> committed(xid, connection -> execute(connection, DIRTY)));
        assertThat(manager.branches(xid)).hasSize(1);
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void whatAGuardCannotSeeIsRefused() {
        guarded(false, connection -> {
            refusal(ErrorCode.STATEMENT_NOT_SUPPORTED, () -> execute(connection, "TRUNCATE TABLE account"));
            execute(connection, "UPDATE account SET amount = 2 WHERE id = 2");
        });
        assertThat(accounts()).containsExactly(ROW_1, "2|bob|2.00", ROW_3);
    }

    // Deadlines

    @Test
    void noWaitForGlobalLocksOutlastsTheDeadline() {
        Xid holder = holder();
        Xid late = begin();
        Instant began = Instant.now();
        TransactionContext context =
                new TransactionContext(late, TransactionContext.Role.LAUNCHER, began.plusMillis(300));
        try (ContextCarrier.Scope scope = contexts.bind(context);
                Connection connection = at.getConnection()) {
            assertThat(scope).isNotNull();
            refusal(ErrorCode.LOCK_CONFLICT, () -> read(connection, READ_1 + " FOR UPDATE"));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        assertThat(Duration.between(began, Instant.now())).isLessThan(MAX.dividedBy(2));
        manager.commit(holder);
    }

    @Test
    void noWaitForRowLocksOfTheDatabaseOutlastsTheDeadline() throws SQLException {
        assumeTrue(kind() != DatabaseKind.H2, "its waits for locks are short by themselves");
        try (Connection blocker = database.dataSource().getConnection()) {
            blocker.setAutoCommit(false);
            execute(blocker, "UPDATE account SET amount = 3 WHERE id = 1");
            for (String sql :
                    List.of("UPDATE account SET amount = 4 WHERE id = 1", "DELETE FROM account WHERE id = 1")) {
                Xid xid = begin();
                Instant began = Instant.now();
                TransactionContext context =
                        new TransactionContext(xid, TransactionContext.Role.LAUNCHER, began.plusMillis(1_500));
                try (ContextCarrier.Scope scope = contexts.bind(context);
                        Connection connection = at.getConnection()) {
                    assertThat(scope).isNotNull();
                    connection.setAutoCommit(false);
                    refusal(ErrorCode.TRANSACTION_TIMED_OUT, () -> execute(connection, sql));
                }
                assertThat(Duration.between(began, Instant.now())).isLessThan(Duration.ofSeconds(30));
                assertThat(manager.branches(xid)).isEmpty();
            }
            blocker.rollback();
        }
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }
}
