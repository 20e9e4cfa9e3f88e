package io.txn.coordinator.seata;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.Outcome;
import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import io.txn.protocol.message.GlobalStatus;
import org.junit.jupiter.api.Test;

/** What an engine reports, and what it is told, status by status. */
class SagaWordsTest {

    private static final Xid XID = new Xid("127.0.0.1:8091:7");

    private static Command expected(GlobalStatus status) {
        return switch (status.ordinal()) {
            case 9 -> new Command.ReportSaga(XID, Outcome.COMMIT, true); // Committed
            case 11, 13, 15 -> new Command.ReportSaga(XID, Outcome.ROLLBACK, true); // (Timeout)Rollbacked, Finished
            case 3 -> new Command.ReportSaga(XID, Outcome.COMMIT, false); // CommitRetrying
            case 0, 5, 7 -> new Command.ReportSaga(XID, Outcome.ROLLBACK, false); // UnKnown, (Timeout)RollbackRetrying
            default -> new Command.QueryTransaction(XID);
        };
    }

    @Test
    void aReportEndsASagaHandsItBackOrChangesNothing() {
        assertThat(GlobalStatus.values()).hasSize(21);
        for (GlobalStatus status : GlobalStatus.values()) {
            assertThat(SagaWords.command(XID, status)).as("%s", status).isEqualTo(expected(status));
        }
        assertThat(SagaWords.command(XID, null)).isEqualTo(new Command.QueryTransaction(XID));
    }

    private static String status(Outcome phase, boolean timedOut, int attempt) {
        return SagaWords.status(new Effect.CallBranch(
                1,
                "127.0.0.1:8091",
                1,
                BranchType.SAGA,
                "shop#group",
                new ClientId("shop", "h", 1),
                null,
                phase,
                timedOut,
                attempt));
    }

    /** Seata's engine parses them as names of its enum, letter by letter. */
    @Test
    void aCallNamesItsStatus() {
        assertThat(status(Outcome.COMMIT, false, 1)).isEqualTo("Committing");
        assertThat(status(Outcome.COMMIT, false, 2)).isEqualTo("CommitRetrying");
        assertThat(status(Outcome.ROLLBACK, false, 1)).isEqualTo("Rollbacking");
        assertThat(status(Outcome.ROLLBACK, false, 3)).isEqualTo("RollbackRetrying");
        assertThat(status(Outcome.ROLLBACK, true, 1)).isEqualTo("TimeoutRollbacking");
        assertThat(status(Outcome.ROLLBACK, true, 2)).isEqualTo("TimeoutRollbackRetrying");
        assertThat(status(Outcome.COMMIT, true, 1)).isEqualTo("Committing");
        assertThat(status(Outcome.COMMIT, true, 2)).isEqualTo("CommitRetrying");
        assertThat(SagaWords.NO_BRANCH).isEqualTo(-1);
    }

    @Test
    void aSagaIsKnownByTheNameOfItsTransaction() {
        assertThat(SagaWords.isSaga("$Saga_buy")).isTrue();
        assertThat(SagaWords.isSaga("$Saga_")).isTrue();
        assertThat(SagaWords.isSaga("$saga_buy")).isFalse();
        assertThat(SagaWords.isSaga("buy $Saga_")).isFalse();
        assertThat(SagaWords.isSaga("")).isFalse();
    }
}
