package io.txn.spring.propagation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.TransactionContext;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.autoconfigure.TestCoordinator;
import io.txn.test.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
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
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.stereotype.Service;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.reactive.function.client.WebClient;

/** The opener's deadline in the services that it calls, and on its own calls, between real servers. */
@Timeout(240)
class DeadlineIT {

    private static final Duration LONG = Duration.ofSeconds(60);

    @TempDir
    static Path directory;

    private static final AtomicInteger ARRIVED = new AtomicInteger();
    private static volatile CountDownLatch goOn = new CountDownLatch(1);
    private static TestCoordinator coordinator;
    private static ServletWebServerApplicationContext callee;
    private static ServletWebServerApplicationContext caller;

    @BeforeAll
    static void start() {
        coordinator = TestCoordinator.start(directory);
        callee = run(Callee.class);
        caller = run(
                Caller.class,
                "callee.url=http://127.0.0.1:" + callee.getWebServer().getPort());
    }

    private static ServletWebServerApplicationContext run(Class<?> application, String... more) {
        return (ServletWebServerApplicationContext) new SpringApplicationBuilder(application)
                .properties(
                        "server.port=0",
                        "server.address=127.0.0.1",
                        "spring.main.banner-mode=off",
                        "logging.level.root=warn",
                        coordinator.property())
                .properties(more)
                .run();
    }

    @AfterAll
    static void stop() {
        goOn.countDown();
        caller.close();
        callee.close();
        coordinator.close();
    }

    private static <T> T global(String name, Duration timeout, GlobalTransactionTemplate.Callback<T> work)
            throws Throwable {
        return caller.getBean(GlobalTransactionTemplate.class)
                .execute(GlobalTransactionOptions.named(name).withTimeout(timeout), work);
    }

    @ParameterizedTest
    @ValueSource(strings = {"rest-template", "web-client", "feign"})
    void theCalleeKnowsHowMuchTimeIsLeft(String via) throws Throwable {
        Clients clients = caller.getBean(Clients.class);
        long left = global("left-" + via, LONG, () -> Long.parseLong(clients.call(via, "/left")));
        assertThat(left).isBetween(1L, LONG.toMillis());
    }

    @ParameterizedTest
    @ValueSource(strings = {"web-client", "feign"})
    void aCallUnderWayEndsWithTheTransaction(String via) {
        goOn = new CountDownLatch(1);
        Clients clients = caller.getBean(Clients.class);
        Instant began = Instant.now();
        Throwable thrown =
                catchThrowable(() -> global("slow-" + via, Duration.ofSeconds(2), () -> clients.call(via, "/slow")));
        // The callee would have taken LONG.
        assertThat(Duration.between(began, Instant.now())).isLessThan(LONG);
        goOn.countDown();
        assertThat(thrown).isNotNull();
        Await.until(
                "it ended", LONG, () -> coordinator.transaction("slow-" + via).endedAt() != null);
        assertThat(coordinator.transaction("slow-" + via).state()).isEqualTo(TransactionState.ROLLED_BACK);
    }

    @Test
    void noCallLeavesWhenTheTimeIsOver() {
        int before = ARRIVED.get();
        Clients clients = caller.getBean(Clients.class);
        for (String via : new String[] {"rest-template", "web-client", "feign"}) {
            Throwable thrown = catchThrowable(() -> global("over-" + via, Duration.ofMillis(50), () -> {
                TransactionContext own = caller.getBean(ContextCarrier.class).current();
                Await.until("the deadline passed", LONG, () -> own.expired(Instant.now()));
                return clients.call(via, "/left");
            }));
            assertThat(thrown).as(via).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                    .isEqualTo(ErrorCode.TRANSACTION_TIMED_OUT));
        }
        assertThat(ARRIVED).hasValue(before);
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration(exclude = DataSourceAutoConfiguration.class)
    @Import(CalleeController.class)
    static class Callee {}

    @RestController
    static class CalleeController {

        private final ContextCarrier contexts;

        CalleeController(ContextCarrier contexts) {
            this.contexts = contexts;
        }

        @GetMapping("/left")
        String left() {
            ARRIVED.incrementAndGet();
            TransactionContext context = contexts.current();
            return Long.toString(
                    Duration.between(Instant.now(), context.deadline()).toMillis());
        }

        @GetMapping("/slow")
        String slow() throws InterruptedException {
            return Boolean.toString(goOn.await(LONG.toSeconds(), TimeUnit.SECONDS));
        }
    }

    @FeignClient(name = "callee", url = "${callee.url}")
    interface CalleeClient {

        @GetMapping("/left")
        String left();

        @GetMapping("/slow")
        String slow();
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration(exclude = DataSourceAutoConfiguration.class)
    @EnableFeignClients(clients = CalleeClient.class)
    @Import(Clients.class)
    static class Caller {}

    @Service
    static class Clients {

        private final RestTemplate template;
        private final WebClient reactive;
        private final CalleeClient feign;
        private final String url;

        Clients(
                RestTemplateBuilder template,
                WebClient.Builder reactive,
                CalleeClient feign,
                @Value("${callee.url}") String url) {
            this.template = template.build();
            this.reactive = reactive.build();
            this.feign = feign;
            this.url = url;
        }

        String call(String via, String path) {
            return switch (via) {
                case "rest-template" -> template.getForObject(url + path, String.class);
                case "web-client" ->
                    reactive.get()
                            .uri(url + path)
                            .retrieve()
                            .bodyToMono(String.class)
                            .block(LONG);
                default -> path.equals("/left") ? feign.left() : feign.slow();
            };
        }
    }
}
