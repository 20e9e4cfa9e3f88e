package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import ch.qos.logback.classic.Level;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.TxnClient;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.test.Await;
import io.txn.test.Ports;
import jakarta.annotation.PostConstruct;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.ApplicationRunner;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.event.ApplicationStartedEvent;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.EventListener;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.MapPropertySource;

/** What a start does when: whether a coordinator takes this application is known before it has started, and connections are made right behind that, or for whoever needs one earlier. */
@Timeout(120)
class StartIT {

    private static final Duration MAX = Duration.ofSeconds(30);
    private static final GlobalTransactionOptions WORK = GlobalTransactionOptions.named("at-the-start");

    @TempDir
    static Path directory;

    private static TestCoordinator coordinator;

    @BeforeAll
    static void startCoordinator() {
        coordinator = TestCoordinator.start(directory.resolve("coordinator"));
    }

    @AfterAll
    static void stopCoordinator() {
        coordinator.close();
    }

    /** Looks before any bean is told that the application has started. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Plain {

        final List<String> seen = new ArrayList<>();
        final List<String> seenLater = new ArrayList<>();

        @EventListener
        @Order(Ordered.HIGHEST_PRECEDENCE)
        void started(ApplicationStartedEvent event) {
            TxnClient client = event.getApplicationContext().getBean(TxnClient.class);
            seen.add("connected " + client.connected());
            threads().forEach(seen::add);
        }

        /** One that could take long. */
        @EventListener
        @Order(-1)
        void startedSomeTimeAgo(ApplicationStartedEvent event) {
            threads().forEach(seenLater::add);
        }

        private static Stream<String> threads() {
            return clientThreads().stream().map(Thread::getName);
        }
    }

    private static Set<Thread> clientThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("txn-client"))
                .collect(Collectors.toSet());
    }

    @Test
    void connectionsAreMadeRightBehindTheStartWithoutAnyRequest() {
        try (ConfigurableApplicationContext context = start(Plain.class, coordinator.address())) {
            assertThat(context.getBean(Plain.class).seen)
                    .as("nothing of connections is there yet, nor a thread of theirs")
                    .containsExactly("connected false");
            assertThat(context.getBean(Plain.class).seenLater)
                    .as("other listeners do not hold the connections up")
                    .contains("txn-client-connections");
            TxnClient client = context.getBean(TxnClient.class);
            // Both roles: phase two of an earlier run's branches comes by the second.
            Await.until("connected", MAX, client::connected);
            LogLines log = context.getBean(LogLines.class);
            Await.until("connected for its branches", MAX, () -> log.from(Level.INFO).stream()
                    .anyMatch(line -> line.contains("connected to coordinator") && line.contains("role=RM")));
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Early {

        @Bean
        Worker worker(GlobalTransactionTemplate transactions) {
            return new Worker(transactions);
        }

        @Bean
        ApplicationRunner runner(Worker worker) {
            return arguments -> worker.work();
        }
    }

    static class Worker {

        private final GlobalTransactionTemplate transactions;
        final List<Xid> worked = new ArrayList<>();

        Worker(GlobalTransactionTemplate transactions) {
            this.transactions = transactions;
        }

        @PostConstruct
        void work() throws Exception {
            try {
                transactions.execute(WORK, () -> worked.add(Xid.of("x", 1)));
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Test
    void whoBeginsAtTheStartIsConnectedThen() {
        try (ConfigurableApplicationContext context = start(Early.class, coordinator.address())) {
            assertThat(context.getBean(Worker.class).worked)
                    .as("once when the bean was made, once by the runner")
                    .hasSize(2);
        }
    }

    @Test
    void aContextWithoutASpringApplicationConnectsWhenItIsRefreshed() {
        try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext()) {
            context.getEnvironment()
                    .getPropertySources()
                    .addFirst(new MapPropertySource(
                            "test",
                            Map.of("txn.coordinator.address", coordinator.address(), "spring.datasource.url", url())));
            context.register(Plain.class);
            Set<Thread> ofOthers = clientThreads();
            context.refresh();
            // Nobody asks for a connection: who asks has them made.
            Set<Thread> own = clientThreads();
            own.removeAll(ofOthers);
            assertThat(own).extracting(Thread::getName).contains("txn-client-connections");
            Await.until("connected", MAX, () -> context.getBean(TxnClient.class).connected());
        }
    }

    @Test
    void noCoordinatorFailsTheStart() {
        Throwable failure =
                catchThrowable(() -> start(Plain.class, "127.0.0.1:" + Ports.free(), "--txn.client.start-wait=200ms")
                        .close());
        assertThat(cause(failure).code()).isEqualTo(ErrorCode.NO_COORDINATOR);
    }

    private static TxnException cause(Throwable failure) {
        Throwable cause = failure;
        while (!(cause instanceof TxnException)) {
            assertThat(cause).as("a cause of %s", failure).isNotNull();
            cause = cause.getCause();
        }
        return (TxnException) cause;
    }

    private static String url() {
        return "jdbc:h2:mem:start" + System.nanoTime();
    }

    private static ConfigurableApplicationContext start(Class<?> application, String address, String... arguments) {
        List<String> all = new ArrayList<>(List.of(
                "--txn.coordinator.address=" + address,
                "--spring.datasource.url=" + url(),
                "--spring.jmx.enabled=false",
                "--txn.doctor.enabled=false"));
        all.addAll(List.of(arguments));
        return new SpringApplicationBuilder(application)
                .web(WebApplicationType.NONE)
                // Not before: Spring Boot sets up the logging anew.
                .initializers(context -> context.getBeanFactory().registerSingleton("logLines", LogLines.of("io.txn")))
                .run(all.toArray(String[]::new));
    }
}
