package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.transport.TransportOptions;
import io.txn.test.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Each bound of a coordinator, made small and gone to over a real connection. Slow readers: {@code HostilePeerTest} of the protocol. */
@Timeout(60)
class BoundsTest {

    @TempDir
    Path dataDir;

    private Coordinator coordinator;

    @AfterEach
    void stop() {
        coordinator.close();
    }

    private void start(UnaryOperator<CoordinatorOptions> change) {
        coordinator = Coordinator.start(change.apply(CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", 0)
                .withAdvertisedAddress("127.0.0.1:8091")
                .withDataDir(dataDir)));
    }

    private void start(TestLimits limits) {
        start(options -> options.withLimits(limits.build()));
    }

    private static TestLimits small() {
        return TestLimits.usual()
                .branchesPerTransaction(2)
                .locksPerBranch(3)
                .textLength(40)
                .applicationDataLength(50)
                .callsInFlight(4)
                .requestsPerConnection(3)
                .resourcesPerConnection(2);
    }

    private void startSmall() {
        start(small().transactions(2));
    }

    private HandDrivenClient client(String... resources) throws Exception {
        return HandDrivenClient.registered(coordinator.tcpPort(), "shop", "2.6.0", resources);
    }

    private static void assertRefused(Outcome outcome, String... contained) {
        assertThat(outcome.succeeded()).isFalse();
        assertThat(outcome.message()).contains(contained);
    }

    private static Outcome tryBegin(HandDrivenClient client, String name) {
        return client.ask(new Message.GlobalBeginRequest(60_000, name), Message.GlobalBeginResponse.class)
                .outcome();
    }

    @Test
    void openTransactions() throws Exception {
        startSmall();
        try (HandDrivenClient client = client()) {
            String first = client.begin(60_000);
            client.begin(60_000);
            assertRefused(tryBegin(client, "third"), "TXN-CRD005", "transactions=2");
            client.commit(first);
            assertThat(tryBegin(client, "third").succeeded()).isTrue();
        }
    }

    @Test
    void branchesOfATransaction() throws Exception {
        startSmall();
        try (HandDrivenClient client = client()) {
            String xid = client.begin(60_000);
            client.register(xid, BranchType.AT, "db", "stock:1");
            client.register(xid, BranchType.AT, "db", "stock:2");
            assertRefused(
                    client.tryRegister(xid, BranchType.AT, "db", "stock:3", null)
                            .outcome(),
                    "TXN-TX008",
                    "branches=2");
        }
    }

    @Test
    void rowsOfABranchLengthOfTextsAndOfApplicationData() throws Exception {
        startSmall();
        try (HandDrivenClient client = client()) {
            String xid = client.begin(60_000);
            assertRefused(
                    client.tryRegister(xid, BranchType.AT, "db", "stock:1,2,3,4", null)
                            .outcome(),
                    "maxRows=3");
            assertRefused(
                    client.tryRegister(xid, BranchType.AT, "r".repeat(41), "stock:1", null)
                            .outcome(),
                    "TXN-CRD006",
                    "limit=40");
            assertRefused(tryBegin(client, "n".repeat(41)), "TXN-CRD006", "limit=40");
            assertRefused(
                    client.tryRegister(xid, BranchType.TCC, "service", null, "d".repeat(51))
                            .outcome(),
                    "TXN-CRD013",
                    "limit=50");
            client.register(xid, BranchType.AT, "r".repeat(40), "stock:1,2,3");
        }
    }

    @Test
    void resourcesOfAConnection() throws Exception {
        startSmall();
        try (HandDrivenClient client = client("one", "two")) {
            var again = client.ask(
                    new Message.RegisterRmRequest("2.6.0", "shop", "default_tx_group", null, "two,one"),
                    Message.RegisterRmResponse.class);
            assertThat(again.identified()).isTrue();
            var third = client.ask(
                    new Message.RegisterRmRequest("2.6.0", "shop", "default_tx_group", null, "three"),
                    Message.RegisterRmResponse.class);
            assertThat(third.identified()).isFalse();
        }
    }

    @Test
    void requestsOfAConnectionThatAreNotAnswered() throws Exception {
        start(small().callsInFlight(100));
        try (HandDrivenClient busy = client();
                HandDrivenClient other = client("service")) {
            other.answerWith(call -> null);
            List<String> waiting = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                String xid = other.begin(60_000);
                other.register(xid, BranchType.TCC, "service", null);
                waiting.add(xid);
            }
            waiting.forEach(xid -> busy.send(new Message.GlobalCommitRequest(xid, null)));
            Await.until("all are decided", HandDrivenClient.PATIENCE, () -> waiting.stream()
                    .allMatch(xid -> state(xid) == TransactionState.COMMITTING));
            assertRefused(tryBegin(busy, "fourth"), "TXN-CRD005", "requestsOfConnection=3");
            var branch = new Message.BranchRegisterRequest(waiting.get(0), BranchType.AT, "db", "stock:1", null);
            assertRefused(
                    busy.ask(branch, Message.BranchRegisterResponse.class).outcome(),
                    "TXN-CRD005",
                    "requestsOfConnection=3");
            assertThat(tryBegin(other, "of another").succeeded()).isTrue();
        }
    }

    private TransactionState state(String xid) {
        return coordinator
                .transaction(new Xid(xid))
                .join()
                .orElseThrow()
                .summary()
                .state();
    }

    @Test
    void callsInFlight() throws Exception {
        start(small()); // of one resource, 2
        try (HandDrivenClient manager = client("service");
                HandDrivenClient initiator = client()) {
            List<Message> held = new CopyOnWriteArrayList<>();
            manager.answerWith(call -> {
                held.add(call);
                return null;
            });
            List<String> xids = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                String xid = initiator.begin(60_000);
                initiator.register(xid, BranchType.TCC, "service", null);
                xids.add(xid);
            }
            xids.forEach(xid -> initiator.send(new Message.GlobalCommitRequest(xid, null)));
            Await.until("two are called", HandDrivenClient.PATIENCE, () -> held.size() == 2);
            Await.until("all are decided", HandDrivenClient.PATIENCE, () -> xids.stream()
                    .allMatch(xid -> state(xid) == TransactionState.COMMITTING));
            assertThat(coordinator.statistics().callsInFlight()).isEqualTo(2);
            assertThat(held).hasSize(2);
            // The operator cannot end what is being called, but what waits for its turn.
            String waits = xids.stream()
                    .filter(xid ->
                            held.stream().noneMatch(call -> xid.equals(((Message.BranchCommitRequest) call).xid())))
                    .findFirst()
                    .orElseThrow();
            for (String xid : xids) {
                assertThat(coordinator
                                .operate(new OperatorCommand.Force(
                                        new Xid(xid), OperatorCommand.Force.Status.COMMITTED, "test"))
                                .get(10, TimeUnit.SECONDS))
                        .isInstanceOf(xid.equals(waits) ? OperatorResult.Accepted.class : OperatorResult.Refused.class);
            }
        }
    }

    @Test
    void connections() throws Exception {
        start(options -> options.withTransport(TransportOptions.DEFAULTS.withMaxConnections(2)));
        try (HandDrivenClient first = client();
                HandDrivenClient second = client();
                HandDrivenClient third = new HandDrivenClient(coordinator.tcpPort())) {
            assertThat(third.awaitClosed()).isTrue();
            assertThat(tryBegin(first, "one").succeeded()).isTrue();
            assertThat(tryBegin(second, "two").succeeded()).isTrue();
        }
    }

    @Test
    void sizeOfAFrame() throws Exception {
        start(options -> options.withTransport(TransportOptions.DEFAULTS.withMaxFrameBytes(4_096)));
        try (HandDrivenClient large = client();
                HandDrivenClient other = client()) {
            String xid = other.begin(60_000);
            large.send(new Message.BranchRegisterRequest(xid, BranchType.AT, "db", "stock:" + "1".repeat(5_000), null));
            assertThat(large.awaitClosed()).isTrue();
            other.register(xid, BranchType.AT, "db", "stock:" + "1".repeat(3_000));
        }
    }

    /** One answer at a time may wait for the disk, so that what comes in the meantime fills the mailbox: of which begins have half. */
    @Test
    void commandsInTheMailbox() throws Exception {
        start(TestLimits.usual().mailbox(4).unwritten(1).requestsPerConnection(1_000));
        try (HandDrivenClient client = client()) {
            Await.until("begins meet a full mailbox", Duration.ofSeconds(30), () -> flood(client, "x", "mailbox=2"));
            assertThat(client.status(client.begin(60_000))).isEqualTo(GlobalStatus.BEGIN);
        }
    }

    @Test
    void bytesInTheMailbox() throws Exception {
        start(TestLimits.usual()
                .mailbox(1_000_000)
                .mailboxBytes(1 << 20)
                .unwritten(1)
                .requestsPerConnection(1_000_000));
        try (HandDrivenClient client = client()) {
            Await.until(
                    "begins meet a mailbox full of long names",
                    Duration.ofSeconds(30),
                    () -> flood(client, "x".repeat(4_000), "mailboxBytes=" + (1 << 19)));
            assertThat(client.status(client.begin(60_000))).isEqualTo(GlobalStatus.BEGIN);
        }
    }

    /** Many begins at once; whether one of them was refused for this reason. Each of them is answered. */
    private static boolean flood(HandDrivenClient client, String name, String reason) throws Exception {
        List<CompletableFuture<Message>> answers = IntStream.range(0, 500)
                .mapToObj(i -> client.send(new Message.GlobalBeginRequest(60_000, name)))
                .toList();
        boolean refused = false;
        for (CompletableFuture<Message> answer : answers) {
            Message.GlobalBeginResponse response = (Message.GlobalBeginResponse) answer.get(30, TimeUnit.SECONDS);
            refused |= !response.outcome().succeeded()
                    && String.valueOf(response.outcome().message()).contains(reason);
        }
        return refused;
    }
}
