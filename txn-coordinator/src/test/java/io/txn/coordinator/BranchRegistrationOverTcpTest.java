package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import io.txn.protocol.codec.FrameKind;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.message.ResultCode;
import io.txn.protocol.message.TransactionExceptionCode;
import io.txn.test.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Registrations and questions about rows, as they are answered on the wire. */
@Timeout(120)
class BranchRegistrationOverTcpTest {

    private static final String DB = "jdbc:h2:mem:storage";
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    Path dataDir;

    private Coordinator coordinator;

    @BeforeEach
    void start() {
        start(CoordinatorOptions.Limits.DEFAULTS);
    }

    private void start(CoordinatorOptions.Limits limits) {
        coordinator = Coordinator.start(CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", 0)
                .withAdvertisedAddress("127.0.0.1:8091")
                .withDataDir(dataDir)
                .withLimits(limits));
    }

    @AfterEach
    void stop() {
        coordinator.close();
    }

    private RawClient client() throws Exception {
        return RawClient.registered(coordinator.tcpPort(), "storage-service", "2.6.0", DB);
    }

    private static CoordinatorOptions.Limits limits(int branches, int applicationData) {
        return TestLimits.usual()
                .branchesPerTransaction(branches)
                .applicationDataLength(applicationData)
                .build();
    }

    private static void assertRefused(
            Message.BranchRegisterResponse refused, TransactionExceptionCode code, String contained) {
        assertThat(refused.outcome().code()).isEqualTo(ResultCode.FAILED);
        assertThat(refused.outcome().exceptionCode()).isEqualTo(code);
        assertThat(refused.outcome().message()).contains(contained);
        assertThat(refused.branchId()).isZero();
    }

    private static Outcome registered(RawClient client, String xid, String rows, String data) throws Exception {
        return client.tryRegister(xid, BranchType.AT, DB, rows, data).outcome();
    }

    private static Message.GlobalLockQueryResponse query(
            RawClient client, String xid, BranchType type, String resource, String rows) throws Exception {
        return client.ask(
                new Message.GlobalLockQueryRequest(xid, type, resource, rows, null),
                Message.GlobalLockQueryResponse.class);
    }

    private static void assertLockable(RawClient client, String xid, BranchType type, String rows, boolean lockable)
            throws Exception {
        assertThat(query(client, xid, type, DB, rows))
                .as("%s %s for %s", type, rows, xid)
                .isEqualTo(new Message.GlobalLockQueryResponse(Outcome.SUCCESS, lockable));
    }

    @Test
    void whatATransactionHasNoRoomForIsRefusedWithTheCodeForIt() throws Exception {
        coordinator.close();
        start(limits(2, 50));
        try (RawClient client = client()) {
            String xid = client.begin();
            assertRefused(
                    client.tryRegister(xid, BranchType.TCC, "reserve", null, "d".repeat(51)),
                    TransactionExceptionCode.FAILED_TO_ADD_BRANCH,
                    "TXN-CRD013");
            client.register(xid, BranchType.AT, DB, "stock:1", null);
            client.register(xid, BranchType.TCC, "reserve", null, "d".repeat(50));
            for (BranchType type : List.of(BranchType.AT, BranchType.TCC)) {
                assertRefused(
                        client.tryRegister(xid, type, DB, "stock:3", null),
                        TransactionExceptionCode.FAILED_TO_ADD_BRANCH,
                        "TXN-TX008");
            }
            // What was refused took no row, and its transaction goes on.
            assertLockable(client, null, BranchType.AT, "stock:3", true);
            assertThat(client.status(xid).status()).isEqualTo(GlobalStatus.BEGIN);
        }
    }

    @Test
    void whoAsksAboutRowsLearnsWhetherSomebodyElseHoldsThem() throws Exception {
        try (RawClient client = client()) {
            String holder = client.begin();
            client.register(holder, BranchType.AT, DB, "stock:1,2", null);
            String other = client.begin();

            assertLockable(client, holder, BranchType.AT, "stock:1", true);
            assertLockable(client, holder, BranchType.AT, "stock:1,2,3", true);
            assertLockable(client, other, BranchType.AT, "stock:1", false);
            assertLockable(client, other, BranchType.AT, "stock:3;stock:2", false);
            assertLockable(client, other, BranchType.AT, "stock:3", true);
            assertLockable(client, "127.0.0.1:8091:12345", BranchType.AT, "stock:2", false);
            assertLockable(client, "127.0.0.1:8091:12345", BranchType.AT, "stock:3", true);
            assertLockable(client, "not an xid", BranchType.AT, "stock:2", false);
            for (String nobody : new String[] {null, ""}) {
                assertLockable(client, nobody, BranchType.AT, "stock:1", false);
                assertLockable(client, nobody, BranchType.AT, "stock:3", true);
            }
            for (String none : new String[] {null, ""}) {
                assertLockable(client, other, BranchType.AT, none, true);
            }
            for (BranchType type : BranchType.values()) {
                assertLockable(client, other, type, "stock:1", type != BranchType.AT);
            }
            assertThat(query(client, other, BranchType.AT, "jdbc:h2:mem:else", "stock:1"))
                    .isEqualTo(new Message.GlobalLockQueryResponse(Outcome.SUCCESS, true));
        }
    }

    @Test
    void aQuestionAboutRowsThatCannotBeUnderstoodIsNotAnsweredAsIfTheyWereFree() throws Exception {
        try (RawClient client = client()) {
            String xid = client.begin();
            for (String rows : List.of("stock", "stock:", ":1", "stock:1;;", "stock:1,,2", ";")) {
                assertNotLockable(query(client, xid, BranchType.AT, DB, rows));
            }
            for (String resource : new String[] {null, "", "r".repeat(4_001)}) {
                assertNotLockable(query(client, xid, BranchType.AT, resource, "stock:1"));
            }
        }
    }

    private static void assertNotLockable(Message.GlobalLockQueryResponse answer) {
        assertThat(answer.lockable()).isFalse();
        assertThat(answer.outcome().code()).isEqualTo(ResultCode.FAILED);
        assertThat(answer.outcome().exceptionCode()).isEqualTo(TransactionExceptionCode.LOCKABLE_CHECK_FAILED);
        assertThat(answer.outcome().message()).startsWith("TXN-CRD006");
    }

    @Test
    void aBranchWithoutLockKeysTakesNoRow() throws Exception {
        try (RawClient client = client()) {
            for (String none : new String[] {null, ""}) {
                client.register(client.begin(), BranchType.AT, DB, none, null);
                client.register(client.begin(), BranchType.AT, DB, none, null);
            }
            for (BranchType type : BranchType.values()) {
                if (type != BranchType.AT && type != BranchType.SAGA) {
                    client.register(client.begin(), type, DB, "stock:1", null);
                }
            }
            assertThat(coordinator.locks(new LockQuery(null, 10, null)).join().locks())
                    .isEmpty();
            assertThat(coordinator.statistics().locks()).isZero();
        }
    }

    /** Clients of ours name the database besides its URL; Seata's know the URL only. */
    @Test
    void theRowsOfOneDatabaseAreTheSameByWhateverUrl() throws Exception {
        String named = "{\"autoCommit\":false,\"database\":\"d\",\"rows\":\"1f\"}";
        String others = "{\"autoCommit\":false,\"database\":\"e\",\"rows\":\"2f\"}";
        String alias = DB + "-by-another-address";
        try (RawClient client = client()) {
            String holder = client.begin();
            assertThat(registered(client, holder, "stock:1", named)).isEqualTo(Outcome.SUCCESS);
            assertThat(client.tryRegister(holder, BranchType.AT, alias, "stock:1,2", named)
                            .outcome())
                    .isEqualTo(Outcome.SUCCESS);
            assertThat(coordinator.statistics().locks()).isEqualTo(3);
            String other = client.begin();
            assertThat(client.tryRegister(other, BranchType.AT, alias + 2, "stock:2", named)
                            .outcome()
                            .exceptionCode())
                    .isEqualTo(TransactionExceptionCode.LOCK_KEY_CONFLICT);
            assertThat(client.tryRegister(other, BranchType.AT, alias + 2, "stock:2", others)
                            .outcome())
                    .as("another database")
                    .isEqualTo(Outcome.SUCCESS);
            assertThat(client.ask(
                                    new Message.GlobalLockQueryRequest(
                                            other, BranchType.AT, alias + 3, "stock:1", named),
                                    Message.GlobalLockQueryResponse.class)
                            .lockable())
                    .isFalse();
            assertThat(registered(client, other, "stock:1", null).exceptionCode())
                    .as("who knows the URL only")
                    .isEqualTo(TransactionExceptionCode.LOCK_KEY_CONFLICT);
        }
    }

    /** A database may have committed what its client takes for failed. */
    @Test
    void rowsKeepTheNamesOfTheirRegistrationWhateverIsReported() throws Exception {
        String named = "{\"autoCommit\":false,\"rows\":\"1f\"}";
        String alias = DB + "-by-another-address";
        try (RawClient client = RawClient.registered(coordinator.tcpPort(), "storage-service", "2.6.0", DB, alias)) {
            String holder = client.begin();
            long first = client.register(holder, BranchType.AT, DB, "stock:1", named);
            long second = client.register(holder, BranchType.AT, alias, "stock:1", named);
            for (String other : new String[] {null, "{}", named.replace("1f", "2f")}) {
                Outcome refused = reported(client, holder, second, BranchStatus.PHASE_ONE_DONE, other);
                assertThat(refused.code()).isEqualTo(ResultCode.FAILED);
                assertThat(refused.message()).contains("TXN-CRD006", "\"rows\"");
            }
            assertThat(reported(
                            client, holder, second, BranchStatus.PHASE_ONE_DONE, "{\"more\":1," + named.substring(1)))
                    .isEqualTo(Outcome.SUCCESS);
            assertThat(reported(client, holder, first, BranchStatus.PHASE_ONE_FAILED, null))
                    .isEqualTo(Outcome.SUCCESS);
            String other = client.begin();
            assertThat(client.tryRegister(other, BranchType.AT, alias + 2, "stock:1", named)
                            .outcome()
                            .exceptionCode())
                    .isEqualTo(TransactionExceptionCode.LOCK_KEY_CONFLICT);
            int rollback = client.send(FrameKind.REQUEST, new Message.GlobalRollbackRequest(holder, null));
            for (long branch : new long[] {second, first}) {
                var call = client.readCall(Message.BranchRollbackRequest.class);
                var asked = (Message.BranchRollbackRequest) call.body();
                assertThat(asked.branchId()).isEqualTo(branch);
                assertThat(asked.applicationData()).endsWith(named.substring(1));
                client.answer(call, HandDrivenClient.done(asked));
            }
            assertThat(client.readAnswer(rollback, Message.GlobalRollbackResponse.class)
                            .status())
                    .isEqualTo(GlobalStatus.ROLLED_BACK);
            assertThat(coordinator.statistics().locks()).isZero();
        }
    }

    private static Outcome reported(RawClient client, String xid, long branch, BranchStatus status, String data)
            throws Exception {
        return client.ask(
                        new Message.BranchReportRequest(xid, branch, status, null, data, BranchType.AT),
                        Message.BranchReportResponse.class)
                .outcome();
    }

    /** {@code skipCheckLock} spares a Seata server a look that costs nothing here: what the answers are does not change. */
    @Test
    void skippingTheLookAtHoldersChangesNoAnswer() throws Exception {
        String skip = "{\"skipCheckLock\":true}";
        String skipInside = "{\"autoCommit\":false,\"skipCheckLock\":true}";
        try (RawClient client = client()) {
            String holder = client.begin();
            assertThat(registered(client, holder, "stock:1", skip)).isEqualTo(Outcome.SUCCESS);
            assertThat(registered(client, holder, "stock:1", skipInside)).isEqualTo(Outcome.SUCCESS);
            String other = client.begin();
            for (String data : List.of(skip, skipInside)) {
                assertThat(registered(client, other, "stock:1", data).exceptionCode())
                        .isEqualTo(TransactionExceptionCode.LOCK_KEY_CONFLICT);
            }
            int rollback = client.send(FrameKind.REQUEST, new Message.GlobalRollbackRequest(holder, null));
            var call = client.readCall(Message.BranchRollbackRequest.class);
            assertThat(registered(client, other, "stock:1", skip).exceptionCode())
                    .isEqualTo(TransactionExceptionCode.LOCK_KEY_CONFLICT);
            assertThat(registered(client, other, "stock:1", skipInside).exceptionCode())
                    .isEqualTo(TransactionExceptionCode.LOCK_KEY_CONFLICT_FAIL_FAST);
            client.answer(call, HandDrivenClient.done(call.body()));
            call = client.readCall(Message.BranchRollbackRequest.class);
            client.answer(call, HandDrivenClient.done(call.body()));
            assertThat(client.readAnswer(rollback, Message.GlobalRollbackResponse.class)
                            .status())
                    .isEqualTo(GlobalStatus.ROLLED_BACK);
            assertThat(registered(client, other, "stock:1", skipInside)).isEqualTo(Outcome.SUCCESS);
        }
    }

    @Test
    void aHolderThatIsRolledBackByItsTimeOutTurnsAwayWhoHoldsALocalTransactionToo() throws Exception {
        try (RawClient client = client()) {
            var begun = client.ask(new Message.GlobalBeginRequest(1_500, "slow"), Message.GlobalBeginResponse.class);
            client.register(begun.xid(), BranchType.AT, DB, "stock:1", null);
            var call = client.readCall(Message.BranchRollbackRequest.class);
            assertThat(client.status(begun.xid()).status()).isEqualTo(GlobalStatus.TIMEOUT_ROLLING_BACK);
            String other = client.begin();
            assertThat(registered(client, other, "stock:1", "{\"autoCommit\":false}")
                            .exceptionCode())
                    .isEqualTo(TransactionExceptionCode.LOCK_KEY_CONFLICT_FAIL_FAST);
            assertThat(registered(client, other, "stock:1", null).exceptionCode())
                    .isEqualTo(TransactionExceptionCode.LOCK_KEY_CONFLICT);
            client.answer(call, HandDrivenClient.answer(call.body(), BranchStatus.PHASE_TWO_ROLLED_BACK));
            Await.until(
                    "it is rolled back",
                    PATIENCE,
                    () -> coordinator
                                    .transaction(new Xid(begun.xid()))
                                    .join()
                                    .orElseThrow()
                                    .summary()
                                    .state()
                            == TransactionState.ROLLED_BACK);
            assertThat(registered(client, other, "stock:1", "{\"autoCommit\":false}"))
                    .isEqualTo(Outcome.SUCCESS);
        }
    }
}
