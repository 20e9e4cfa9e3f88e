package io.txn.test.carriers4;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.grpc.BindableService;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.TransactionContext;
import io.txn.coordinator.Coordinator;
import io.txn.coordinator.CoordinatorOptions;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.GlobalTransactional;
import io.txn.spring.propagation.ReactiveContexts;
import io.txn.test.Await;
import io.txn.test.Ports;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.apache.dubbo.config.ProtocolConfig;
import org.apache.dubbo.config.RegistryConfig;
import org.apache.dubbo.config.annotation.DubboReference;
import org.apache.dubbo.config.annotation.DubboService;
import org.apache.dubbo.config.spring.context.annotation.EnableDubbo;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.grpc.client.GrpcChannelFactory;
import org.springframework.grpc.server.exception.GrpcExceptionHandler;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;
import org.springframework.stereotype.Service;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.support.RestClientHttpServiceGroupConfigurer;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.support.WebClientHttpServiceGroupConfigurer;
import org.springframework.web.service.annotation.HttpExchange;
import org.springframework.web.service.annotation.PostExchange;
import org.springframework.web.service.registry.HttpServiceGroup;
import org.springframework.web.service.registry.ImportHttpServices;
import reactor.core.publisher.Mono;

/** WebFlux, gRPC as Spring gRPC sets it up, and Dubbo on the newest line: in, out, and marked. One application calls itself over real servers. */
@Timeout(180)
class CarriersIT {

    private static final Duration LONG = Duration.ofSeconds(60);
    private static final TestDatabase STOCK = TestDatabases.h2();
    private static final MethodDescriptor<String, String> TAKE = MethodDescriptor.<String, String>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName("Stock/take")
            .setRequestMarshaller(new Text())
            .setResponseMarshaller(new Text())
            .build();

    @TempDir
    static Path directory;

    private static Coordinator coordinator;
    private static ConfigurableApplicationContext application;

    @BeforeAll
    static void start() {
        STOCK.execute("CREATE TABLE taken (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(50))");
        coordinator = Coordinator.start(
                CoordinatorOptions.DEFAULTS.withListen("127.0.0.1", 0).withDataDir(directory));
        int web = Ports.free();
        int grpc = Ports.free();
        application = new SpringApplicationBuilder(Shop.class)
                .web(WebApplicationType.REACTIVE)
                .properties(
                        "server.port=" + web,
                        "server.address=127.0.0.1",
                        "port.web=" + web,
                        "port.dubbo=" + Ports.free(),
                        "spring.grpc.server.address=127.0.0.1",
                        "spring.grpc.server.port=" + grpc,
                        "spring.grpc.client.channel.stock.target=static://127.0.0.1:" + grpc,
                        "dubbo.application.name=shop",
                        "dubbo.application.qos-enable=false",
                        "dubbo.application.serialize-check-status=DISABLE",
                        "spring.main.banner-mode=off",
                        "spring.application.name=shop",
                        "logging.level.root=warn",
                        "spring.datasource.url=" + STOCK.jdbcUrl(),
                        "spring.datasource.username=" + STOCK.user(),
                        "spring.datasource.password=" + STOCK.password(),
                        "txn.coordinator.address=127.0.0.1:" + coordinator.tcpPort())
                .run();
    }

    @AfterAll
    static void stop() {
        application.close();
        coordinator.close();
    }

    private static <T> T global(String name, GlobalTransactionTemplate.Callback<T> work) throws Throwable {
        return application
                .getBean(GlobalTransactionTemplate.class)
                .execute(GlobalTransactionOptions.named(name).withTimeout(LONG), work);
    }

    private static int taken(String text) {
        return new JdbcTemplate(STOCK.dataSource())
                .queryForObject("SELECT COUNT(*) FROM taken WHERE text = ?", Integer.class, text);
    }

    private static String call(String via, String text) {
        return switch (via) {
            case "webflux" -> application.getBean(Shopping.class).post(text).block(LONG);
            case "rest-group" -> application.getBean(OverRestClient.class).take(text);
            case "web-group" ->
                application.getBean(OverWebClient.class).take(text).block(LONG);
            case "grpc" ->
                ClientCalls.blockingUnaryCall(
                        application.getBean(GrpcChannelFactory.class).createChannel("stock"),
                        TAKE,
                        CallOptions.DEFAULT,
                        text);
            default -> application.getBean(Client.class).stock.take(text);
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"webflux", "grpc", "dubbo", "rest-group", "web-group"})
    void theXidArrivesAndWhatWasDoneIsKeptOrUndoneWithIt(String via) throws Throwable {
        String kept = "kept-" + via;
        String xid = global(kept, () -> {
            assertThat(call(via, kept)).isEqualTo(own() + " PARTICIPANT");
            return own();
        });
        assertThat(xid).isNotEmpty();
        assertThat(taken(kept)).isEqualTo(1);
        String undone = "undone-" + via;
        IllegalStateException changedMind = new IllegalStateException();
        assertThat(catchThrowable(() -> global(undone, () -> {
                    assertThat(call(via, undone)).endsWith(" PARTICIPANT");
                    throw changedMind;
                })))
                .isSameAs(changedMind);
        Await.until("it is undone", LONG, () -> taken(undone) == 0);
        assertThat(call(via, "outside-" + via)).as("unbound afterwards").isEqualTo("none");
    }

    @ParameterizedTest
    @ValueSource(strings = {"webflux", "grpc", "dubbo", "rest-group", "web-group"})
    void aFailureThatTheCallerSwallowsRollsBackIfItLeftSomethingBehind(String via) {
        String half = "half-" + via;
        assertThat(catchThrowable(() -> global(half, () -> catchThrowable(() -> call(via, half)))))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ROLLED_BACK_ONLY))
                .hasMessageContaining("the second half failed");
        Await.until("it is undone", LONG, () -> taken(half) == 0);
    }

    @Test
    void anApplicationsOwnHandlerStillSaysWithWhatStatusACallFails() {
        String half = "half-status";
        AtomicReference<Throwable> failure = new AtomicReference<>();
        assertThat(catchThrowable(() -> global(half, () -> {
                    failure.set(catchThrowable(() -> call("grpc", half)));
                    return null;
                })))
                .isInstanceOf(TxnException.class)
                .hasMessageContaining("the second half failed");
        assertThat(Status.fromThrowable(failure.get()).getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
        Await.until("it is undone", LONG, () -> taken(half) == 0);
    }

    @Test
    void aMonoIsAGlobalTransaction() {
        assertThat(application.getBean(Shopping.class).buy("mono").block(LONG)).endsWith(" PARTICIPANT");
        assertThat(taken("mono")).isEqualTo(1);
        assertThat(catchThrowable(() ->
                        application.getBean(Shopping.class).fail("mono-undone").block(LONG)))
                .isInstanceOf(ArithmeticException.class);
        Await.until("it is undone", LONG, () -> taken("mono-undone") == 0);
    }

    private static String own() {
        return application.getBean(ContextCarrier.class).current().xid().value();
    }

    @Service
    static class Shopping {

        private final WebClient client;
        private final String url;

        Shopping(WebClient.Builder client, @Value("${port.web}") int port) {
            this.client = client.build();
            this.url = "http://127.0.0.1:" + port + "/take/";
        }

        Mono<String> post(String text) {
            return client.post().uri(url + text).retrieve().bodyToMono(String.class);
        }

        @GlobalTransactional(name = "mono")
        public Mono<String> buy(String text) {
            return post(text);
        }

        @GlobalTransactional(name = "mono-undone")
        public Mono<String> fail(String text) {
            return post(text).then(Mono.error(new ArithmeticException("changed its mind")));
        }
    }

    /** Of a group of HTTP interfaces; nothing of Spring Boot's is here that would customize its client. */
    @HttpExchange
    public interface OverRestClient {
        @PostExchange("/take/{text}")
        String take(@PathVariable("text") String text);
    }

    /** The same over the other client. */
    @HttpExchange
    public interface OverWebClient {
        @PostExchange("/take/{text}")
        Mono<String> take(@PathVariable("text") String text);
    }

    /** What is done with stock, however it is called. */
    @Service
    static class Stock {

        private final JdbcTemplate jdbc;

        Stock(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        String take(String text, TransactionContext context) {
            jdbc.update("INSERT INTO taken (text) VALUES (?)", text);
            if (text.startsWith("half")) {
                throw new IllegalStateException("the second half failed");
            }
            return context == null ? "none" : context.xid() + " " + context.role();
        }
    }

    @RestController
    static class Web {

        private final Stock stock;
        private final ReactiveContexts contexts;

        Web(Stock stock, ReactiveContexts contexts) {
            this.stock = stock;
            this.contexts = contexts;
        }

        @PostMapping("/take/{text}")
        Mono<String> take(@PathVariable("text") String text) {
            return Mono.deferContextual(view -> {
                TransactionContext context = contexts.of(view);
                return contexts.blocking(() -> stock.take(text, context));
            });
        }
    }

    /** The service of gRPC, which Spring finds by its type. */
    @Component
    static class Grpc implements BindableService {

        private final Function<String, String> take;

        Grpc(Stock stock, ContextCarrier contexts) {
            this.take = text -> stock.take(text, contexts.current());
        }

        @Override
        public ServerServiceDefinition bindService() {
            return ServerServiceDefinition.builder("Stock")
                    .addMethod(TAKE, ServerCalls.asyncUnaryCall((text, answers) -> {
                        answers.onNext(take.apply(text));
                        answers.onCompleted();
                    }))
                    .build();
        }
    }

    /** The service of Dubbo. */
    public interface StockService {
        String take(String text);
    }

    @DubboService
    static class DubboStock implements StockService {

        private final Stock stock;
        private final ContextCarrier contexts;

        DubboStock(Stock stock, ContextCarrier contexts) {
            this.stock = stock;
            this.contexts = contexts;
        }

        @Override
        public String take(String text) {
            return stock.take(text, contexts.current());
        }
    }

    @Component
    static class Client {

        @DubboReference(url = "dubbo://127.0.0.1:${port.dubbo}", scope = "remote", retries = 0, timeout = 50_000)
        StockService stock;
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
    @EnableDubbo(scanBasePackageClasses = CarriersIT.class)
    @Import({Shopping.class, Stock.class, Web.class, Grpc.class, Client.class})
    @ImportHttpServices(
            group = "rest",
            types = OverRestClient.class,
            clientType = HttpServiceGroup.ClientType.REST_CLIENT)
    @ImportHttpServices(group = "web", types = OverWebClient.class, clientType = HttpServiceGroup.ClientType.WEB_CLIENT)
    static class Shop {

        @Bean
        RestClientHttpServiceGroupConfigurer restGroup(@Value("${port.web}") int port) {
            return groups -> groups.forEachClient((group, client) -> client.baseUrl("http://127.0.0.1:" + port));
        }

        @Bean
        WebClientHttpServiceGroupConfigurer webGroup(@Value("${port.web}") int port) {
            return groups -> groups.forEachClient((group, client) -> client.baseUrl("http://127.0.0.1:" + port));
        }

        @Bean
        GrpcExceptionHandler statuses() {
            return failure -> Status.FAILED_PRECONDITION
                    .withDescription(failure.getMessage())
                    .withCause(failure)
                    .asException();
        }

        @Bean
        RegistryConfig none() {
            return new RegistryConfig(RegistryConfig.NO_AVAILABLE);
        }

        @Bean
        ProtocolConfig overDubbo(@Value("${port.dubbo}") int port) {
            ProtocolConfig protocol = new ProtocolConfig("dubbo", port);
            protocol.setHost("127.0.0.1");
            return protocol;
        }
    }
}
