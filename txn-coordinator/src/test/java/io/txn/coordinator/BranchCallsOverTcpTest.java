package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.codec.FrameKind;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.message.ResultCode;
import io.txn.protocol.message.TransactionExceptionCode;
import io.txn.test.Await;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a branch call says, byte for byte, and what comes of its answer, on the wire. */
@Timeout(120)
class BranchCallsOverTcpTest {

    private static final String DB = "jdbc:h2:mem:storage";
    private static final String TCC = "reserve";
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    Path dataDir;

    private Coordinator coordinator;

    /** A call is given up after a time that no test waits for: what ends one is its answer. */
    @BeforeEach
    void start() {
        coordinator = Coordinator.start(CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", 0)
                .withAdvertisedAddress("127.0.0.1:8091")
                .withDataDir(dataDir)
                .withRetry(new CoordinatorOptions.Retry(
                        Duration.ofSeconds(100),
                        Duration.ofSeconds(29),
                        Duration.ofMillis(50),
                        Duration.ofMillis(200),
                        0)));
    }

    @AfterEach
    void stop() {
        coordinator.close();
    }

    private RawClient client() throws Exception {
        return RawClient.registered(coordinator.tcpPort(), "storage-service", "2.6.0", DB, TCC);
    }

    private TransactionDetail detail(String xid) {
        return coordinator.transaction(new Xid(xid)).join().orElseThrow();
    }

    private void awaitState(String xid, TransactionState state) {
        Await.until(xid + " " + state, PATIENCE, () -> detail(xid).summary().state() == state);
    }

    private static void report(RawClient client, String xid, long branch, BranchStatus status, String data)
            throws Exception {
        // As Seata's clients up to 2.6 do for branches of every type: AT, without a resource.
        report(client, new Message.BranchReportRequest(xid, branch, status, null, data, BranchType.AT));
    }

    private static void report(RawClient client, Message.BranchReportRequest report) throws Exception {
        assertThat(client.ask(report, Message.BranchReportResponse.class))
                .isEqualTo(new Message.BranchReportResponse(Outcome.SUCCESS));
    }

    /** Commits, reads the one call that this brings, and answers it. */
    private static Message.BranchCommitRequest commit(RawClient client, String xid) throws Exception {
        int id = client.send(FrameKind.REQUEST, new Message.GlobalCommitRequest(xid, null));
        Frame call = client.readCall(Message.BranchCommitRequest.class);
        byte[] bytes = client.lastRead();
        var asked = (Message.BranchCommitRequest) call.body();
        if (asked.applicationData() != null) {
            assertThat(bytes).endsWith(asked.applicationData().getBytes(StandardCharsets.UTF_8));
        }
        client.answer(call, HandDrivenClient.done(asked));
        assertThat(client.readAnswer(id, Message.GlobalCommitResponse.class))
                .isEqualTo(new Message.GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.COMMITTED));
        return asked;
    }

    @Test
    void aCallNamesItsBranchAsItWasRegistered() throws Exception {
        try (RawClient client = client()) {
            String xid = client.begin();
            long branch = client.register(xid, BranchType.TCC, TCC, null, "{\"actionContext\":{}}");
            assertThat(commit(client, xid))
                    .isEqualTo(new Message.BranchCommitRequest(
                            xid, branch, BranchType.TCC, TCC, "{\"actionContext\":{}}"));
        }
    }

    @Test
    void applicationDataThatWasReportedLaterReachesTheCall() throws Exception {
        try (RawClient client = client()) {
            for (String later : new String[] {"{\"added\":2}", null, ""}) {
                String xid = client.begin();
                long branch = client.register(xid, BranchType.TCC, TCC, null, "{\"at\":\"first\"}");
                report(client, xid, branch, BranchStatus.REGISTERED, later);
                assertThat(commit(client, xid).applicationData())
                        .isEqualTo(later == null || later.isEmpty() ? null : later);
            }
        }
    }

    @Test
    void typeAndResourceOfAReportAreNotThoseOfTheBranch() throws Exception {
        try (RawClient client = client()) {
            String xid = client.begin();
            long branch = client.register(xid, BranchType.TCC, TCC, null, "{}");
            report(
                    client,
                    new Message.BranchReportRequest(
                            xid, branch, BranchStatus.PHASE_ONE_DONE, DB, "{\"a\":1}", BranchType.AT));
            assertThat(commit(client, xid))
                    .isEqualTo(new Message.BranchCommitRequest(xid, branch, BranchType.TCC, TCC, "{\"a\":1}"));
        }
    }

    @Test
    void applicationDataComesBackByteForByteAlsoAfterARestart() throws Exception {
        String odd = "{\"face\":\"\uD83D\uDE00\",\"nul\":\"\0\",\"text\":\"\u00e9\u4e2d\uffff\u2028\\u0000 \r\n\t\"}";
        List<String> all =
                List.of(odd, "not json", " ", odd.repeat(1_000), "x".repeat(60_000), "\uD83D\uDE00".repeat(20_000));
        try (RawClient client = client()) {
            for (String data : all) {
                String xid = client.begin();
                client.register(xid, BranchType.TCC, TCC, null, data);
                assertThat(commit(client, xid).applicationData()).isEqualTo(data);
            }
        }
        String registered;
        String reported;
        try (RawClient client = client()) {
            registered = client.begin();
            client.register(registered, BranchType.TCC, TCC, null, odd.repeat(1_000));
            reported = client.begin();
            long branch = client.register(reported, BranchType.TCC, TCC, null, "first");
            report(client, reported, branch, BranchStatus.REGISTERED, odd);
        }
        coordinator.close();
        start();
        try (RawClient client = client()) {
            assertThat(commit(client, registered).applicationData()).isEqualTo(odd.repeat(1_000));
            assertThat(commit(client, reported).applicationData()).isEqualTo(odd);
        }
    }

    @Test
    void aBranchThatOnlyReadIsCommittedWithoutACall() throws Exception {
        try (RawClient client = client()) {
            String xid = client.begin();
            long readOnly = client.register(xid, BranchType.XA, DB, null, null);
            report(client, xid, readOnly, BranchStatus.PHASE_ONE_READ_ONLY, null);
            // The very next frame is the answer: nobody was called.
            assertThat(client.ask(new Message.GlobalCommitRequest(xid, null), Message.GlobalCommitResponse.class))
                    .isEqualTo(new Message.GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.COMMITTED));
            assertThat(client.status(xid).status()).isEqualTo(GlobalStatus.FINISHED);

            String mixed = client.begin();
            readOnly = client.register(mixed, BranchType.XA, DB, null, null);
            long writing = client.register(mixed, BranchType.XA, DB, null, null);
            report(client, mixed, readOnly, BranchStatus.PHASE_ONE_READ_ONLY, null);
            assertThat(commit(client, mixed).branchId()).isEqualTo(writing);
            assertThat(client.status(mixed).status()).isEqualTo(GlobalStatus.FINISHED);
        }
    }

    private static void assertUnreachable(Outcome outcome) {
        assertThat(outcome.code()).isEqualTo(ResultCode.FAILED);
        assertThat(outcome.exceptionCode()).isEqualTo(TransactionExceptionCode.UNKNOWN);
        assertThat(outcome.message()).contains("could not be reached");
    }

    /** The sixteen bytes that Seata's Java client sends when the resource of a call is not its own: lengths of another frame, no body. */
    @Test
    void theBrokenAnswerOfASeataClientIsAFailedAttemptAndTheNextProcessUndoesTheBranch() throws Exception {
        try (HandDrivenClient initiator = HandDrivenClient.registered(coordinator.tcpPort(), "shop", "2.6.0");
                RawClient broken = client();
                HandDrivenClient next =
                        HandDrivenClient.registered(coordinator.tcpPort(), "storage-service", "2.6.0", TCC)) {
            String xid = initiator.begin(60_000);
            long branch = broken.register(xid, BranchType.TCC, TCC, null, null);
            var rollback = initiator.send(new Message.GlobalRollbackRequest(xid, null));
            Frame call = broken.readCall(Message.BranchRollbackRequest.class);
            broken.sendHex("dada01 00000031 0010 01 01 00 %08x".formatted(call.id()));
            // It is known for what it is when the next frame comes.
            assertThat(broken.status("127.0.0.1:8091:12345").status()).isEqualTo(GlobalStatus.FINISHED);

            var told = (Message.GlobalRollbackResponse) rollback.join();
            assertThat(told.status()).isEqualTo(GlobalStatus.ROLLBACK_RETRYING);
            assertUnreachable(told.outcome());
            assertThat(next.awaitCall()).isEqualTo("rollback " + branch);
            awaitState(xid, TransactionState.ROLLED_BACK);
            assertThat(broken.status(xid).status()).isEqualTo(GlobalStatus.FINISHED);
        }
    }
}
