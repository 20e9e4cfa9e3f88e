package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.test.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A coordinator that is told to stop, with clients that are in the middle of something. */
@Timeout(90)
class CoordinatorStopTest {

    private static final Duration LONG = Duration.ofSeconds(60);

    @TempDir
    Path dataDir;

    private Coordinator coordinator;

    @BeforeEach
    void start() {
        coordinator = Coordinator.start(CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", 0)
                .withAdvertisedAddress("127.0.0.1:8091")
                .withDataDir(dataDir));
    }

    @AfterEach
    void stop() {
        coordinator.close();
    }

    private HandDrivenClient client(String... resources) throws Exception {
        return HandDrivenClient.registered(coordinator.tcpPort(), "shop", "2.6.0", resources);
    }

    private CompletableFuture<Boolean> drainInBackground() {
        return CompletableFuture.supplyAsync(() -> coordinator.drain(LONG));
    }

    private static void awaitRefusal(HandDrivenClient client) {
        Await.until("a begin is refused", HandDrivenClient.PATIENCE, () -> {
            var answer = client.ask(new Message.GlobalBeginRequest(1_000, "late"), Message.GlobalBeginResponse.class);
            if (answer.outcome().succeeded()) {
                client.rollback(answer.xid());
                return false;
            }
            assertThat(answer.outcome().message()).startsWith(ErrorCode.NO_NEW_TRANSACTIONS.id());
            return true;
        });
    }

    @Test
    void whatWasBegunIsServedToItsEndAndNothingIsBegun() throws Exception {
        try (HandDrivenClient client = client("db")) {
            String xid = client.begin(60_000);
            CompletableFuture<Boolean> drained = drainInBackground();
            awaitRefusal(client);
            assertThat(drained).isNotDone();
            assertThat(coordinator.healthy()).isTrue();
            long branch = client.register(xid, BranchType.AT, "db", "stock:1");
            assertThat(client.status(xid)).isEqualTo(GlobalStatus.BEGIN);
            assertThat(client.commit(xid)).isEqualTo(GlobalStatus.COMMITTED);
            assertThat(drained.get(60, TimeUnit.SECONDS)).isTrue();
            assertThat(client.calls()).containsExactly("commit " + branch);
        }
    }

    @Test
    void aBranchCallUnderWayIsWaitedFor() throws Exception {
        CompletableFuture<Void> undone = new CompletableFuture<>();
        try (HandDrivenClient client = client("db");
                HandDrivenClient other = client()) {
            client.answerWith(call -> {
                undone.join();
                return HandDrivenClient.done(call);
            });
            String xid = client.begin(60_000);
            client.register(xid, BranchType.AT, "db", "stock:1");
            CompletableFuture<Message> answer = other.send(new Message.GlobalRollbackRequest(xid, null));
            client.awaitCall();
            CompletableFuture<Boolean> drained = drainInBackground();
            awaitRefusal(other);
            assertThat(drained).isNotDone();
            undone.complete(null);
            assertThat(drained.get(60, TimeUnit.SECONDS)).isTrue();
            assertThat(answer.get(60, TimeUnit.SECONDS))
                    .isInstanceOfSatisfying(
                            Message.GlobalRollbackResponse.class,
                            response -> assertThat(response.status()).isEqualTo(GlobalStatus.ROLLED_BACK));
        }
    }

    @Test
    void theBoundEndsTheWaitAndInitiatorsLearnWhatIsDecided() throws Exception {
        try (HandDrivenClient client = client("service")) {
            client.answerWith(call -> null);
            String open = client.begin(60_000);
            String xid = client.begin(60_000);
            client.register(xid, BranchType.TCC, "service", null);
            CompletableFuture<Message> answer = client.send(new Message.GlobalCommitRequest(xid, null));
            client.awaitCall();
            assertThat(coordinator.drain(Duration.ofMillis(100))).isFalse();
            assertThat(answer).isNotDone();
            coordinator.close();
            assertThat(answer.get(60, TimeUnit.SECONDS))
                    .isInstanceOfSatisfying(Message.GlobalCommitResponse.class, response -> {
                        assertThat(response.outcome().succeeded()).isTrue();
                        assertThat(response.status()).isIn(GlobalStatus.COMMITTING, GlobalStatus.COMMIT_RETRYING);
                    });
            start();
            assertThat(state(open)).isEqualTo(TransactionState.ACTIVE);
            assertThat(state(xid)).isEqualTo(TransactionState.COMMITTING);
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
}
