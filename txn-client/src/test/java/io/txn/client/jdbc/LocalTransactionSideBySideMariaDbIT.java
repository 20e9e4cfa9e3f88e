package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.Xid;
import io.txn.test.DatabaseKind;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The same while the branch is being registered. */
@EnabledIfSystemProperty(named = "txn.test.wide", matches = "true")
class LocalTransactionSideBySideMariaDbIT extends LocalTransactionContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    @Override
    boolean sideBySide() {
        return true;
    }

    @Test
    void aRecordThatCannotGoWithTheCommitIsWrittenWhileTheBranchRegisters() {
        Xid xid = begin();
        List<String> whenRegistered = new ArrayList<>();
        manager.afterRegister(() -> whenRegistered.addAll(counter.sent()));
        committed(xid, "DELETE FROM account WHERE id = 3");
        assertThat(whenRegistered).anyMatch(sql -> sql.startsWith("INSERT INTO") && sql.contains("undo_log"));
        assertRolledBack(xid);
        assertThat(accounts()).contains(ROW_3);
    }
}
