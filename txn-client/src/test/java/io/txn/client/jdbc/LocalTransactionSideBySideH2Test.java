package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The same while the branch is being registered. */
class LocalTransactionSideBySideH2Test extends LocalTransactionContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }

    @Override
    boolean sideBySide() {
        return true;
    }

    @Test
    void theRecordIsWrittenBeforeTheAnswerAndNothingIsCommittedBeforeIt() {
        List<String> before = new ArrayList<>();
        List<String> atTheAnswer = new ArrayList<>();
        Xid xid = begin();
        inside(xid, connection -> {
            execute(connection, "UPDATE account SET amount = 0 WHERE id = 1");
            counter.reset();
            manager.beforeRegister(() -> before.addAll(counter.sent()));
            manager.afterRegister(() -> atTheAnswer.addAll(counter.sent()));
            connection.commit();
        });
        assertThat(before).isEmpty();
        assertThat(atTheAnswer).singleElement().asString().startsWith("INSERT INTO");
        assertThat(counter.sent()).hasSize(2).endsWith("commit");
        assertThat(undoRows()).isEqualTo(1);
        assertRolledBack(xid);
        assertThat(accounts()).contains(ROW_1);
    }

    @Test
    void whatIsRefusedIsRolledBackWithItsRecord() {
        Xid holder = begin();
        committed(holder, "UPDATE account SET amount = 0 WHERE id = 1");
        becomeImpatient();
        Xid other = begin();
        counter.reset();
        Throwable refused = catchThrowable(() -> committed(other, "UPDATE account SET amount = 5 WHERE id = 1"));
        assertThat(codeOf(refused)).isEqualTo(ErrorCode.LOCK_CONFLICT);
        assertThat(counter.sent()).doesNotContain("commit").contains("rollback");
        assertThat(undoRows()).isEqualTo(1);
        assertThat(manager.branches(other)).isEmpty();
        assertThat(manager.commit(holder).done()).isTrue();
        committed(other, "UPDATE account SET amount = 5 WHERE id = 1");
        assertRolledBack(other);
        assertThat(accounts()).contains("1|ann|0.00");
    }
}
