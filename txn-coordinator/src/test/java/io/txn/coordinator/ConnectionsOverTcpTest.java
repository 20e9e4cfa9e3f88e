package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.BranchType;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.codec.FrameKind;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.transport.TransportOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** How connections of Seata's clients begin, idle and end. */
@Timeout(120)
class ConnectionsOverTcpTest {

    private static final String DB = "jdbc:h2:mem:storage";

    @TempDir
    Path dataDir;

    private Coordinator coordinator;

    @BeforeEach
    void start() {
        start(TransportOptions.DEFAULTS);
    }

    private void start(TransportOptions transport) {
        coordinator = Coordinator.start(options(transport));
    }

    private CoordinatorOptions options(TransportOptions transport) {
        return CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", 0)
                .withAdvertisedAddress("127.0.0.1:8091")
                .withDataDir(dataDir)
                .withTransport(transport);
    }

    @AfterEach
    void stop() {
        coordinator.close();
    }

    /** What clients in Go do: one connection, registrations that do not wait, requests that are not merged. */
    @Test
    void aClientInGoDoesEverythingOnOneConnection() throws Exception {
        try (RawClient client = new RawClient(coordinator.tcpPort())) {
            int tm = client.send(FrameKind.ONE_WAY, RawClient.tm("go-app", "1.1.0"));
            assertThat(client.readAnswer(tm, Message.RegisterTmResponse.class).identified())
                    .isTrue();
            int rm = client.send(FrameKind.ONE_WAY, RawClient.rm("go-app", "1.1.0", DB));
            assertThat(client.readAnswer(rm, Message.RegisterRmResponse.class).identified())
                    .isTrue();
            assertThat(coordinator.statistics().sessions()).isEqualTo(1);

            String xid = client.begin();
            long branch = client.register(xid, BranchType.AT, DB, "t:1;", "{}");
            int rollback = client.send(FrameKind.REQUEST, new Message.GlobalRollbackRequest(xid, null));
            Frame call = client.readCall(Message.BranchRollbackRequest.class);
            assertThat(call.body()).isEqualTo(new Message.BranchRollbackRequest(xid, branch, BranchType.AT, DB, "{}"));
            client.answer(call, HandDrivenClient.done(call.body()));
            assertThat(client.readAnswer(rollback, Message.GlobalRollbackResponse.class))
                    .isEqualTo(new Message.GlobalRollbackResponse(Outcome.SUCCESS, GlobalStatus.ROLLED_BACK));

            xid = client.begin();
            client.register(xid, BranchType.TCC, DB, null, null);
            int commit = client.send(FrameKind.REQUEST, new Message.GlobalCommitRequest(xid, null));
            call = client.readCall(Message.BranchCommitRequest.class);
            client.answer(call, HandDrivenClient.done(call.body()));
            assertThat(client.readAnswer(commit, Message.GlobalCommitResponse.class)
                            .status())
                    .isEqualTo(GlobalStatus.COMMITTED);
        }
    }

    /** What Seata's Java client does with a resource that appears later: it does not wait, but it counts the answer. */
    @Test
    void aLaterRegistrationOfAResourceIsAnsweredUnderItsOwnId() throws Exception {
        try (RawClient client = RawClient.registered(coordinator.tcpPort(), "storage-service", "2.6.0", DB)) {
            int later = client.send(FrameKind.ONE_WAY, RawClient.rm("storage-service", "2.6.0", "reserve"));
            int twice = client.send(FrameKind.ONE_WAY, RawClient.rm("storage-service", "2.6.0", "reserve"));
            for (int id : List.of(later, twice)) {
                assertThat(client.readAnswer(id, Message.RegisterRmResponse.class))
                        .isEqualTo(new Message.RegisterRmResponse(true, "2.0.0"));
            }
            for (String resource : List.of(DB, "reserve")) {
                String xid = client.begin();
                client.register(xid, BranchType.TCC, resource, null, null);
                int commit = client.send(FrameKind.REQUEST, new Message.GlobalCommitRequest(xid, null));
                Frame call = client.readCall(Message.BranchCommitRequest.class);
                client.answer(call, HandDrivenClient.done(call.body()));
                assertThat(client.readAnswer(commit, Message.GlobalCommitResponse.class)
                                .status())
                        .isEqualTo(GlobalStatus.COMMITTED);
            }
        }
    }

    /** What a coordinator says to clients has no meaning the other way round, so whoever says it is no client. */
    @Test
    void whoeverSendsWhatOnlyACoordinatorSendsIsDisconnectedAndNobodyElseIs() throws Exception {
        try (RawClient other = RawClient.registered(coordinator.tcpPort(), "storage-service", "2.6.0", DB)) {
            String xid = other.begin();
            long branch = other.register(xid, BranchType.AT, DB, "stock:1", null);
            for (Message.Request foreign : List.of(
                    new Message.UndoLogDelete(BranchType.AT, DB, (short) 7),
                    new Message.BranchCommitRequest(xid, branch, BranchType.AT, DB, null),
                    new Message.BranchRollbackRequest(xid, branch, BranchType.AT, DB, null))) {
                for (boolean merged : List.of(false, true)) {
                    try (RawClient client =
                            RawClient.registered(coordinator.tcpPort(), "storage-service", "2.6.0", DB)) {
                        if (merged) {
                            client.sendMerged(foreign);
                        } else {
                            client.send(FrameKind.ONE_WAY, foreign);
                        }
                        assertThat(client.readOrEnd()).isNull();
                    }
                }
            }
            assertThat(other.status(xid).status()).isEqualTo(GlobalStatus.BEGIN);
        }
    }

    @Test
    void undoRecordsAreDeletedByAOneWayMessage() throws Exception {
        coordinator.close();
        coordinator = Coordinator.start(options(TransportOptions.DEFAULTS)
                .withUndoLog(new CoordinatorOptions.UndoLog(Duration.ofMillis(200), 3)));
        try (RawClient client = RawClient.registered(coordinator.tcpPort(), "storage-service", "2.6.0", DB)) {
            Frame delete = client.read();
            assertThat(delete.kind()).isEqualTo(FrameKind.ONE_WAY);
            assertThat(delete.body()).isEqualTo(new Message.UndoLogDelete(BranchType.AT, DB, (short) 3));
        }
    }

    @Test
    void whatNobodyKnowsYetHarmsNobody() throws Exception {
        try (RawClient client = RawClient.registered(coordinator.tcpPort(), "storage-service", "2.6.0")) {
            client.sendHex("dada01 00000012 0010 02 01 00 00000009 007a"); // message 122, of versions to come
            client.begin();
        }
    }

    /** Seata's clients ping when they have written nothing for ten seconds; fifteen is what they expect the server to bear. */
    @Test
    @EnabledIfSystemProperty(named = "txn.test.full", matches = "true")
    void aClientThatPingsEveryTenSecondsStaysConnected() throws Exception {
        assertThat(staysConnected(Duration.ofSeconds(10), Duration.ofSeconds(41)))
                .isTrue();
    }

    /** The same rule with other figures; a pause of the machine that is longer than the limit shows nothing, so then it is done again. */
    @Test
    void aClientThatPingsInTimeStaysConnectedAndOneThatDoesNotIsClosed() throws Exception {
        Duration limit = Duration.ofSeconds(2);
        coordinator.close();
        start(TransportOptions.DEFAULTS.withIdle(Duration.ofMillis(500), limit));
        try (RawClient silent = RawClient.registered(coordinator.tcpPort(), "storage-service", "2.6.0", DB)) {
            int tries = 0;
            while (!staysConnected(Duration.ofMillis(200), limit.multipliedBy(2).plusMillis(500))) {
                assertThat(++tries).as("pauses of the machine").isLessThan(10);
            }
            assertThat(silent.readOrEnd()).isNull();
        }
    }

    /**
     * Pings for so long and then does something.
     *
     * @return false when a ping came later than it should, so that the end of the connection means nothing
     */
    private boolean staysConnected(Duration period, Duration time) throws Exception {
        long end = System.nanoTime() + time.toNanos();
        long lastSent = System.nanoTime();
        try (RawClient client = RawClient.registered(coordinator.tcpPort(), "storage-service", "2.6.0", DB)) {
            for (int id = 1_000; System.nanoTime() < end; id++) {
                client.hearsNothingFor(period);
                long sent = System.nanoTime();
                client.send(Frame.of(FrameKind.PING, id, null));
                assertThat(client.read()).isEqualTo(Frame.of(FrameKind.PONG, id, null));
                lastSent = sent;
            }
            client.begin();
            return true;
        } catch (IOException | AssertionError e) {
            if (System.nanoTime() - lastSent > period.multipliedBy(2).toNanos()) {
                return false;
            }
            throw e;
        }
    }
}
