package io.txn.test.carriers;

import static io.txn.test.carriers.TheCoordinator.LONG;
import static io.txn.test.carriers.TheCoordinator.ended;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.TransactionContext;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.propagation.Carriers;
import io.txn.spring.propagation.XidClientInterceptor;
import io.txn.spring.propagation.XidServerInterceptor;
import io.txn.test.Await;
import io.txn.test.Ports;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;

/** Global transactions over a real server and a real channel of gRPC. */
@Timeout(180)
class GrpcIT {

    private static final MethodDescriptor<String, String> TAKE =
            method("take", MethodDescriptor.MethodType.UNARY, false);
    private static final MethodDescriptor<String, String> LOOK =
            method("look", MethodDescriptor.MethodType.UNARY, true);
    private static final MethodDescriptor<String, String> MANY =
            method("many", MethodDescriptor.MethodType.SERVER_STREAMING, false);

    private static final TestDatabase STOCK = TestDatabases.h2();
    private static final AtomicReference<Metadata> SEEN = new AtomicReference<>();
    private static final AtomicInteger WAITING = new AtomicInteger();
    private static volatile CountDownLatch goOn = new CountDownLatch(1);
    private static ConfigurableApplicationContext application;
    private static Server server;
    private static ManagedChannel plain;
    private static Channel channel;

    private static Metadata.Key<String> key(String name) {
        return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
    }

    private static MethodDescriptor<String, String> method(
            String name, MethodDescriptor.MethodType type, boolean safe) {
        return MethodDescriptor.<String, String>newBuilder()
                .setType(type)
                .setFullMethodName("Stock/" + name)
                .setSafe(safe)
                .setRequestMarshaller(new Text())
                .setResponseMarshaller(new Text())
                .build();
    }

    @BeforeAll
    static void start() throws IOException {
        STOCK.execute("CREATE TABLE taken (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(50))");
        application = TheCoordinator.run(
                Shop.class,
                WebApplicationType.NONE,
                "spring.datasource.url=" + STOCK.jdbcUrl(),
                "spring.datasource.username=" + STOCK.user(),
                "spring.datasource.password=" + STOCK.password());
        Stock stock = new Stock(application.getBean(JdbcTemplate.class), application.getBean(ContextCarrier.class));
        server = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
                .addService(ServerServiceDefinition.builder("Stock")
                        .addMethod(TAKE, ServerCalls.asyncUnaryCall(stock::take))
                        .addMethod(LOOK, ServerCalls.asyncUnaryCall(stock::take))
                        .addMethod(MANY, ServerCalls.asyncServerStreamingCall(stock::many))
                        .build())
                // The last one added is the outermost.
                .intercept(application.getBean(XidServerInterceptor.class))
                .intercept(new Watching())
                .build()
                .start();
        plain = NettyChannelBuilder.forAddress(new InetSocketAddress("127.0.0.1", server.getPort()))
                .usePlaintext()
                .build();
        channel = ClientInterceptors.intercept(plain, application.getBean(XidClientInterceptor.class));
    }

    @AfterAll
    static void stop() throws InterruptedException {
        goOn.countDown();
        plain.shutdownNow();
        server.shutdownNow().awaitTermination(LONG.toSeconds(), TimeUnit.SECONDS);
        application.close();
    }

    private static <T> T global(String name, Duration timeout, GlobalTransactionTemplate.Callback<T> work)
            throws Throwable {
        return application
                .getBean(GlobalTransactionTemplate.class)
                .execute(GlobalTransactionOptions.named(name).withTimeout(timeout), work);
    }

    private static String call(MethodDescriptor<String, String> method, String request) {
        return ClientCalls.blockingUnaryCall(channel, method, CallOptions.DEFAULT, request);
    }

    private static int taken(String text) {
        return new JdbcTemplate(STOCK.dataSource())
                .queryForObject("SELECT COUNT(*) FROM taken WHERE text = ?", Integer.class, text);
    }

    @Test
    void theXidArrivesAndWhatWasDoneIsUndoneWithIt() {
        IllegalStateException changedMind = new IllegalStateException();
        assertThat(catchThrowable(() -> global("grpc-undone", LONG, () -> {
                    String own = application
                            .getBean(ContextCarrier.class)
                            .current()
                            .xid()
                            .value();
                    assertThat(call(TAKE, "insert grpc-undone")).isEqualTo(own + " PARTICIPANT");
                    throw changedMind;
                })))
                .isSameAs(changedMind);
        assertThat(ended("grpc-undone").state()).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(taken("grpc-undone")).isZero();
        assertThat(call(TAKE, "nothing")).as("unbound afterwards").isEqualTo("none");
        assertThat(SEEN.get().containsKey(key("tx_xid"))).isFalse();
    }

    @Test
    void aStreamWorksInTheTransactionFromItsFirstMessageToItsLast() throws Throwable {
        List<String> answers = new ArrayList<>();
        global("grpc-stream", LONG, () -> {
            ClientCalls.blockingServerStreamingCall(channel, MANY, CallOptions.DEFAULT, "grpc-stream")
                    .forEachRemaining(answers::add);
            return "";
        });
        assertThat(answers).hasSize(3).allMatch(answer -> answer.endsWith(" PARTICIPANT"));
        assertThat(ended("grpc-stream").state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(taken("grpc-stream")).isEqualTo(3);
    }

    @Test
    void aFailureThatTheCallerSwallowsRollsBackIfItLeftSomethingBehind() throws Throwable {
        for (String how : List.of("throw", "status")) {
            String name = "grpc-half-" + how;
            Throwable thrown = catchThrowable(() -> global(name, LONG, () -> {
                assertThat(catchThrowable(() -> call(TAKE, "insert-" + how + " " + name)))
                        .isInstanceOf(StatusRuntimeException.class);
                return "";
            }));
            assertThat(thrown)
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ROLLED_BACK_ONLY))
                    .hasMessageContaining("Stock/take")
                    .hasMessageContaining("the second half failed");
            assertThat(ended(name).cause()).contains("Stock/take");
            assertThat(taken(name)).isZero();
        }
        global("grpc-nothing", LONG, () -> {
            catchThrowable(() -> call(TAKE, "throw nothing"));
            return call(TAKE, "insert grpc-nothing");
        });
        assertThat(ended("grpc-nothing").state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(taken("grpc-nothing")).isEqualTo(1);
    }

    @Test
    void aFailureMarksAlsoWhenWhatWasHandedOverIsKeptAfterIt() {
        for (String how : List.of("throw", "status")) {
            String name = "grpc-behind-" + how;
            Throwable thrown = catchThrowable(() -> global(name, LONG, () -> {
                assertThat(catchThrowable(() -> call(TAKE, "behind-" + how + " " + name)))
                        .isInstanceOf(StatusRuntimeException.class);
                return "";
            }));
            assertThat(thrown)
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ROLLED_BACK_ONLY))
                    .hasMessageContaining("the second half failed");
            assertThat(ended(name).cause()).contains("Stock/take");
            assertThat(taken(name)).isZero();
        }
    }

    @Test
    void aCallUnderWayEndsWithTheTransactionAndMarksUnlessItOnlyReads() throws Throwable {
        goOn = new CountDownLatch(1);
        Instant began = Instant.now();
        Throwable thrown = catchThrowable(() -> global("grpc-slow", Duration.ofSeconds(3), () -> call(TAKE, "wait")));
        assertThat(Duration.between(began, Instant.now())).isLessThan(LONG);
        assertThat(thrown).isInstanceOf(StatusRuntimeException.class).hasMessageContaining("DEADLINE_EXCEEDED");
        CallOptions impatient = CallOptions.DEFAULT.withDeadlineAfter(200, TimeUnit.MILLISECONDS);
        assertThat(catchThrowable(() -> global("grpc-impatient", LONG, () -> {
                    catchThrowable(() -> ClientCalls.blockingUnaryCall(channel, TAKE, impatient, "wait"));
                    return "";
                })))
                .hasMessageContaining("no answer to CALL Stock/take");
        CallOptions impatientToo = CallOptions.DEFAULT.withDeadlineAfter(200, TimeUnit.MILLISECONDS);
        global("grpc-look", LONG, () -> {
            catchThrowable(() -> ClientCalls.blockingUnaryCall(channel, LOOK, impatientToo, "wait"));
            return "";
        });
        goOn.countDown();
        assertThat(ended("grpc-look").state()).isEqualTo(TransactionState.COMMITTED);
    }

    @Test
    void whoIsNotThereDidNothing() throws Throwable {
        ManagedChannel nowhere = NettyChannelBuilder.forAddress(new InetSocketAddress("127.0.0.1", Ports.free()))
                .usePlaintext()
                .build();
        try {
            Channel carrying = ClientInterceptors.intercept(nowhere, application.getBean(XidClientInterceptor.class));
            global("grpc-nobody", LONG, () -> {
                assertThat(catchThrowable(
                                () -> ClientCalls.blockingUnaryCall(carrying, TAKE, CallOptions.DEFAULT, "insert x")))
                        .isInstanceOf(StatusRuntimeException.class);
                return "";
            });
        } finally {
            nowhere.shutdownNow();
        }
        assertThat(ended("grpc-nobody").state()).isEqualTo(TransactionState.COMMITTED);
    }

    @Test
    void aCallWhoseAnswerNobodyAwaitsIsAwaitedByTheCommit() throws Throwable {
        goOn = new CountDownLatch(1);
        int before = WAITING.get();
        Thread commits = new Thread(() -> catchThrowable(() -> global("grpc-async", LONG, () -> {
            ClientCalls.futureUnaryCall(channel.newCall(TAKE, CallOptions.DEFAULT), "wait-insert grpc-async");
            return "";
        })));
        commits.start();
        Await.until("the service is at work", LONG, () -> WAITING.get() == before + 1);
        assertThat(TheCoordinator.transaction("grpc-async").state()).isEqualTo(TransactionState.ACTIVE);
        goOn.countDown();
        commits.join(LONG.toMillis());
        assertThat(ended("grpc-async").state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(taken("grpc-async")).isEqualTo(1);
    }

    @Test
    void theAnswerWaitsForWhatWasHandedToOtherThreads() throws Throwable {
        goOn = new CountDownLatch(1);
        int before = WAITING.get();
        Thread commits = new Thread(() -> catchThrowable(() -> global("grpc-child", LONG, () -> {
            assertThat(call(TAKE, "child grpc-child")).endsWith("PARTICIPANT");
            return "";
        })));
        commits.start();
        Await.until("the child is at work", LONG, () -> WAITING.get() == before + 1);
        commits.join(300);
        assertThat(commits.isAlive()).isTrue();
        goOn.countDown();
        commits.join(LONG.toMillis());
        assertThat(ended("grpc-child").state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(taken("grpc-child")).isEqualTo(1);
    }

    @Test
    void aMarkFromFurtherDownIsToldBeforeTheAnswer() {
        goOn = new CountDownLatch(1);
        Throwable thrown = catchThrowable(() -> global("grpc-below", LONG, () -> {
            assertThat(call(TAKE, "below x")).endsWith("PARTICIPANT");
            // While it is open, so that a caller that reads no trailers is stopped as well.
            assertThat(TheCoordinator.transaction("grpc-below").cause()).contains("no answer to CALL Stock/take");
            return "";
        }));
        goOn.countDown();
        assertThat(thrown).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                .isEqualTo(ErrorCode.ROLLED_BACK_ONLY));
    }

    @Test
    void metadataAreThoseThatSeatasInterceptorsReadAndWrite() throws Throwable {
        String own = global("grpc-seata", LONG, () -> {
            call(TAKE, "nothing");
            return application.getBean(ContextCarrier.class).current().xid().value();
        });
        assertThat(SEEN.get().get(key("tx_xid"))).isEqualTo(own);
        assertThat(SEEN.get().get(key("tx_branch_type"))).isEqualTo("AT");
        // What a Seata client sends, and nothing besides.
        Metadata theirs = new Metadata();
        theirs.put(key("TX_XID"), "10.0.0.1:8091:5");
        theirs.put(key("TX_BRANCH_TYPE"), "AT");
        Channel seata = ClientInterceptors.intercept(plain, MetadataUtils.newAttachHeadersInterceptor(theirs));
        assertThat(ClientCalls.blockingUnaryCall(seata, TAKE, CallOptions.DEFAULT, "nothing"))
                .isEqualTo("10.0.0.1:8091:5 PARTICIPANT");
    }

    @Test
    void theTableOfCarriersNamesIt() {
        assertThat(application.getBean(Carriers.class).table()).contains("gRPC calls", "gRPC services");
    }

    /** What is done with stock. */
    private record Stock(JdbcTemplate jdbc, ContextCarrier contexts) {

        private String who() {
            TransactionContext context = contexts.current();
            return context == null ? "none" : context.xid() + " " + context.role();
        }

        void take(String request, StreamObserver<String> answers) {
            String[] words = request.split(" ");
            if (words[0].startsWith("wait")) {
                awaitGoOn();
            }
            if (words[0].equals("child")) {
                contexts.wrap(task -> new Thread(task).start()).execute(() -> {
                    awaitGoOn();
                    jdbc.update("INSERT INTO taken (text) VALUES (?)", words[1]);
                });
            }
            if (words[0].startsWith("behind")) {
                Thread handler = Thread.currentThread();
                contexts.wrap(task -> new Thread(task).start()).execute(() -> {
                    awaitWaiting(handler);
                    jdbc.update("INSERT INTO taken (text) VALUES (?)", words[1]);
                });
            }
            if (words[0].equals("below")) {
                CallOptions impatient = CallOptions.DEFAULT.withDeadlineAfter(200, TimeUnit.MILLISECONDS);
                catchThrowable(() -> ClientCalls.blockingUnaryCall(channel, TAKE, impatient, "wait"));
            }
            if (words[0].contains("insert")) {
                jdbc.update("INSERT INTO taken (text) VALUES (?)", words[1]);
            }
            if (words[0].endsWith("throw")) {
                throw new IllegalStateException("the second half failed");
            }
            if (words[0].endsWith("status")) {
                answers.onError(Status.FAILED_PRECONDITION
                        .withDescription("the second half failed")
                        .asRuntimeException());
                return;
            }
            answers.onNext(who());
            answers.onCompleted();
        }

        void many(String request, StreamObserver<String> answers) {
            for (int message = 0; message < 3; message++) {
                jdbc.update("INSERT INTO taken (text) VALUES (?)", request);
                answers.onNext(who());
            }
            answers.onCompleted();
        }

        /** When the failure has left the handler, and what it answers waits for this. */
        private static void awaitWaiting(Thread handler) {
            Await.until("the answer waits", LONG, () -> Stream.of(handler.getStackTrace())
                    .anyMatch(frame -> frame.getMethodName().equals("awaitChildren")));
        }

        private static void awaitGoOn() {
            WAITING.incrementAndGet();
            try {
                if (!goOn.await(LONG.toSeconds(), TimeUnit.SECONDS)) {
                    throw new AssertionError("nobody let it go");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Keeps what arrived last. */
    private static final class Watching implements ServerInterceptor {

        @Override
        public <Q, R> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
            SEEN.set(headers);
            return next.startCall(call, headers);
        }
    }

    /** Messages are texts. */
    private static final class Text implements MethodDescriptor.Marshaller<String> {

        @Override
        public InputStream stream(String value) {
            return new ByteArrayInputStream(value.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String parse(InputStream stream) {
            try {
                return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Shop {}
}
