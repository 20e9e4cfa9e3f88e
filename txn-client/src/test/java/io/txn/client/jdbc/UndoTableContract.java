package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The undo table: made when missing, checked otherwise, named and shared. */
abstract class UndoTableContract extends AtContract {

    private AtDataSource wrapped(AtOptions options) {
        return AtDataSource.wrap(counter, options, contexts, manager, null, adjust());
    }

    @Test
    void wrappingTouchesNoTable() {
        behindTheBack("DROP TABLE undo_log", "DROP TABLE undo_log_database");
        wrapped(options());
        counter.reset();
        assertThat(counter.sent()).isEmpty();
        assertThatThrownBy(this::undoRows).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aMissingTableIsMadeOnce() {
        behindTheBack("DROP TABLE undo_log", "DROP TABLE undo_log_database");
        at = wrapped(options());
        at.prepare();
        String identity = rows("SELECT database_id FROM undo_log_database").get(0);
        at.prepare();
        wrapped(options()).prepare();
        assertThat(rows("SELECT database_id FROM undo_log_database")).containsExactly(identity);
        assertThat(undoRows()).isZero();
    }

    @Test
    void itIsMadeBeforeTheFirstStatementWhenNobodyAskedForIt() {
        behindTheBack("DROP TABLE undo_log", "DROP TABLE undo_log_database");
        at = wrapped(options());
        Xid xid = begin();
        committed(xid, "UPDATE account SET amount = 1 WHERE id = 1");
        assertThat(undoRows()).isEqualTo(1);
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void applicationsThatStartTogetherMakeItTogether() throws Exception {
        behindTheBack("DROP TABLE undo_log", "DROP TABLE undo_log_database");
        List<CompletableFuture<Void>> starts = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            AtDataSource one = wrapped(options());
            starts.add(CompletableFuture.runAsync(one::prepare));
        }
        for (CompletableFuture<Void> start : starts) {
            start.get(60, TimeUnit.SECONDS);
        }
        assertThat(rows("SELECT COUNT(*) FROM undo_log_database")).containsExactly("1");
    }

    @Test
    void whereItMayNotBeMadeItsAbsenceIsAnErrorBeforeAnyChange() {
        behindTheBack("DROP TABLE undo_log");
        at = wrapped(options().withCreateUndoTable(false));
        assertThatThrownBy(at::prepare).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                .isEqualTo(ErrorCode.NO_UNDO_TABLE));
        Xid xid = begin();
        refusal(ErrorCode.NO_UNDO_TABLE, () -> {
            try (var scope = contexts.bind(io.txn.client.TransactionContext.participant(xid))) {
                assertThat(scope).isNotNull();
                at.getConnection().close();
            }
        });
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }

    @Test
    void aTableWithoutItsUniqueKeyIsNotAccepted() {
        behindTheBack("DROP TABLE undo_log");
        behindTheBack(
                "CREATE TABLE undo_log (branch_id BIGINT NOT NULL, xid VARCHAR(128) NOT NULL, context VARCHAR(128) NOT NULL,"
                        + " rollback_info "
                        + (mariaDb() ? "LONGBLOB" : kind() == io.txn.test.DatabaseKind.H2 ? "BLOB" : "BYTEA")
                        + " NOT NULL, log_status INT NOT NULL, log_created TIMESTAMP NOT NULL, log_modified TIMESTAMP NOT NULL)");
        assertThatThrownBy(wrapped(options())::prepare)
                .isInstanceOf(TxnException.class)
                .hasMessageContaining("no unique key");
        behindTheBack("CREATE UNIQUE INDEX ux ON undo_log (xid, branch_id)");
        assertThatCode(wrapped(options())::prepare).doesNotThrowAnyException();
    }

    /** Where that is what the server makes unless told otherwise, and somebody made it by hand: an undo record would say of changes that they were committed. */
    @Test
    void aTableWithoutTransactionsIsNotAccepted() {
        if (!mariaDb()) {
            return;
        }
        behindTheBack("ALTER TABLE undo_log ENGINE = MyISAM");
        assertThatThrownBy(wrapped(options())::prepare)
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NO_UNDO_TABLE))
                .hasMessageContaining("its engine MyISAM has no transactions");
        assertThat(undoRows()).isZero();
        behindTheBack("ALTER TABLE undo_log ENGINE = InnoDB");
        assertThatCode(wrapped(options())::prepare).doesNotThrowAnyException();
    }

    @Test
    void itMayHaveAnotherName() {
        at = wrapped(options().withUndoTable("txn_undo"));
        at.prepare();
        Xid xid = begin();
        committed(xid, "UPDATE account SET amount = 1 WHERE id = 1");
        assertThat(rows("SELECT COUNT(*) FROM txn_undo")).containsExactly("1");
        assertThat(undoRows()).isZero();
        assertRolledBack(xid);
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
    }
}
