package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.TransactionExceptionCode;
import io.txn.test.Await;
import java.nio.file.Path;
import java.time.Duration;
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
    void mergedRequestsAreAnsweredAsTheClientsVersionExpects() throws Exception {
        for (String version : List.of("2.0.0", "2.6.0")) {
            try (HandDrivenClient client =
                    HandDrivenClient.registered(coordinator.tcpPort(), "storage-service", version, DB)) {
                String xid = client.begin(60_000);
                List<CompletableFuture<Message>> answers = client.connection()
                        .requestMerged(
                                List.of(
                                        new Message.BranchRegisterRequest(
                                                xid, BranchType.AT, DB, "stock:" + version, null),
                                        new Message.GlobalLockQueryRequest(
                                                null, BranchType.AT, DB, "stock:" + version, null)),
                                HandDrivenClient.PATIENCE);
                assertThat(((Message.BranchRegisterResponse) answers.get(0).get(10, TimeUnit.SECONDS)).branchId())
                        .isPositive();
                assertThat(((Message.GlobalLockQueryResponse) answers.get(1).get(10, TimeUnit.SECONDS)).lockable())
                        .isFalse();
            }
        }
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
}
