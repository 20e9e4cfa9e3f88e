package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.BranchType;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.codec.FrameKind;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.message.TransactionExceptionCode;
import io.txn.protocol.transport.TransportOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The frames in which merged requests are answered. Most clients take every form, so only a raw one can tell which it was. */
@Timeout(120)
class MergedRequestsTest {

    private static final String UNKNOWN = "127.0.0.1:8091:12345";

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
                .withDataDir(dataDir);
    }

    /** Again, with frames that may not be longer, and so that silence ends no connection. */
    private void start(int maxFrameBytes) {
        coordinator.close();
        coordinator = Coordinator.start(options()
                .withTransport(TransportOptions.DEFAULTS
                        .withMaxFrameBytes(maxFrameBytes)
                        .withIdle(Duration.ofHours(1), Duration.ofHours(1))));
    }

    @AfterEach
    void stop() {
        coordinator.close();
    }

    private RawClient client(String version) throws Exception {
        return RawClient.registered(coordinator.tcpPort(), "shop", version, "reserve");
    }

    /** The first part waits for a branch; the second and the third could be answered at once. */
    private static RawClient.Merged sendASlowAndTwoQuick(RawClient client, String xid) throws Exception {
        return client.sendMerged(
                new Message.GlobalCommitRequest(xid, null),
                new Message.GlobalStatusRequest(UNKNOWN, null),
                new Message.BranchRegisterRequest(UNKNOWN, BranchType.AT, "reserve", "t:1", null));
    }

    private static void assertAnswers(List<? extends Message> answers) {
        assertThat(answers.get(0)).isEqualTo(new Message.GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.COMMITTED));
        assertThat(answers.get(1)).isEqualTo(new Message.GlobalStatusResponse(Outcome.SUCCESS, GlobalStatus.FINISHED));
        assertThat(answers.get(2)).isInstanceOfSatisfying(Message.BranchRegisterResponse.class, refused -> assertThat(
                        refused.outcome().exceptionCode())
                .isEqualTo(TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_EXIST));
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"", "  ", "unknown", "0.9.0", "1.5.0", "2.0.0", "2.2.9", "2.2.9-SNAPSHOT"})
    void clientsBefore23GetOneFrameInTheOrderOfTheirRequests(String version) throws Exception {
        try (RawClient client = client(version)) {
            String xid = client.begin();
            client.register(xid, BranchType.TCC, "reserve", null, null);
            RawClient.Merged merged = sendASlowAndTwoQuick(client, xid);
            Frame call = client.readCall(Message.BranchCommitRequest.class);
            // Decided behind the merged parts and answered: a part with an answer of its own would have come before.
            assertThat(client.status(xid).status()).isEqualTo(GlobalStatus.COMMITTING);
            client.answer(call, HandDrivenClient.done(call.body()));
            var answers = client.readAnswer(merged.frameId(), Message.MergedResponse.class);
            assertThat(answers.responses()).hasSize(3);
            assertAnswers(answers.responses());
            assertThat(client.status(xid).status()).isEqualTo(GlobalStatus.FINISHED);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"2.3.0", "2.3.0-SNAPSHOT", "2.5.0", "2.6.0", "2.10.0", "3.0"})
    void clientsFrom23OnGetEachAnswerInAFrameOfItsOwnAsSoonAsItIsThere(String version) throws Exception {
        try (RawClient client = client(version)) {
            String xid = client.begin();
            client.register(xid, BranchType.TCC, "reserve", null, null);
            RawClient.Merged merged = sendASlowAndTwoQuick(client, xid);
            Map<Integer, Message> answers = new HashMap<>();
            Frame call = null;
            for (int i = 0; i < 3; i++) {
                Frame frame = client.read();
                if (frame.body() instanceof Message.BranchCommitRequest) {
                    call = frame;
                } else {
                    assertThat(frame.kind()).isEqualTo(FrameKind.RESPONSE);
                    answers.put(frame.id(), frame.body());
                }
            }
            assertThat(call).isNotNull();
            assertThat(answers.keySet())
                    .containsExactlyInAnyOrderElementsOf(merged.ids().subList(1, 3));
            client.answer(call, HandDrivenClient.done(call.body()));
            answers.put(
                    merged.ids().get(0), client.readAnswer(merged.ids().get(0), Message.GlobalCommitResponse.class));
            assertAnswers(merged.ids().stream().map(answers::get).toList());
            assertThat(client.status(xid).status()).isEqualTo(GlobalStatus.FINISHED);
        }
    }

    /** Only resource managers merge by default; an initiator may be told to. */
    @ParameterizedTest
    @ValueSource(strings = {"2.2.0", "2.6.0"})
    void initiatorsMayMergeTooAndEachPartIsDecidedOnItsOwn(String version) throws Exception {
        try (RawClient client = client(version)) {
            String committed = client.begin();
            String undone = client.begin();
            client.register(committed, BranchType.AT, "db", "t:1", null);
            List<Message> answers = askMerged(
                    client,
                    version.equals("2.2.0"),
                    new Message.GlobalBeginRequest(60_000, "merged"),
                    new Message.GlobalBeginRequest(0, "without a timeout"),
                    new Message.GlobalStatusRequest(committed, null),
                    new Message.GlobalRollbackRequest(undone, null),
                    new Message.BranchRegisterRequest(undone, BranchType.AT, "db", "t:2", null),
                    new Message.GlobalLockQueryRequest(null, BranchType.AT, "db", "t:1", null),
                    new Message.BranchReportRequest(
                            committed, 999, BranchStatus.PHASE_ONE_DONE, null, null, BranchType.AT),
                    new Message.GlobalCommitRequest(committed, null),
                    new Message.GlobalLockQueryRequest(null, BranchType.AT, "db", "t:1", null),
                    new Message.GlobalCommitRequest(UNKNOWN, null));
            var begun = (Message.GlobalBeginResponse) answers.get(0);
            assertThat(begun.outcome()).isEqualTo(Outcome.SUCCESS);
            assertThat(code(answers.get(1))).isEqualTo(TransactionExceptionCode.BEGIN_FAILED);
            assertThat(answers.get(2)).isEqualTo(new Message.GlobalStatusResponse(Outcome.SUCCESS, GlobalStatus.BEGIN));
            assertThat(answers.get(3))
                    .isEqualTo(new Message.GlobalRollbackResponse(Outcome.SUCCESS, GlobalStatus.ROLLED_BACK));
            assertThat(code(answers.get(4))).isEqualTo(TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_ACTIVE);
            assertThat(answers.get(5)).isEqualTo(new Message.GlobalLockQueryResponse(Outcome.SUCCESS, false));
            assertThat(code(answers.get(6))).isEqualTo(TransactionExceptionCode.BRANCH_TRANSACTION_NOT_EXIST);
            assertThat(answers.get(7))
                    .isEqualTo(new Message.GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.COMMITTED));
            assertThat(answers.get(8)).isEqualTo(new Message.GlobalLockQueryResponse(Outcome.SUCCESS, true));
            assertThat(answers.get(9))
                    .isEqualTo(new Message.GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.FINISHED));
            assertThat(client.status(begun.xid()).status()).isEqualTo(GlobalStatus.BEGIN);
        }
    }

    /** Seata's clients send none, but whoever does waits for its answer. */
    @Test
    void anEmptyMergedRequestHasAnEmptyAnswer() throws Exception {
        try (RawClient client = client("2.0.0")) {
            RawClient.Merged merged = client.sendMerged();
            assertThat(client.readAnswer(merged.frameId(), Message.MergedResponse.class)
                            .responses())
                    .isEmpty();
        }
    }

    /** What a conflict says of its holder may be much longer than what was asked. */
    @ParameterizedTest
    @ValueSource(ints = {1_024, 64 * 1024})
    void answersThatWouldNotFitIntoAFrameSayLess(int maxFrameBytes) throws Exception {
        start(maxFrameBytes);
        int parts = maxFrameBytes / 256;
        try (RawClient client = client("2.0.0")) {
            String holder = client.begin("h".repeat(900));
            client.register(holder, BranchType.AT, "db", "t:1", null);
            String xid = client.begin();
            var one = client.tryRegister(xid, BranchType.AT, "db", "t:1", null);
            assertThat(one.outcome().exceptionCode()).isEqualTo(TransactionExceptionCode.LOCK_KEY_CONFLICT);
            assertThat(one.outcome().message()).startsWith("row t:1 of db is held by");

            Message.Request[] requests = new Message.Request[parts];
            Arrays.fill(requests, new Message.BranchRegisterRequest(xid, BranchType.AT, "db", "t:1", null));
            List<Message> answers = askMerged(client, true, requests);
            assertThat(answers)
                    .allSatisfy(
                            answer -> assertThat(code(answer)).isEqualTo(TransactionExceptionCode.LOCK_KEY_CONFLICT))
                    .allSatisfy(answer -> assertThat(((Message.TransactionResponse) answer)
                                    .outcome()
                                    .message())
                            .startsWith("row t:1 of db is held by"));
        }
    }

    @Test
    void answersThatDoNotFitEvenSoEndTheConnection() throws Exception {
        start(1_024);
        try (RawClient client = client("2.0.0")) {
            Message.Request[] reports = new Message.Request[33];
            Arrays.fill(
                    reports,
                    new Message.BranchReportRequest("", 1, BranchStatus.PHASE_ONE_DONE, "", "", BranchType.AT));
            client.sendMerged(reports);
            assertThat(client.readOrEnd()).isNull();
        }
    }

    /** A commit for which there is no room is left unanswered; so whoever waits for it in one frame with others would wait for all of them. */
    @ParameterizedTest
    @ValueSource(strings = {"2.2.0", "2.6.0"})
    void aPartForWhichThereIsNoRoomLeavesTheOthersAnsweredOrClosed(String version) throws Exception {
        int most = 2;
        coordinator.close();
        coordinator = Coordinator.start(options()
                .withLimits(TestLimits.usual().requestsPerConnection(most).build()));
        try (RawClient client = client(version);
                RawClient initiator = RawClient.registered(coordinator.tcpPort(), "other", version, "else")) {
            List<Message.Request> slow = new ArrayList<>();
            for (int i = 0; i < most; i++) {
                String xid = client.begin();
                client.register(xid, BranchType.TCC, "reserve", null, null);
                slow.add(new Message.GlobalCommitRequest(xid, null));
            }
            slow.add(new Message.GlobalCommitRequest(UNKNOWN, null));
            slow.add(new Message.GlobalBeginRequest(60_000, "refused"));
            RawClient.Merged merged = initiator.sendMerged(slow.toArray(Message.Request[]::new));
            client.readCall(Message.BranchCommitRequest.class);
            if (version.equals("2.2.0")) {
                assertThat(initiator.readOrEnd()).isNull();
            } else {
                var refused = initiator.readAnswer(merged.ids().get(most + 1), Message.GlobalBeginResponse.class);
                assertThat(code(refused)).isEqualTo(TransactionExceptionCode.BEGIN_FAILED);
            }
        }
    }

    private static TransactionExceptionCode code(Message answer) {
        Outcome outcome = ((Message.TransactionResponse) answer).outcome();
        assertThat(outcome.succeeded()).isFalse();
        return outcome.exceptionCode();
    }

    /** The answers in the order of the requests, however they came. */
    private static List<Message> askMerged(RawClient client, boolean oneFrame, Message.Request... requests)
            throws Exception {
        RawClient.Merged merged = client.sendMerged(requests);
        if (oneFrame) {
            var answer = client.readAnswer(merged.frameId(), Message.MergedResponse.class);
            assertThat(answer.responses()).hasSameSizeAs(requests);
            return List.copyOf(answer.responses());
        }
        Map<Integer, Message> answers = new HashMap<>();
        for (int i = 0; i < requests.length; i++) {
            Frame frame = client.read();
            assertThat(frame.kind()).isEqualTo(FrameKind.RESPONSE);
            answers.put(frame.id(), frame.body());
        }
        assertThat(answers.keySet()).containsExactlyInAnyOrderElementsOf(merged.ids());
        List<Message> inOrder = new ArrayList<>();
        merged.ids().forEach(id -> inOrder.add(answers.get(id)));
        return inOrder;
    }
}
