package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.test.Await;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A whole coordinator, and an engine of Seata's state machine that is played by hand: every call is looked at, and answered in every way. */
@Timeout(120)
class SagaOverTcpTest {

    private static final String APPLICATION = "travel";
    private static final String ENGINE = APPLICATION + "#default_tx_group";

    @TempDir
    Path dataDir;

    private Coordinator coordinator;
    private HandDrivenClient client;

    @BeforeEach
    void start() throws Exception {
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
        client = HandDrivenClient.registered(coordinator.tcpPort(), APPLICATION, "2.6.0", ENGINE);
        client.answerWith(call -> null);
    }

    @AfterEach
    void stop() {
        client.close();
        coordinator.close();
    }

    private String begin(String name, int timeoutMillis) {
        return client.ask(new Message.GlobalBeginRequest(timeoutMillis, name), Message.GlobalBeginResponse.class)
                .xid();
    }

    private GlobalStatus report(String xid, GlobalStatus status) {
        return client.ask(new Message.GlobalReportRequest(xid, null, status), Message.GlobalReportResponse.class)
                .status();
    }

    private void answer(Frame call, BranchStatus status) {
        client.connection().respond(call, HandDrivenClient.answer(call.body(), status));
    }

    private Frame awaitCommit(String xid, String status) throws Exception {
        Frame call = client.awaitFrame();
        assertThat(call.body()).isEqualTo(new Message.BranchCommitRequest(xid, -1, BranchType.SAGA, ENGINE, status));
        return call;
    }

    private Frame awaitRollback(String xid, String status) throws Exception {
        Frame call = client.awaitFrame();
        assertThat(call.body()).isEqualTo(new Message.BranchRollbackRequest(xid, -1, BranchType.SAGA, ENGINE, status));
        return call;
    }

    private void awaitState(String xid, TransactionState state) {
        Await.until(
                xid + " " + state,
                Duration.ofSeconds(30),
                () -> coordinator
                                .transaction(new Xid(xid))
                                .join()
                                .orElseThrow()
                                .summary()
                                .state()
                        == state);
    }

    @Test
    void anEngineIsCalledWithTheSagaAndItsStatusUntilItIsDone() throws Exception {
        String xid = begin("$Saga_book", 60_000);
        assertThat(report(xid, GlobalStatus.ROLLBACK_RETRYING)).isEqualTo(GlobalStatus.ROLLBACK_RETRYING);
        answer(awaitRollback(xid, "Rollbacking"), BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE);
        answer(awaitRollback(xid, "RollbackRetrying"), BranchStatus.UNKNOWN);
        answer(awaitRollback(xid, "RollbackRetrying"), BranchStatus.PHASE_TWO_ROLLED_BACK);
        awaitState(xid, TransactionState.ROLLED_BACK);
        assertThat(client.status(xid)).isEqualTo(GlobalStatus.FINISHED);

        String forward = begin("$Saga_book", 60_000);
        assertThat(report(forward, GlobalStatus.COMMIT_RETRYING)).isEqualTo(GlobalStatus.COMMIT_RETRYING);
        answer(awaitCommit(forward, "Committing"), BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE);
        answer(awaitCommit(forward, "CommitRetrying"), BranchStatus.PHASE_TWO_COMMITTED);
        awaitState(forward, TransactionState.COMMITTED);

        String late = begin("$Saga_book", 300);
        answer(awaitRollback(late, "TimeoutRollbacking"), BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE);
        answer(awaitRollback(late, "TimeoutRollbackRetrying"), BranchStatus.PHASE_TWO_ROLLED_BACK);
        awaitState(late, TransactionState.ROLLED_BACK);
        assertThat(client.calls()).hasSize(7);
    }

    @ParameterizedTest
    @CsvSource({
        "COMMIT_RETRYING, PHASE_TWO_COMMITTED, COMMITTED",
        "COMMIT_RETRYING, PHASE_TWO_ROLLED_BACK, ROLLED_BACK",
        "COMMIT_RETRYING, PHASE_ONE_FAILED, ROLLED_BACK",
        "ROLLBACK_RETRYING, PHASE_TWO_ROLLED_BACK, ROLLED_BACK",
        "ROLLBACK_RETRYING, PHASE_TWO_COMMITTED, COMMITTED",
        "ROLLBACK_RETRYING, PHASE_ONE_FAILED, ROLLED_BACK",
        "COMMIT_RETRYING, PHASE_TWO_COMMIT_FAILED_UNRETRYABLE, NEEDS_ATTENTION",
        "ROLLBACK_RETRYING, PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE, NEEDS_ATTENTION"
    })
    void anAnswerEndsASagaWhicheverWayItWent(GlobalStatus reported, BranchStatus answer, TransactionState end)
            throws Exception {
        String xid = begin("$Saga_book", 60_000);
        report(xid, reported);
        answer(client.awaitFrame(), answer);
        awaitState(xid, end);
        GlobalStatus failed =
                reported == GlobalStatus.COMMIT_RETRYING ? GlobalStatus.COMMIT_FAILED : GlobalStatus.ROLLBACK_FAILED;
        assertThat(client.status(xid))
                .isEqualTo(end == TransactionState.NEEDS_ATTENTION ? failed : GlobalStatus.FINISHED);
        assertThat(client.calls()).hasSize(1);
    }

    @Test
    void anEngineTurnsTheDirectionByItsAnswer() throws Exception {
        String xid = begin("$Saga_book", 60_000);
        report(xid, GlobalStatus.COMMIT_RETRYING);
        Frame first = awaitCommit(xid, "Committing");
        answer(first, BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE);
        Frame second = awaitRollback(xid, "RollbackRetrying");
        assertThat(client.status(xid)).isEqualTo(GlobalStatus.ROLLBACK_RETRYING);
        answer(second, BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE);
        Frame third = awaitCommit(xid, "CommitRetrying");
        assertThat(client.status(xid)).isEqualTo(GlobalStatus.COMMIT_RETRYING);
        answer(third, BranchStatus.PHASE_TWO_COMMITTED);
        awaitState(xid, TransactionState.COMMITTED);
    }

    @ParameterizedTest
    @CsvSource({
        "COMMITTED, COMMITTED, COMMITTED",
        "ROLLED_BACK, ROLLED_BACK, ROLLED_BACK",
        "TIMEOUT_ROLLED_BACK, ROLLED_BACK, ROLLED_BACK",
        "FINISHED, ROLLED_BACK, ROLLED_BACK"
    })
    void aReportEndsASaga(GlobalStatus reported, TransactionState end, GlobalStatus reply) {
        String xid = begin("$Saga_book", 60_000);
        assertThat(report(xid, reported)).isEqualTo(reply);
        awaitState(xid, end);
        assertThat(client.status(xid)).isEqualTo(GlobalStatus.FINISHED);
        assertThat(client.calls()).isEmpty();
    }

    @Test
    void whatIsTheCoordinatorsToSayChangesNothing() {
        String xid = begin("$Saga_book", 60_000);
        assertThat(report(xid, GlobalStatus.COMMIT_FAILED)).isEqualTo(GlobalStatus.BEGIN);
        assertThat(report(xid, null)).isEqualTo(GlobalStatus.BEGIN);
        awaitState(xid, TransactionState.ACTIVE);
        assertThat(report(xid, GlobalStatus.COMMITTED)).isEqualTo(GlobalStatus.COMMITTED);
    }

    @Test
    void aCommitWithoutStepsIsOneAtOnce() {
        String xid = begin("$Saga_book", 60_000);
        assertThat(client.commit(xid)).isEqualTo(GlobalStatus.COMMITTED);
        awaitState(xid, TransactionState.COMMITTED);
        assertThat(client.status(xid)).isEqualTo(GlobalStatus.FINISHED);
        assertThat(client.calls()).isEmpty();
    }

    @Test
    void aFirstStepMakesASagaOfATransactionWhateverItsName() throws Exception {
        String xid = begin("book", 60_000);
        assertThat(report(xid, GlobalStatus.ROLLBACK_RETRYING)).isEqualTo(GlobalStatus.BEGIN);
        long step = client.register(xid, BranchType.SAGA, "book#hotel", null);
        assertThat(step).isPositive();
        assertThat(report(xid, GlobalStatus.ROLLBACK_RETRYING)).isEqualTo(GlobalStatus.ROLLBACK_RETRYING);
        Frame call = awaitRollback(xid, "Rollbacking");
        assertThat(client.register(xid, BranchType.SAGA, "book#cancelHotel", null))
                .isPositive();
        answer(call, BranchStatus.PHASE_TWO_ROLLED_BACK);
        awaitState(xid, TransactionState.ROLLED_BACK);
        assertThat(client.calls()).containsExactly("rollback -1");
    }
}
