package io.txn.test.carriers;

import static io.txn.test.carriers.TheCoordinator.LONG;
import static io.txn.test.carriers.TheCoordinator.ended;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import feign.Client;
import feign.hc5.ApacheHttp5Client;
import feign.okhttp.OkHttpClient;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.timelimiter.TimeLimiterConfig;
import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.Participation;
import io.txn.client.TransactionContext;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.propagation.Carriers;
import io.txn.spring.propagation.RequestFactories;
import io.txn.test.Await;
import io.txn.test.Ports;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.web.servlet.context.ServletWebServerApplicationContext;
import org.springframework.cloud.circuitbreaker.resilience4j.Resilience4JCircuitBreakerFactory;
import org.springframework.cloud.circuitbreaker.resilience4j.Resilience4JConfigBuilder;
import org.springframework.cloud.client.circuitbreaker.CircuitBreakerFactory;
import org.springframework.cloud.client.circuitbreaker.Customizer;
import org.springframework.cloud.client.loadbalancer.LoadBalanced;
import org.springframework.cloud.openfeign.EnableFeignClients;
import org.springframework.cloud.openfeign.FeignClient;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.http.client.HttpComponentsClientHttpRequestFactory;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.client.SimpleClientHttpRequestFactory;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.client.support.RestClientAdapter;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.support.WebClientAdapter;
import org.springframework.web.service.annotation.HttpExchange;
import org.springframework.web.service.annotation.PostExchange;
import org.springframework.web.service.invoker.HttpServiceProxyFactory;

/** Each client of HTTP that blocks, behind Feign and behind Spring's own, and circuit breakers, against Tomcat. */
@Timeout(240)
class ClientsIT {

    private static final TestDatabase STOCK = TestDatabases.h2();
    private static final List<String> CLIENTS = List.of(
            "feign-default",
            "feign-hc5",
            "feign-okhttp",
            "feign-balanced",
            "template-apache",
            "template-jdk",
            "template-simple",
            "rest-client-apache",
            "rest-client-jdk",
            "rest-client-simple",
            "rest-client-created",
            "interface-rest-client",
            "interface-web-client");
    private static volatile CountDownLatch goOn = new CountDownLatch(1);
    private static ServletWebServerApplicationContext application;

    @BeforeAll
    static void start() {
        STOCK.execute("CREATE TABLE taken (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(50))");
        int port = Ports.free();
        application = (ServletWebServerApplicationContext) TheCoordinator.run(
                Shop.class,
                WebApplicationType.SERVLET,
                "server.port=" + port,
                "stock.url=http://127.0.0.1:" + port,
                "spring.cloud.discovery.client.simple.instances.stock[0].uri=http://127.0.0.1:" + port,
                "spring.cloud.openfeign.circuitbreaker.enabled=true",
                "spring.datasource.url=" + STOCK.jdbcUrl(),
                "spring.datasource.username=" + STOCK.user(),
                "spring.datasource.password=" + STOCK.password());
    }

    @AfterAll
    static void stop() {
        goOn.countDown();
        application.close();
    }

    private static <T> T global(String name, Duration timeout, GlobalTransactionTemplate.Callback<T> work)
            throws Throwable {
        return application
                .getBean(GlobalTransactionTemplate.class)
                .execute(GlobalTransactionOptions.named(name).withTimeout(timeout), work);
    }

    private static String post(String via, String what) {
        String url = application.getEnvironment().getProperty("stock.url") + "/take/" + what;
        return switch (via) {
            case "feign-default" -> application.getBean(FeignDefault.class).take(what);
            case "feign-hc5" -> application.getBean(FeignHc5.class).take(what);
            case "feign-okhttp" -> application.getBean(FeignOkHttp.class).take(what);
            case "feign-balanced" -> application.getBean(FeignBalanced.class).take(what);
            case "interface-rest-client", "interface-web-client" ->
                application.getBean(via, StockInterface.class).take(what);
            case "rest-client-apache", "rest-client-jdk", "rest-client-simple" ->
                application
                        .getBean(via, RestClient.Builder.class)
                        .build()
                        .post()
                        .uri(url)
                        .retrieve()
                        .body(String.class);
            case "rest-client-created" ->
                application
                        .getBean(via, RestClient.class)
                        .post()
                        .uri(url)
                        .retrieve()
                        .body(String.class);
            default -> application.getBean(via, RestTemplate.class).postForObject(url, null, String.class);
        };
    }

    private static int taken(String text) {
        return new JdbcTemplate(STOCK.dataSource())
                .queryForObject("SELECT COUNT(*) FROM taken WHERE text = ?", Integer.class, text);
    }

    private static String own() {
        return application.getBean(ContextCarrier.class).current().xid().value();
    }

    private static void assertRolledBackOnly(Throwable thrown, String name, String part) {
        assertThat(thrown)
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ROLLED_BACK_ONLY))
                .hasMessageContaining(part);
        assertThat(ended(name).state()).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(taken(name)).isZero();
    }

    // Feign with a circuit breaker around it, and so on a thread of its own

    @ParameterizedTest
    @FieldSource("CLIENTS")
    void theXidArrivesAndWhatWasDoneIsUndoneWithIt(String via) {
        String name = "undone-" + via;
        IllegalStateException changedMind = new IllegalStateException();
        assertThat(catchThrowable(() -> global(name, LONG, () -> {
                    assertThat(post(via, name)).isEqualTo(own() + " PARTICIPANT");
                    throw changedMind;
                })))
                .isSameAs(changedMind);
        assertThat(ended(name).state()).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(taken(name)).isZero();
    }

    /** It would hold on to the last request, and to whatever its class loader holds. */
    @ParameterizedTest
    @ValueSource(strings = {"template-apache", "rest-client-apache"})
    void aCallOutsideOfTransactionsLeavesNothingBehindOnItsThread(String via) {
        assertThat(post(via, "outside")).isEqualTo("none");
        assertThat(application.getBean(RequestFactories.class).cancellation()).isNull();
    }

    @Test
    void aCallUnderWayEndsWithTheTransaction() throws Exception {
        goOn = new CountDownLatch(1);
        Instant began = Instant.now();
        Map<String, CompletableFuture<Boolean>> ends = new LinkedHashMap<>();
        for (String via : CLIENTS) {
            ends.put(via, new CompletableFuture<>());
            new Thread(() -> {
                        Throwable thrown = catchThrowable(
                                () -> global("slow-" + via, Duration.ofSeconds(3), () -> post(via, "slow")));
                        // Nothing is left of the alarm.
                        ends.get(via).complete(thrown != null && !Thread.interrupted());
                    })
                    .start();
        }
        for (String via : CLIENTS) {
            assertThat(ends.get(via).get(LONG.toSeconds(), TimeUnit.SECONDS))
                    .as(via)
                    .isTrue();
        }
        assertThat(Duration.between(began, Instant.now())).isLessThan(LONG);
        goOn.countDown();
        for (String via : CLIENTS) {
            assertThat(ended("slow-" + via).state()).as(via).isEqualTo(TransactionState.ROLLED_BACK);
        }
    }

    // Answers that do not come to their end

    private static final List<String> EVERYWHERE = List.of(
            "feign-default",
            "feign-hc5",
            "feign-okhttp",
            "template-apache",
            "template-jdk",
            "template-simple",
            "rest-client-apache",
            "rest-client-jdk",
            "rest-client-simple",
            "web-client");

    /** A call to somewhere else than the service. */
    private static String postTo(String url, String via, String what) {
        return switch (via) {
            case "feign-default" -> application.getBean(FeignDefault.class).takeAt(URI.create(url), what);
            case "feign-hc5" -> application.getBean(FeignHc5.class).takeAt(URI.create(url), what);
            case "feign-okhttp" -> application.getBean(FeignOkHttp.class).takeAt(URI.create(url), what);
            case "rest-client-apache", "rest-client-jdk", "rest-client-simple" ->
                application
                        .getBean(via, RestClient.Builder.class)
                        .build()
                        .post()
                        .uri(url + "/take/" + what)
                        .retrieve()
                        .body(String.class);
            case "web-client" ->
                application
                        .getBean(via, WebClient.Builder.class)
                        .build()
                        .post()
                        .uri(url + "/take/" + what)
                        .retrieve()
                        .bodyToMono(String.class)
                        .block();
            default ->
                application.getBean(via, RestTemplate.class).postForObject(url + "/take/" + what, null, String.class);
        };
    }

    @Test
    void aBodyThatDripsOrStandsStillEndsWithTheTransaction() throws Exception {
        try (DrippingServer server = new DrippingServer()) {
            String url = "http://127.0.0.1:" + server.port();
            Map<String, CompletableFuture<Boolean>> ends = new LinkedHashMap<>();
            for (String via : EVERYWHERE) {
                for (String how : List.of("drips", "stands-still", "falters")) {
                    String name = how + '-' + via;
                    ends.put(name, new CompletableFuture<>());
                    new Thread(() -> {
                                Throwable thrown = catchThrowable(
                                        () -> global(name, Duration.ofSeconds(2), () -> postTo(url, via, how)));
                                ends.get(name).complete(thrown != null && !Thread.interrupted());
                            })
                            .start();
                }
            }
            for (Map.Entry<String, CompletableFuture<Boolean>> end : ends.entrySet()) {
                assertThat(end.getValue())
                        .as(end.getKey())
                        .succeedsWithin(Duration.ofSeconds(40))
                        .isEqualTo(true);
                assertThat(ended(end.getKey()).state()).as(end.getKey()).isEqualTo(TransactionState.ROLLED_BACK);
            }
        }
    }

    @ParameterizedTest
    @FieldSource("EVERYWHERE")
    void aBodyThatBreaksOffMarks(String via) throws Exception {
        try (DrippingServer server = new DrippingServer()) {
            Throwable thrown = catchThrowable(() -> global("broke-off-" + via, LONG, () -> {
                catchThrowable(() -> postTo("http://127.0.0.1:" + server.port(), via, "breaks-off"));
                return "";
            }));
            assertThat(thrown)
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ROLLED_BACK_ONLY))
                    .hasMessageContaining("broke off");
        }
    }

    // Calls that reached nobody

    @ParameterizedTest
    @FieldSource("EVERYWHERE")
    void whoRefusesConnectionsOrHasNoAddressDidNothing(String via) throws Throwable {
        String refusing = "http://127.0.0.1:" + Ports.free();
        global("refused-" + via, LONG, () -> {
            for (String url : List.of(refusing, "http://nobody.invalid")) {
                catchThrowable(() -> postTo(url, via, "x"));
                assertNothingKept(via + " to " + url);
            }
            return "";
        });
        assertThat(ended("refused-" + via).state()).isEqualTo(TransactionState.COMMITTED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"feign", "balanced-template", "balanced-rest-client", "balanced-web-client"})
    void whomTheLoadBalancerDoesNotFindDidNothing(String via) throws Throwable {
        global("no-instance-" + via, LONG, () -> {
            assertThat(catchThrowable(() -> {
                        switch (via) {
                            case "feign" ->
                                application.getBean(FeignNobody.class).take("x");
                            case "balanced-template" ->
                                application
                                        .getBean(via, RestTemplate.class)
                                        .postForObject("http://nobody/take/x", null, String.class);
                            case "balanced-rest-client" ->
                                application
                                        .getBean(via, RestClient.Builder.class)
                                        .build()
                                        .post()
                                        .uri("http://nobody/take/x")
                                        .retrieve()
                                        .body(String.class);
                            default ->
                                application
                                        .getBean(via, WebClient.Builder.class)
                                        .build()
                                        .post()
                                        .uri("http://nobody/take/x")
                                        .retrieve()
                                        .bodyToMono(String.class)
                                        .block();
                        }
                    }))
                    .isNotNull();
            assertNothingKept(via);
            return "";
        });
    }

    private static void assertNothingKept(String via) {
        Participation participation =
                application.getBean(ContextCarrier.class).current().participation();
        assertThat(participation.hasWorked()).as(via).isFalse();
        assertThat(participation.mark()).as(via).isNull();
    }

    // Fallbacks

    @ParameterizedTest
    @ValueSource(strings = {"feign-default", "feign-balanced"})
    void aFallbackOfFeignDoesNotHideWhatFailedFurtherDown(String via) {
        String name = "half-" + via;
        Throwable thrown = catchThrowable(() -> global(name, LONG, () -> {
            assertThat(post(via, name)).isEqualTo("fallback");
            return "";
        }));
        assertRolledBackOnly(thrown, name, "Stock.take");
    }

    @Test
    void aBreakerThatGaveUpIsWaitedForAndItsFallbackDoesNotHideIt() {
        goOn = new CountDownLatch(1);
        CountDownLatch gaveUp = new CountDownLatch(1);
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread commits = new Thread(() -> thrown.set(catchThrowable(() -> global("gave-up", LONG, () -> {
            String answer = breakers()
                    .create("impatient")
                    .run(
                            () -> {
                                String taken = application.getBean(Stock.class).insert("gave-up");
                                Stock.awaitGoOn();
                                return taken;
                            },
                            failure -> "fallback after " + failure.getClass().getSimpleName());
            gaveUp.countDown();
            return answer;
        }))));
        commits.start();
        Await.until("the breaker gave up", LONG, () -> gaveUp.getCount() == 0);
        assertThat(TheCoordinator.transaction("gave-up").state()).isEqualTo(TransactionState.ACTIVE);
        goOn.countDown();
        Await.until("it ended", LONG, () -> !commits.isAlive());
        assertRolledBackOnly(thrown.get(), "gave-up", "circuit breaker impatient");
    }

    @Test
    void aFallbackForWorkThatFailedHalfwayDoesNotHideItAndForWorkThatDidNothingIsFine() throws Throwable {
        Throwable thrown = catchThrowable(() -> global("halfway", LONG, () -> breakers()
                .create("patient")
                .run(
                        () -> {
                            application.getBean(Stock.class).insert("halfway");
                            throw new IllegalStateException("the second half failed");
                        },
                        failure -> "fallback")));
        assertRolledBackOnly(thrown, "halfway", "the second half failed");
        global("no-way", LONG, () -> {
            breakers()
                    .create("patient")
                    .run(
                            () -> {
                                throw new IllegalStateException("before anything was done");
                            },
                            failure -> "fallback");
            return application.getBean(Stock.class).insert("no-way");
        });
        assertThat(ended("no-way").state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(taken("no-way")).isEqualTo(1);
    }

    @Test
    void anOpenBreakerLetsNothingThroughAndMarksNothing() throws Throwable {
        for (int call = 0; call < 4; call++) {
            catchThrowable(() -> breakers().create("fragile").run(() -> {
                throw new IllegalStateException("broken");
            }));
        }
        global("open", LONG, () -> {
            assertThat(breakers()
                            .create("fragile")
                            .run(() -> post("template-jdk", "open"), failure -> failure.getClass()
                                    .getSimpleName()))
                    .isEqualTo(CallNotPermittedException.class.getSimpleName());
            return "";
        });
        // Nothing left the process, so the coordinator never heard of it.
        assertThat(TheCoordinator.transactions()).noneMatch(one -> one.name().equals("open"));
        assertThat(taken("open")).isZero();
    }

    @Test
    void theTableNamesEveryCarrierHere() {
        assertThat(application.getBean(Carriers.class).table().lines())
                .anyMatch(line -> line.startsWith("IN ") && line.contains("Servlet requests"))
                .anyMatch(line -> line.startsWith("OUT") && line.contains("OpenFeign"))
                .anyMatch(line -> line.startsWith("OUT") && line.contains("RestTemplate, RestClient"))
                .anyMatch(line -> line.startsWith("THREADS") && line.contains("circuit breakers"))
                .noneMatch(line -> line.contains("WebFlux requests"));
    }

    private static CircuitBreakerFactory<?, ?> breakers() {
        return application.getBean(CircuitBreakerFactory.class);
    }

    interface StockClient {

        @PostMapping("/take/{text}")
        String take(@PathVariable("text") String text);

        @PostMapping("/take/{text}")
        String takeAt(URI where, @PathVariable("text") String text);
    }

    @HttpExchange
    interface StockInterface {

        @PostExchange("/take/{text}")
        String take(@PathVariable("text") String text);
    }

    @FeignClient(name = "nobody")
    interface FeignNobody {

        @PostMapping("/take/{text}")
        String take(@PathVariable("text") String text);
    }

    @FeignClient(
            name = "stock-default",
            url = "${stock.url}",
            configuration = DefaultClient.class,
            fallback = Fallback.class)
    interface FeignDefault extends StockClient {}

    @FeignClient(name = "stock-hc5", url = "${stock.url}", configuration = Hc5Client.class)
    interface FeignHc5 extends StockClient {}

    @FeignClient(name = "stock-okhttp", url = "${stock.url}", configuration = OkClient.class)
    interface FeignOkHttp extends StockClient {}

    @FeignClient(name = "stock", contextId = "balanced", fallback = BalancedFallback.class)
    interface FeignBalanced extends StockClient {}

    static class Fallback implements FeignDefault {

        @Override
        public String take(String text) {
            return "fallback";
        }

        @Override
        public String takeAt(URI where, String text) {
            return "fallback";
        }
    }

    static class BalancedFallback implements FeignBalanced {

        @Override
        public String take(String text) {
            return "fallback";
        }

        @Override
        public String takeAt(URI where, String text) {
            return "fallback";
        }
    }

    static class DefaultClient {

        @Bean
        Client client() {
            return new Client.Default(null, null);
        }
    }

    static class Hc5Client {

        @Bean
        Client client() {
            return new ApacheHttp5Client(HttpClients.createDefault());
        }
    }

    static class OkClient {

        @Bean
        Client client() {
            return new OkHttpClient();
        }
    }

    @RestController
    static class Stock {

        private final JdbcTemplate jdbc;
        private final ContextCarrier contexts;

        Stock(JdbcTemplate jdbc, ContextCarrier contexts) {
            this.jdbc = jdbc;
            this.contexts = contexts;
        }

        String insert(String text) {
            jdbc.update("INSERT INTO taken (text) VALUES (?)", text);
            return text;
        }

        @PostMapping("/take/{text}")
        String take(@PathVariable String text) {
            if (text.equals("slow")) {
                awaitGoOn();
            }
            insert(text);
            if (text.startsWith("half-")) {
                throw new IllegalStateException("the second half failed");
            }
            TransactionContext context = contexts.current();
            return context == null ? "none" : context.xid() + " " + context.role();
        }

        @GetMapping("/look")
        String look() {
            return "seen";
        }

        static void awaitGoOn() {
            boolean interrupted = false;
            try {
                Instant until = Instant.now().plus(LONG);
                while (Instant.now().isBefore(until)) {
                    try {
                        if (goOn.await(LONG.toSeconds(), TimeUnit.SECONDS)) {
                            return;
                        }
                    } catch (InterruptedException e) {
                        // It goes on although it is interrupted, as work of JDBC's does.
                        interrupted = true;
                    }
                }
                throw new AssertionError("nobody let it go");
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @EnableFeignClients(
            clients = {FeignDefault.class, FeignHc5.class, FeignOkHttp.class, FeignBalanced.class, FeignNobody.class})
    @Import({Stock.class, Fallback.class, BalancedFallback.class})
    static class Shop {

        @Bean("template-apache")
        RestTemplate apacheTemplate() {
            return new RestTemplate(new HttpComponentsClientHttpRequestFactory());
        }

        @Bean("template-jdk")
        RestTemplate jdkTemplate() {
            return new RestTemplate(new JdkClientHttpRequestFactory());
        }

        @Bean("template-simple")
        RestTemplate simpleTemplate() {
            return new RestTemplate(new SimpleClientHttpRequestFactory());
        }

        @Bean("rest-client-simple")
        RestClient.Builder simpleClient() {
            return RestClient.builder().requestFactory(new SimpleClientHttpRequestFactory());
        }

        @Bean("interface-rest-client")
        StockInterface restInterface(
                @Qualifier("rest-client-jdk") RestClient.Builder builder, @Value("${stock.url}") String url) {
            return HttpServiceProxyFactory.builderFor(RestClientAdapter.create(
                            builder.clone().baseUrl(url).build()))
                    .build()
                    .createClient(StockInterface.class);
        }

        @Bean("interface-web-client")
        StockInterface webInterface(
                @Qualifier("web-client") WebClient.Builder builder, @Value("${stock.url}") String url) {
            return HttpServiceProxyFactory.builderFor(
                            WebClientAdapter.create(builder.clone().baseUrl(url).build()))
                    .build()
                    .createClient(StockInterface.class);
        }

        @Bean("web-client")
        WebClient.Builder webClient() {
            return WebClient.builder();
        }

        @Bean("balanced-template")
        @LoadBalanced
        RestTemplate balancedTemplate() {
            return new RestTemplate(new JdkClientHttpRequestFactory());
        }

        @Bean("balanced-rest-client")
        @LoadBalanced
        RestClient.Builder balancedClient() {
            return RestClient.builder().requestFactory(new JdkClientHttpRequestFactory());
        }

        @Bean("balanced-web-client")
        @LoadBalanced
        WebClient.Builder balancedWebClient() {
            return WebClient.builder();
        }

        @Bean("rest-client-apache")
        RestClient.Builder apacheClient() {
            return RestClient.builder().requestFactory(new HttpComponentsClientHttpRequestFactory());
        }

        /** Which takes Apache's client, because that is there. */
        @Bean("rest-client-created")
        RestClient createdClient() {
            return RestClient.create();
        }

        @Bean("rest-client-jdk")
        RestClient.Builder jdkClient() {
            return RestClient.builder().requestFactory(new JdkClientHttpRequestFactory());
        }

        @Bean
        Customizer<Resilience4JCircuitBreakerFactory> limits() {
            return factory -> {
                factory.configureDefault(id -> new Resilience4JConfigBuilder(id)
                        .timeLimiterConfig(
                                TimeLimiterConfig.custom().timeoutDuration(LONG).build())
                        .circuitBreakerConfig(CircuitBreakerConfig.ofDefaults())
                        .build());
                factory.configure(
                        builder -> builder.timeLimiterConfig(TimeLimiterConfig.custom()
                                        .timeoutDuration(Duration.ofSeconds(3))
                                        .build())
                                .circuitBreakerConfig(CircuitBreakerConfig.ofDefaults()),
                        "impatient");
                factory.configure(
                        builder -> builder.circuitBreakerConfig(CircuitBreakerConfig.custom()
                                .minimumNumberOfCalls(2)
                                .slidingWindowSize(2)
                                .build()),
                        "fragile");
            };
        }
    }
}
