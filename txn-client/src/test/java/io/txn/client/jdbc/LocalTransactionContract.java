package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.io.StringReader;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** The life of a local transaction inside a global one, above all its bad ends. */
abstract class LocalTransactionContract extends AtContract {

    private static final String TOUCH = "UPDATE account SET amount = 0 WHERE id = 1";

    @Test
    void aPartialRollbackDropsTheImagesAfterTheSavepoint() {
        Xid xid = begin();
        committed(xid, connection -> {
            execute(connection, TOUCH);
            Savepoint outer = connection.setSavepoint();
            execute(connection, "UPDATE account SET amount = 0 WHERE id = 2");
            Savepoint inner = connection.setSavepoint("inner");
            execute(connection, "DELETE FROM account WHERE id = 3");
            connection.rollback(inner);
            execute(connection, "INSERT INTO account (id, owner, amount) VALUES (4, 'd', 4)");
            connection.rollback(outer);
            execute(connection, "UPDATE account SET owner = 'z' WHERE id = 3");
            connection.releaseSavepoint(outer);
        });
        assertThat(accounts()).containsExactly("1|ann|0.00", ROW_2, "3|z|300.00");
        assertThat(manager.branches(xid).get(0).registration().lockKeys()).isEqualTo(table("account") + ":1,3");
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void aRollbackDropsEverything() {
        Xid xid = begin();
        committed(xid, connection -> {
            execute(connection, TOUCH);
            connection.rollback();
        });
        assertThat(manager.branches(xid)).isEmpty();
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void switchingAutoCommitOnCommitsTheBranch() {
        Xid xid = begin();
        inside(xid, connection -> {
            execute(connection, TOUCH);
            connection.setAutoCommit(true);
            assertThat(connection.getAutoCommit()).isTrue();
        });
        assertThat(manager.branches(xid)).hasSize(1);
        assertThat(undoRows()).isEqualTo(1);
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void closingRollsBackWhatWasNotCommitted() {
        Xid xid = begin();
        inside(xid, connection -> execute(connection, TOUCH));
        assertThat(manager.branches(xid)).isEmpty();
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void whenTheBranchIsRefusedNoCleanUpCanCommitTheWork() {
        Xid xid = begin();
        manager.beforeRegister(() -> {
            throw new TxnException(ErrorCode.TRANSACTION_NOT_ACTIVE, null, "xid", xid);
        });
        inside(xid, connection -> {
            execute(connection, TOUCH);
            refusal(ErrorCode.TRANSACTION_NOT_ACTIVE, connection::commit);
            connection.setAutoCommit(true); // what frameworks do to clean up; JDBC commits on it
        });
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(undoRows()).isZero();
        assertThat(manager.reports()).isEmpty();
    }

    @Test
    void whenTheUndoRecordCannotBeWrittenTheWorkIsRolledBackAndReported() {
        Xid xid = begin();
        inside(xid, connection -> {
            execute(connection, TOUCH);
            counter.failOn(event -> {
                if (event.contains("INSERT INTO") && event.contains("undo_log")) {
                    throw new SQLException("broken for the test", "53100");
                }
            });
            assertThatThrownBy(connection::commit)
                    .isInstanceOf(SQLException.class)
                    .hasMessage("broken for the test");
            counter.failOn(event -> {});
            connection.setAutoCommit(true);
        });
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(manager.reports())
                .containsExactly(
                        "PHASE_ONE_FAILED " + manager.branches(xid).get(0).id());
        assertRolledBack(xid);
    }

    /** As where memory runs out. */
    @Test
    void whereNotEvenTheRollbackCanBeDoneNobodyWaitsForTheBranchAndNoCleanUpCanCommitTheWork() {
        Xid xid = begin();
        AtomicInteger rollbacks = new AtomicInteger();
        inside(xid, connection -> {
            // Where ids are lent its record is written while the branch registers.
            execute(connection, "DELETE FROM account WHERE id = 1");
            counter.failOn(event -> {
                if (event.contains("INSERT INTO") && event.contains("undo_log")) {
                    throw new OutOfMemoryError("the record");
                } else if (event.equals("rollback") && rollbacks.incrementAndGet() == 1) {
                    throw new OutOfMemoryError("the roll-back");
                }
            });
            assertThatThrownBy(connection::commit)
                    .isInstanceOf(OutOfMemoryError.class)
                    .hasMessage("the roll-back")
                    .satisfies(e -> assertThat(e.getSuppressed())
                            .anySatisfy(first -> assertThat(first).hasMessage("the record")));
            counter.failOn(event -> {});
            assertThat(manager.underWay()).as("registrations left alone").isZero();
            assertThat(manager.inPhaseOne())
                    .as("branches whose phase two is kept out")
                    .isEmpty();
            try {
                connection.setAutoCommit(true); // what frameworks do to clean up; JDBC commits on it
            } catch (SQLException e) {
                assertThat(connection.isClosed()).isTrue();
            }
        });
        assertThat(rollbacks).hasPositiveValue();
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void whenCommitItselfFailsNothingIsReportedBecauseNobodyKnows() {
        Xid xid = begin();
        AtomicInteger commits = new AtomicInteger();
        inside(xid, connection -> {
            execute(connection, TOUCH);
            counter.failOn(event -> {
                if ((event.equals("commit") || event.contains("; COMMIT")) && commits.incrementAndGet() == 1) {
                    throw new SQLException("the answer was lost", "08007");
                }
            });
            assertThatThrownBy(connection::commit)
                    .isInstanceOf(SQLException.class)
                    .hasMessage("the answer was lost");
        });
        assertThat(manager.reports()).isEmpty();
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void aCommitThatWorkedAndWhoseAnswerWasLostIsUndone() {
        Xid xid = begin();
        inside(xid, connection -> {
            execute(connection, TOUCH);
            Connection physical = connection.unwrap(Connection.class);
            assertThat(physical).isSameAs(connection);
            counter.failAfter(mariaDb() ? "END" : "commit", new SQLException("the answer was lost", "08007"));
            losesAnswer(connection);
        });
        assertThat(accounts()).contains("1|ann|0.00");
        assertThat(manager.reports()).isEmpty();
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    /** The undo record tells whether it was committed where it goes with the commit; elsewhere nobody knows. */
    private void losesAnswer(Connection connection) throws SQLException {
        if (mariaDb()) {
            connection.commit();
        } else {
            assertThatThrownBy(connection::commit)
                    .isInstanceOf(SQLException.class)
                    .hasMessage("the answer was lost");
        }
    }

    /** Who switches auto-commit on to clean up keeps to himself what is thrown then, whatever it is. */
    @Test
    @SuppressWarnings("try")
    void whatTheSwitchOfAutoCommitLosesMarksItsTransactionAndNoOther() throws SQLException {
        TransactionContext first = TransactionContext.participant(begin());
        TransactionContext second = TransactionContext.participant(begin());
        try (Connection connection = at.getConnection()) {
            try (ContextCarrier.Scope scope = contexts.bind(first)) {
                connection.setAutoCommit(false);
                execute(connection, TOUCH);
            }
            try (ContextCarrier.Scope scope = contexts.bind(second)) {
                refusal(ErrorCode.LOCAL_TRANSACTION_SPANS, () -> connection.setAutoCommit(true));
            }
        }
        assertThat(first.participation().mark()).contains("what auto-commit was to commit was not");
        assertThat(second.participation().mark()).isNull();

        TransactionContext third = TransactionContext.participant(begin());
        try (ContextCarrier.Scope scope = contexts.bind(third);
                Connection connection = at.getConnection()) {
            connection.setAutoCommit(false);
            execute(connection, TOUCH);
            counter.failOn(event -> {
                if (event.contains("INSERT INTO") && event.contains("undo_log")) {
                    throw new OutOfMemoryError("the record");
                }
            });
            assertThatThrownBy(() -> connection.setAutoCommit(true)).isInstanceOf(OutOfMemoryError.class);
            counter.failOn(event -> {});
        }
        assertThat(third.participation().mark()).contains("OutOfMemoryError");
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void whenEvenTheRollbackFailsTheConnectionIsAborted() {
        Xid xid = begin();
        manager.beforeRegister(() -> {
            throw new TxnException(ErrorCode.TRANSACTION_NOT_ACTIVE, null, "xid", xid);
        });
        inside(xid, connection -> {
            execute(connection, TOUCH);
            counter.failOn(event -> {
                if (event.equals("rollback")) {
                    throw new SQLException("broken for the test", "08006");
                }
            });
            refusal(ErrorCode.TRANSACTION_NOT_ACTIVE, connection::commit);
            counter.failOn(event -> {});
            assertThatThrownBy(() -> connection.setAutoCommit(true)).isInstanceOf(SQLException.class);
        });
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    @SuppressWarnings("try") // the scope is bound for its end
    void valuesMayBeBoundOnOneSideOfAGlobalTransactionAndUsedOnTheOther() throws SQLException {
        try (Connection connection = at.getConnection();
                PreparedStatement update =
                        connection.prepareStatement("UPDATE account SET amount = ?, owner = ? WHERE id = ?")) {
            update.setInt(1, 5);
            Xid xid = begin();
            try (ContextCarrier.Scope scope = contexts.bind(TransactionContext.participant(xid))) {
                update.setCharacterStream(2, new StringReader("di"), 2);
                update.setLong(3, 1);
                assertThat(update.executeUpdate()).isEqualTo(1);
                update.setInt(1, 6);
                update.setCharacterStream(2, new StringReader("ed"), 2);
            }
            update.setLong(3, 2);
            assertThat(update.executeUpdate()).isEqualTo(1);
            assertThat(accounts()).containsExactly("1|di|5.00", "2|ed|6.00", ROW_3);
            assertRolledBack(xid);
            assertThat(accounts()).containsExactly(ROW_1, "2|ed|6.00", ROW_3);
        }
    }

    @Test
    @SuppressWarnings("try")
    void aLocalTransactionThatBeganOutsideIsNotJoined() throws SQLException {
        Xid xid = begin();
        try (Connection connection = at.getConnection()) {
            connection.setAutoCommit(false);
            execute(connection, TOUCH);
            try (ContextCarrier.Scope scope = contexts.bind(TransactionContext.participant(xid))) {
                refusal(
                        ErrorCode.LOCAL_TRANSACTION_SPANS,
                        () -> execute(connection, "UPDATE account SET amount = 0 WHERE id = 2"));
            }
            connection.commit();
        }
        assertThat(accounts()).containsExactly("1|ann|0.00", ROW_2, ROW_3);
        assertThat(manager.branches(xid)).isEmpty();
    }

    @Test
    void aCommitAfterTheGlobalTransactionIsRefusedAndRolledBack() throws SQLException {
        Xid xid = begin();
        Connection[] kept = new Connection[1];
        bound(xid, () -> {
            kept[0] = at.getConnection();
            kept[0].setAutoCommit(false);
            execute(kept[0], TOUCH);
        });
        try (Connection connection = kept[0]) {
            refusal(ErrorCode.LOCAL_TRANSACTION_SPANS, () -> execute(connection, "DELETE FROM account WHERE id = 2"));
            try (Statement statement = connection.createStatement()) {
                assertThat(statement
                                .executeQuery("SELECT COUNT(*) FROM account")
                                .next())
                        .isTrue();
            }
            refusal(ErrorCode.LOCAL_TRANSACTION_SPANS, connection::commit);
            connection.setAutoCommit(true);
        }
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(manager.branches(xid)).isEmpty();
    }

    @Test
    void anotherXidInTheMiddleIsRefused() throws SQLException {
        Xid first = begin();
        Xid second = begin();
        Connection[] kept = new Connection[1];
        bound(first, () -> {
            kept[0] = at.getConnection();
            kept[0].setAutoCommit(false);
            execute(kept[0], TOUCH);
        });
        bound(
                second,
                () -> refusal(
                        ErrorCode.LOCAL_TRANSACTION_SPANS,
                        () -> execute(kept[0], "UPDATE account SET amount = 0 WHERE id = 2")));
        bound(first, () -> kept[0].commit());
        bound(second, () -> execute(kept[0], "UPDATE account SET amount = 0 WHERE id = 2"));
        bound(second, () -> kept[0].commit());
        kept[0].close();
        assertThat(accounts()).containsExactly("1|ann|0.00", "2|bob|0.00", ROW_3);
        assertRolledBackKeepingLocks(first);
        assertThat(accounts()).containsExactly(ROW_1, "2|bob|0.00", ROW_3);
        assertRolledBack(second);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    private void assertRolledBackKeepingLocks(Xid xid) {
        assertThat(manager.rollback(xid).done()).isTrue();
    }

    private interface Action {
        void run() throws SQLException;
    }

    @SuppressWarnings("try")
    private void bound(Xid xid, Action action) throws SQLException {
        try (ContextCarrier.Scope scope = contexts.bind(TransactionContext.participant(xid))) {
            action.run();
        }
    }

    @Test
    @SuppressWarnings("try")
    void pastTheDeadlineNothingIsCommitted() throws SQLException {
        Instant[] now = {Instant.parse("2030-01-01T00:00:00Z")};
        InstantSource clock = () -> now[0];
        at = AtDataSource.wrap(counter, options().withClock(clock), contexts, manager, null, adjust());
        Xid xid = begin();
        TransactionContext context =
                new TransactionContext(xid, TransactionContext.Role.PARTICIPANT, now[0].plusSeconds(10));
        try (ContextCarrier.Scope scope = contexts.bind(context);
                Connection connection = at.getConnection()) {
            connection.setAutoCommit(false);
            execute(connection, TOUCH);
            now[0] = now[0].plusSeconds(11);
            refusal(ErrorCode.TRANSACTION_TIMED_OUT, connection::commit);
        }
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(manager.branches(xid)).isEmpty();
    }

    /** The process stood still, or the branch waited for rows. */
    @Test
    @SuppressWarnings("try")
    void aRegistrationThatWasGrantedBeforeTheDeadlineLetsNothingBeCommittedAfterIt() throws SQLException {
        Instant[] now = {Instant.parse("2030-01-01T00:00:00Z")};
        InstantSource clock = () -> now[0];
        at = AtDataSource.wrap(counter, options().withClock(clock), contexts, manager, null, adjust());
        manager.afterRegister(() -> now[0] = now[0].plusSeconds(11));
        Xid xid = begin();
        TransactionContext context =
                new TransactionContext(xid, TransactionContext.Role.PARTICIPANT, now[0].plusSeconds(10));
        try (ContextCarrier.Scope scope = contexts.bind(context);
                Connection connection = at.getConnection()) {
            connection.setAutoCommit(false);
            execute(connection, TOUCH);
            refusal(ErrorCode.TRANSACTION_TIMED_OUT, connection::commit);
        } finally {
            manager.afterRegister(() -> {});
        }
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(manager.reports()).singleElement().asString().startsWith("PHASE_ONE_FAILED");
    }

    @Test
    void anUndoRecordThatIsTooLargeFailsTheCommit() {
        at = AtDataSource.wrap(counter, options().withBounds(100, 200), contexts, manager, null, adjust());
        Xid xid = begin();
        inside(xid, connection -> {
            execute(connection, "UPDATE account SET owner = 'someone with a long name', amount = 0");
            refusal(ErrorCode.UNDO_TOO_LARGE, connection::commit);
            connection.setAutoCommit(true);
        });
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(manager.reports()).isEmpty();
        assertThat(manager.branches(xid)).as("it was not even registered").isEmpty();
    }

    @Test
    void aStatementWhoseRowsCannotBeReadAgainCannotBeCommitted() {
        Xid xid = begin();
        inside(xid, connection -> {
            AtomicInteger reads = new AtomicInteger();
            counter.failOn(event -> {
                if (event.startsWith("SELECT")
                        && !event.contains("TABLE (")
                        && reads.incrementAndGet() > 0
                        && lastWasUpdate()) {
                    throw new SQLException("broken for the test", "53100");
                }
            });
            boolean queries = false;
            try {
                execute(connection, TOUCH);
            } catch (SQLException e) {
                queries = true;
            }
            counter.failOn(event -> {});
            if (queries && kind() != DatabaseKind.POSTGRESQL) {
                refusal(ErrorCode.CAPTURE_FAILED, connection::commit);
                connection.setAutoCommit(true);
                assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
            }
        });
        assertThat(manager.branches(xid)).isEmpty();
    }

    private boolean lastWasUpdate() {
        return !counter.sent().isEmpty()
                && counter.sent().get(counter.sent().size() - 1).contains("UPDATE account");
    }

    @Test
    void theLockOfAnotherGlobalTransactionFailsTheCommitAndKeepsNothing() {
        Xid holder = begin();
        committed(holder, TOUCH);
        becomeImpatient();
        Xid other = begin();
        inside(other, connection -> {
            execute(connection, "UPDATE account SET amount = 7 WHERE id = 1");
            SQLException refusal = refusal(ErrorCode.LOCK_CONFLICT, connection::commit);
            assertThat(refusal.getSQLState()).isEqualTo("40001");
            connection.setAutoCommit(true);
        });
        assertThat(accounts()).contains("1|ann|0.00");
        assertRolledBack(holder);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void theLockIsTakenOnceItsHolderCommits() {
        Xid holder = begin();
        committed(holder, TOUCH);
        AtomicInteger tries = new AtomicInteger();
        manager.beforeRegister(() -> {
            if (tries.incrementAndGet() == 2) {
                manager.commit(holder);
            }
        });
        Xid other = begin();
        committed(other, "UPDATE account SET amount = 7 WHERE id = 1");
        assertThat(tries).hasValue(2);
        assertRolledBack(other);
        assertThat(accounts()).containsExactly("1|ann|0.00", ROW_2, ROW_3);
    }

    @Test
    void aHolderThatRollsBackTurnsTheWaiterAwayAtOnce() {
        Xid holder = begin();
        committed(holder, TOUCH);
        AtomicInteger tries = new AtomicInteger();
        Xid other = begin();
        inside(other, connection -> {
            execute(connection, "UPDATE account SET amount = 7 WHERE id = 1");
            // Its undo waits for the row that this transaction holds, and has to come again.
            assertThat(manager.rollback(holder).done()).isFalse();
            manager.beforeRegister(tries::incrementAndGet);
            refusal(ErrorCode.LOCK_CONFLICT_ROLLING_BACK, connection::commit);
        });
        assertThat(tries).hasValue(1);
        assertRolledBack(holder);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void anAutoCommittedStatementHoldsNothingWhileItWaitsAndSeesWhatTheHolderLeft() {
        Xid holder = begin();
        committed(holder, "UPDATE account SET amount = 1000 WHERE id = 1");
        AtomicInteger tries = new AtomicInteger();
        manager.beforeRegister(() -> tries.incrementAndGet());
        Xid other = begin();
        autoCommitted(other, connection -> {
            counter.failOn(event -> {
                if (event.equals("rollback") && tries.get() == 2) {
                    tries.incrementAndGet();
                    counter.failOn(none -> {});
                    // Between two tries: the holder's undo needs the row, and gets it.
                    connectionlessRollback(holder);
                }
            });
            execute(connection, "UPDATE account SET amount = amount + 1 WHERE id = 1");
            assertThat(connection.getAutoCommit()).isTrue();
        });
        assertThat(accounts()).containsExactly("1|ann|101.00", ROW_2, ROW_3);
        assertRolledBack(other);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    /** Decides to roll back, while the caller is about to let go of the row; the undo itself comes with the next call. */
    private void connectionlessRollback(Xid holder) {
        Thread undo = new Thread(() -> {
            while (!manager.rollback(holder).done()) {
                Thread.onSpinWait();
            }
        });
        undo.start();
    }

    @Override
    AtOptions options() {
        return super.options().withLockRetry(200, Duration.ofMillis(20));
    }

    /** For what is refused in the end. */
    void becomeImpatient() {
        at = AtDataSource.wrap(counter, super.options(), contexts, manager, forPhaseTwo(), adjust());
        at.prepare();
    }

    @Test
    void aLockingReadWaitsForTheGlobalLock() {
        Xid holder = begin();
        committed(holder, "UPDATE account SET amount = 1000 WHERE id = 1");
        becomeImpatient();
        Xid other = begin();
        inside(other, connection -> {
            assertThat(balance(connection, 2)).isEqualByComparingTo("200");
            refusal(ErrorCode.LOCK_CONFLICT, () -> balance(connection, 1));
            if (kind() == DatabaseKind.H2) {
                assertThat(balance(connection, 2)).isEqualByComparingTo("200");
            }
            connection.rollback();
        });
        autoCommitted(other, connection -> {
            refusal(ErrorCode.LOCK_CONFLICT, () -> balance(connection, 1));
            assertThat(connection.getAutoCommit()).isTrue();
            assertThat(balance(connection, 3)).isEqualByComparingTo("300");
        });
        manager.commit(holder);
        inside(other, connection -> assertThat(balance(connection, 1)).isEqualByComparingTo("1000"));
        autoCommitted(other, connection -> assertThat(balance(connection, 1)).isEqualByComparingTo("1000"));
        assertThat(manager.branches(other)).isEmpty();
    }

    private static BigDecimal balance(Connection connection, long id) throws SQLException {
        try (var select =
                connection.prepareStatement("SELECT a.amount FROM account a WHERE a.id = ? ORDER BY a.id FOR UPDATE")) {
            select.setFetchSize(1);
            select.setLong(1, id);
            try (var rows = select.executeQuery()) {
                assertThat(rows.next()).isTrue();
                BigDecimal amount = rows.getBigDecimal(1);
                assertThat(rows.next()).isFalse();
                return amount;
            }
        }
    }

    @Test
    void unwrapTellsTheTruth() throws SQLException {
        assertThat(at.isWrapperFor(AtDataSource.class)).isTrue();
        assertThat(at.unwrap(CountingDataSource.class)).isSameAs(counter);
        Class<?> driverClass = database.dataSource().getClass();
        assertThat(at.isWrapperFor(driverClass)).isTrue();
        assertThat(at.isWrapperFor(String.class)).isFalse();
        try (Connection connection = at.getConnection();
                Statement statement = connection.createStatement()) {
            assertThat(statement.getConnection()).isSameAs(connection);
            assertThat(connection.getMetaData().getConnection()).isSameAs(connection);
            assertThat(connection.isWrapperFor(Connection.class)).isTrue();
            assertThat(connection).isEqualTo(connection).hasSameHashCodeAs(connection);
            assertThat(statement.unwrap(Statement.class)).isSameAs(statement);
        }
    }
}
