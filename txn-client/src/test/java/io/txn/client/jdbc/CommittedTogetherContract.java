package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Undo records that go to the database with the COMMIT of their local transaction. */
abstract class CommittedTogetherContract extends AtContract {

    private static final String TOUCH = "UPDATE account SET amount = 0 WHERE id = 1";
    private static final String TOUCH_ANOTHER = "UPDATE account SET amount = 0 WHERE id = 2";

    /** One that stands still: however slow the machine, no second goes by after which a commit would look at its tables by itself. */
    @Override
    AtOptions options() {
        return super.options().withClock(InstantSource.fixed(Instant.now()));
    }

    @Test
    void theUndoRecordAndTheCommitAreOneStatement() {
        Xid xid = begin();
        lookingMeanwhile();
        committed(xid, TOUCH);
        assertThat(withCommit()).hasSize(1);
        assertThat(undoRows()).isGreaterThanOrEqualTo(1);
        assertRolledBack(xid);
        assertThat(accounts()).contains(ROW_1);
    }

    @Test
    void whatIsWrittenAfterTheCommitIsAnotherLocalTransaction() {
        Xid xid = begin();
        lookingMeanwhile();
        inside(xid, connection -> {
            execute(connection, TOUCH);
            connection.commit();
            assertThat(connection.getAutoCommit()).isFalse();
            execute(connection, "UPDATE account SET amount = 7 WHERE id = 3");
            connection.rollback();
        });
        assertThat(withCommit()).hasSize(1);
        assertThat(accounts()).contains(ROW_3).doesNotContain(ROW_1);
        assertRolledBack(xid);
        assertThat(accounts()).contains(ROW_1, ROW_3);
    }

    @Test
    void whateverComesAfterTheCommitFindsAutoCommitOff() {
        String again = "UPDATE account SET amount = 7 WHERE id = 3";
        List<Work> ways = List.of(
                connection -> execute(connection, again),
                connection -> {
                    connection.setAutoCommit(false);
                    execute(connection, again);
                },
                connection -> {
                    connection.setSavepoint("here");
                    execute(connection, again);
                },
                connection -> {
                    connection.commit();
                    connection.rollback();
                    execute(connection, again);
                },
                connection -> {
                    execute(connection, "BEGIN");
                    execute(connection, again);
                },
                connection -> {
                    try (Statement statement =
                            connection.unwrap(Connection.class).createStatement()) {
                        statement.addBatch(again);
                        statement.executeBatch();
                    }
                },
                connection -> {
                    try (Statement statement = connection.createStatement(
                                    ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_UPDATABLE);
                            ResultSet rows =
                                    statement.executeQuery("SELECT id, owner, amount FROM account WHERE id = 3")) {
                        rows.next();
                        rows.updateBigDecimal(3, BigDecimal.TEN);
                        rows.updateRow();
                    }
                });
        for (Work way : ways) {
            Xid xid = begin();
            lookingMeanwhile();
            inside(xid, connection -> {
                try (PreparedStatement before = connection.prepareStatement(again)) {
                    execute(connection, TOUCH);
                    connection.commit();
                    assertThat(connection.getAutoCommit()).isFalse();
                    way.run(connection);
                    before.executeUpdate();
                }
                assertThat(connection.getAutoCommit()).isFalse();
                connection.rollback();
            });
            assertThat(withCommit()).hasSize(1);
            assertThat(accounts()).contains(ROW_3).doesNotContain(ROW_1);
            assertRolledBack(xid);
            assertThat(accounts()).contains(ROW_1, ROW_3);
        }
    }

    @Test
    void whatAPlainStatementDoesAfterTheCommitCanBeRolledBack() throws SQLException {
        Xid xid = begin();
        lookingMeanwhile();
        try (Connection connection = at.getConnection()) {
            connection.setAutoCommit(false);
            PreparedStatement before = connection.prepareStatement("UPDATE account SET amount = 8 WHERE id = 3");
            try (ContextCarrier.Scope scope = contexts.bind(TransactionContext.participant(xid))) {
                assertThat(scope).isNotNull();
                execute(connection, TOUCH);
                connection.commit();
            }
            before.executeUpdate();
            execute(connection, "UPDATE account SET amount = 7 WHERE id = 3");
            connection.rollback();
        }
        assertThat(withCommit()).hasSize(1);
        assertThat(accounts()).contains(ROW_3).doesNotContain(ROW_1);
        assertRolledBack(xid);
    }

    @Test
    void aRecordThatComesTooLateCommitsNothing() {
        Xid xid = begin();
        lookingMeanwhile();
        manager.afterRegister(() -> {
            if (!manager.branches(xid).isEmpty()) {
                manager.onlyResource().rollback(manager.branches(xid).get(0).asBranch());
            }
        });
        inside(xid, connection -> {
            execute(connection, TOUCH);
            refusal(ErrorCode.LOCAL_COMMIT_LATE, connection::commit);
        });
        assertThat(withCommit()).hasSize(1);
        assertThat(accounts()).contains(ROW_1);
        assertThat(manager.rollback(xid).done()).isTrue();
    }

    @Test
    void whereTheAnswerIsLostTheRecordTellsThatItWasCommitted() {
        Xid xid = begin();
        lookingMeanwhile();
        inside(xid, connection -> {
            execute(connection, TOUCH);
            counter.failAfter(
                    mariaDb() ? "SET autocommit = 1; END" : ending(), new SQLException("broken for the test", "70100"));
            connection.commit();
        });
        assertThat(manager.reports()).isEmpty();
        assertThat(accounts()).doesNotContain(ROW_1);
        assertRolledBack(xid);
        assertThat(accounts()).contains(ROW_1);
    }

    @Test
    void aFailureThatIsNoneOfTheRecordIsToldAsItIs() {
        Xid xid = begin();
        lookingMeanwhile();
        failing(xid, new SQLException("duplicate key of the application", mariaDb() ? "23000" : "23505"));
        inside(xid, connection -> {
            execute(connection, TOUCH);
            assertThatThrownBy(connection::commit).hasMessage("duplicate key of the application");
            counter.failOn(event -> {});
        });
        assertThat(accounts()).contains(ROW_1);
        assertThat(manager.reports()).hasSize(1);
        assertRolledBack(xid);
    }

    @Test
    void aLostSessionIsNoProofThatNothingWillBeCommitted() {
        Xid xid = begin();
        lookingMeanwhile();
        failing(xid, new SQLException("in progress transaction was lost", "25S03"));
        inside(xid, connection -> {
            execute(connection, TOUCH);
            assertThatThrownBy(connection::commit).hasMessage("in progress transaction was lost");
            counter.failOn(event -> {});
        });
        assertThat(manager.reports()).isEmpty();
        assertRolledBack(xid);
        assertThat(rows("SELECT log_status FROM undo_log WHERE xid = '" + xid + "'"))
                .containsExactly("1");
    }

    @Test
    void anUncheckedFailureLeavesNoSessionToGoOnWith() {
        Xid xid = begin();
        lookingMeanwhile();
        manager.afterRegister(() -> counter.failOn(event -> {
            if (event.contains(ending()) && !manager.branches(xid).isEmpty()) {
                throw new IllegalStateException("a filter of the pool");
            }
        }));
        inside(xid, connection -> {
            execute(connection, TOUCH);
            assertThatThrownBy(connection::commit).hasMessage("a filter of the pool");
            counter.failOn(event -> {});
            assertThat(connection.isClosed()).isTrue();
        });
        assertThat(accounts()).contains(ROW_1);
        assertRolledBack(xid);
    }

    @Test
    void whatIsNotTakenTogetherAnyMoreGoesOneAfterTheOtherFromThenOn() {
        Xid xid = begin();
        lookingMeanwhile();
        failing(xid, new SQLException("no two statements", "42000"));
        inside(xid, connection -> {
            execute(connection, TOUCH);
            assertThatThrownBy(connection::commit).hasMessage("no two statements");
            counter.failOn(event -> {});
        });
        assertThat(manager.reports()).hasSize(1);
        assertRolledBack(xid);
        manager.afterRegister(() -> {});

        Xid next = begin();
        lookingMeanwhile();
        committed(next, TOUCH);
        assertThat(withCommit()).isEmpty();
        assertRolledBack(next);
        assertThat(accounts()).contains(ROW_1);
    }

    private void failing(Xid xid, SQLException failure) {
        manager.afterRegister(() -> counter.failOn(event -> {
            if (event.contains(ending()) && !manager.branches(xid).isEmpty()) {
                throw failure;
            }
        }));
    }

    /** Another local transaction commits while the next one registers, and looks at the tables where that is to be done. */
    void lookingMeanwhile() {
        manager.beforeRegister(() -> {
            manager.beforeRegister(() -> {});
            Xid other = begin();
            committed(other, TOUCH_ANOTHER);
            manager.commit(other);
            counter.reset();
        });
    }

    List<String> withCommit() {
        return counter.sent().stream().filter(sql -> sql.contains(ending())).toList();
    }

    String ending() {
        return "; COMMIT";
    }
}
