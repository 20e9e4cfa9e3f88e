package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.LockRefusal;
import io.txn.protocol.extension.LockWait;
import io.txn.protocol.extension.RequestId;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.TransactionExceptionCode;
import io.txn.test.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The extensions of the protocol, over real connections: agreed on or not, waiting in all its ends, requests asked again. */
@Timeout(60)
class LockWaitOverTcpTest {

    private static final String DB = "jdbc:h2:mem:storage";
    private static final long LONG = 60_000;

    @TempDir
    Path dataDir;

    private Coordinator coordinator;
    private HandDrivenClient client;

    @BeforeEach
    void start() throws Exception {
        coordinator = Coordinator.start(
                CoordinatorOptions.DEFAULTS.withListen("127.0.0.1", 0).withDataDir(dataDir));
        client = nativeClient();
    }

    @AfterEach
    void stop() {
        client.close();
        coordinator.close();
    }

    private HandDrivenClient nativeClient() throws Exception {
        HandDrivenClient opened = new HandDrivenClient(coordinator.tcpPort());
        Frame answer = opened.connection()
                .request(
                        new Message.RegisterRmRequest("2.5.0", "shop", "default_tx_group", null, DB),
                        Feature.announced(),
                        HandDrivenClient.PATIENCE)
                .join();
        assertThat(Feature.agreedIn(answer.head())).isEqualTo(Set.of(Feature.values()));
        return opened;
    }

    private CompletableFuture<Frame> register(HandDrivenClient by, String xid, String rows, long wait, long id) {
        Map<String, String> head = new HashMap<>();
        LockWait.write(wait, head);
        if (id != 0) {
            RequestId.write(id, head);
        }
        return by.connection()
                .request(
                        new Message.BranchRegisterRequest(xid, BranchType.AT, DB, rows, null),
                        head,
                        HandDrivenClient.PATIENCE);
    }

    private static Message.BranchRegisterResponse answer(CompletableFuture<Frame> frame) throws Exception {
        return (Message.BranchRegisterResponse) frame.get(10, TimeUnit.SECONDS).body();
    }

    private static LockRefusal refusal(CompletableFuture<Frame> frame) throws Exception {
        assertThat(answer(frame).outcome().succeeded()).isFalse();
        return LockRefusal.read(frame.get().head());
    }

    private void awaitWaiters(int count) {
        Await.until(
                count + " wait",
                HandDrivenClient.PATIENCE,
                () -> coordinator.statistics().lockWaiters() == count);
    }

    private LockWaitPage waits(Xid xid) {
        return coordinator
                .lockWaits(new LockWaitQuery(null, null, xid, 10, null))
                .join();
    }

    @Test
    void whoAnnouncesNothingSeesPlainSeata() throws Exception {
        try (HandDrivenClient seata = new HandDrivenClient(coordinator.tcpPort())) {
            Frame registered = seata.connection()
                    .request(
                            new Message.RegisterRmRequest("2.5.0", "other", "default_tx_group", null, DB),
                            Map.of("some", "field"),
                            HandDrivenClient.PATIENCE)
                    .join();
            assertThat(registered.head()).isEmpty();
            String holder = client.begin(60_000);
            client.register(holder, BranchType.AT, DB, "t:1");
            String other = seata.begin(60_000);
            // The fields mean nothing on this connection: no waiting, and nothing in the answer's head.
            CompletableFuture<Frame> refused = register(seata, other, "t:1", LONG, 7);
            assertThat(answer(refused).outcome().exceptionCode()).isEqualTo(TransactionExceptionCode.LOCK_KEY_CONFLICT);
            assertThat(refused.get().head()).isEmpty();
            assertThat(coordinator.statistics().lockWaiters()).isZero();
        }
    }

    @Test
    void onlyFeaturesThatBothHaveAreAgreedOn() throws Exception {
        try (HandDrivenClient future = new HandDrivenClient(coordinator.tcpPort())) {
            Frame answer = future.connection()
                    .request(
                            new Message.RegisterTmRequest("2.5.0", "shop", "default_tx_group", null),
                            Map.of("txn-features", "teleport, lock-wait"),
                            HandDrivenClient.PATIENCE)
                    .join();
            assertThat(answer.head()).isEqualTo(Map.of("txn-features-agreed", "lock-wait"));
        }
    }

    @Test
    void whoWaitsIsListedAndGetsTheRowWhenItsHolderCommits() throws Exception {
        String holder = client.begin(60_000);
        client.register(holder, BranchType.AT, DB, "t:1");
        String other = client.begin(60_000);
        CompletableFuture<Frame> waiting = register(client, other, "t:1,2", LONG, 0);
        awaitWaiters(1);
        for (Xid asked : new Xid[] {null, new Xid(holder), new Xid(other)}) {
            assertThat(waits(asked).waits()).singleElement().satisfies(wait -> {
                assertThat(wait.xid()).isEqualTo(new Xid(other));
                assertThat(wait.holder()).isEqualTo(new Xid(holder));
                assertThat(wait.row()).isEqualTo("t:1");
                assertThat(wait.rows()).isEqualTo(2);
                assertThat(wait.until()).isEqualTo(wait.since().plusMillis(LONG));
            });
        }
        assertThat(waits(new Xid("127.0.0.1:1:5")).waits()).isEmpty();
        // Nobody waits for a waiter.
        var free = client.ask(
                new Message.GlobalLockQueryRequest(null, BranchType.AT, DB, "t:2", null),
                Message.GlobalLockQueryResponse.class);
        assertThat(free.lockable()).isTrue();
        assertThat(waiting).isNotDone();
        client.commit(holder);
        assertThat(answer(waiting).outcome().succeeded()).isTrue();
        awaitWaiters(0);
        assertThat(coordinator.statistics().lockWaitsGranted()).isEqualTo(1);
    }

    @Test
    void whoWaitsInVainLearnsWhoHasTheRow() throws Exception {
        String holder = client.begin(60_000);
        client.register(holder, BranchType.AT, DB, "t:1");
        LockRefusal refused = refusal(register(client, client.begin(60_000), "t:2,1", 30, 0));
        assertThat(refused.code()).isEqualTo(ErrorCode.LOCK_WAIT_OVER);
        assertThat(refused.row()).isEqualTo("t:1");
        assertThat(refused.holderXid()).isEqualTo(holder);
        assertThat(refused.holderName()).isEqualTo("purchase");
        assertThat(refused.holderApplication()).isEqualTo("shop");
        assertThat(refused.holderState()).isEqualTo(TransactionState.ACTIVE.name());
        assertThat(refused.holderAgeMillis()).isBetween(30L, 60_000L);
        assertThat(refusal(register(client, client.begin(60_000), "t:1", 0, 0)).code())
                .isEqualTo(ErrorCode.LOCK_CONFLICT);
    }

    @Test
    void aHolderThatRollsBackEndsTheWait() throws Exception {
        client.answerWith(call -> null);
        String holder = client.begin(60_000);
        client.register(holder, BranchType.AT, DB, "t:1");
        CompletableFuture<Frame> waiting = register(client, client.begin(60_000), "t:1", LONG, 0);
        awaitWaiters(1);
        client.send(new Message.GlobalRollbackRequest(holder, null));
        assertThat(answer(waiting).outcome().exceptionCode())
                .isEqualTo(TransactionExceptionCode.LOCK_KEY_CONFLICT_FAIL_FAST);
        assertThat(refusal(waiting).code()).isEqualTo(ErrorCode.LOCK_CONFLICT_ROLLING_BACK);
    }

    @Test
    void ofTwoWhoWaitForEachOtherTheYoungerGivesWay() throws Exception {
        String older = client.begin(60_000);
        Await.until("a later time", Duration.ofSeconds(10), () -> System.currentTimeMillis() > ageOf(older));
        String younger = client.begin(60_000);
        client.register(older, BranchType.AT, DB, "t:1");
        client.register(younger, BranchType.AT, DB, "t:2");
        CompletableFuture<Frame> first = register(client, younger, "t:1", LONG, 0);
        CompletableFuture<Frame> second = register(client, older, "t:2", LONG, 0);
        LockRefusal refused = refusal(first);
        assertThat(refused.code()).isEqualTo(ErrorCode.LOCK_DEADLOCK);
        assertThat(refused.deadlock()).contains(older, younger, "t:1", "t:2");
        assertThat(second).isNotDone();
        client.rollback(younger);
        // The older one is not made to wait for the undo of the younger one: its branch may need what it holds.
        assertThat(refusal(second).code()).isEqualTo(ErrorCode.LOCK_CONFLICT_ROLLING_BACK);
        assertThat(coordinator.statistics().deadlocks()).isEqualTo(1);
    }

    private long ageOf(String xid) {
        return coordinator
                .transaction(new Xid(xid))
                .join()
                .orElseThrow()
                .summary()
                .beganAt()
                .toEpochMilli();
    }

    @Test
    void aConnectionThatEndsTakesItsWaitersAlong() throws Exception {
        String holder = client.begin(60_000);
        client.register(holder, BranchType.AT, DB, "t:1");
        HandDrivenClient gone = nativeClient();
        register(gone, client.begin(60_000), "t:1", LONG, 0);
        awaitWaiters(1);
        gone.close();
        awaitWaiters(0);
        String third = client.begin(60_000);
        client.commit(holder);
        assertThat(answer(register(client, third, "t:1", LONG, 0)).outcome().succeeded())
                .isTrue();
    }

    @Test
    void aQueryWaitsUntilTheRowsAreFree() throws Exception {
        String holder = client.begin(60_000);
        client.register(holder, BranchType.AT, DB, "t:1");
        Map<String, String> head = new HashMap<>();
        LockWait.write(LONG, head);
        CompletableFuture<Frame> waiting = client.connection()
                .request(
                        new Message.GlobalLockQueryRequest(client.begin(60_000), BranchType.AT, DB, "t:1", null),
                        head,
                        HandDrivenClient.PATIENCE);
        awaitWaiters(1);
        client.commit(holder);
        Message.GlobalLockQueryResponse answer = (Message.GlobalLockQueryResponse)
                waiting.get(10, TimeUnit.SECONDS).body();
        assertThat(answer.lockable()).isTrue();
    }

    @Test
    void whoIsDecidedWhileItWaitsIsToldSo() throws Exception {
        String holder = client.begin(60_000);
        client.register(holder, BranchType.AT, DB, "t:1");
        String other = client.begin(60_000);
        CompletableFuture<Frame> waiting = register(client, other, "t:1", LONG, 0);
        awaitWaiters(1);
        client.rollback(other);
        assertThat(answer(waiting).outcome().exceptionCode())
                .isEqualTo(TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_ACTIVE);
        String late = client.begin(300);
        assertThat(answer(register(client, late, "t:1", LONG, 0)).outcome().exceptionCode())
                .isEqualTo(TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_ACTIVE);
    }

    @Test
    void aCoordinatorThatStopsRefusesWhoWaits() throws Exception {
        String holder = client.begin(60_000);
        client.register(holder, BranchType.AT, DB, "t:1");
        CompletableFuture<Frame> waiting = register(client, client.begin(60_000), "t:1", LONG, 0);
        awaitWaiters(1);
        coordinator.close();
        assertThat(refusal(waiting).code()).isEqualTo(ErrorCode.LOCK_WAIT_REFUSED);
    }

    @Test
    void aRequestAskedAgainIsTheSameRequest() throws Exception {
        Map<String, String> head = new HashMap<>();
        RequestId.write(0xABCDL, head);
        String first = begin(head);
        assertThat(begin(head)).isEqualTo(first);
        assertThat(begin(Map.of())).isNotEqualTo(first);
        long branch = answer(register(client, first, "t:1", 0, 5)).branchId();
        try (HandDrivenClient reconnected = nativeClient()) {
            assertThat(answer(register(reconnected, first, "t:1", 0, 5)).branchId())
                    .isEqualTo(branch);
        }
        assertThat(answer(register(client, first, "t:1", 0, 0)).branchId()).isNotEqualTo(branch);
        assertThat(begin(head))
                .as("a transaction with a branch was not begun just now")
                .isNotEqualTo(first);
    }

    private String begin(Map<String, String> head) {
        Frame frame = client.connection()
                .request(new Message.GlobalBeginRequest(60_000, "purchase"), head, HandDrivenClient.PATIENCE)
                .join();
        return ((Message.GlobalBeginResponse) frame.body()).xid();
    }

    @Test
    void onlySoManyWaitOfOneConnectionAndInAllAndTheOthersAreToldAtOnce() throws Exception {
        stop();
        coordinator = Coordinator.start(CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", 0)
                .withDataDir(dataDir)
                .withLimits(TestLimits.usual()
                        .lockWaiters(3)
                        .lockWaitersPerConnection(2)
                        .build()));
        client = nativeClient();
        String holder = client.begin(60_000);
        client.register(holder, BranchType.AT, DB, "t:1");
        CompletableFuture<Frame> first = register(client, client.begin(60_000), "t:1", LONG, 0);
        CompletableFuture<Frame> second = register(client, client.begin(60_000), "t:1", LONG, 0);
        awaitWaiters(2);
        assertThat(refusal(register(client, client.begin(60_000), "t:1", LONG, 0))
                        .code())
                .as("a third one of this connection")
                .isEqualTo(ErrorCode.LOCK_CONFLICT);
        try (HandDrivenClient other = nativeClient()) {
            CompletableFuture<Frame> third = register(other, other.begin(60_000), "t:1", LONG, 0);
            awaitWaiters(3);
            assertThat(refusal(register(other, other.begin(60_000), "t:1", LONG, 0))
                            .code())
                    .as("a fourth one in all")
                    .isEqualTo(ErrorCode.LOCK_CONFLICT);
            assertThat(third).isNotDone();
        }
        awaitWaiters(2);
        client.commit(holder);
        assertThat(answer(first).outcome().succeeded()).isTrue();
        assertThat(second).isNotDone();
    }

    @Test
    void thoseWhoWaitAreBoundedAndLeaveRoomForTheRequestThatEndsTheirWait() throws Exception {
        stop();
        coordinator = Coordinator.start(CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", 0)
                .withDataDir(dataDir)
                .withLimits(TestLimits.usual().requestsPerConnection(2).build()));
        client = nativeClient();
        String holder = client.begin(60_000);
        client.register(holder, BranchType.AT, DB, "t:1");
        CompletableFuture<Frame> first = register(client, client.begin(60_000), "t:1", LONG, 0);
        CompletableFuture<Frame> second = register(client, client.begin(60_000), "t:1", LONG, 0);
        awaitWaiters(2);
        assertThat(answer(register(client, client.begin(60_000), "t:2", LONG, 0))
                        .outcome()
                        .message())
                .contains("TXN-CRD005", "requestsOfConnection=2");
        client.commit(holder);
        assertThat(answer(first).outcome().succeeded()).isTrue();
        client.register(client.begin(60_000), BranchType.AT, DB, "t:3");
        assertThat(second).isNotDone();
    }

    @Test
    void whoAsksAgainWhileItWaitsKeepsItsPlace() throws Exception {
        String holder = client.begin(60_000);
        client.register(holder, BranchType.AT, DB, "t:1");
        String first = client.begin(60_000);
        String second = client.begin(60_000);
        CompletableFuture<Frame> lost = register(client, first, "t:1", LONG, 9);
        awaitWaiters(1);
        CompletableFuture<Frame> later = register(client, second, "t:1", LONG, 10);
        awaitWaiters(2);
        try (HandDrivenClient reconnected = nativeClient()) {
            CompletableFuture<Frame> again = register(reconnected, first, "t:1", LONG, 9);
            assertThat(answer(lost).outcome().succeeded()).isFalse();
            awaitWaiters(2);
            client.commit(holder);
            assertThat(answer(again).outcome().succeeded()).isTrue();
            assertThat(later).isNotDone();
            client.commit(first);
            assertThat(answer(later).outcome().succeeded()).isTrue();
        }
    }

    @Test
    void badFieldsAreRefusedAndHurtNobody() throws Exception {
        String xid = client.begin(60_000);
        for (Map<String, String> head : List.of(
                Map.of("lock-wait", "-1"),
                Map.of("lock-wait", "soon"),
                Map.of("request-id", "xyz"),
                Map.of("request-id", "0000000000000000"))) {
            CompletableFuture<Frame> refused = client.connection()
                    .request(
                            new Message.BranchRegisterRequest(xid, BranchType.AT, DB, "t:1", null),
                            head,
                            HandDrivenClient.PATIENCE);
            assertThat(answer(refused).outcome().message()).contains(ErrorCode.BAD_REQUEST.id());
        }
        assertThat(client.register(xid, BranchType.AT, DB, "t:1")).isPositive();
    }

    @Test
    void partsOfMergedFramesDoNotWait() throws Exception {
        String holder = client.begin(60_000);
        client.register(holder, BranchType.AT, DB, "t:1");
        String other = client.begin(60_000);
        List<CompletableFuture<Message>> answers = client.connection()
                .requestMerged(
                        List.of(new Message.BranchRegisterRequest(other, BranchType.AT, DB, "t:1", null)),
                        HandDrivenClient.PATIENCE);
        Message.BranchRegisterResponse answer =
                (Message.BranchRegisterResponse) answers.get(0).get(10, TimeUnit.SECONDS);
        assertThat(answer.outcome().exceptionCode()).isEqualTo(TransactionExceptionCode.LOCK_KEY_CONFLICT);
    }
}
