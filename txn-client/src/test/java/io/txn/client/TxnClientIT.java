package io.txn.client;

import static io.txn.client.CoordinatorDouble.Reaction.answer;
import static io.txn.client.CoordinatorDouble.Reaction.drop;
import static io.txn.client.CoordinatorDouble.Reaction.half;
import static io.txn.client.CoordinatorDouble.Reaction.silence;
import static io.txn.client.CoordinatorDouble.Reaction.when;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import ch.qos.logback.classic.Level;
import io.txn.client.CoordinatorDouble.Reaction;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.rm.Branch;
import io.txn.client.rm.BranchRegistration;
import io.txn.client.rm.BranchResource;
import io.txn.client.rm.BranchResult;
import io.txn.client.rpc.Backoff;
import io.txn.client.rpc.Pause;
import io.txn.protocol.BranchId;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.OnSwallowed;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.codec.FrameKind;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.RowData;
import io.txn.protocol.extension.UndoDecision;
import io.txn.protocol.extension.UndoReport;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.message.TransactionExceptionCode;
import io.txn.test.Await;
import io.txn.test.Ports;
import io.txn.test.VirtualThreads;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The client over real sockets against a coordinator that fails at every point. */
@Timeout(60)
class TxnClientIT {

    private static final Duration MAX = Duration.ofSeconds(20);
    private static final Duration REQUEST_TIMEOUT = Duration.ofMillis(400);
    private static final GlobalTransactionOptions PURCHASE = GlobalTransactionOptions.named("purchase");

    private final CoordinatorDouble coordinator = CoordinatorDouble.start();
    private final AtomicReference<Duration> clockAhead = new AtomicReference<>(Duration.ZERO);
    private final AtomicBoolean inLocalTransaction = new AtomicBoolean();
    private TxnClient client;

    @AfterEach
    void stop() {
        if (client != null) {
            client.close();
        }
        coordinator.close();
    }

    // Scope and decision

    @Test
    void commitsWhatReturnsAndLeavesNothingBound() throws Throwable {
        start();
        String result = client.transactions().execute(PURCHASE.withTimeout(Duration.ofMillis(12_345)), () -> {
            TransactionContext context = client.contexts().current();
            assertThat(context.role()).isEqualTo(TransactionContext.Role.LAUNCHER);
            return "done in " + context.xid();
        });
        assertThat(client.contexts().current()).isNull();
        assertThat(coordinator.await(Message.GlobalBeginRequest.class))
                .isEqualTo(new Message.GlobalBeginRequest(12_345, "purchase"));
        String xid = coordinator.await(Message.GlobalCommitRequest.class).xid();
        assertThat(result).isEqualTo("done in " + xid);
        assertThat(coordinator.status(xid)).isEqualTo(GlobalStatus.COMMITTED);
    }

    /** Each waits for the network without the thread that carries it: else the last ones would never get to ask. */
    @Test
    @EnabledIf("io.txn.test.VirtualThreads#exist")
    void moreVirtualThreadsWaitForAnAnswerThanThereAreThreadsToCarryThem() throws Exception {
        start(options().withRequestTimeout(MAX));
        int callers = VirtualThreads.MORE_THAN_CARRIERS;
        CompletableFuture<Void> allHaveAsked = new CompletableFuture<>();
        AtomicInteger asked = new AtomicInteger();
        for (int i = 0; i < callers; i++) {
            coordinator.on(Message.GlobalBeginRequest.class, (connection, frame) -> {
                when(allHaveAsked, answer(coordinator.usual(frame.body()))).react(connection, frame);
                if (asked.incrementAndGet() == callers) {
                    allHaveAsked.complete(null);
                }
            });
        }
        ExecutorService threads = VirtualThreads.newExecutor();
        List<Future<Boolean>> decided = new ArrayList<>();
        for (int i = 0; i < callers; i++) {
            decided.add(threads.submit(() -> {
                assertThat(catchThrowable(() -> client.transactions().execute(PURCHASE, () -> client.contexts()
                                .current()
                                .xid())))
                        .isNull();
                return VirtualThreads.isThis() && client.contexts().current() == null;
            }));
        }
        for (Future<Boolean> one : decided) {
            assertThat(one.get(MAX.toSeconds(), TimeUnit.SECONDS)).isTrue();
        }
        threads.shutdown();
    }

    @Test
    void anyThrowableRollsBackAndReachesTheCallerUntouched() {
        start();
        for (Throwable failure : List.of(new IOException("no stock"), new AssertionError("bug"))) {
            assertThat(catchThrowable(() -> client.transactions().execute(PURCHASE, () -> {
                        throw failure;
                    })))
                    .isSameAs(failure)
                    .satisfies(told -> assertThat(told.getSuppressed())
                            .singleElement()
                            .isInstanceOfSatisfying(TxnException.class, outcome -> assertThat(outcome.code())
                                    .isEqualTo(ErrorCode.ROLLED_BACK)));
            assertThat(coordinator.status(coordinator
                            .await(Message.GlobalRollbackRequest.class)
                            .xid()))
                    .isEqualTo(GlobalStatus.ROLLED_BACK);
            assertThat(client.contexts().current()).isNull();
        }
    }

    @Test
    void aSparedExceptionCommitsAndIsRethrown() {
        start();
        IOException spared = new IOException("fine");
        GlobalTransactionOptions options = PURCHASE.withRules(RollbackRules.ALL.noRollbackFor(IOException.class));
        assertThat(catchThrowable(() -> client.transactions().execute(options, () -> {
                    throw spared;
                })))
                .isSameAs(spared);
        coordinator.await(Message.GlobalCommitRequest.class);

        coordinator.on(
                Message.GlobalCommitRequest.class,
                answer(new Message.GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.ROLLED_BACK)));
        assertThat(catchThrowable(() -> client.transactions().execute(options, () -> {
                    throw spared;
                })))
                .as("a spared exception would say that the work was kept")
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.COMMIT_REFUSED))
                .hasSuppressedException(spared);
    }

    @ParameterizedTest
    @EnumSource(GlobalStatus.class)
    void everyAnswerToACommitIsInterpretedExactly(GlobalStatus status) throws Throwable {
        start(options().withDecisionWait(Duration.ofMillis(1)));
        coordinator.on(
                Message.GlobalCommitRequest.class, answer(new Message.GlobalCommitResponse(Outcome.SUCCESS, status)));
        ErrorCode expected =
                switch (status) {
                    case COMMITTED, ASYNC_COMMITTING, COMMITTING, COMMIT_RETRYING, STOP_COMMIT_OR_COMMIT_RETRY -> null;
                    case COMMIT_FAILED, COMMIT_RETRY_TIMEOUT -> ErrorCode.COMMIT_INCOMPLETE;
                    case TIMEOUT_ROLLING_BACK,
                            TIMEOUT_ROLLBACK_RETRYING,
                            TIMEOUT_ROLLED_BACK,
                            TIMEOUT_ROLLBACK_FAILED -> ErrorCode.TRANSACTION_TIMED_OUT;
                    case ROLLING_BACK,
                            ROLLBACK_RETRYING,
                            ROLLED_BACK,
                            ROLLBACK_FAILED,
                            ROLLBACK_RETRY_TIMEOUT,
                            STOP_ROLLBACK_OR_ROLLBACK_RETRY -> ErrorCode.COMMIT_REFUSED;
                    case FINISHED, DELETING -> ErrorCode.TRANSACTION_NOT_FOUND;
                    case UNKNOWN, BEGIN -> ErrorCode.OUTCOME_UNKNOWN;
                };
        Throwable thrown = catchThrowable(() -> client.transactions().execute(PURCHASE, () -> "done"));
        assertThat(thrown instanceof TxnException e ? e.code() : null).isEqualTo(expected);
        assertThat(thrown == null || expected != null).as("%s", thrown).isTrue();
    }

    /** In our coordinator's words: FINISHED, so that Seata's clients fail, and beside it why. */
    @Test
    void aCommitOfATransactionThatIsRollingBackIsRefusedExactly() {
        start();
        coordinator.on(
                Message.GlobalCommitRequest.class,
                answer(new Message.GlobalCommitResponse(
                        Outcome.failed(
                                TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_ACTIVE,
                                "the transaction is ROLLING_BACK"),
                        GlobalStatus.FINISHED)));
        assertThat(catchThrowable(() -> client.transactions().execute(PURCHASE, () -> "done")))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.COMMIT_REFUSED))
                .hasMessageContaining("the transaction is ROLLING_BACK");
    }

    @ParameterizedTest
    @EnumSource(GlobalStatus.class)
    void everyAnswerToARollbackIsInterpretedExactlyAndAttachedToTheCause(GlobalStatus status) {
        start(options().withDecisionWait(Duration.ofMillis(1)));
        coordinator.on(
                Message.GlobalRollbackRequest.class,
                answer(new Message.GlobalRollbackResponse(Outcome.SUCCESS, status)));
        ErrorCode expected =
                switch (status) {
                    case ROLLED_BACK,
                            TIMEOUT_ROLLED_BACK,
                            ROLLING_BACK,
                            ROLLBACK_RETRYING,
                            TIMEOUT_ROLLING_BACK,
                            TIMEOUT_ROLLBACK_RETRYING -> null;
                    case FINISHED, DELETING -> ErrorCode.TRANSACTION_NOT_FOUND;
                    case UNKNOWN, BEGIN -> ErrorCode.OUTCOME_UNKNOWN;
                    default -> ErrorCode.ROLLBACK_FAILED;
                };
        IOException failure = new IOException("no stock");
        assertThat(catchThrowable(() -> client.transactions().execute(PURCHASE, () -> {
                    throw failure;
                })))
                .isSameAs(failure);
        assertThat(Stream.of(failure.getSuppressed())
                        .map(problem -> ((TxnException) problem).code())
                        .toList())
                .isEqualTo(List.of(expected == null ? ErrorCode.ROLLED_BACK : expected));
        boolean undone = status == GlobalStatus.ROLLED_BACK || status == GlobalStatus.TIMEOUT_ROLLED_BACK;
        assertThat(failure.getSuppressed()[0].getMessage().contains("pending=not every branch is undone yet"))
                .isEqualTo(expected == null && !undone);
    }

    @Test
    void aCommitPastTheDeadlineIsRolledBackInstead() {
        start();
        Throwable thrown = catchThrowable(() -> client.transactions().execute(PURCHASE, () -> {
            clockAhead.set(Duration.ofSeconds(60));
            return "done";
        }));
        assertThat(thrown).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                .isEqualTo(ErrorCode.TRANSACTION_TIMED_OUT));
        coordinator.await(Message.GlobalRollbackRequest.class);
        assertThat(coordinator.received()).noneMatch(Message.GlobalCommitRequest.class::isInstance);
    }

    // Propagation

    @Test
    void joinedScopesLeaveTheDecisionToTheOpenerWhoRollsBackWhatFailedAndWasCaught() throws Throwable {
        start();
        for (Propagation joining : List.of(Propagation.REQUIRED, Propagation.SUPPORTS, Propagation.MANDATORY)) {
            Throwable thrown = catchThrowable(() -> catching(PURCHASE, PURCHASE.withPropagation(joining)));
            assertThat(codeOf(thrown)).isEqualTo(ErrorCode.ROLLED_BACK_ONLY);
            assertThat(thrown)
                    .hasMessageContaining("shop purchase: java.io.IOException: inner")
                    .hasMessageContaining("name=purchase");
            coordinator.await(Message.GlobalRollbackRequest.class);
        }
        assertThat(coordinator.received()).noneMatch(Message.GlobalCommitRequest.class::isInstance);
    }

    @Test
    void whatFailedAndWasCaughtIsCommittedWhereTheOpenerSaysSo() throws Throwable {
        start();
        try (LogLines log = LogLines.of("io.txn.client")) {
            catching(PURCHASE.withOnSwallowed(OnSwallowed.IGNORE), PURCHASE);
            coordinator.await(Message.GlobalCommitRequest.class);
            assertThat(log.from(Level.WARN)).isEmpty();
            catching(PURCHASE.withOnSwallowed(OnSwallowed.WARN), PURCHASE);
            coordinator.await(Message.GlobalCommitRequest.class);
            assertThat(log.from(Level.WARN)).singleElement().satisfies(line -> assertThat(line)
                    .contains("committed although work for it had failed")
                    .contains("java.io.IOException: inner"));
        }
    }

    @Test
    void aJoinedScopeSparesWhatItsRulesSpare() throws Throwable {
        start();
        catching(PURCHASE, PURCHASE.withRules(RollbackRules.ALL.noRollbackFor(IOException.class)));
        coordinator.await(Message.GlobalCommitRequest.class);
    }

    /** A scope whose work is a joined one that fails, which it keeps to itself. */
    private void catching(GlobalTransactionOptions opening, GlobalTransactionOptions joining) throws Throwable {
        GlobalTransactionTemplate transactions = client.transactions();
        transactions.execute(opening, () -> {
            TransactionContext outer = client.contexts().current();
            IOException inner = new IOException("inner");
            assertThat(catchThrowable(() -> transactions.execute(joining, () -> {
                        assertThat(client.contexts().current()).isEqualTo(outer);
                        throw inner;
                    })))
                    .isSameAs(inner);
            assertThat(coordinator.status(outer.xid().value())).isEqualTo(GlobalStatus.BEGIN);
            return null;
        });
    }

    @Test
    void aParticipantNeverDecides() throws Throwable {
        start();
        Xid arrived = new Xid("elsewhere:8091:77");
        try (ContextCarrier.Scope scope = client.contexts().bind(TransactionContext.participant(arrived))) {
            assertThat(scope).isNotNull();
            client.transactions().execute(PURCHASE, () -> null);
            assertThatThrownBy(() -> client.transactions().execute(PURCHASE, () -> {
                        throw new IOException();
                    }))
                    .isInstanceOf(IOException.class);
        }
        assertThat(coordinator.received()).allMatch(Message.RegisterTmRequest.class::isInstance);
    }

    @Test
    void requiresNewDecidesOnItsOwn() throws Throwable {
        start();
        GlobalTransactionTemplate transactions = client.transactions();
        AtomicReference<Xid> inner = new AtomicReference<>();
        AtomicReference<Xid> outer = new AtomicReference<>();
        transactions.execute(PURCHASE, () -> {
            outer.set(client.contexts().current().xid());
            catchThrowable(() -> transactions.execute(PURCHASE.withPropagation(Propagation.REQUIRES_NEW), () -> {
                inner.set(client.contexts().current().xid());
                throw new IOException();
            }));
            assertThat(client.contexts().current().xid()).isEqualTo(outer.get());
            return null;
        });
        assertThat(inner.get()).isNotEqualTo(outer.get());
        assertThat(coordinator.status(inner.get().value())).isEqualTo(GlobalStatus.ROLLED_BACK);
        assertThat(coordinator.status(outer.get().value())).isEqualTo(GlobalStatus.COMMITTED);
    }

    @Test
    void notSupportedAndSupportsWorkWithoutATransaction() throws Throwable {
        start();
        GlobalTransactionTemplate transactions = client.transactions();
        transactions.execute(
                PURCHASE,
                () -> transactions.execute(PURCHASE.withPropagation(Propagation.NOT_SUPPORTED), () -> {
                    assertThat(client.contexts().current()).isNull();
                    return null;
                }));
        coordinator.await(Message.GlobalCommitRequest.class);
        for (Propagation none : List.of(Propagation.SUPPORTS, Propagation.NOT_SUPPORTED, Propagation.NEVER)) {
            transactions.execute(PURCHASE.withPropagation(none), () -> {
                assertThat(client.contexts().current()).isNull();
                return null;
            });
        }
        assertThat(coordinator.received()).isEmpty();
    }

    @Test
    void mandatoryAndNeverRefuseBeforeAnythingRuns() throws Throwable {
        start();
        GlobalTransactionTemplate transactions = client.transactions();
        AtomicInteger ran = new AtomicInteger();
        assertThat(codeOf(catchThrowable(() ->
                        transactions.execute(PURCHASE.withPropagation(Propagation.MANDATORY), ran::incrementAndGet))))
                .isEqualTo(ErrorCode.PROPAGATION_VIOLATED);
        transactions.execute(PURCHASE, () -> {
            assertThat(codeOf(catchThrowable(() ->
                            transactions.execute(PURCHASE.withPropagation(Propagation.NEVER), ran::incrementAndGet))))
                    .isEqualTo(ErrorCode.PROPAGATION_VIOLATED);
            return null;
        });
        assertThat(ran).hasValue(0);
    }

    @Test
    void noScopeBeginsOrIsLeftInTheMiddleOfALocalTransaction() throws Throwable {
        start();
        GlobalTransactionTemplate transactions = client.transactions();
        AtomicInteger ran = new AtomicInteger();
        inLocalTransaction.set(true);
        assertThat(codeOf(catchThrowable(() -> transactions.execute(PURCHASE, ran::incrementAndGet))))
                .isEqualTo(ErrorCode.LOCAL_TRANSACTION_OPEN);
        transactions.execute(PURCHASE.withPropagation(Propagation.NOT_SUPPORTED), ran::incrementAndGet);
        assertThat(ran).hasValue(1);
        inLocalTransaction.set(false);
        transactions.execute(PURCHASE, () -> {
            inLocalTransaction.set(true);
            for (Propagation leaving : List.of(Propagation.REQUIRES_NEW, Propagation.NOT_SUPPORTED)) {
                assertThat(codeOf(catchThrowable(
                                () -> transactions.execute(PURCHASE.withPropagation(leaving), ran::incrementAndGet))))
                        .isEqualTo(ErrorCode.LOCAL_TRANSACTION_OPEN);
            }
            transactions.execute(PURCHASE, ran::incrementAndGet);
            inLocalTransaction.set(false);
            return null;
        });
        assertThat(ran).hasValue(2);
    }

    // Begin under faults

    @Test
    void aBeginThatFailsRunsNothingAndBindsNothing() {
        start();
        AtomicInteger ran = new AtomicInteger();
        coordinator.on(
                Message.GlobalBeginRequest.class,
                drop(),
                silence(),
                half(new Message.GlobalBeginResponse(Outcome.SUCCESS, "127.0.0.1:1:1", null), 20),
                answer(new Message.GlobalBeginResponse(
                        Outcome.failed(TransactionExceptionCode.BEGIN_FAILED, "the disk is full"), null, null)),
                answer(new Message.GlobalBeginResponse(Outcome.SUCCESS, "", null)),
                answer(new Message.GlobalStatusResponse(Outcome.SUCCESS, GlobalStatus.BEGIN)));
        // The two with a broken connection are tried again, and meet the next ones.
        for (int i = 0; i < 4; i++) {
            Throwable thrown = catchThrowable(() -> client.transactions().execute(PURCHASE, ran::incrementAndGet));
            assertThat(codeOf(thrown)).as("%s", thrown).isEqualTo(ErrorCode.BEGIN_FAILED);
            if (i == 1) {
                assertThat(thrown).hasMessageContaining("the disk is full");
            }
            assertThat(client.contexts().current()).isNull();
        }
        assertThat(ran).hasValue(0);
    }

    @Test
    void aBeginIsTriedAgainWhileItsCoordinatorStopsAndComesBack() throws Throwable {
        start();
        Reaction stopping = answer(new Message.GlobalBeginResponse(
                Outcome.failed(
                        TransactionExceptionCode.BEGIN_FAILED,
                        new TxnException(ErrorCode.NO_NEW_TRANSACTIONS, null).getMessage()),
                null,
                null));
        coordinator.on(Message.GlobalBeginRequest.class, stopping, stopping, drop(), stopping);
        String done = client.transactions().execute(PURCHASE, () -> "done");
        assertThat(done).isEqualTo("done");
        for (int i = 0; i < 5; i++) {
            coordinator.await(Message.GlobalBeginRequest.class);
        }
    }

    @Test
    void aBeginIsTriedNoLongerThanTheConnectWait() {
        start(options().withConnectWait(Duration.ofMillis(700)));
        Reaction[] stopping = new Reaction[100];
        Arrays.fill(
                stopping,
                answer(new Message.GlobalBeginResponse(
                        Outcome.failed(
                                TransactionExceptionCode.BEGIN_FAILED,
                                new TxnException(ErrorCode.NO_NEW_TRANSACTIONS, null).getMessage()),
                        null,
                        null)));
        coordinator.on(Message.GlobalBeginRequest.class, stopping);
        Throwable thrown = catchThrowable(() -> client.transactions().execute(PURCHASE, () -> null));
        assertThat(codeOf(thrown)).isEqualTo(ErrorCode.BEGIN_FAILED);
        assertThat(thrown).hasMessageContaining("TXN-CRD014");
    }

    @Test
    void aBeginAnsweredTooLateIsRolledBack() {
        start();
        CompletableFuture<Void> gate = new CompletableFuture<>();
        coordinator.on(
                Message.GlobalBeginRequest.class,
                when(gate, (connection, frame) -> connection.answer(frame, coordinator.usual(frame.body()))));
        assertThat(codeOf(catchThrowable(() -> client.transactions().execute(PURCHASE, () -> null))))
                .isEqualTo(ErrorCode.BEGIN_FAILED);
        gate.complete(null);
        String xid = coordinator.await(Message.GlobalRollbackRequest.class).xid();
        Await.until("rolled back", MAX, () -> coordinator.status(xid) == GlobalStatus.ROLLED_BACK);
    }

    /** From now on the double knows requests again, as our coordinator does. */
    private void knowRequestsAgain() {
        for (int i = 0; i < 4; i++) {
            coordinator.on(Message.RegisterTmRequest.class, CoordinatorDouble.Reaction.agree());
            coordinator.on(Message.RegisterRmRequest.class, CoordinatorDouble.Reaction.agree());
        }
    }

    @Test
    void aBeginWhoseAnswerIsLateIsAskedAgainUnderTheSameIdAndNotRolledBack() throws Throwable {
        knowRequestsAgain();
        start();
        CompletableFuture<Void> gate = new CompletableFuture<>();
        CompletableFuture<Message> opened = new CompletableFuture<>();
        BlockingQueue<String> ids = new LinkedBlockingQueue<>();
        coordinator.on(
                Message.GlobalBeginRequest.class,
                (connection, frame) -> {
                    ids.add(frame.head().get("request-id"));
                    opened.complete(coordinator.usual(frame.body()));
                    when(gate, (c, f) -> c.answer(f, opened.join())).react(connection, frame);
                },
                (connection, frame) -> {
                    ids.add(frame.head().get("request-id"));
                    connection.answer(frame, opened.join());
                });
        String xid = client.transactions().execute(PURCHASE, () -> {
            gate.complete(null); // the late answer comes while the transaction is in use
            return client.contexts().current().xid().value();
        });
        assertThat(ids).hasSize(2);
        assertThat(ids.take()).matches("[0-9a-f]{16}").isEqualTo(ids.take());
        assertThat(coordinator.status(xid)).isEqualTo(GlobalStatus.COMMITTED);
        client.transactions().execute(PURCHASE, () -> null);
        assertThat(coordinator.received()).noneMatch(Message.GlobalRollbackRequest.class::isInstance);
    }

    @Test
    void aRepeatedBeginThatOpenedAnotherOneHasTheFirstRolledBack() throws Throwable {
        knowRequestsAgain();
        start();
        CompletableFuture<Void> gate = new CompletableFuture<>();
        coordinator.on(
                Message.GlobalBeginRequest.class,
                when(gate, (connection, frame) -> connection.answer(frame, coordinator.usual(frame.body()))));
        String xid = client.transactions()
                .execute(PURCHASE, () -> client.contexts().current().xid().value());
        gate.complete(null);
        String late = coordinator.await(Message.GlobalRollbackRequest.class).xid();
        assertThat(late).isNotEqualTo(xid);
        Await.until("rolled back", MAX, () -> coordinator.status(late) == GlobalStatus.ROLLED_BACK);
        assertThat(coordinator.status(xid)).isEqualTo(GlobalStatus.COMMITTED);
    }

    @Test
    void aBranchWhoseAnswerIsLostIsAskedForAgainUnderTheSameId() throws Throwable {
        knowRequestsAgain();
        start();
        client.resources().register(new Recording("r"));
        BlockingQueue<String> ids = new LinkedBlockingQueue<>();
        coordinator.on(
                Message.BranchRegisterRequest.class,
                (connection, frame) -> {
                    ids.add(frame.head().get("request-id"));
                    connection.close();
                },
                (connection, frame) -> {
                    ids.add(frame.head().get("request-id"));
                    connection.answer(frame, coordinator.usual(frame.body()));
                });
        client.transactions().execute(PURCHASE, () -> {
            String xid = client.contexts().current().xid().value();
            assertThat(client.resources().registerBranch(registration(xid, "r")))
                    .isNotNull();
            return null;
        });
        assertThat(ids).hasSize(2);
        assertThat(ids.take()).matches("[0-9a-f]{16}").isEqualTo(ids.take());
    }

    @Test
    void aCoordinatorThatAgreedToNothingIsSentNoHeadAndAskedOnce() throws Throwable {
        start();
        client.resources().register(new Recording("r"));
        BlockingQueue<Integer> fields = new LinkedBlockingQueue<>();
        coordinator.on(Message.BranchRegisterRequest.class, (connection, frame) -> {
            fields.add(frame.head().size());
            connection.close();
        });
        client.transactions().execute(PURCHASE, () -> {
            String xid = client.contexts().current().xid().value();
            assertThat(codeOf(catchThrowable(() -> client.resources().registerBranch(registration(xid, "r")))))
                    .isEqualTo(ErrorCode.CONNECTION_LOST);
            return null;
        });
        assertThat(fields).containsExactly(0);
    }

    // Decisions under faults

    @Test
    void aLostAnswerToACommitIsAskedForAndNotDecidedTwice() throws Throwable {
        start();
        coordinator.on(Message.GlobalCommitRequest.class, (connection, frame) -> {
            coordinator.usual(frame.body());
            connection.close();
        });
        assertThat(client.transactions().execute(PURCHASE, () -> "done")).isEqualTo("done");
        coordinator.await(Message.GlobalCommitRequest.class);
        coordinator.await(Message.GlobalStatusRequest.class);
        assertThat(coordinator.received()).noneMatch(Message.GlobalCommitRequest.class::isInstance);
    }

    @Test
    void aCommitThatNeverArrivedIsSentAgain() throws Throwable {
        start();
        coordinator.on(
                Message.GlobalCommitRequest.class,
                drop(),
                silence(),
                half(new Message.GlobalCommitResponse(Outcome.SUCCESS, GlobalStatus.COMMITTED), 18));
        assertThat(client.transactions().execute(PURCHASE, () -> "done")).isEqualTo("done");
        String xid = coordinator.await(Message.GlobalCommitRequest.class).xid();
        assertThat(coordinator.status(xid)).isEqualTo(GlobalStatus.COMMITTED);
    }

    @Test
    void aLostCommitOfATransactionThatIsForgottenMeanwhileIsUnknown() {
        start();
        coordinator.on(Message.GlobalCommitRequest.class, (connection, frame) -> {
            coordinator.setStatus(((Message.GlobalCommitRequest) frame.body()).xid(), GlobalStatus.FINISHED);
            connection.close();
        });
        assertThat(codeOf(catchThrowable(() -> client.transactions().execute(PURCHASE, () -> "done"))))
                .isEqualTo(ErrorCode.OUTCOME_UNKNOWN);
    }

    @Test
    void aLostCommitThatTurnsOutRolledBackIsRefused() {
        start();
        coordinator.on(Message.GlobalCommitRequest.class, (connection, frame) -> {
            coordinator.setStatus(((Message.GlobalCommitRequest) frame.body()).xid(), GlobalStatus.TIMEOUT_ROLLED_BACK);
            connection.close();
        });
        assertThat(codeOf(catchThrowable(() -> client.transactions().execute(PURCHASE, () -> "done"))))
                .isEqualTo(ErrorCode.TRANSACTION_TIMED_OUT);
    }

    @Test
    void aCoordinatorThatDiesBeforeTheAnswerLeavesTheOutcomeUnknownWithinTheBound() {
        start(options().withDecisionWait(Duration.ofSeconds(1)).withConnectWait(Duration.ofMillis(100)));
        coordinator.on(Message.GlobalCommitRequest.class, (connection, frame) -> coordinator.close());
        long began = System.nanoTime();
        Throwable thrown = catchThrowable(() -> client.transactions().execute(PURCHASE, () -> "done"));
        assertThat(codeOf(thrown)).isEqualTo(ErrorCode.OUTCOME_UNKNOWN);
        assertThat(thrown).hasMessageContaining("xid=").hasMessageContaining("tries=");
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(10));
    }

    @Test
    void aCommitSurvivesTheRestartOfItsCoordinator() throws Throwable {
        start(options().withDecisionWait(Duration.ofSeconds(20)));
        AtomicReference<CoordinatorDouble> second = new AtomicReference<>();
        coordinator.on(Message.GlobalCommitRequest.class, (connection, frame) -> {
            int port = coordinator.port();
            coordinator.close();
            CoordinatorDouble restarted = CoordinatorDouble.start(port);
            restarted.setStatus(((Message.GlobalCommitRequest) frame.body()).xid(), GlobalStatus.BEGIN);
            second.set(restarted);
        });
        try {
            assertThat(client.transactions().execute(PURCHASE, () -> "done")).isEqualTo("done");
            second.get().await(Message.GlobalStatusRequest.class);
            second.get().await(Message.GlobalCommitRequest.class);
        } finally {
            second.get().close();
        }
    }

    @Test
    void anUnreachableCoordinatorNeverHidesTheBusinessException() {
        start(options().withDecisionWait(Duration.ofMillis(300)).withConnectWait(Duration.ofMillis(50)));
        IOException failure = new IOException("no stock");
        assertThat(catchThrowable(() -> client.transactions().execute(PURCHASE, () -> {
                    coordinator.close();
                    throw failure;
                })))
                .isSameAs(failure);
        assertThat(failure.getSuppressed()).hasSize(1);
        assertThat(codeOf(failure.getSuppressed()[0])).isEqualTo(ErrorCode.OUTCOME_UNKNOWN);
    }

    @Test
    void anInterruptDoesNotLoseADecisionAndIsKept() throws Throwable {
        start();
        coordinator.on(Message.GlobalCommitRequest.class, silence());
        client.transactions().execute(PURCHASE, () -> {
            Thread.currentThread().interrupt();
            return null;
        });
        assertThat(Thread.interrupted()).isTrue();
        assertThat(coordinator.status(
                        coordinator.await(Message.GlobalCommitRequest.class).xid()))
                .isEqualTo(GlobalStatus.COMMITTED);
    }

    // Connections

    @Test
    void aStartWithoutCoordinatorSaysWhatWasTriedAndWhy() {
        int nobody = Ports.free();
        Throwable thrown = catchThrowable(() -> client = TxnClient.start(
                options().withStartWait(Duration.ofMillis(500)),
                AddressListLocator.of(List.of("127.0.0.1:" + nobody, "no-such-host.invalid:8091"))));
        assertThat(codeOf(thrown)).isEqualTo(ErrorCode.NO_COORDINATOR);
        assertThat(thrown)
                .hasMessageContaining("127.0.0.1:" + nobody + "=connection refused: ")
                .hasMessageContaining("no-such-host.invalid:8091=the host name is not known here")
                .hasMessageContaining("Fix:");
    }

    @Test
    void aStartWaitsForACoordinatorThatIsStartingTooAndSaysSo() throws Exception {
        int port = Ports.free();
        CoordinatorDouble[] late = new CoordinatorDouble[1];
        try (LogLines log = LogLines.of("io.txn.client")) {
            CompletableFuture<Void> other = CompletableFuture.runAsync(() -> {
                Await.until("told that it waits", MAX, () -> log.from(Level.INFO).stream()
                        .anyMatch(line -> line.startsWith("INFO no coordinator yet, waiting for up to")));
                late[0] = CoordinatorDouble.start(port);
            });
            client = TxnClient.start(options().withStartWait(MAX), AddressListLocator.of(List.of("127.0.0.1:" + port)));
            other.get(MAX.toSeconds(), TimeUnit.SECONDS);
            assertThat(client.connected()).isTrue();
            assertThat(log.from(Level.INFO).stream().filter(line -> line.contains("no coordinator yet")))
                    .singleElement()
                    .satisfies(line -> assertThat(line).contains("refused").contains("addresses [127.0.0.1:" + port));
        } finally {
            if (late[0] != null) {
                late[0].close();
            }
        }
    }

    @Test
    void whoBeginsBeforeTheStartIsOverWaitsAsLongAsTheStartDoes() throws Exception {
        int port = Ports.free();
        client = TxnClient.launch(
                options().withConnectWait(Duration.ofMillis(100)).withStartWait(MAX),
                AddressListLocator.of(List.of("127.0.0.1:" + port)),
                new ContextCarrier(),
                () -> false);
        CompletableFuture<Throwable> begun = CompletableFuture.supplyAsync(
                () -> catchThrowable(() -> client.transactions().execute(PURCHASE, () -> null)));
        assertThat(catchThrowable(() -> begun.get(500, TimeUnit.MILLISECONDS)))
                .as("it waits longer than a begin otherwise does")
                .isInstanceOf(TimeoutException.class);
        try (CoordinatorDouble late = CoordinatorDouble.start(port)) {
            assertThat(begun.get(MAX.toSeconds(), TimeUnit.SECONDS)).isNull();
            late.await(Message.GlobalCommitRequest.class);
        }
    }

    @Test
    void aLateClientIsContentWithAYesAndConnectsWhenItIsTold() {
        launchLate(options());
        client.resources().register(new Recording("jdbc:one"));
        client.awaitStarted();

        Await.until("the first contact is over", MAX, () -> coordinator.openConnections() == 0);
        assertThat(coordinator.received())
                .as("what it cost")
                .singleElement()
                .isInstanceOf(Message.RegisterTmRequest.class);
        assertThat(client.connected()).isFalse();
        assertThat(client.coordinatorStates()).singleElement().satisfies(state -> {
            assertThat(state.address()).hasToString(coordinator.address());
            assertThat(state.connected()).isFalse();
            assertThat(state.reason()).isNull();
        });

        client.connect();

        assertThat(client.coordinatorStates()).as("from the first moment").hasSize(1);
        assertThat(coordinator.await(Message.RegisterRmRequest.class).resourceIds())
                .as("branches of an earlier run can be ended without any request from here")
                .isEqualTo("jdbc:one");
        assertThat(client.awaitConnected(MAX)).isTrue();
    }

    @Test
    void whoBeginsHasALateClientConnect() throws Throwable {
        launchLate(options());
        assertThat(client.transactions().execute(PURCHASE, () -> "done")).isEqualTo("done");
        coordinator.await(Message.GlobalCommitRequest.class);
    }

    @Test
    void aLateClientWithoutCoordinatorSaysTheSameAsEveryOther() {
        int nobody = Ports.free();
        client = TxnClient.launchLate(
                options().withStartWait(Duration.ofMillis(500)),
                AddressListLocator.of(List.of("127.0.0.1:" + nobody)),
                new ContextCarrier(),
                () -> false);
        Throwable thrown = catchThrowable(client::awaitStarted);
        assertThat(codeOf(thrown)).isEqualTo(ErrorCode.NO_COORDINATOR);
        assertThat(thrown).hasMessageContaining("127.0.0.1:" + nobody + "=connection refused: ");
    }

    @Test
    void aLateClientThatIsRefusedFailsItsStart() {
        Message no = new Message.RegisterTmResponse(false, "2.5.0");
        coordinator.on(Message.RegisterTmRequest.class, answer(no), answer(no), answer(no), answer(no), answer(no));
        launchLate(options().withStartWait(Duration.ofMillis(500)));
        Throwable thrown = catchThrowable(client::awaitStarted);
        assertThat(thrown).isInstanceOf(TxnException.class);
        assertThat(client.connected()).isFalse();
    }

    /** The one that is asked takes connections and says nothing, which it has 5 s for. */
    @Test
    void aLateClientWaitsNoLongerThanAStartMay() throws Exception {
        try (ServerSocket mute = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            client = TxnClient.launchLate(
                    options().withStartWait(Duration.ofMillis(200)),
                    AddressListLocator.of(List.of("127.0.0.1:" + mute.getLocalPort())),
                    new ContextCarrier(),
                    () -> false);
            long begun = System.nanoTime();
            assertThat(codeOf(catchThrowable(client::awaitStarted))).isEqualTo(ErrorCode.NO_COORDINATOR);
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(5));
        }
    }

    /** Nobody waits for the start in this test, nor needs a connection: without the first contact's word it would be made after its time, and never before. */
    @Test
    void whoIsNotTakenAtOnceBeginsToConnectAtOnce() {
        Duration took = TxnClient.LATEST;
        // A busy machine may need that time for either way.
        for (int attempt = 0; attempt < 3 && took.compareTo(TxnClient.LATEST) >= 0; attempt++) {
            try (CoordinatorDouble other = CoordinatorDouble.start()) {
                long begun = System.nanoTime();
                client = TxnClient.launchLate(
                        options(),
                        AddressListLocator.of(List.of("127.0.0.1:" + Ports.free(), other.address())),
                        new ContextCarrier(),
                        () -> false);
                assertThat(other.await(Message.RegisterTmRequest.class).applicationId())
                        .isEqualTo("shop");
                took = Duration.ofNanos(System.nanoTime() - begun);
                client.close();
            }
        }
        assertThat(took).isLessThan(TxnClient.LATEST);
    }

    /** A start may wait for rows that branches of an earlier run keep: those are ended over connections. */
    @Test
    void aLateClientConnectsInTheEndWhateverTheStartDoes() {
        launchLate(options().withFailFast(false));
        client.resources().register(new Recording("jdbc:one"));
        assertThat(coordinator.await(Message.RegisterRmRequest.class).resourceIds())
                .isEqualTo("jdbc:one");
    }

    @Test
    void aLateClientThatIsClosedLeavesNobodyBehind() {
        launchLate(options().withFailFast(false));
        Thread waiting = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("txn-late-start"))
                .findAny()
                .orElseThrow();
        client.close();
        Await.until("ended", Duration.ofSeconds(4), () -> !waiting.isAlive());
    }

    private void launchLate(TxnClientOptions options) {
        client = TxnClient.launchLate(
                options, AddressListLocator.of(List.of(coordinator.address())), new ContextCarrier(), () -> false);
    }

    @Test
    void whoTakesConnectionsAndSaysNothingIsToldFromWhoIsNotThere() throws Exception {
        Thread closing;
        try (ServerSocket mute = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                ServerSocket rude = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            closing = new Thread(() -> closeWhoComes(rude));
            closing.start();
            Throwable thrown = catchThrowable(() -> client = TxnClient.start(
                    options().withRequestTimeout(Duration.ofMillis(300)).withStartWait(Duration.ofSeconds(3)),
                    AddressListLocator.of(
                            List.of("127.0.0.1:" + mute.getLocalPort(), "127.0.0.1:" + rude.getLocalPort()))));
            assertThat(codeOf(thrown)).isEqualTo(ErrorCode.NO_COORDINATOR);
            assertThat(thrown)
                    .hasMessageContaining(mute.getLocalPort() + "=it takes connections and does not answer")
                    .hasMessageContaining(rude.getLocalPort() + "=it closed the connection instead of answering");
        }
        closing.join(MAX.toMillis());
        assertThat(closing.isAlive()).isFalse();
    }

    private static void closeWhoComes(ServerSocket server) {
        try {
            while (true) {
                server.accept().close();
            }
        } catch (IOException over) {
            // the test is through
        }
    }

    @Test
    void aStartThatNeedNotSucceedKeepsTrying() throws Throwable {
        int port = Ports.free();
        try (LogLines log = LogLines.of("io.txn.client")) {
            client = TxnClient.start(
                    options().withFailFast(false).withConnectWait(Duration.ofMillis(100)),
                    AddressListLocator.of(List.of("127.0.0.1:" + port)));
            assertThat(codeOf(catchThrowable(() -> client.transactions().execute(PURCHASE, () -> null))))
                    .isEqualTo(ErrorCode.BEGIN_FAILED);
            assertThat(client.connected()).isFalse();
            try (CoordinatorDouble late = CoordinatorDouble.start(port)) {
                Await.until("connected", MAX, client::connected);
                client.transactions().execute(PURCHASE, () -> null);
                late.await(Message.GlobalCommitRequest.class);
                assertThat(log.from(Level.INFO))
                        .as("a line for each change, however often it was tried")
                        .satisfiesExactly(
                                line -> assertThat(line)
                                        .startsWith("WARN cannot reach coordinator 127.0.0.1:" + port)
                                        .contains("refused"),
                                line -> assertThat(line).startsWith("INFO connected to coordinator 127.0.0.1:" + port));
            }
        }
    }

    @Test
    void aRefusedRegistrationIsNoConnection() {
        coordinator.on(
                Message.RegisterTmRequest.class,
                Stream.generate(() -> answer(new Message.RegisterTmResponse(false, "2.5.0")))
                        .limit(1000)
                        .toArray(CoordinatorDouble.Reaction[]::new));
        Throwable thrown = catchThrowable(() -> start(options().withStartWait(Duration.ofMillis(400))));
        assertThat(codeOf(thrown)).isEqualTo(ErrorCode.REGISTRATION_REFUSED);
        assertThat(thrown).hasMessageContaining("refused this application's registration");
    }

    @Test
    void registersAsBothRolesAndAnnouncesEachResource() {
        start();
        Message.RegisterTmRequest tm = coordinator.await(Message.RegisterTmRequest.class);
        assertThat(tm.applicationId()).isEqualTo("shop");
        assertThat(tm.transactionServiceGroup()).isEqualTo("default_tx_group");
        assertThat(tm.version()).isNotBlank();
        assertThat(coordinator.openConnections()).isEqualTo(1);

        client.resources().register(new Recording("jdbc:one"));
        assertThat(coordinator.await(Message.RegisterRmRequest.class).resourceIds())
                .isEqualTo("jdbc:one");
        Await.until("connected", MAX, () -> coordinator.openConnections() == 2);

        client.resources().register(new Recording("jdbc:two"));
        assertThat(coordinator.await(Message.RegisterRmRequest.class).resourceIds())
                .isEqualTo("jdbc:two");
        client.resources().register(new Recording("jdbc:two"));
        assertThat(coordinator.openConnections()).isEqualTo(2);

        coordinator.dropAll();
        assertThat(coordinator
                        .await(Message.RegisterRmRequest.class)
                        .resourceIds()
                        .split(","))
                .containsExactlyInAnyOrder("jdbc:one", "jdbc:two");
        assertThat(coordinator.received()).noneMatch(Message.RegisterRmRequest.class::isInstance);
    }

    @Test
    void manyResourcesAreAnnouncedInPiecesForACoordinatorReadsLittleOfStrangers() {
        start();
        List<String> all = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            all.add("jdbc:" + i + "x".repeat(3_000));
            client.resources().register(new Recording(all.get(i)));
        }
        Await.until("connected", MAX, () -> coordinator.openConnections() == 2);
        List<String> announced = new ArrayList<>();
        while (announced.size() < all.size()) {
            announced.addAll(List.of(coordinator
                    .await(Message.RegisterRmRequest.class)
                    .resourceIds()
                    .split(",")));
        }

        coordinator.dropAll();
        String first = coordinator.await(Message.RegisterRmRequest.class).resourceIds();
        String rest = coordinator.await(Message.RegisterRmRequest.class).resourceIds();
        assertThat(first).hasSizeBetween(1, 33_000);
        assertThat((first + ',' + rest).split(",")).containsExactlyInAnyOrderElementsOf(all);
    }

    @Test
    void aLostConnectionIsSaidOnceAndReplaced() throws Throwable {
        start();
        try (LogLines log = LogLines.of("io.txn.client")) {
            coordinator.dropAll();
            Await.until("connected again", MAX, () -> log.from(Level.INFO).size() == 2);
            assertThat(log.from(Level.INFO))
                    .satisfiesExactly(
                            line -> assertThat(line).startsWith("WARN lost coordinator " + coordinator.address()),
                            line -> assertThat(line)
                                    .startsWith("INFO connected to coordinator " + coordinator.address()));
        }
        client.transactions().execute(PURCHASE, () -> null);
    }

    @Test
    void aHealthyLifeLogsNoWarning() throws Throwable {
        try (LogLines log = LogLines.of("io.txn")) {
            start();
            client.resources().register(new Recording("jdbc:one"));
            client.transactions().execute(PURCHASE, () -> null);
            client.close();
            assertThat(log.from(Level.WARN)).isEmpty();
        }
    }

    @Test
    void requestsGoToTheCoordinatorThatOpenedTheTransaction() throws Throwable {
        try (CoordinatorDouble second = CoordinatorDouble.start();
                LogLines log = LogLines.of("io.txn.client")) {
            client =
                    TxnClient.start(options(), AddressListLocator.of(List.of(coordinator.address(), second.address())));
            Await.until("both are connected, and told", MAX, () -> !log.from(Level.WARN)
                    .isEmpty());
            assertThat(log.from(Level.WARN)).singleElement().asString().contains("several coordinators");
            client.resources().register(new Recording("db"));
            second.await(Message.RegisterRmRequest.class);
            Await.until(
                    "all connected", MAX, () -> second.openConnections() == 2 && coordinator.openConnections() == 2);

            for (int i = 0; i < 3; i++) {
                client.transactions().execute(PURCHASE, () -> null);
                assertThat(coordinator.await(Message.GlobalCommitRequest.class)).isNotNull();
            }
            second.received().clear();
            String xid = second.address() + ":5";
            second.setStatus(xid, GlobalStatus.BEGIN);
            // The connection is used once its registration is answered; until then the other coordinator says no.
            Await.until(
                    "the second one takes a branch",
                    MAX,
                    () -> catchThrowable(() -> client.resources().registerBranch(registration(xid, "db"))) == null);
            assertThat(second.await(Message.BranchRegisterRequest.class).xid()).isEqualTo(xid);

            coordinator.close();
            Await.until("the first is lost", MAX, () -> {
                catchThrowable(() -> client.transactions().execute(PURCHASE, () -> null));
                return second.received().stream().anyMatch(Message.GlobalCommitRequest.class::isInstance);
            });
        }
    }

    @Test
    void aCoordinatorIsKnownByTheAddressItWritesIntoItsXids() throws Throwable {
        coordinator.advertise("coordinator.internal:8091");
        try (CoordinatorDouble second = CoordinatorDouble.start()) {
            second.advertise("other.internal:8091");
            client =
                    TxnClient.start(options(), AddressListLocator.of(List.of(coordinator.address(), second.address())));
            client.transactions().execute(PURCHASE, () -> {
                assertThat(client.contexts().current().xid().value()).startsWith("coordinator.internal:8091:");
                return null;
            });
            coordinator.await(Message.GlobalCommitRequest.class);
            assertThat(second.received()).noneMatch(Message.GlobalCommitRequest.class::isInstance);
        }
    }

    // Branches

    @ParameterizedTest
    @ValueSource(ints = {0, 2, 3, 10, 11, 12, 15, 20, 21})
    void everyRefusalOfABranchHasItsCode(int wireCode) {
        start();
        client.resources().register(new Recording("db"));
        TransactionExceptionCode code = TransactionExceptionCode.values()[wireCode];
        ErrorCode expected =
                switch (code) {
                    case LOCK_KEY_CONFLICT -> ErrorCode.LOCK_CONFLICT;
                    case LOCK_KEY_CONFLICT_FAIL_FAST -> ErrorCode.LOCK_CONFLICT_ROLLING_BACK;
                    case GLOBAL_TRANSACTION_NOT_EXIST -> ErrorCode.TRANSACTION_NOT_FOUND;
                    case GLOBAL_TRANSACTION_NOT_ACTIVE, GLOBAL_TRANSACTION_STATUS_INVALID ->
                        ErrorCode.TRANSACTION_NOT_ACTIVE;
                    case TRANSACTION_TIMEOUT -> ErrorCode.TRANSACTION_TIMED_OUT;
                    default -> ErrorCode.BRANCH_REFUSED;
                };
        coordinator.on(
                Message.BranchRegisterRequest.class,
                answer(new Message.BranchRegisterResponse(Outcome.failed(code, "held by h:1:9"), 0)));
        Throwable thrown = catchThrowable(() -> client.resources().registerBranch(registration("127.0.0.1:1:1", "db")));
        assertThat(codeOf(thrown)).isEqualTo(expected);
        assertThat(thrown).hasMessageContaining("held by h:1:9").hasMessageContaining("xid=127.0.0.1:1:1");
        assertThat(coordinator.received().stream()
                        .filter(Message.BranchRegisterRequest.class::isInstance)
                        .count())
                .as("one attempt")
                .isEqualTo(1);
    }

    @Test
    void aRegistrationWhoseAnswerIsLostFailsAndIsNotRepeated() {
        start();
        client.resources().register(new Recording("db"));
        coordinator.setStatus("h:1:1", GlobalStatus.BEGIN);
        coordinator.on(
                Message.BranchRegisterRequest.class,
                silence(),
                drop(),
                half(new Message.BranchRegisterResponse(Outcome.SUCCESS, 5), 20),
                answer(new Message.BranchRegisterResponse(Outcome.SUCCESS, 0)));
        List<ErrorCode> codes = Stream.generate(() ->
                        codeOf(catchThrowable(() -> client.resources().registerBranch(registration("h:1:1", "db")))))
                .limit(4)
                .toList();
        assertThat(codes)
                .containsExactly(
                        ErrorCode.REQUEST_TIMED_OUT,
                        ErrorCode.CONNECTION_LOST,
                        ErrorCode.CONNECTION_LOST,
                        ErrorCode.MALFORMED_FRAME);
        assertThat(client.resources()
                        .registerBranch(registration("h:1:1", "db"))
                        .value())
                .isPositive();
    }

    @Test
    void aBranchPastTheDeadlineIsNotRegistered() {
        start();
        client.resources().register(new Recording("db"));
        Throwable thrown = catchThrowable(() -> client.resources()
                .registerBranch(new BranchRegistration(
                        new Xid("h:1:1"),
                        BranchType.AT,
                        "db",
                        "t:1",
                        null,
                        Instant.now().minusMillis(1))));
        assertThat(codeOf(thrown)).isEqualTo(ErrorCode.TRANSACTION_TIMED_OUT);
        assertThat(coordinator.received()).noneMatch(Message.BranchRegisterRequest.class::isInstance);
    }

    @Test
    void aDecisionRightBehindTheRegistrationWaitsForPhaseOne() throws Exception {
        start();
        Recording resource = new Recording("db");
        client.resources().register(resource);
        coordinator.setStatus("h:1:1", GlobalStatus.BEGIN);
        CompletableFuture<Message> early = new CompletableFuture<>();
        coordinator.on(Message.BranchRegisterRequest.class, (connection, frame) -> {
            // One segment: the question can be read before the waiting thread has woken up.
            connection.write(
                    connection.bytes(frame.answer(frame.id(), new Message.BranchRegisterResponse(Outcome.SUCCESS, 9))),
                    connection.question(
                            new Message.BranchRollbackRequest("h:1:1", 9, BranchType.AT, "db", null), early));
        });
        BranchId branch = client.resources().registerBranch(registration("h:1:1", "db"));
        assertThat(((Message.BranchRollbackResponse) early.get(10, TimeUnit.SECONDS)).status())
                .isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE);
        assertThat(resource.calls).isEmpty();

        client.resources().phaseOneEnded(branch);
        Message again = coordinator
                .rm()
                .ask(new Message.BranchRollbackRequest("h:1:1", 9, BranchType.AT, "db", "data"))
                .get(10, TimeUnit.SECONDS);
        assertThat(((Message.BranchRollbackResponse) again).status()).isEqualTo(BranchStatus.PHASE_TWO_ROLLED_BACK);
        assertThat(resource.calls).containsExactly("rollback h:1:1 9 data");
    }

    /** As when an application comes back for which a decision has been waiting. */
    @Test
    void aCallRightBehindTheRegistrationOfAConnectionKnowsWhatWasAgreed() throws Exception {
        start();
        List<UndoDecision> decisions = new CopyOnWriteArrayList<>();
        RowData report = new UndoReport("00000000000000bb", List.of(), 1).encoded();
        client.resources().register(new Recording("db") {
            @Override
            public BranchResult rollback(Branch branch) {
                decisions.add(branch.decision());
                return BranchResult.rollbackImpossible("rows", report);
            }
        });
        while (!"db".equals(coordinator.await(Message.RegisterRmRequest.class).resourceIds())) {
            // without resources
        }
        UndoDecision decision = new UndoDecision("00000000000000aa", List.of(), UndoDecision.Action.KEEP);
        CompletableFuture<Message> answer = new CompletableFuture<>();
        CompletableFuture<CoordinatorDouble.Connection> next = new CompletableFuture<>();
        coordinator.on(Message.RegisterRmRequest.class, (connection, frame) -> {
            Frame registered = new Frame(
                    FrameKind.RESPONSE,
                    frame.codec(),
                    frame.compressor(),
                    frame.id(),
                    Feature.agreed(Feature.announcedIn(frame.head())),
                    coordinator.usual(frame.body()));
            connection.write(
                    connection.bytes(registered),
                    connection.question(
                            new Message.BranchRollbackRequest("h:1:1", 9, BranchType.AT, "db", null),
                            UndoDecision.head(decision.encoded()),
                            answer));
            next.complete(connection);
        });
        coordinator.rm().close();
        assertThat(((Message.BranchRollbackResponse) answer.get(MAX.toSeconds(), TimeUnit.SECONDS)).status())
                .isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
        assertThat(decisions).containsExactly(decision);
        assertThat(UndoReport.read(next.join().lastAnswerHead())).isEqualTo(report);
    }

    @Test
    void aCoordinatorThatRefusesToSayWhetherAnUndoIsWantedHasNotSaidNo() {
        coordinator.on(Message.RegisterRmRequest.class, CoordinatorDouble.Reaction.agree());
        start();
        client.resources().register(new Recording("db"));
        coordinator.await(Message.RegisterRmRequest.class);
        Xid xid = new Xid(coordinator.address() + ":7");
        coordinator.on(
                Message.GlobalStatusRequest.class,
                CoordinatorDouble.Reaction.answer(new Message.GlobalStatusResponse(
                        Outcome.failed(TransactionExceptionCode.UNKNOWN, "as much work waiting as it may have"),
                        GlobalStatus.UNKNOWN)),
                CoordinatorDouble.Reaction.answer(
                        new Message.GlobalStatusResponse(Outcome.SUCCESS, GlobalStatus.FINISHED)));
        assertThatThrownBy(() -> client.resources().undoWanted(xid, new BranchId(9)))
                .isInstanceOf(TxnException.class)
                .hasMessageContaining("as much work waiting");
        assertThat(client.resources().undoWanted(xid, new BranchId(9))).isFalse();
    }

    @Test
    void branchCallsAreAnsweredOverTheWire() throws Exception {
        start();
        Recording resource = new Recording("db");
        client.resources().register(resource);
        coordinator.await(Message.RegisterRmRequest.class);
        CoordinatorDouble.Connection rm = coordinator.rm();
        Message.BranchCommitResponse committed = (Message.BranchCommitResponse)
                rm.ask(new Message.BranchCommitRequest("h:1:1", 9, BranchType.AT, "db", null))
                        .get(10, TimeUnit.SECONDS);
        assertThat(committed)
                .isEqualTo(new Message.BranchCommitResponse(
                        Outcome.SUCCESS, "h:1:1", 9, BranchStatus.PHASE_TWO_COMMITTED));
        Message.BranchRollbackResponse unknown = (Message.BranchRollbackResponse)
                rm.ask(new Message.BranchRollbackRequest("h:1:1", 9, BranchType.TCC, "db", null))
                        .get(10, TimeUnit.SECONDS);
        assertThat(unknown.status()).isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE);
        rm.oneWay(new Message.UndoLogDelete(BranchType.AT, "db", (short) 3));
        Await.until("told", MAX, () -> resource.calls.contains("delete 3"));
        assertThat(resource.calls.get(0)).isEqualTo("commit h:1:1 9 null");
    }

    @Test
    void reportsAreTriedAgainAndQuestionsAreNotGuessed() {
        start();
        client.resources().register(new Recording("db"));
        coordinator.on(Message.BranchReportRequest.class, silence(), drop());
        client.resources()
                .report(new Xid("h:1:1"), new BranchId(3), BranchType.AT, BranchStatus.PHASE_ONE_FAILED, "data");
        for (int i = 0; i < 3; i++) {
            Message.BranchReportRequest report = coordinator.await(Message.BranchReportRequest.class);
            assertThat(report.branchId()).isEqualTo(3);
            assertThat(report.status()).isEqualTo(BranchStatus.PHASE_ONE_FAILED);
        }
        coordinator.on(
                Message.BranchReportRequest.class,
                answer(new Message.BranchReportResponse(
                        Outcome.failed(TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_EXIST, "gone"))));
        assertThat(codeOf(catchThrowable(() -> client.resources()
                        .report(
                                new Xid("h:1:1"),
                                new BranchId(3),
                                BranchType.AT,
                                BranchStatus.PHASE_ONE_FAILED,
                                null))))
                .isEqualTo(ErrorCode.TRANSACTION_NOT_FOUND);

        assertThat(client.resources().lockable(null, "db", "t:1")).isTrue();
        coordinator.on(
                Message.GlobalLockQueryRequest.class,
                answer(new Message.GlobalLockQueryResponse(Outcome.SUCCESS, false)),
                answer(new Message.GlobalLockQueryResponse(
                        Outcome.failed(TransactionExceptionCode.LOCKABLE_CHECK_FAILED, "?"), true)));
        assertThat(client.resources().lockable(new Xid("h:1:1"), "db", "t:1")).isFalse();
        assertThat(codeOf(catchThrowable(() -> client.resources().lockable(null, "db", "t:1"))))
                .isEqualTo(ErrorCode.BRANCH_REFUSED);
    }

    @Test
    void aResourceIdWithAComma() {
        start();
        assertThat(codeOf(catchThrowable(() -> client.resources().register(new Recording("a,b")))))
                .isEqualTo(ErrorCode.BAD_CONFIGURATION);
    }

    @Test
    void manyThreadsShareTheConnections() throws Exception {
        start(options().withRequestTimeout(Duration.ofSeconds(20)));
        client.resources().register(new Recording("db"));
        ExecutorService threads = Executors.newFixedThreadPool(16);
        try {
            List<Future<Object>> done = threads.invokeAll(Collections.nCopies(200, () -> {
                try {
                    return client.transactions().execute(PURCHASE, () -> {
                        Xid xid = client.contexts().current().xid();
                        BranchId branch = client.resources().registerBranch(registration(xid.value(), "db"));
                        client.resources().phaseOneEnded(branch);
                        return branch;
                    });
                } catch (Throwable e) {
                    throw new AssertionError(e);
                }
            }));
            assertThat(done.stream().map(TxnClientIT::get).distinct().count()).isEqualTo(200);
            assertThat(coordinator.openConnections()).isEqualTo(2);
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void closingLetsWhatWasLaunchedEndAndBeginsNothingMore() throws Exception {
        start();
        CompletableFuture<Void> inside = new CompletableFuture<>();
        CompletableFuture<Void> goOn = new CompletableFuture<>();
        GlobalTransactionOptions inner =
                GlobalTransactionOptions.named("inner").withPropagation(Propagation.REQUIRES_NEW);
        CompletableFuture<String> launched =
                inBackground(() -> client.transactions().execute(PURCHASE, () -> {
                    inside.complete(null);
                    goOn.join();
                    return client.transactions().execute(inner, () -> "inner done");
                }));
        inside.join();
        CompletableFuture<Void> closed = inBackground(() -> {
            client.close();
            return null;
        });
        Await.until("no begin is taken", MAX, () -> String.valueOf(
                        catchThrowable(() -> client.transactions().execute(PURCHASE, () -> null)))
                .contains("this application is stopping"));
        assertThat(closed).isNotDone();
        goOn.complete(null);
        assertThat(launched.get(20, TimeUnit.SECONDS)).isEqualTo("inner done");
        closed.get(20, TimeUnit.SECONDS);
        String first = coordinator.await(Message.GlobalCommitRequest.class).xid();
        String second = coordinator.await(Message.GlobalCommitRequest.class).xid();
        assertThat(coordinator.status(first)).isEqualTo(GlobalStatus.COMMITTED);
        assertThat(coordinator.status(second)).isEqualTo(GlobalStatus.COMMITTED);
    }

    @Test
    void closingWaitsNoLongerThanItsTimeout() throws Exception {
        start(options().withShutdownTimeout(Duration.ofMillis(100)));
        CompletableFuture<Void> inside = new CompletableFuture<>();
        CompletableFuture<Void> goOn = new CompletableFuture<>();
        CompletableFuture<Object> launched =
                inBackground(() -> client.transactions().execute(PURCHASE, () -> {
                    inside.complete(null);
                    return goOn.join();
                }));
        inside.join();
        client.close();
        assertThat(launched).isNotDone();
        goOn.complete(null);
        assertThat(launched)
                .failsWithin(MAX)
                .withThrowableOfType(ExecutionException.class)
                .satisfies(e -> assertThat(codeOf(e.getCause())).isEqualTo(ErrorCode.OUTCOME_UNKNOWN));
    }

    private interface Work<T> {
        T run() throws Throwable;
    }

    private static <T> CompletableFuture<T> inBackground(Work<T> work) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                result.complete(work.run());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        thread.setDaemon(true);
        thread.start();
        return result;
    }

    @Test
    void closingEndsEveryThreadAndConnection() {
        start();
        client.resources().register(new Recording("db"));
        coordinator.await(Message.RegisterRmRequest.class);
        client.close();
        Await.until("closed", MAX, () -> coordinator.openConnections() == 0);
        Await.until("no thread of the client is left", MAX, () -> Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().startsWith("txn-client")
                        || thread.getName().startsWith("txn-branch")));
        assertThat(codeOf(catchThrowable(() -> client.transactions().execute(PURCHASE, () -> null))))
                .isEqualTo(ErrorCode.BEGIN_FAILED);
    }

    // Fixtures

    private static TxnClientOptions options() {
        return TxnClientOptions.of("shop")
                .withRequestTimeout(REQUEST_TIMEOUT)
                .withConnectWait(Duration.ofSeconds(5))
                .withDecisionWait(Duration.ofSeconds(3))
                .withReconnect(new Backoff(Duration.ofMillis(20), Duration.ofMillis(100)));
    }

    private void start() {
        start(options());
    }

    private void start(TxnClientOptions options) {
        InstantSource clock = () -> Instant.now().plus(clockAhead.get());
        client = TxnClient.start(
                options,
                AddressListLocator.of(List.of(coordinator.address())),
                new ContextCarrier(),
                inLocalTransaction::get,
                clock,
                new Random(11),
                Pause.REAL);
    }

    private static BranchRegistration registration(String xid, String resource) {
        return new BranchRegistration(new Xid(xid), BranchType.AT, resource, "t:1", null, null);
    }

    private static ErrorCode codeOf(Throwable thrown) {
        if (thrown instanceof TxnException e) {
            return e.code();
        }
        throw new AssertionError("not a TxnException: " + thrown, thrown);
    }

    private static Object get(Future<Object> future) {
        try {
            return future.get();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static class Recording implements BranchResource {

        private final String id;
        private final List<String> calls = new CopyOnWriteArrayList<>();

        Recording(String id) {
            this.id = id;
        }

        @Override
        public String resourceId() {
            return id;
        }

        @Override
        public BranchType branchType() {
            return BranchType.AT;
        }

        @Override
        public BranchResult commit(Branch branch) {
            record("commit", branch);
            return BranchResult.committed();
        }

        @Override
        public BranchResult rollback(Branch branch) {
            record("rollback", branch);
            return BranchResult.rolledBack();
        }

        @Override
        public void deleteUndoLog(int saveDays) {
            calls.add("delete " + saveDays);
        }

        private void record(String what, Branch branch) {
            calls.add(String.join(
                    " ",
                    Arrays.asList(
                            what,
                            branch.xid().value(),
                            branch.id().toString(),
                            String.valueOf(branch.applicationData()))));
        }
    }
}
