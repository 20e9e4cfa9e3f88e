package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.BranchState;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.BranchPolicy;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.test.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Branches that say how long and how often they are called: at a coordinator that would call for ever, hardly ever and very patiently. */
@Timeout(120)
class BranchPolicyOverTcpTest {

    private static final String ACTION = "account/freeze";

    @TempDir
    Path dataDir;

    private Coordinator coordinator;

    @BeforeEach
    void start() {
        coordinator = Coordinator.start(options());
    }

    private CoordinatorOptions options() {
        return CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", 0)
                .withAdvertisedAddress("127.0.0.1:8091")
                .withDataDir(dataDir)
                .withRestartGrace(Duration.ofMillis(10))
                .withRetry(new CoordinatorOptions.Retry(
                        Duration.ofMinutes(5), Duration.ofMillis(50), Duration.ofHours(1), Duration.ofHours(2), 0));
    }

    @AfterEach
    void stop() {
        coordinator.close();
    }

    private HandDrivenClient client(boolean announces) throws Exception {
        HandDrivenClient client = new HandDrivenClient(coordinator.tcpPort());
        client.answerWith(BranchPolicyOverTcpTest::later); // as soon as it has registered it may be called
        client.registerTm("bank", "2.6.0");
        var request = new Message.RegisterRmRequest("2.6.0", "bank", "default_tx_group", null, ACTION);
        Map<String, String> head = announces ? Feature.announced() : Map.of();
        assertThat(client.connection()
                        .request(request, head, HandDrivenClient.PATIENCE)
                        .join()
                        .body())
                .isInstanceOf(Message.RegisterRmResponse.class);
        return client;
    }

    private static Message.BranchRegisterResponse register(
            HandDrivenClient by, String xid, BranchType type, Map<String, String> head) {
        return (Message.BranchRegisterResponse) by.connection()
                .request(
                        new Message.BranchRegisterRequest(xid, type, ACTION, null, null),
                        head,
                        HandDrivenClient.PATIENCE)
                .join()
                .body();
    }

    private static Map<String, String> policy(long callTimeout, long firstDelay, long maxDelay, int maxAttempts) {
        Map<String, String> head = new HashMap<>();
        new BranchPolicy(callTimeout, firstDelay, maxDelay, maxAttempts).write(head);
        return head;
    }

    private TransactionDetail detail(String xid) {
        return coordinator.transaction(new Xid(xid)).join().orElseThrow();
    }

    private BranchDetail branch(String xid) {
        return detail(xid).branches().get(0);
    }

    private void awaitState(String xid, TransactionState state) {
        Await.until(
                xid + " is " + state,
                HandDrivenClient.PATIENCE,
                () -> detail(xid).summary().state() == state);
    }

    private static Message.Response later(Message call) {
        return HandDrivenClient.answer(
                call,
                call instanceof Message.BranchCommitRequest
                        ? BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE
                        : BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE);
    }

    @ParameterizedTest
    @CsvSource({"TCC, true", "TCC, false", "SAGA_ANNOTATION, false"})
    void aBranchIsCalledAsOftenAndAsSoonAsItSaysAlsoAfterARestart(BranchType type, boolean commit) throws Exception {
        String xid;
        try (HandDrivenClient client = client(true)) {
            xid = client.begin(60_000);
            // The second delay is longer than the first, so that the restart comes in between.
            assertThat(register(client, xid, type, policy(0, 100, 100, 3))
                            .outcome()
                            .succeeded())
                    .isTrue();
            GlobalStatus told = commit ? client.commit(xid) : client.rollback(xid);
            assertThat(told).isIn(GlobalStatus.COMMIT_RETRYING, GlobalStatus.ROLLBACK_RETRYING);
            client.awaitCall();
        }
        coordinator.close();
        start();
        try (HandDrivenClient client = client(true)) {
            awaitState(xid, TransactionState.NEEDS_ATTENTION);
            assertThat(branch(xid).attempts()).isEqualTo(3);
            assertThat(branch(xid).state()).isEqualTo(BranchState.STUCK);
            client.answerWith(HandDrivenClient::done);
            coordinator.operate(new OperatorCommand.RetryNow(new Xid(xid))).join();
            awaitState(xid, commit ? TransactionState.COMMITTED : TransactionState.ROLLED_BACK);
        }
    }

    @Test
    void aCallThatTakesLongerThanTheBranchSaysIsMadeAgain() throws Exception {
        try (HandDrivenClient client = client(true)) {
            client.answerWith(call -> client.calls().size() < 2 ? null : HandDrivenClient.done(call));
            String xid = client.begin(60_000);
            assertThat(register(client, xid, BranchType.TCC, policy(1, 1, 1, 0))
                            .outcome()
                            .succeeded())
                    .isTrue();
            client.commit(xid);
            awaitState(xid, TransactionState.COMMITTED);
            assertThat(client.calls()).hasSize(2);
        }
    }

    /** Sixteen calls may be under way, four of one resource: five resources that hang, and want an hour for it, would take them all. */
    @Test
    void branchesThatWantMuchTimeAndHangLeaveRoomForOthers() throws Exception {
        coordinator.close();
        CoordinatorOptions.Limits usual = CoordinatorOptions.Limits.DEFAULTS;
        coordinator = Coordinator.start(options()
                .withLimits(new CoordinatorOptions.Limits(
                        usual.mailbox(),
                        usual.mailboxBytes(),
                        usual.unwritten(),
                        usual.transactions(),
                        usual.branchesPerTransaction(),
                        usual.locksPerBranch(),
                        usual.textLength(),
                        usual.applicationDataLength(),
                        16,
                        usual.requestsPerConnection(),
                        usual.resourcesPerConnection(),
                        usual.lockWaiters(),
                        usual.lockWaitersPerConnection())));
        try (HandDrivenClient client = client(true)) {
            String[] slow = {"slow1", "slow2", "slow3", "slow4", "slow5"};
            client.connection()
                    .request(
                            new Message.RegisterRmRequest(
                                    "2.6.0", "bank", "default_tx_group", null, String.join(",", slow) + ',' + ACTION),
                            Feature.announced(),
                            HandDrivenClient.PATIENCE)
                    .join();
            client.answerWith(call -> call instanceof Message.BranchRollbackRequest rollback
                            && rollback.resourceId().startsWith("slow")
                    ? null
                    : HandDrivenClient.done(call));
            for (int i = 0; i < 20; i++) {
                String xid = client.begin(60_000);
                var request = new Message.BranchRegisterRequest(xid, BranchType.TCC, slow[i % slow.length], null, null);
                client.connection()
                        .request(request, policy(3_600_000, 0, 0, 0), HandDrivenClient.PATIENCE)
                        .join();
                client.rollback(xid);
            }
            String xid = client.begin(60_000);
            client.register(xid, BranchType.TCC, ACTION, null);
            client.rollback(xid);
            awaitState(xid, TransactionState.ROLLED_BACK);
            assertThat(client.calls()).hasSize(5); // four of the long ones
        }
    }

    @Test
    void whatTheBranchLeavesOpenIsAsTheCoordinatorIsConfigured() throws Exception {
        try (HandDrivenClient client = client(true)) {
            String xid = client.begin(60_000);
            register(client, xid, BranchType.TCC, policy(0, 0, 0, 1_000));
            client.commit(xid);
            Await.until(
                    "the first call has failed",
                    HandDrivenClient.PATIENCE,
                    () -> branch(xid).attempts() == 1);
            assertThat(Duration.between(
                            detail(xid).summary().beganAt(), branch(xid).nextAt()))
                    .isGreaterThan(Duration.ofMinutes(29));
        }
    }

    @Test
    void whoHasNotAgreedOnPoliciesIsCalledAsAllOthers() throws Exception {
        try (HandDrivenClient client = client(false)) {
            String xid = client.begin(60_000);
            assertThat(register(client, xid, BranchType.TCC, policy(0, 1, 1, 1))
                            .outcome()
                            .succeeded())
                    .isTrue();
            client.commit(xid);
            Await.until(
                    "the first call has failed",
                    HandDrivenClient.PATIENCE,
                    () -> branch(xid).attempts() == 1);
            assertThat(detail(xid).summary().state()).isEqualTo(TransactionState.COMMITTING);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "1,2,3", "1,2,3,4,5", "-1,0,0,0", "1,1,x,1", "3600001,0,0,0", "0,9,8,0", "0,0,0,1000001"})
    void aPolicyThatIsNoneRefusesTheBranch(String text) throws Exception {
        try (HandDrivenClient client = client(true)) {
            String xid = client.begin(60_000);
            var refused = register(client, xid, BranchType.TCC, Map.of("branch-policy", text));
            assertThat(refused.outcome().succeeded()).isFalse();
            assertThat(refused.outcome().message()).startsWith(ErrorCode.BAD_REQUEST.id());
        }
    }

    @Test
    void whatHasNoEndsOfItsOwnHasNoPolicy() throws Exception {
        try (HandDrivenClient client = client(true)) {
            String xid = client.begin(60_000);
            for (BranchType type : new BranchType[] {BranchType.AT, BranchType.XA}) {
                assertThat(register(client, xid, type, policy(0, 1, 1, 1))
                                .outcome()
                                .message())
                        .startsWith(ErrorCode.BAD_REQUEST.id());
            }
        }
    }
}
