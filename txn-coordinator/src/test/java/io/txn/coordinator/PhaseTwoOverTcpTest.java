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
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Phase two over TCP: who is called, and what becomes of the answers. */
@Timeout(120)
class PhaseTwoOverTcpTest {

    private static final String DB = "jdbc:h2:mem:storage";
    private static final String OTHER = "jdbc:h2:mem:other";

    @TempDir
    Path dataDir;

    private Coordinator coordinator;

    @BeforeEach
    void start() {
        coordinator = Coordinator.start(CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", 0)
                .withAdvertisedAddress("127.0.0.1:8091")
                .withDataDir(dataDir)
                .withRetry(new CoordinatorOptions.Retry(
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(20),
                        Duration.ofMillis(20),
                        Duration.ofMillis(100),
                        0)));
    }

    @AfterEach
    void stop() {
        coordinator.close();
    }

    private HandDrivenClient client(String... resources) throws Exception {
        return HandDrivenClient.registered(coordinator.tcpPort(), "storage-service", "2.6.0", resources);
    }

    private TransactionDetail detail(String xid) {
        return coordinator.transaction(new Xid(xid)).join().orElseThrow();
    }

    private void await(String what, Predicate<Coordinator> condition) {
        Await.until(what, Duration.ofSeconds(30), () -> condition.test(coordinator));
    }

    private void awaitState(String xid, TransactionState state) {
        await(xid + " " + state, any -> detail(xid).summary().state() == state);
    }

    /** Resource managers of one application on one host stand in for each other, but only behind those that have the resource. */
    @ParameterizedTest
    @CsvSource({
        "AT, COMMIT",
        "AT, ROLLBACK",
        "TCC, COMMIT",
        "TCC, ROLLBACK",
        "XA, COMMIT",
        "XA, ROLLBACK",
        "SAGA_ANNOTATION, COMMIT",
        "SAGA_ANNOTATION, ROLLBACK"
    })
    void whoComesBackIsCalledAndNotTheNeighbourThatStoodBefore(BranchType type, String phase) throws Exception {
        try (HandDrivenClient initiator = client()) {
            HandDrivenClient owner = client(DB);
            String xid = initiator.begin(60_000);
            long branch = owner.register(xid, type, DB, type == BranchType.AT ? "stock:1" : null);
            HandDrivenClient neighbour = client("reserve");
            owner.close();
            await("its session is gone", one -> one.statistics().sessions() == 2);
            boolean commit = "COMMIT".equals(phase);
            GlobalStatus told = commit ? initiator.commit(xid) : initiator.rollback(xid);
            assertThat(told)
                    .isEqualTo(
                            !commit
                                    ? GlobalStatus.ROLLBACK_RETRYING
                                    : type == BranchType.AT ? GlobalStatus.COMMITTED : GlobalStatus.COMMIT_RETRYING);
            try (HandDrivenClient back = client(DB)) {
                assertThat(back.awaitCall()).isEqualTo((commit ? "commit " : "rollback ") + branch);
                awaitState(xid, commit ? TransactionState.COMMITTED : TransactionState.ROLLED_BACK);
            }
            assertThat(neighbour.calls()).isEmpty();
            neighbour.close();
        }
    }

    /** Of a resource it does not have, an XA client says that it can never be done: a neighbour is not asked, however often the owner fails. */
    @Test
    void xaIsNeverSentToANeighbour() throws Exception {
        try (HandDrivenClient neighbour = client("reserve");
                HandDrivenClient owner = client(DB)) {
            owner.answerWith(call -> owner.calls().size() < 4
                    ? HandDrivenClient.answer(call, BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE)
                    : HandDrivenClient.done(call));
            String xid = owner.begin(60_000);
            owner.register(xid, BranchType.XA, DB, null);
            assertThat(owner.commit(xid)).isEqualTo(GlobalStatus.COMMIT_RETRYING);
            awaitState(xid, TransactionState.COMMITTED);
            assertThat(owner.calls()).hasSize(4);
            assertThat(neighbour.calls()).isEmpty();
        }
    }

    @Test
    void annotatedSagasWaitForAClientThatKnowsThem() throws Exception {
        try (HandDrivenClient initiator = client();
                HandDrivenClient old =
                        HandDrivenClient.registered(coordinator.tcpPort(), "storage-service", "2.0.0", "reserve")) {
            String xid;
            long branch;
            try (HandDrivenClient gone = client("reserve")) {
                xid = initiator.begin(60_000);
                branch = gone.register(xid, BranchType.SAGA_ANNOTATION, "reserve", null);
            }
            await("its session is gone", one -> one.statistics().sessions() == 2);
            assertThat(initiator.rollback(xid)).isEqualTo(GlobalStatus.ROLLBACK_RETRYING);
            try (HandDrivenClient able = client("reserve")) {
                assertThat(able.awaitCall()).isEqualTo("rollback " + branch);
                awaitState(xid, TransactionState.ROLLED_BACK);
            }
            assertThat(old.calls()).isEmpty();
        }
    }

    @Test
    void aCommitThatCanNeverBeDoneStaysForAPersonToLookAt() throws Exception {
        try (HandDrivenClient client = client("reserve")) {
            client.answerWith(call -> HandDrivenClient.answer(call, BranchStatus.PHASE_TWO_COMMIT_FAILED_UNRETRYABLE));
            String xid = client.begin(60_000);
            client.register(xid, BranchType.TCC, "reserve", null);
            assertThat(client.commit(xid)).isEqualTo(GlobalStatus.COMMIT_FAILED);
            assertThat(detail(xid).summary().state()).isEqualTo(TransactionState.NEEDS_ATTENTION);
            assertThat(client.status(xid)).isEqualTo(GlobalStatus.COMMIT_FAILED);
            assertThat(client.commit(xid)).isEqualTo(GlobalStatus.COMMIT_FAILED);
            assertThat(client.rollback(xid)).isEqualTo(GlobalStatus.COMMIT_FAILED);
            assertThat(client.calls()).hasSize(1);
            assertThat(coordinator.statistics().needingAttention()).isEqualTo(1);
        }
    }

    /** What an action captured is its application's, whatever it looks like. */
    @Test
    void aStuckActionHoldsUpNoOtherOneWhoseParametersAreAlike() throws Exception {
        try (HandDrivenClient client = client("reserve", "ship")) {
            String data = "{\"actionContext\":{\"rows\":\"12\"}}";
            client.answerWith(call -> HandDrivenClient.answer(
                    call,
                    ((Message.BranchRollbackRequest) call).resourceId().equals("ship")
                            ? BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE
                            : BranchStatus.PHASE_TWO_ROLLED_BACK));
            String xid = client.begin(60_000);
            long first = client.tryRegister(xid, BranchType.TCC, "reserve", null, data)
                    .branchId();
            long second =
                    client.tryRegister(xid, BranchType.TCC, "ship", null, data).branchId();
            assertThat(client.rollback(xid)).isEqualTo(GlobalStatus.ROLLBACK_FAILED);
            await("the other one is called", one -> client.calls().size() > 1);
            assertThat(client.calls()).containsExactly("rollback " + second, "rollback " + first);
        }
    }

    @Test
    void anAnswerThatMeansNothingIsAskedForAgain() throws Exception {
        try (HandDrivenClient client = client("reserve")) {
            client.answerWith(call -> HandDrivenClient.answer(call, BranchStatus.UNKNOWN));
            String xid = client.begin(60_000);
            client.register(xid, BranchType.TCC, "reserve", null);
            var told = client.ask(new Message.GlobalRollbackRequest(xid, null), Message.GlobalRollbackResponse.class);
            assertThat(told.status()).isEqualTo(GlobalStatus.ROLLBACK_RETRYING);
            assertThat(told.outcome().succeeded()).isTrue();
            client.answerWith(HandDrivenClient::done);
            awaitState(xid, TransactionState.ROLLED_BACK);
        }
    }

    @Test
    void thatNobodyIsThereIsAFailureWithoutACode() throws Exception {
        try (HandDrivenClient client = client()) {
            String committed = client.begin(60_000);
            client.register(committed, BranchType.TCC, "reserve", null);
            var commit =
                    client.ask(new Message.GlobalCommitRequest(committed, null), Message.GlobalCommitResponse.class);
            assertThat(commit.status()).isEqualTo(GlobalStatus.COMMIT_RETRYING);
            assertThat(commit.outcome().succeeded()).isFalse();
            assertThat(commit.outcome().exceptionCode()).isEqualTo(TransactionExceptionCode.UNKNOWN);
            assertThat(commit.outcome().message()).isNotBlank();

            String rolledBack = client.begin(60_000);
            client.register(rolledBack, BranchType.AT, DB, "stock:1");
            var rollback = client.ask(
                    new Message.GlobalRollbackRequest(rolledBack, null), Message.GlobalRollbackResponse.class);
            assertThat(rollback.status()).isEqualTo(GlobalStatus.ROLLBACK_RETRYING);
            assertThat(rollback.outcome().succeeded()).isFalse();
            assertThat(rollback.outcome().exceptionCode()).isEqualTo(TransactionExceptionCode.UNKNOWN);
            assertThat(rollback.outcome().message()).isNotBlank();
        }
    }

    @Test
    void aStuckBranchKeepsItsLocksOverARestart() throws Exception {
        String xid;
        try (HandDrivenClient client = client(DB, OTHER)) {
            client.answerWith(call -> {
                String resource = ((Message.BranchRollbackRequest) call).resourceId();
                return HandDrivenClient.answer(
                        call,
                        DB.equals(resource)
                                ? BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE
                                : BranchStatus.PHASE_TWO_ROLLED_BACK);
            });
            xid = client.begin(60_000);
            client.register(xid, BranchType.AT, DB, "stock:1,2");
            client.register(xid, BranchType.AT, OTHER, "stock:1");
            assertThat(client.rollback(xid)).isEqualTo(GlobalStatus.ROLLBACK_FAILED);
        }
        coordinator.close();
        start();
        assertThat(detail(xid).summary().state()).isEqualTo(TransactionState.NEEDS_ATTENTION);
        // Figures are taken when the engine has answered.
        await("its locks are counted", one -> one.statistics().locks() == 2);
        assertThat(coordinator.statistics().needingAttention()).isEqualTo(1);
        try (HandDrivenClient client = client(DB, OTHER)) {
            String next = client.begin(60_000);
            var refused = client.tryRegister(next, BranchType.AT, DB, "stock:2", null);
            assertThat(refused.outcome().exceptionCode()).isEqualTo(TransactionExceptionCode.LOCK_KEY_CONFLICT);
            assertThat(refused.outcome().message()).contains(xid);
            client.register(next, BranchType.AT, OTHER, "stock:1");
            assertThat(client.rollback(xid)).isEqualTo(GlobalStatus.ROLLBACK_FAILED);
            assertThat(client.calls()).isEmpty();
        }
    }
}
