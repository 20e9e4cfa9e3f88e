package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.message.ResultCode;
import io.txn.protocol.message.TransactionExceptionCode;
import io.txn.test.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Answers that belong to another call: of a branch that was called over a connection that is gone, sent over the next one, where the id of its frame means
 * something else.
 */
@Timeout(120)
class LateAnswersOverTcpTest {

    private static final String APPLICATION = "storage-service";
    private static final String ENGINE = APPLICATION + "#default_tx_group";
    private static final Outcome FAILED =
            new Outcome(ResultCode.FAILED, "it went wrong", TransactionExceptionCode.UNKNOWN);

    /** Long: what is not answered here is to stay unanswered. */
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(60);

    @TempDir
    Path dataDir;

    private Coordinator coordinator;

    @BeforeEach
    void start() {
        coordinator = Coordinator.start(options(CALL_TIMEOUT));
    }

    @AfterEach
    void stop() {
        coordinator.close();
    }

    private CoordinatorOptions options(Duration callTimeout) {
        return CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", 0)
                .withAdvertisedAddress("127.0.0.1:8091")
                .withDataDir(dataDir)
                .withRetry(new CoordinatorOptions.Retry(
                        callTimeout, Duration.ofSeconds(20), Duration.ofMillis(20), Duration.ofMillis(100), 0));
    }

    private HandDrivenClient initiator() throws Exception {
        return HandDrivenClient.registered(coordinator.tcpPort(), APPLICATION, "2.6.0");
    }

    /** One that answers no call by itself. */
    private HandDrivenClient silent(String... resources) throws Exception {
        HandDrivenClient client = new HandDrivenClient(coordinator.tcpPort());
        client.answerWith(call -> null);
        client.registerRm(APPLICATION, "2.6.0", resources);
        return client;
    }

    private void disconnect(HandDrivenClient client) throws Exception {
        long before = coordinator.statistics().sessions();
        client.close();
        Await.until(
                "its session is gone",
                Duration.ofSeconds(20),
                () -> coordinator.statistics().sessions() < before);
    }

    private TransactionDetail detail(String xid) {
        return coordinator.transaction(new Xid(xid)).join().orElseThrow();
    }

    private void awaitState(String xid, TransactionState state) {
        Await.until(
                xid + " " + state,
                Duration.ofSeconds(30),
                () -> detail(xid).summary().state() == state);
    }

    private static String xid(Frame call) {
        return call.body() instanceof Message.BranchCommitRequest commit
                ? commit.xid()
                : ((Message.BranchRollbackRequest) call.body()).xid();
    }

    /** An answer to {@code call} in a frame that bears the id of {@code met}. */
    private static void answer(HandDrivenClient client, Frame call, Frame met, Outcome outcome, BranchStatus status) {
        Message.Response response;
        if (call.body() instanceof Message.BranchCommitRequest commit) {
            response = new Message.BranchCommitResponse(outcome, commit.xid(), commit.branchId(), status);
        } else {
            Message.BranchRollbackRequest rollback = (Message.BranchRollbackRequest) call.body();
            response = new Message.BranchRollbackResponse(outcome, rollback.xid(), rollback.branchId(), status);
        }
        client.connection().respond(met.id(), met, response);
    }

    private enum Phase {
        COMMIT(
                BranchStatus.PHASE_TWO_COMMITTED,
                BranchStatus.PHASE_TWO_COMMIT_FAILED_UNRETRYABLE,
                TransactionState.COMMITTED),
        ROLLBACK(
                BranchStatus.PHASE_TWO_ROLLED_BACK,
                BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE,
                TransactionState.ROLLED_BACK);

        final BranchStatus done;
        final BranchStatus never;
        final TransactionState end;

        Phase(BranchStatus done, BranchStatus never, TransactionState end) {
            this.done = done;
            this.never = never;
            this.end = end;
        }

        Message request(String xid) {
            return this == COMMIT
                    ? new Message.GlobalCommitRequest(xid, null)
                    : new Message.GlobalRollbackRequest(xid, null);
        }
    }

    @ParameterizedTest
    @EnumSource(Phase.class)
    void theAnswerOfAnotherBranchChangesNothing(Phase phase) throws Exception {
        try (HandDrivenClient initiator = initiator()) {
            HandDrivenClient before = silent("reserve");
            String late = initiator.begin(60_000);
            before.register(late, BranchType.TCC, "reserve", null);
            String other = initiator.begin(60_000);
            before.register(other, BranchType.TCC, "reserve", null);
            initiator.send(phase.request(late));
            Frame first = before.awaitFrame();
            disconnect(before);
            try (HandDrivenClient after = silent("reserve")) {
                Frame repeated = after.awaitFrame();
                CompletableFuture<Message> waiting = initiator.send(phase.request(other));
                Frame met = after.awaitFrame();
                assertThat(xid(repeated)).isEqualTo(late);
                assertThat(xid(met)).isEqualTo(other);

                answer(after, first, met, FAILED, phase.never);
                answer(after, first, met, Outcome.SUCCESS, phase.done);
                answer(after, met, met, Outcome.SUCCESS, phase.done);
                Message answer = waiting.get(20, TimeUnit.SECONDS);
                assertThat(
                                answer instanceof Message.GlobalCommitResponse commit
                                        ? commit.status()
                                        : ((Message.GlobalRollbackResponse) answer).status())
                        .isEqualTo(phase == Phase.COMMIT ? GlobalStatus.COMMITTED : GlobalStatus.ROLLED_BACK);
                awaitState(other, phase.end);
                assertThat(detail(other).branches().get(0).attempts()).isZero();

                answer(after, repeated, repeated, Outcome.SUCCESS, phase.done);
                awaitState(late, phase.end);
                assertThat(after.calls()).hasSize(2);
            }
        }
    }

    @Test
    void theAnswerOfAnotherSagaEndsNone() throws Exception {
        try (HandDrivenClient initiator = initiator()) {
            HandDrivenClient before = silent(ENGINE);
            String late = saga(initiator);
            Frame first = before.awaitFrame();
            disconnect(before);
            try (HandDrivenClient after = silent(ENGINE)) {
                Frame repeated = after.awaitFrame();
                String other = saga(initiator);
                Frame met = after.awaitFrame();
                assertThat(xid(repeated)).isEqualTo(late);
                assertThat(xid(met)).isEqualTo(other);

                answer(after, first, met, Outcome.SUCCESS, BranchStatus.PHASE_TWO_COMMITTED);
                answer(after, first, met, FAILED, BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
                answer(after, met, met, Outcome.SUCCESS, BranchStatus.PHASE_TWO_ROLLED_BACK);
                awaitState(other, TransactionState.ROLLED_BACK);

                answer(after, repeated, repeated, Outcome.SUCCESS, BranchStatus.PHASE_TWO_COMMITTED);
                awaitState(late, TransactionState.COMMITTED);
            }
        }
    }

    /** The answer of an earlier direction says nothing about the present one, for both are calls of one saga without a branch id. */
    @Test
    void theAnswerToTheOtherPhaseIsNone() throws Exception {
        try (HandDrivenClient initiator = initiator();
                HandDrivenClient engine = silent(ENGINE)) {
            String xid = saga(initiator);
            Frame rollback = engine.awaitFrame();
            answer(engine, rollback, rollback, Outcome.SUCCESS, BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE);
            Frame commit = engine.awaitFrame();
            assertThat(commit.body()).isInstanceOf(Message.BranchCommitRequest.class);
            answer(engine, rollback, commit, Outcome.SUCCESS, BranchStatus.PHASE_TWO_ROLLED_BACK);
            answer(engine, commit, commit, Outcome.SUCCESS, BranchStatus.PHASE_TWO_COMMITTED);
            awaitState(xid, TransactionState.COMMITTED);
            assertThat(engine.calls()).containsExactly("rollback -1", "commit -1");
        }
    }

    /** A saga that is handed back to its engine, to be compensated. */
    private static String saga(HandDrivenClient initiator) {
        String xid = initiator
                .ask(new Message.GlobalBeginRequest(60_000, "$Saga_buy"), Message.GlobalBeginResponse.class)
                .xid();
        initiator.ask(
                new Message.GlobalReportRequest(xid, null, GlobalStatus.ROLLBACK_RETRYING),
                Message.GlobalReportResponse.class);
        return xid;
    }

    @Test
    void aCallThatOnlyGetsAnswersOfOthersEndsWithItsTimeAndIsRepeated() throws Exception {
        coordinator.close();
        coordinator = Coordinator.start(options(Duration.ofSeconds(1)));
        try (HandDrivenClient initiator = initiator();
                HandDrivenClient client = silent("reserve")) {
            String xid = initiator.begin(60_000);
            long branch = client.register(xid, BranchType.TCC, "reserve", null);
            initiator.send(new Message.GlobalCommitRequest(xid, null));
            Frame call = client.awaitFrame();
            String stranger = "127.0.0.1:8091:12345";
            for (Message.Response wrong : new Message.Response[] {
                new Message.BranchCommitResponse(Outcome.SUCCESS, stranger, branch, BranchStatus.PHASE_TWO_COMMITTED),
                new Message.BranchCommitResponse(Outcome.SUCCESS, null, branch, BranchStatus.PHASE_TWO_COMMITTED),
                new Message.BranchCommitResponse(Outcome.SUCCESS, xid, branch + 1, BranchStatus.PHASE_TWO_COMMITTED),
                new Message.BranchCommitResponse(
                        FAILED, xid, branch + 1, BranchStatus.PHASE_TWO_COMMIT_FAILED_UNRETRYABLE),
                new Message.GlobalStatusResponse(Outcome.SUCCESS, GlobalStatus.COMMITTED)
            }) {
                client.connection().respond(call.id(), call, wrong);
            }
            client.answerWith(HandDrivenClient::done);
            assertThat(client.awaitFrame().id()).isNotEqualTo(call.id());
            assertThat(detail(xid).branches().get(0).attempts()).isPositive();
            awaitState(xid, TransactionState.COMMITTED);
        }
    }

    /** A failure that names neither transaction nor branch is one of the call's, but nothing that cannot be tried again. */
    @Test
    void aFailureWithoutANameIsTriedAgain() throws Exception {
        try (HandDrivenClient initiator = initiator();
                HandDrivenClient client = silent("reserve")) {
            String xid = initiator.begin(60_000);
            client.register(xid, BranchType.TCC, "reserve", null);
            initiator.send(new Message.GlobalCommitRequest(xid, null));
            Frame call = client.awaitFrame();
            client.connection()
                    .respond(
                            call.id(),
                            call,
                            new Message.BranchCommitResponse(
                                    FAILED, null, 0, BranchStatus.PHASE_TWO_COMMIT_FAILED_UNRETRYABLE));
            Frame again = client.awaitFrame();
            assertThat(detail(xid).branches().get(0).cause()).contains("it went wrong");
            answer(client, again, again, Outcome.SUCCESS, BranchStatus.PHASE_TWO_COMMITTED);
            awaitState(xid, TransactionState.COMMITTED);
        }
    }

    @Test
    void idsOfCallsAreUsedOnceOverAllConnectionsAndRestarts() throws Exception {
        Set<Integer> ids = new HashSet<>();
        String xid;
        try (HandDrivenClient initiator = initiator()) {
            HandDrivenClient first = silent("reserve");
            xid = initiator.begin(60_000);
            first.register(xid, BranchType.TCC, "reserve", null);
            initiator.send(new Message.GlobalCommitRequest(xid, null));
            ids.add(first.awaitFrame().id());
            disconnect(first);
            HandDrivenClient second = silent("reserve");
            ids.add(second.awaitFrame().id());
            disconnect(second);
        }
        coordinator.close();
        start();
        try (HandDrivenClient third = silent("reserve")) {
            Frame call = third.awaitFrame();
            ids.add(call.id());
            answer(third, call, call, Outcome.SUCCESS, BranchStatus.PHASE_TWO_COMMITTED);
            awaitState(xid, TransactionState.COMMITTED);
        }
        assertThat(ids).hasSize(3).allMatch(id -> id >= 0);
    }
}
