package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchId;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.message.ResultCode;
import io.txn.protocol.message.TransactionExceptionCode;
import io.txn.test.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A whole coordinator with its file journal, and clients driven by hand over TCP. */
@Timeout(60)
class CoordinatorOverTcpTest {

    private static final String DB = "jdbc:h2:mem:storage";

    @TempDir
    Path dataDir;

    private Coordinator coordinator;

    @BeforeEach
    void start() {
        coordinator = Coordinator.start(options());
    }

    @AfterEach
    void stop() {
        coordinator.close();
    }

    private CoordinatorOptions options() {
        return CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", 0)
                .withAdvertisedAddress("127.0.0.1:8091")
                .withDataDir(dataDir)
                .withRestartGrace(Duration.ofMillis(200))
                .withRetry(new CoordinatorOptions.Retry(
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(5),
                        Duration.ofMillis(50),
                        Duration.ofMillis(200),
                        0));
    }

    private HandDrivenClient client(String... resources) throws Exception {
        return HandDrivenClient.registered(coordinator.tcpPort(), "storage-service", "2.6.0", resources);
    }

    private TransactionDetail detail(String xid) {
        return coordinator.transaction(new Xid(xid)).join().orElseThrow();
    }

    private void awaitState(String xid, TransactionState state) {
        Await.until(
                xid + " " + state,
                HandDrivenClient.PATIENCE,
                () -> detail(xid).summary().state() == state);
    }

    @Test
    void commitIsAnsweredAtOnceAndAtBranchesAreCommittedAfterwards() throws Exception {
        try (HandDrivenClient client = client(DB)) {
            String xid = client.begin(60_000);
            assertThat(xid).startsWith("127.0.0.1:8091:");
            assertThat(client.status(xid)).isEqualTo(GlobalStatus.BEGIN);
            long first = client.register(xid, BranchType.AT, DB, "stock:1");
            long second = client.register(xid, BranchType.AT, DB, "stock:2");
            assertThat(client.commit(xid)).isEqualTo(GlobalStatus.COMMITTED);
            assertThat(List.of(client.awaitCall(), client.awaitCall()))
                    .containsExactlyInAnyOrder("commit " + first, "commit " + second);
            awaitState(xid, TransactionState.COMMITTED);
            assertThat(client.status(xid)).isEqualTo(GlobalStatus.FINISHED);
            assertThat(client.commit(xid)).isEqualTo(GlobalStatus.COMMITTED);
            assertThat(client.rollback(xid)).isEqualTo(GlobalStatus.COMMITTED);
        }
    }

    @Test
    void rollbackUndoesBranchesInReverseOrderBeforeItIsAnswered() throws Exception {
        try (HandDrivenClient client = client(DB, "other")) {
            String xid = client.begin(60_000);
            long first = client.register(xid, BranchType.AT, DB, "stock:1");
            long second = client.register(xid, BranchType.TCC, "other", null);
            long third = client.register(xid, BranchType.AT, DB, "stock:2");
            assertThat(client.rollback(xid)).isEqualTo(GlobalStatus.ROLLED_BACK);
            assertThat(client.calls()).containsExactly("rollback " + third, "rollback " + second, "rollback " + first);
            assertThat(client.commit(xid)).isEqualTo(GlobalStatus.FINISHED);
            assertThat(client.rollback(xid)).isEqualTo(GlobalStatus.ROLLED_BACK);
            assertThat(coordinator.statistics().locks()).isZero();
        }
    }

    /** Seata's client takes every status but FINISHED and those of a time-out for a successful commit. */
    @Test
    void aCommitOfATransactionThatIsRollingBackIsAnsweredSoThatNobodyTakesItForASuccess() throws Exception {
        try (HandDrivenClient client = client(DB)) {
            client.answerWith(call -> HandDrivenClient.answer(call, BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE));
            String xid = client.begin(60_000);
            client.register(xid, BranchType.AT, DB, "stock:1");
            assertThat(client.rollback(xid)).isEqualTo(GlobalStatus.ROLLBACK_RETRYING);
            Message.GlobalCommitResponse late =
                    client.ask(new Message.GlobalCommitRequest(xid, null), Message.GlobalCommitResponse.class);
            assertThat(late.status()).isEqualTo(GlobalStatus.FINISHED);
            assertThat(late.outcome().exceptionCode())
                    .isEqualTo(TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_ACTIVE);
            assertThat(late.outcome().message()).contains("ROLLING_BACK");
            assertThat(client.status(xid)).isEqualTo(GlobalStatus.ROLLBACK_RETRYING);
        }
    }

    @Test
    void oneConnectionOfEachDataSourceIsAskedToDeleteOldUndoRecords() throws Exception {
        coordinator.close();
        coordinator =
                Coordinator.start(options().withUndoLog(new CoordinatorOptions.UndoLog(Duration.ofMillis(300), 3)));
        try (HandDrivenClient one = client(DB, "tryStock")) {
            assertThat(one.awaitCall()).isEqualTo("delete undo " + DB + " 3");
            try (HandDrivenClient two = client(DB, "jdbc:h2:mem:other")) {
                assertThat(two.awaitCall()).isEqualTo("delete undo jdbc:h2:mem:other 3");
                assertThat(one.awaitCall()).isEqualTo("delete undo " + DB + " 3");
                assertThat(two.awaitCall()).isEqualTo("delete undo jdbc:h2:mem:other 3");
            }
        }
    }

    @Test
    void undoRecordsAreKeptForAsLongAsAnUnfinishedTransactionMayNeedThem() {
        Instant now = Instant.parse("2026-11-20T12:00:00Z");
        assertThat(UndoLogCleaning.days(null, now, 7)).isEqualTo(7);
        assertThat(UndoLogCleaning.days(now.minus(Duration.ofDays(3)), now, 7)).isEqualTo(7);
        assertThat(UndoLogCleaning.days(now.minus(Duration.ofHours(24 * 9 + 1)), now, 7))
                .isEqualTo(11);
    }

    @Test
    void aRowIsRefusedToOthersUntilItsHolderIsDecided() throws Exception {
        try (HandDrivenClient client = client(DB)) {
            String holder = client.begin(60_000);
            client.register(holder, BranchType.AT, DB, "stock:1,2");
            String other = client.begin(60_000);
            var refused = client.tryRegister(other, BranchType.AT, DB, "stock:2", null);
            assertThat(refused.branchId()).isZero();
            assertThat(refused.outcome().exceptionCode()).isEqualTo(TransactionExceptionCode.LOCK_KEY_CONFLICT);
            assertThat(refused.outcome().message()).contains(holder).contains("purchase");
            assertThat(client.commit(holder)).isEqualTo(GlobalStatus.COMMITTED);
            client.register(other, BranchType.AT, DB, "stock:2");
        }
    }

    @Test
    void aRollingBackHolderTurnsAwayWhoHoldsALocalTransaction() throws Exception {
        try (HandDrivenClient client = client(DB)) {
            client.answerWith(call -> HandDrivenClient.answer(call, BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE));
            String holder = client.begin(60_000);
            client.register(holder, BranchType.AT, DB, "stock:1");
            assertThat(client.rollback(holder)).isEqualTo(GlobalStatus.ROLLBACK_RETRYING);
            String other = client.begin(60_000);
            assertThat(client.tryRegister(other, BranchType.AT, DB, "stock:1", "{\"autoCommit\":false}")
                            .outcome()
                            .exceptionCode())
                    .isEqualTo(TransactionExceptionCode.LOCK_KEY_CONFLICT_FAIL_FAST);
            assertThat(client.tryRegister(other, BranchType.AT, DB, "stock:1", null)
                            .outcome()
                            .exceptionCode())
                    .isEqualTo(TransactionExceptionCode.LOCK_KEY_CONFLICT);
            client.answerWith(HandDrivenClient::done);
            awaitState(holder, TransactionState.ROLLED_BACK);
            client.register(other, BranchType.AT, DB, "stock:1");
        }
    }

    @Test
    void anUndecidedTransactionIsRolledBackAtItsDeadline() throws Exception {
        try (HandDrivenClient client = client(DB)) {
            String xid = client.begin(300);
            long branch = client.register(xid, BranchType.AT, DB, "stock:1");
            assertThat(client.awaitCall()).isEqualTo("rollback " + branch);
            awaitState(xid, TransactionState.ROLLED_BACK);
            assertThat(detail(xid).summary().timedOut()).isTrue();
            assertThat(client.commit(xid)).isEqualTo(GlobalStatus.TIMEOUT_ROLLED_BACK);
        }
    }

    @Test
    void aDecidedCommitIsCarriedThroughAfterARestart() throws Exception {
        String xid;
        long branch;
        try (HandDrivenClient client = client(DB)) {
            xid = client.begin(60_000);
            branch = client.register(xid, BranchType.AT, DB, "stock:1");
            client.answerWith(call -> null);
            assertThat(client.commit(xid)).isEqualTo(GlobalStatus.COMMITTED);
            client.awaitCall();
            coordinator.close();
            assertThat(client.awaitClosed()).isTrue();
        }
        start();
        try (HandDrivenClient client = client(DB)) {
            assertThat(client.awaitCall()).isEqualTo("commit " + branch);
            awaitState(xid, TransactionState.COMMITTED);
        }
    }

    @Test
    void anOpenTransactionAndItsLocksSurviveARestart() throws Exception {
        String xid;
        try (HandDrivenClient client = client(DB)) {
            xid = client.begin(60_000);
            client.register(xid, BranchType.AT, DB, "stock:1");
        }
        coordinator.close();
        start();
        try (HandDrivenClient client = client(DB)) {
            String other = client.begin(60_000);
            assertThat(client.tryRegister(other, BranchType.AT, DB, "stock:1", null)
                            .outcome()
                            .exceptionCode())
                    .isEqualTo(TransactionExceptionCode.LOCK_KEY_CONFLICT);
            assertThat(client.rollback(xid)).isEqualTo(GlobalStatus.ROLLED_BACK);
            client.register(other, BranchType.AT, DB, "stock:1");
        }
    }

    @Test
    void aBranchWaitsForItsResourceManagerToComeBack() throws Exception {
        String xid;
        long branch;
        try (HandDrivenClient initiator = client()) {
            try (HandDrivenClient participant = client(DB)) {
                xid = initiator.begin(60_000);
                branch = participant.register(xid, BranchType.AT, DB, "stock:1");
                participant.connection().close();
                assertThat(participant.awaitClosed()).isTrue();
            }
            Await.until(
                    "the session is gone",
                    HandDrivenClient.PATIENCE,
                    () -> coordinator.statistics().sessions() == 1);
            assertThat(initiator.rollback(xid)).isEqualTo(GlobalStatus.ROLLBACK_RETRYING);
            try (HandDrivenClient again = client(DB)) {
                assertThat(again.awaitCall()).isEqualTo("rollback " + branch);
                awaitState(xid, TransactionState.ROLLED_BACK);
                assertThat(detail(xid).branches().get(0).attempts()).isZero();
            }
        }
    }

    @Test
    void itIsShownWhatIsWaitedForAlsoAfterARestart() throws Exception {
        String xid;
        try (HandDrivenClient client = client()) {
            xid = client.begin(60_000);
            client.register(xid, BranchType.AT, DB, "stock:1");
            assertThat(client.rollback(xid)).isEqualTo(GlobalStatus.ROLLBACK_RETRYING);
            assertThat(client.status(xid)).isEqualTo(GlobalStatus.ROLLBACK_RETRYING);
        }
        for (int i = 0; i < 2; i++) {
            Await.until(
                    "it is said who is waited for",
                    HandDrivenClient.PATIENCE,
                    () -> detail(xid).summary().attention() != null);
            TransactionDetail detail = detail(xid);
            assertThat(detail.summary().attention()).contains("waiting for a resource manager of " + DB);
            assertThat(detail.summary().cause()).isNull();
            assertThat(detail.branches().get(0).cause()).isEqualTo("waiting for a resource manager of " + DB);
            assertThat(detail.branches().get(0).nextAt()).isNull();
            assertThat(coordinator
                            .transactions(new TransactionQuery(null, null, "waiting for", 10, null))
                            .join()
                            .transactions())
                    .hasSize(1);
            coordinator.close();
            start();
        }
    }

    @Test
    void aSilentResourceManagerIsPassedOverForTheNextOne() throws Exception {
        try (HandDrivenClient silent = client(DB);
                HandDrivenClient other =
                        HandDrivenClient.registered(coordinator.tcpPort(), "stock-report", "2.6.0", DB)) {
            silent.answerWith(call -> null);
            String xid = silent.begin(60_000);
            long branch = silent.register(xid, BranchType.AT, DB, "stock:1");
            assertThat(silent.rollback(xid)).isEqualTo(GlobalStatus.ROLLBACK_RETRYING);
            assertThat(silent.awaitCall()).isEqualTo("rollback " + branch);
            assertThat(other.awaitCall()).isEqualTo("rollback " + branch);
            awaitState(xid, TransactionState.ROLLED_BACK);
            assertThat(silent.calls()).hasSize(1);
        }
    }

    @Test
    void whatIsTooLongIsRefusedByItsName() throws Exception {
        try (HandDrivenClient client = client(DB)) {
            String xid = client.begin(60_000);
            var data = client.tryRegister(xid, BranchType.AT, DB, "stock:1", "x".repeat(1_000_001));
            assertThat(data.outcome().exceptionCode()).isEqualTo(TransactionExceptionCode.FAILED_TO_ADD_BRANCH);
            assertThat(data.outcome().message()).contains("TXN-CRD013");
            assertThat(client.tryRegister("127.0.0.1:8091:12345", BranchType.AT, DB, "stock:1", "x".repeat(1_000_001))
                            .outcome()
                            .exceptionCode())
                    .isEqualTo(TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_EXIST);
            assertThat(detail(xid).branches()).isEmpty();
        }
        try (HandDrivenClient client = new HandDrivenClient(coordinator.tcpPort())) {
            String name = "x".repeat(4_001);
            var tm = client.ask(
                    new Message.RegisterTmRequest("2.6.0", name, "default_tx_group", null),
                    Message.RegisterTmResponse.class);
            assertThat(tm.identified()).isFalse();
            for (String application : List.of(name, "storage-service")) {
                var rm = client.ask(
                        new Message.RegisterRmRequest("2.6.0", application, "default_tx_group", null, name),
                        Message.RegisterRmResponse.class);
                assertThat(rm.identified()).isFalse();
            }
            assertThat(coordinator.statistics().sessions()).isZero();
        }
    }

    @Test
    void initiatorsAreAnsweredBeforeTheyGiveUp() {
        assertThatThrownBy(() -> new CoordinatorOptions.Retry(
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(30),
                        Duration.ofMillis(50),
                        Duration.ofMillis(200),
                        0))
                .isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.facts())
                        .containsEntry("key", "txn.coordinator.retry.initiator-wait"));
    }

    @Test
    void whoAsksBeforeRegisteringIsDisconnected() throws Exception {
        try (HandDrivenClient client = new HandDrivenClient(coordinator.tcpPort())) {
            client.send(new Message.GlobalBeginRequest(60_000, "purchase"));
            assertThat(client.awaitClosed()).isTrue();
        }
    }

    @Test
    void tccIsCommittedInOrderBeforeTheAnswer() throws Exception {
        try (HandDrivenClient client = client(DB, "reserve", "charge")) {
            String xid = client.begin(60_000);
            long first = client.register(xid, BranchType.TCC, "reserve", null);
            long at = client.register(xid, BranchType.AT, DB, "stock:1");
            long second = client.register(xid, BranchType.TCC, "charge", null);
            assertThat(client.commit(xid)).isEqualTo(GlobalStatus.COMMITTED);
            assertThat(client.calls()).contains("commit " + first, "commit " + second);
            assertThat(client.calls().indexOf("commit " + first))
                    .isLessThan(client.calls().indexOf("commit " + second));
            awaitState(xid, TransactionState.COMMITTED);
            assertThat(client.calls()).contains("commit " + at);
        }
    }

    /** Begins one transaction after the other until the connection ends. */
    private static CompletableFuture<Void> beginOnAndOn(HandDrivenClient client, Queue<String> answered) {
        return client.send(new Message.GlobalBeginRequest(60_000, "purchase"))
                .handle((answer, lost) -> answer instanceof Message.GlobalBeginResponse begun ? begun.xid() : null)
                .thenCompose(xid -> {
                    if (xid == null) {
                        return CompletableFuture.completedFuture(null);
                    }
                    answered.add(xid);
                    return beginOnAndOn(client, answered);
                });
    }

    @Test
    void whatIsInTheJournalWhenTheCoordinatorStopsWasAnswered() throws Exception {
        Queue<String> answered = new ConcurrentLinkedQueue<>();
        try (HandDrivenClient client = client()) {
            List<CompletableFuture<Void>> initiators = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                initiators.add(beginOnAndOn(client, answered));
            }
            Await.until("some were answered", HandDrivenClient.PATIENCE, () -> answered.size() > 500);
            coordinator.close();
            for (CompletableFuture<Void> initiator : initiators) {
                initiator.get(10, TimeUnit.SECONDS);
            }
        }
        start();
        List<String> begun = new ArrayList<>();
        String after = null;
        do {
            TransactionPage page = coordinator
                    .transactions(new TransactionQuery(null, null, null, 1_000, after))
                    .join();
            page.transactions().forEach(line -> begun.add(line.xid().value()));
            after = page.next();
        } while (after != null);
        assertThat(answered).containsExactlyInAnyOrderElementsOf(begun);
    }

    @Test
    void unknownTransactionsAreAnsweredAsSeataServersDo() throws Exception {
        try (HandDrivenClient client = client(DB)) {
            for (String xid : List.of("127.0.0.1:8091:12345", "not an xid", "10.0.0.1:8091:1")) {
                assertThat(client.status(xid)).isEqualTo(GlobalStatus.FINISHED);
                assertThat(client.commit(xid)).isEqualTo(GlobalStatus.FINISHED);
                assertThat(client.rollback(xid)).isEqualTo(GlobalStatus.FINISHED);
                assertThat(client.tryRegister(xid, BranchType.AT, DB, "t:1", null)
                                .outcome()
                                .exceptionCode())
                        .isEqualTo(TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_EXIST);
                assertThat(report(client, xid, 1, BranchStatus.PHASE_ONE_FAILED))
                        .isEqualTo(TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_EXIST);
                assertThat(client.ask(
                                        new Message.GlobalReportRequest(xid, null, GlobalStatus.COMMIT_RETRYING),
                                        Message.GlobalReportResponse.class)
                                .status())
                        .isEqualTo(GlobalStatus.COMMIT_RETRYING);
            }
        }
    }

    private static TransactionExceptionCode report(
            HandDrivenClient client, String xid, long branch, BranchStatus status) {
        return client.ask(
                        new Message.BranchReportRequest(xid, branch, status, null, null, BranchType.AT),
                        Message.BranchReportResponse.class)
                .outcome()
                .exceptionCode();
    }

    @Test
    void aTransactionWithoutBranchesEndsAtOnce() throws Exception {
        try (HandDrivenClient client = client(DB)) {
            assertThat(client.commit(client.begin(60_000))).isEqualTo(GlobalStatus.COMMITTED);
            assertThat(client.rollback(client.begin(60_000))).isEqualTo(GlobalStatus.ROLLED_BACK);
        }
    }

    @Test
    void whoComesAfterTheDecisionIsRefused() throws Exception {
        try (HandDrivenClient client = client(DB)) {
            client.answerWith(call -> null);
            String xid = client.begin(60_000);
            client.register(xid, BranchType.AT, DB, "stock:1");
            assertThat(client.commit(xid)).isEqualTo(GlobalStatus.COMMITTED);
            assertThat(client.status(xid)).isEqualTo(GlobalStatus.ASYNC_COMMITTING);
            assertThat(client.tryRegister(xid, BranchType.AT, DB, "stock:2", null)
                            .outcome()
                            .exceptionCode())
                    .isEqualTo(TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_ACTIVE);
            assertThat(client.commit(xid)).isEqualTo(GlobalStatus.COMMITTED);
            assertThat(client.rollback(xid)).isEqualTo(GlobalStatus.ASYNC_COMMITTING);
            assertThat(report(client, xid, 999, BranchStatus.PHASE_ONE_DONE))
                    .isEqualTo(TransactionExceptionCode.BRANCH_TRANSACTION_NOT_EXIST);
        }
    }

    @Test
    void aBranchThatFailedInPhaseOneIsNotCommitted() throws Exception {
        try (HandDrivenClient client = client(DB)) {
            String xid = client.begin(60_000);
            long failed = client.register(xid, BranchType.AT, DB, "stock:1");
            long good = client.register(xid, BranchType.AT, DB, "stock:2");
            assertThat(report(client, xid, failed, BranchStatus.PHASE_ONE_FAILED))
                    .isEqualTo(TransactionExceptionCode.UNKNOWN);
            assertThat(client.commit(xid)).isEqualTo(GlobalStatus.COMMITTED);
            awaitState(xid, TransactionState.COMMITTED);
            assertThat(client.calls()).containsExactly("commit " + good);
        }
    }

    @Test
    void badRequestsAreRefusedAndTheConnectionLives() throws Exception {
        try (HandDrivenClient client = client(DB)) {
            String xid = client.begin(60_000);
            for (String locks : List.of("stock", "stock:", ":1", "stock:1;;")) {
                assertThat(client.tryRegister(xid, BranchType.AT, DB, locks, null)
                                .outcome()
                                .message())
                        .contains("TXN-CRD006");
            }
            assertThat(client.tryRegister(xid, BranchType.AT, null, "stock:1", null)
                            .outcome()
                            .succeeded())
                    .isFalse();
            var begun = client.ask(new Message.GlobalBeginRequest(0, "purchase"), Message.GlobalBeginResponse.class);
            assertThat(begun.outcome().exceptionCode()).isEqualTo(TransactionExceptionCode.BEGIN_FAILED);
            client.register(xid, BranchType.AT, DB, "stock:1");
        }
    }

    @Test
    void oneConnectionMayBeInitiatorAndParticipant() throws Exception {
        try (HandDrivenClient client = new HandDrivenClient(coordinator.tcpPort())) {
            client.registerTm("go-app", "1.5.0");
            client.registerRm("go-app", "1.5.0", "db1");
            client.connection()
                    .oneWay(new Message.RegisterRmRequest("1.5.0", "go-app", "default_tx_group", null, "db2"));
            String xid = client.begin(60_000);
            client.register(xid, BranchType.AT, "db1", "t:1");
            client.register(xid, BranchType.AT, "db2", "t:1");
            assertThat(client.rollback(xid)).isEqualTo(GlobalStatus.ROLLED_BACK);
            assertThat(coordinator.statistics().sessions()).isEqualTo(1);
        }
    }

    @Test
    void operatorsSeeWhatIsStuckAndEndIt() throws Exception {
        try (HandDrivenClient client = client(DB, "other")) {
            client.answerWith(call -> new Message.BranchRollbackResponse(
                    new Outcome(ResultCode.FAILED, "row 1 was changed", TransactionExceptionCode.UNKNOWN),
                    ((Message.BranchRollbackRequest) call).xid(),
                    ((Message.BranchRollbackRequest) call).branchId(),
                    BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE));
            String xid = client.begin(60_000);
            long branch = client.register(xid, BranchType.AT, DB, "stock:1,2");
            assertThat(client.rollback(xid)).isEqualTo(GlobalStatus.ROLLBACK_FAILED);
            TransactionDetail stuck = detail(xid);
            assertThat(stuck.summary().state()).isEqualTo(TransactionState.NEEDS_ATTENTION);
            assertThat(stuck.summary().cause()).isNull();
            assertThat(stuck.summary().attention()).contains("row 1 was changed");
            assertThat(stuck.branches().get(0).lockKeys()).containsExactly("stock:1", "stock:2");
            LockPage locks = coordinator.locks(new LockQuery(DB, 10, null)).join();
            assertThat(locks.locks()).hasSize(2);
            assertThat(locks.locks().get(0))
                    .isEqualTo(new LockPage.Lock(DB, "stock", "1", new Xid(xid), new BranchId(branch)));
            assertThat(coordinator.locks(new LockQuery("else", 10, null)).join().locks())
                    .isEmpty();
            assertThat(coordinator.statistics().needingAttention()).isEqualTo(1);

            var giveUp = new OperatorCommand.GiveUp(new Xid(xid), new BranchId(branch), "mended by hand");
            assertThat(coordinator.operate(giveUp).join()).isInstanceOf(OperatorResult.Accepted.class);
            assertThat(detail(xid).summary().state()).isEqualTo(TransactionState.ROLLED_BACK);
            assertThat(detail(xid).branches().get(0).cause()).isEqualTo("mended by hand");
            assertThat(coordinator.operate(giveUp).join()).isInstanceOf(OperatorResult.Refused.class);
            assertThat(coordinator
                            .operate(new OperatorCommand.RetryNow(new Xid("127.0.0.1:8091:7")))
                            .join())
                    .isInstanceOf(OperatorResult.NotFound.class);
        }
    }

    @Test
    void transactionsAreListedPageByPageAndFiltered() throws Exception {
        try (HandDrivenClient client = client(DB)) {
            List<String> xids = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                xids.add(client.begin(60_000));
            }
            client.commit(xids.get(1));
            List<String> listed = new ArrayList<>();
            String after = null;
            do {
                TransactionPage page = coordinator
                        .transactions(new TransactionQuery(null, null, null, 2, after))
                        .join();
                assertThat(page.transactions().size()).isLessThanOrEqualTo(2);
                page.transactions().forEach(one -> listed.add(one.xid().value()));
                after = page.next();
            } while (after != null);
            assertThat(listed).isEqualTo(xids);
            assertThat(coordinator
                            .transactions(new TransactionQuery(
                                    TransactionState.COMMITTED, "storage-service", "purch", 10, null))
                            .join()
                            .transactions())
                    .extracting(one -> one.xid().value())
                    .containsExactly(xids.get(1));
            assertThat(coordinator
                            .transactions(new TransactionQuery(null, "nobody", null, 10, null))
                            .join()
                            .transactions())
                    .isEmpty();
            assertThat(coordinator.transactions(new TransactionQuery(null, null, null, 10, "nonsense")))
                    .failsWithin(Duration.ofSeconds(10));
        }
    }

    @Test
    void listeningBeyondLoopbackNeedsToBeAllowed() {
        CoordinatorOptions exposed = options().withListen("0.0.0.0", 0).withDataDir(dataDir.resolve("exposed"));
        assertThatThrownBy(() -> Coordinator.start(exposed))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.EXPOSED_WITHOUT_CREDENTIALS));
        assertThatThrownBy(() -> Coordinator.start(options()))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DATA_DIR_IN_USE));
        CoordinatorOptions taken =
                options().withListen("127.0.0.1", coordinator.tcpPort()).withDataDir(dataDir.resolve("second"));
        for (int i = 0; i < 2; i++) { // the second time shows that the first one left nothing behind
            assertThatThrownBy(() -> Coordinator.start(taken))
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.PORT_UNAVAILABLE));
        }
    }
}
