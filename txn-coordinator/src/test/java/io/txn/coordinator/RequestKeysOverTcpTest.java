package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.IdLease;
import io.txn.protocol.extension.RequestKey;
import io.txn.protocol.message.Message;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Keys of requests in the heads of frames: what begins, decisions and their answers say, and that nobody who did not announce them is concerned. */
@Timeout(120)
class RequestKeysOverTcpTest {

    @TempDir
    Path dataDir;

    private Coordinator coordinator;
    private HandDrivenClient client;

    @BeforeEach
    void start() throws Exception {
        start(0);
    }

    private void start(int port) throws Exception {
        coordinator = Coordinator.start(CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", port)
                .withDataDir(dataDir)
                .withRequestKeys(new CoordinatorOptions.RequestKeyLimits(Duration.ofHours(1), 3, 1 << 20)));
        client = connected("shop", true);
    }

    private HandDrivenClient connected(String application, boolean announces) throws Exception {
        HandDrivenClient connected = new HandDrivenClient(coordinator.tcpPort());
        connected
                .connection()
                .request(
                        new Message.RegisterTmRequest("2.5.0", application, "default_tx_group", null),
                        announces ? Feature.announced() : Map.of(),
                        HandDrivenClient.PATIENCE)
                .get(60, TimeUnit.SECONDS);
        return connected;
    }

    @AfterEach
    void stop() {
        client.close();
        coordinator.close();
    }

    private static Frame begin(HandDrivenClient from, String name, String key) throws Exception {
        Map<String, String> head = new HashMap<>();
        head.put("id-key", key);
        return ask(from, new Message.GlobalBeginRequest(60_000, name), head);
    }

    private static Frame ask(HandDrivenClient from, Message.Request request, Map<String, String> head)
            throws Exception {
        return from.connection()
                .request(request, head, HandDrivenClient.PATIENCE)
                .get(60, TimeUnit.SECONDS);
    }

    private static Xid begun(Frame answer) {
        Message.GlobalBeginResponse response = (Message.GlobalBeginResponse) answer.body();
        assertThat(response.outcome().succeeded()).as("%s", response).isTrue();
        return new Xid(response.xid());
    }

    private static RequestKey.First taken(Frame answer) {
        Message.GlobalBeginResponse response = (Message.GlobalBeginResponse) answer.body();
        assertThat(response.outcome().succeeded()).isFalse();
        assertThat(response.outcome().message()).startsWith(ErrorCode.DUPLICATE_REQUEST.id());
        return RequestKey.first(answer.head());
    }

    private void commit(Xid xid, RequestKey.Answer answer) throws Exception {
        Map<String, String> head = new HashMap<>();
        RequestKey.answer(answer, head);
        ask(client, new Message.GlobalCommitRequest(xid.value(), null), head);
    }

    @Test
    void theSecondBeginOfAKeyLearnsHowFarTheFirstOneIsAlsoAfterARestart() throws Exception {
        Xid first = begun(begin(client, "buy", "7"));
        assertThat(taken(begin(client, "buy", "7")))
                .isEqualTo(new RequestKey.First(RequestKey.State.OPEN, first.value(), null));
        RequestKey.Answer receipt = new RequestKey.Answer(false, "{\"receipt\":17, \"text\":\"schön\"}");
        commit(first, receipt);
        RequestKey.First told = new RequestKey.First(RequestKey.State.COMMITTED, first.value(), receipt);
        assertThat(taken(begin(client, "buy", "7"))).isEqualTo(told);
        assertThat(coordinator.transaction(first).join().orElseThrow().idempotencyKey())
                .isEqualTo("7");
        int port = coordinator.tcpPort();
        stop();
        start(port);
        assertThat(taken(begin(client, "buy", "7"))).isEqualTo(told);
        assertThat(coordinator.statistics().requestKeys()).isEqualTo(1);
    }

    @Test
    void aRollbackThatSaysWhyIsRepeatedAndAnyOtherLeavesTheKey() throws Exception {
        Xid failed = begun(begin(client, "buy", "8"));
        Map<String, String> head = new HashMap<>();
        RequestKey.answer(RequestKey.Answer.failure("no stock"), head);
        ask(client, new Message.GlobalRollbackRequest(failed.value(), null), head);
        assertThat(taken(begin(client, "buy", "8")))
                .isEqualTo(new RequestKey.First(
                        RequestKey.State.ROLLED_BACK, failed.value(), RequestKey.Answer.failure("no stock")));
        Xid silent = begun(begin(client, "buy", "9"));
        ask(client, new Message.GlobalRollbackRequest(silent.value(), null), Map.of());
        assertThat(begun(begin(client, "buy", "9"))).isNotEqualTo(silent);
    }

    @Test
    void keysCountWithinAnApplicationAndAName() throws Exception {
        Xid first = begun(begin(client, "buy", "7"));
        assertThat(begun(begin(client, "sell", "7"))).isNotEqualTo(first);
        try (HandDrivenClient other = connected("other", true)) {
            assertThat(begun(begin(other, "buy", "7"))).isNotEqualTo(first);
            Message.GlobalBeginResponse full =
                    (Message.GlobalBeginResponse) begin(other, "buy", "10").body();
            assertThat(full.outcome().message())
                    .as("three keys are there")
                    .startsWith(ErrorCode.COORDINATOR_OVERLOADED.id());
        }
    }

    @Test
    void whoHasNotAnnouncedThemIsServedAsEver() throws Exception {
        try (HandDrivenClient plain = connected("shop", false)) {
            Xid first = begun(begin(plain, "buy", "7"));
            assertThat(begun(begin(plain, "buy", "7"))).isNotEqualTo(first);
            assertThat(coordinator.statistics().requestKeys()).isZero();
        }
    }

    @Test
    void whatIsNoKeyIsRefusedAndHarmsNobody() throws Exception {
        for (String key : new String[] {" ", "x".repeat(201), "ö".repeat(101)}) {
            Message.GlobalBeginResponse refused =
                    (Message.GlobalBeginResponse) begin(client, "buy", key).body();
            assertThat(refused.outcome().message()).startsWith(ErrorCode.BAD_REQUEST.id());
        }
        Map<String, String> both = new HashMap<>();
        RequestKey.write("7", both);
        IdLease.nameTransaction(Xid.of("127.0.0.1:" + coordinator.tcpPort(), 1), both);
        Message.GlobalBeginResponse refused = (Message.GlobalBeginResponse)
                ask(client, new Message.GlobalBeginRequest(60_000, "buy"), both).body();
        assertThat(refused.outcome().message()).startsWith(ErrorCode.BAD_REQUEST.id());
        Xid longest = begun(begin(client, "buy", "x".repeat(200)));
        // A decision never fails for what it would have repeated.
        Map<String, String> tooLong = new HashMap<>();
        tooLong.put("id-result", "y".repeat(24_001));
        ask(client, new Message.GlobalCommitRequest(longest.value(), null), tooLong);
        assertThat(coordinator
                        .transaction(longest)
                        .join()
                        .orElseThrow()
                        .summary()
                        .state())
                .isEqualTo(TransactionState.COMMITTED);
        assertThat(taken(begin(client, "buy", "x".repeat(200))).answer()).isNull();
        Xid next = begun(begin(client, "buy", "longest result"));
        commit(next, new RequestKey.Answer(false, "y".repeat(24_000)));
        assertThat(taken(begin(client, "buy", "longest result")).answer().text())
                .hasSize(24_000);
    }
}
