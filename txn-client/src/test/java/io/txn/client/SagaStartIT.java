package io.txn.client;

import static io.txn.client.CoordinatorDouble.Reaction.agree;
import static io.txn.client.CoordinatorDouble.Reaction.answer;
import static io.txn.client.CoordinatorDouble.Reaction.drop;
import static io.txn.client.CoordinatorDouble.Reaction.silence;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.txn.client.CoordinatorDouble.Reaction;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.rpc.Backoff;
import io.txn.client.saga.Saga;
import io.txn.client.saga.SagaBuilder;
import io.txn.client.saga.SagaDefinition;
import io.txn.client.saga.SagaOutcome;
import io.txn.client.saga.Sagas;
import io.txn.client.saga.Started;
import io.txn.protocol.BranchId;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.codec.FrameKind;
import io.txn.protocol.extension.RequestKey;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.message.TransactionExceptionCode;
import io.txn.protocol.saga.SagaHead;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an application is told of sagas by a coordinator whose answers are lost, or that refuses: never more than is known. */
@Timeout(60)
class SagaStartIT {

    private static final Xid FIRST = new Xid("127.0.0.1:8091:77");

    private final CoordinatorDouble coordinator = CoordinatorDouble.start();
    private final ConcurrentLinkedQueue<Map<String, String>> heads = new ConcurrentLinkedQueue<>();
    private final TxnClient client = start();
    private final SagaDefinition<String, Void> orders = orders();
    private final Sagas sagas = new Sagas(client.sagas(), client.resources(), ended -> {});

    private TxnClient start() {
        coordinator.on(Message.RegisterTmRequest.class, agree(), agree(), agree(), agree(), agree());
        coordinator.on(Message.RegisterRmRequest.class, agree(), agree(), agree(), agree(), agree());
        return TxnClient.start(
                TxnClientOptions.of("shop")
                        .withRequestTimeout(Duration.ofMillis(400))
                        .withConnectWait(Duration.ofSeconds(2))
                        .withReconnect(new Backoff(Duration.ofMillis(20), Duration.ofMillis(100))),
                AddressListLocator.of(List.of(coordinator.address())));
    }

    private static SagaDefinition<String, Void> orders() {
        SagaBuilder<String> saga = Saga.define("orders", 1, String.class);
        saga.step("pay", Saga.http("POST", "https://pay.example/pay", String.class, Saga.arg("item", saga.input())))
                .notCompensated();
        return saga.done();
    }

    @AfterEach
    void stop() {
        client.close();
        coordinator.close();
    }

    private Reaction noted(Reaction then) {
        return (connection, frame) -> {
            heads.add(frame.head());
            then.react(connection, frame);
        };
    }

    /** An answer with extension fields. */
    private static Reaction headed(Map<String, String> head, Message message) {
        return (connection, frame) -> connection.write(connection.bytes(
                new Frame(FrameKind.RESPONSE, frame.codec(), frame.compressor(), frame.id(), head, message)));
    }

    private static Reaction taken(RequestKey.First first) {
        Map<String, String> head = new HashMap<>();
        RequestKey.first(first, head);
        return headed(
                head,
                new Message.GlobalBeginResponse(
                        Outcome.failed(TransactionExceptionCode.BEGIN_FAILED, "TXN-TX015: taken"), null, null));
    }

    private TxnException failedStart(String key) {
        return catchThrowableOfType(TxnException.class, () -> {
            if (key == null) {
                sagas.start(orders, "book");
            } else {
                sagas.start(orders, "book", key);
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"silent", "gone", "refused after silence"})
    void aStartWhoseAnswerWasLostIsNeverSaidToHaveStartedNothing(String how) {
        sagas.register(orders);
        Reaction[] tries =
                switch (how) {
                    case "silent" -> new Reaction[] {silence(), silence()};
                    case "gone" ->
                        new Reaction[] {
                            (connection, frame) -> {
                                connection.close();
                                coordinator.close();
                            }
                        };
                    default ->
                        new Reaction[] {
                            silence(),
                            answer(new Message.GlobalBeginResponse(
                                    Outcome.failed(TransactionExceptionCode.BEGIN_FAILED, "TXN-CRD005: too much"),
                                    null,
                                    null))
                        };
                };
        coordinator.on(Message.GlobalBeginRequest.class, tries);
        TxnException failure = failedStart(null);
        assertThat(failure.code()).isEqualTo(ErrorCode.SAGA_START_UNKNOWN);
        assertThat(failure.code().category()).isEqualTo(ErrorCode.Category.UNKNOWN_OUTCOME);
        assertThat(failure).hasMessageContaining("orders").hasCauseInstanceOf(TxnException.class);
    }

    @Test
    void aStartThatWasRefusedAtOnceHasStartedNothing() {
        sagas.register(orders);
        coordinator.on(
                Message.GlobalBeginRequest.class,
                answer(new Message.GlobalBeginResponse(
                        Outcome.failed(TransactionExceptionCode.BEGIN_FAILED, "TXN-CRD005: too much"), null, null)));
        assertThat(failedStart(null).code()).isEqualTo(ErrorCode.BEGIN_FAILED);
    }

    @Test
    void aStartThatIsRepeatedUnderItsKeyGivesTheSagaThatThereIs() {
        sagas.register(orders);
        coordinator.on(Message.GlobalBeginRequest.class, noted(silence()), noted(silence()));
        assertThat(failedStart("order-17").code()).isEqualTo(ErrorCode.SAGA_START_UNKNOWN);
        coordinator.on(
                Message.GlobalBeginRequest.class,
                noted(taken(new RequestKey.First(RequestKey.State.OPEN, FIRST.value(), null))));
        Started<Void> found = sagas.start(orders, "book", "order-17");
        assertThat(found.xid()).isEqualTo(FIRST);
        assertThat(heads).hasSize(3).allSatisfy(head -> assertThat(RequestKey.read(new HashMap<>(head)))
                .isEqualTo("order-17"));
    }

    @Test
    void aSagaThatIsForgottenIsToldAsItsKeySaysItEnded() {
        sagas.register(orders);
        coordinator.on(
                Message.GlobalBeginRequest.class,
                taken(new RequestKey.First(
                        RequestKey.State.ROLLED_BACK, FIRST.value(), RequestKey.Answer.failure("no money"))));
        SagaOutcome<Void> outcome = sagas.start(orders, "book", "order-17").now();
        assertThat(outcome.state()).isEqualTo(SagaHead.State.COMPENSATED);
        assertThat(outcome.failure()).isEqualTo("no money");
    }

    @Test
    void aKeyThatCannotBeOneIsRefusedBeforeAnythingIsSent() {
        sagas.register(orders);
        assertThat(failedStart(" ").code()).isEqualTo(ErrorCode.BAD_IDEMPOTENCY_KEY);
        assertThat(coordinator.received()).noneMatch(Message.GlobalBeginRequest.class::isInstance);
    }

    @Test
    void aCoordinatorWithTooMuchToDoDoesNotMakeASagaUnknown() {
        Started<Void> started = sagas.find(FIRST, orders);
        coordinator.on(
                Message.GlobalStatusRequest.class,
                answer(new Message.GlobalStatusResponse(
                        Outcome.failed(
                                TransactionExceptionCode.UNKNOWN,
                                ErrorCode.COORDINATOR_OVERLOADED.id() + " too much waits"),
                        GlobalStatus.UNKNOWN)),
                answer(new Message.GlobalStatusResponse(
                        Outcome.failed(TransactionExceptionCode.UNKNOWN, "not now"), GlobalStatus.UNKNOWN)),
                answer(new Message.GlobalStatusResponse(
                        Outcome.failed(TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_EXIST, "unknown"),
                        GlobalStatus.UNKNOWN)));
        TxnException overloaded = catchThrowableOfType(TxnException.class, started::now);
        assertThat(overloaded.code()).isEqualTo(ErrorCode.COORDINATOR_OVERLOADED);
        assertThat(overloaded).hasMessageContaining("too much waits");
        TxnException refused = catchThrowableOfType(TxnException.class, started::now);
        assertThat(refused.code()).isEqualTo(ErrorCode.SAGA_NOT_ANSWERED);
        assertThat(refused.code().category()).isEqualTo(ErrorCode.Category.RETRY);
        assertThat(catchThrowableOfType(TxnException.class, started::now).code())
                .isEqualTo(ErrorCode.TRANSACTION_NOT_FOUND);
    }

    @Test
    void anAnswerThatTheCoordinatorDidNotTakeMayComeAgain() {
        sagas.register(orders);
        BranchId branch = new BranchId(9);
        coordinator.on(
                Message.BranchReportRequest.class,
                answer(new Message.BranchReportResponse(Outcome.failed(
                        TransactionExceptionCode.BRANCH_REPORT_FAILED,
                        ErrorCode.COORDINATOR_OVERLOADED.id() + " too much waits"))),
                answer(new Message.BranchReportResponse(
                        Outcome.failed(TransactionExceptionCode.BRANCH_TRANSACTION_NOT_EXIST, "no branch 9"))),
                drop(),
                answer(new Message.BranchReportResponse(Outcome.SUCCESS)));
        TxnException overloaded =
                catchThrowableOfType(TxnException.class, () -> client.sagas().complete(FIRST, branch, null));
        assertThat(overloaded.code()).isEqualTo(ErrorCode.COORDINATOR_OVERLOADED);
        assertThat(catchThrowableOfType(TxnException.class, () -> client.sagas().fail(FIRST, branch, "no"))
                        .code())
                .isEqualTo(ErrorCode.SAGA_CORRELATION_UNKNOWN);
        client.sagas().complete(FIRST, branch, null);
    }
}
