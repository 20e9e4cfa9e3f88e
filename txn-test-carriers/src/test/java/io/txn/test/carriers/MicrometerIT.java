package io.txn.test.carriers;

import static io.txn.test.carriers.TheCoordinator.LONG;
import static io.txn.test.carriers.TheCoordinator.ended;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.micrometer.context.ContextExecutorService;
import io.micrometer.context.ContextRegistry;
import io.micrometer.context.ContextSnapshotFactory;
import io.micrometer.context.ThreadLocalAccessor;
import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.TransactionContext;
import io.txn.coordinator.machine.TransactionState;
import io.txn.spring.propagation.ContextAccessor;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;

/** Futures and threads of an application's own, through Micrometer's context propagation, and two applications in one JVM. */
@Timeout(180)
class MicrometerIT {

    private static final TestDatabase STOCK = TestDatabases.h2();
    private static ConfigurableApplicationContext application;

    @BeforeAll
    static void start() {
        STOCK.execute("CREATE TABLE taken (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(50))");
        application = run();
    }

    private static ConfigurableApplicationContext run() {
        return TheCoordinator.run(
                Shop.class,
                WebApplicationType.NONE,
                "spring.datasource.url=" + STOCK.jdbcUrl(),
                "spring.datasource.username=" + STOCK.user(),
                "spring.datasource.password=" + STOCK.password());
    }

    @AfterAll
    static void stop() {
        application.close();
        assertThat(accessors()).as("taken out at the end").isEmpty();
    }

    private static List<ThreadLocalAccessor<?>> accessors() {
        return ContextRegistry.getInstance().getThreadLocalAccessors().stream()
                .filter(ContextAccessor.class::isInstance)
                .toList();
    }

    private static ContextCarrier contexts() {
        return application.getBean(ContextCarrier.class);
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

    /** Platform threads, and from Java 21 on virtual ones. */
    static Stream<ExecutorService> executors() throws ReflectiveOperationException {
        ExecutorService platform = Executors.newFixedThreadPool(2);
        if (Runtime.version().feature() < 21) {
            return Stream.of(platform);
        }
        return Stream.of(platform, (ExecutorService)
                Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null));
    }

    @ParameterizedTest
    @MethodSource("executors")
    void futuresWorkInTheTransactionAndAreUndoneWithIt(ExecutorService threads) throws Exception {
        String name = "future-" + threads.getClass().getSimpleName();
        ContextSnapshotFactory snapshots = ContextSnapshotFactory.builder().build();
        ExecutorService carrying = ContextExecutorService.wrap(threads, snapshots::captureAll);
        JdbcTemplate jdbc = application.getBean(JdbcTemplate.class);
        IllegalStateException changedMind = new IllegalStateException();
        assertThat(catchThrowable(() -> global(name, () -> {
                    TransactionContext own = contexts().current();
                    TransactionContext there = CompletableFuture.supplyAsync(
                                    () -> {
                                        jdbc.update("INSERT INTO taken (text) VALUES (?)", name);
                                        return contexts().current();
                                    },
                                    carrying)
                            .thenApplyAsync(seen -> seen == contexts().current() ? seen : null, carrying)
                            .get(LONG.toSeconds(), TimeUnit.SECONDS);
                    assertThat(there).isEqualTo(own);
                    throw changedMind;
                })))
                .isSameAs(changedMind);
        assertThat(ended(name).state()).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(taken(name)).isZero();
        assertThat(threads.submit(() -> contexts().current() == null).get(LONG.toSeconds(), TimeUnit.SECONDS))
                .as("unbound afterwards")
                .isTrue();
        threads.shutdownNow();
    }

    @Test
    void twoApplicationsDoNotSeeEachOthersAndEachTakesItsOwnOut() throws Throwable {
        try (ConfigurableApplicationContext other = run()) {
            assertThat(accessors()).hasSize(2);
            ContextSnapshotFactory snapshots = ContextSnapshotFactory.builder().build();
            global("two", () -> {
                Boolean apart = snapshots
                        .captureAll()
                        .wrap(() -> {
                            assertThat(contexts().current()).isNotNull();
                            return other.getBean(ContextCarrier.class).current() == null;
                        })
                        .call();
                assertThat(apart).isTrue();
                return "";
            });
        }
        assertThat(accessors()).hasSize(1);
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Shop {}
}
