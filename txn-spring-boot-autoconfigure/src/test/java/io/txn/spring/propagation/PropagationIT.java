package io.txn.spring.propagation;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.txn.client.ContextCarrier;
import io.txn.client.Propagation;
import io.txn.client.TransactionContext;
import io.txn.coordinator.machine.TransactionState;
import io.txn.spring.GlobalTransactional;
import io.txn.spring.autoconfigure.LogLines;
import io.txn.spring.autoconfigure.TestCoordinator;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.web.client.RestTemplateBuilder;
import org.springframework.boot.web.servlet.context.ServletWebServerApplicationContext;
import org.springframework.cloud.openfeign.EnableFeignClients;
import org.springframework.cloud.openfeign.FeignClient;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.http.HttpEntity;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.stereotype.Service;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;

/** The XID from one real web server to another, by each client, and in a global transaction of the real coordinator. */
class PropagationIT {

    @TempDir
    static Path directory;

    private static TestCoordinator coordinator;
    private static ServletWebServerApplicationContext callee;
    private static ServletWebServerApplicationContext caller;
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    @BeforeAll
    static void start() {
        coordinator = TestCoordinator.start(directory);
        callee = run(Callee.class);
        caller = run(Caller.class, "callee.url=" + url(callee));
    }

    @AfterAll
    static void stop() {
        caller.close();
        callee.close();
        coordinator.close();
    }

    private static ServletWebServerApplicationContext run(Class<?> application, String... more) {
        return (ServletWebServerApplicationContext) new SpringApplicationBuilder(application)
                .properties(
                        "server.port=0",
                        "server.address=127.0.0.1",
                        // One thread: what one request leaves bound, the next one finds.
                        "server.tomcat.threads.max=1",
                        "server.tomcat.threads.min-spare=1",
                        "spring.main.banner-mode=off",
                        "logging.level.root=warn",
                        coordinator.property())
                .properties(more)
                .run();
    }

    private static String url(ServletWebServerApplicationContext application) {
        return "http://127.0.0.1:" + application.getWebServer().getPort();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"rest-template-builder", "rest-template-bean", "rest-client-builder", "rest-client-bean", "feign"
            })
    void theXidArrivesAndTheCalleeIsAParticipant(String via) throws Exception {
        String answer = get(url(caller) + "/buy/" + via).body();
        String own = answer.substring(0, answer.indexOf(' '));
        assertThat(answer).isEqualTo(own + " -> " + own + " PARTICIPANT headers=1");
        assertThat(coordinator.transactions())
                .filteredOn(transaction -> transaction.xid().value().equals(own))
                .singleElement()
                .satisfies(transaction -> {
                    assertThat(transaction.state()).isEqualTo(TransactionState.COMMITTED);
                    assertThat(transaction.name()).isEqualTo("BuyService.buy");
                });
        assertThat(get(url(callee) + "/xid").body()).as("unbound afterwards").isEqualTo("none headers=0");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"rest-template-builder", "rest-template-bean", "rest-client-builder", "rest-client-bean", "feign"
            })
    void withoutATransactionNothingIsSent(String via) throws Exception {
        assertThat(get(url(caller) + "/look/" + via).body()).isEqualTo("none -> none headers=0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"rest-template-own-header", "rest-client-own-header", "feign-own-header"})
    void aHeaderThatTheApplicationSetStays(String via) throws Exception {
        assertThat(get(url(caller) + "/buy/" + via).body()).endsWith(" -> somebody:1:77 PARTICIPANT headers=1");
    }

    @Test
    void theCalleesFailureReachesTheCallerAndRollsBackAndNothingStaysBound() throws Exception {
        assertThat(get(url(caller) + "/buy/failing").statusCode()).isEqualTo(500);
        assertThat(coordinator.transactions())
                .anyMatch(transaction -> transaction.state() == TransactionState.ROLLED_BACK);
        assertThat(get(url(callee) + "/xid").body()).isEqualTo("none headers=0");
        assertThat(get(url(caller) + "/look/feign").body()).isEqualTo("none -> none headers=0");
    }

    @Test
    void aHandlerThatThrowsLeavesNothingBound() throws Exception {
        assertThat(get(url(callee) + "/fail", "TX_XID", "127.0.0.1:8091:5").statusCode())
                .isEqualTo(500);
        assertThat(get(url(callee) + "/xid").body()).isEqualTo("none headers=0");
    }

    @Test
    void aParticipantsOwnScopeJoins() throws Exception {
        assertThat(get(url(callee) + "/joined", "TX_XID", "127.0.0.1:8091:5").body())
                .isEqualTo("127.0.0.1:8091:5 PARTICIPANT");
    }

    @Test
    void whatIsNoXidIsIgnoredWithALineOfLogAnHourAndIsNeverAnError() throws Exception {
        try (LogLines log = LogLines.of(Trust.class.getName())) {
            for (String header : List.of("x".repeat(129), "with blank inside", "umlaut-?", "h:1:-5", "tab\there:1")) {
                HttpResponse<String> answer = get(url(callee) + "/xid", "TX_XID", header);
                assertThat(answer.statusCode()).isEqualTo(200);
                assertThat(answer.body()).isEqualTo("none headers=1");
            }
            assertThat(get(url(callee) + "/xid", "TX_XID", "  ").body()).startsWith("none");
            assertThat(log.from(Level.WARN)).singleElement().satisfies(line -> assertThat(line)
                    .contains("TX_XID of 129 characters is no XID")
                    .doesNotContain("umlaut")
                    .doesNotContain("xxx"));
        }
    }

    private static HttpResponse<String> get(String url, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static String describe(TransactionContext context) {
        return context == null ? "none" : context.xid() + " " + context.role();
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration(exclude = DataSourceAutoConfiguration.class)
    @Import({CalleeController.class, JoiningService.class})
    static class Callee {}

    @RestController
    static class CalleeController {

        private final ContextCarrier contexts;
        private final JoiningService joining;

        CalleeController(ContextCarrier contexts, JoiningService joining) {
            this.contexts = contexts;
            this.joining = joining;
        }

        @GetMapping("/xid")
        String xid(@RequestHeader(name = "TX_XID", required = false) List<String> headers) {
            return describe(contexts.current()) + " headers=" + (headers == null ? 0 : headers.size());
        }

        @GetMapping("/fail")
        String fail() {
            throw new IllegalStateException("bound to " + describe(contexts.current()));
        }

        @GetMapping("/joined")
        String joined() {
            return joining.join();
        }
    }

    @Service
    static class JoiningService {

        private final ContextCarrier contexts;

        JoiningService(ContextCarrier contexts) {
            this.contexts = contexts;
        }

        @GlobalTransactional(propagation = Propagation.MANDATORY)
        public String join() {
            return describe(contexts.current());
        }
    }

    @FeignClient(name = "callee", url = "${callee.url}")
    interface CalleeClient {

        @GetMapping("/xid")
        String xid();

        @GetMapping("/xid")
        String xid(@RequestHeader("TX_XID") String own);

        @GetMapping("/fail")
        String fail();
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration(exclude = DataSourceAutoConfiguration.class)
    @EnableFeignClients(clients = CalleeClient.class)
    @Import({CallerController.class, BuyService.class})
    static class Caller {

        /** Made without Spring Boot's builder. */
        @Bean
        RestTemplate plainRestTemplate() {
            return new RestTemplate();
        }

        /** Made without Spring Boot's builder. */
        @Bean
        RestClient.Builder plainRestClientBuilder() {
            return RestClient.builder();
        }
    }

    @RestController
    static class CallerController {

        private final BuyService service;

        CallerController(BuyService service) {
            this.service = service;
        }

        @GetMapping("/buy/{via}")
        String buy(@PathVariable("via") String via) {
            return service.buy(via);
        }

        @GetMapping("/look/{via}")
        String look(@PathVariable("via") String via) {
            return service.look(via);
        }
    }

    @Service
    static class BuyService {

        private final ContextCarrier contexts;
        private final CalleeClient feign;
        private final RestTemplate plain;
        private final RestTemplate built;
        private final RestClient plainClient;
        private final RestClient builtClient;
        private final String url;

        BuyService(
                ContextCarrier contexts,
                CalleeClient feign,
                RestTemplate plain,
                RestTemplateBuilder builder,
                Map<String, RestClient.Builder> clients,
                org.springframework.boot.autoconfigure.web.client.RestClientBuilderConfigurer configurer,
                @Value("${callee.url}") String url) {
            this.contexts = contexts;
            this.feign = feign;
            this.plain = plain;
            this.built = builder.build();
            this.plainClient = clients.get("plainRestClientBuilder").build();
            this.builtClient = configurer.configure(RestClient.builder()).build();
            this.url = url + "/xid";
        }

        @GlobalTransactional
        public String buy(String via) {
            return look(via);
        }

        public String look(String via) {
            TransactionContext own = contexts.current();
            return (own == null ? "none" : own.xid()) + " -> " + call(via);
        }

        private String call(String via) {
            return switch (via) {
                case "rest-template-builder" -> built.getForObject(url, String.class);
                case "rest-template-bean" -> plain.getForObject(url, String.class);
                case "rest-client-builder" ->
                    builtClient.get().uri(url).retrieve().body(String.class);
                case "rest-client-bean" -> plainClient.get().uri(url).retrieve().body(String.class);
                case "feign" -> feign.xid();
                case "rest-template-own-header" -> {
                    HttpHeaders headers = new HttpHeaders();
                    headers.set("tx_xid", "somebody:1:77");
                    yield plain.exchange(url, HttpMethod.GET, new HttpEntity<>(headers), String.class)
                            .getBody();
                }
                case "rest-client-own-header" ->
                    plainClient
                            .get()
                            .uri(url)
                            .header("TX_XID", "somebody:1:77")
                            .retrieve()
                            .body(String.class);
                case "feign-own-header" -> feign.xid("somebody:1:77");
                case "failing" -> feign.fail();
                default -> throw new AssertionError(via);
            };
        }
    }
}
