package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import brave.handler.MutableSpan;
import brave.handler.SpanHandler;
import brave.propagation.TraceContext;
import io.micrometer.core.instrument.MeterRegistry;
import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.IdempotencyKey;
import io.txn.client.observation.TxnObserver;
import io.txn.test.Await;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.MDC;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/** What metrics and traces show of global transactions: through Micrometer's real bridge to a real tracer, whose spans are kept in memory. */
class ObservationIT {

    @TempDir
    static Path directory;

    private static TestCoordinator coordinator;
    private static ConfigurableApplicationContext context;

    /** Keeps finished spans. */
    static final class Spans extends SpanHandler {
        private final ConcurrentLinkedQueue<MutableSpan> finished = new ConcurrentLinkedQueue<>();

        @Override
        public boolean end(TraceContext trace, MutableSpan span, Cause cause) {
            finished.add(span);
            return true;
        }

        List<MutableSpan> named(String name) {
            return finished.stream().filter(span -> name.equals(span.name())).toList();
        }

        MutableSpan one(String name) {
            return one(name, Map.of());
        }

        /** Phase two of another test's transaction may come late. */
        MutableSpan one(String name, Map<String, String> tags) {
            Await.until(
                    "span " + name,
                    Duration.ofSeconds(20),
                    () -> with(name, tags).size() == 1);
            return with(name, tags).get(0);
        }

        private List<MutableSpan> with(String name, Map<String, String> tags) {
            return named(name).stream()
                    .filter(span -> span.tags().entrySet().containsAll(tags.entrySet()))
                    .toList();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {
        @Bean
        Spans spans() {
            return new Spans();
        }

        @Bean
        Pool dataSource(Environment environment) {
            return new Pool(environment.getRequiredProperty("spring.datasource.url"));
        }
    }

    /** Remembers what lines of log would have named when the last local transaction was committed. */
    static final class Pool extends DriverManagerDataSource {
        private final AtomicReference<Map<String, String>> atCommit = new AtomicReference<>(Map.of());

        Pool(String url) {
            super(url);
        }

        @Override
        public Connection getConnection() throws SQLException {
            Connection real = super.getConnection();
            return (Connection) Proxy.newProxyInstance(
                    Pool.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                        if (method.getName().equals("commit") && MDC.get("xid") != null) {
                            atCommit.set(MDC.getCopyOfContextMap());
                        }
                        try {
                            return method.invoke(real, arguments);
                        } catch (InvocationTargetException e) {
                            throw e.getCause();
                        }
                    });
        }
    }

    @BeforeAll
    static void start() {
        coordinator = TestCoordinator.start(directory.resolve("coordinator"));
        context = start(Application.class);
        database().execute("CREATE TABLE stock (id INT PRIMARY KEY, amount INT)");
        database().update("INSERT INTO stock VALUES (1, 100), (2, 100)");
    }

    private static ConfigurableApplicationContext start(Class<?> application, String... more) {
        return new SpringApplicationBuilder(application)
                .web(WebApplicationType.NONE)
                .properties(more)
                .run(
                        "--" + coordinator.property(),
                        "--spring.application.name=observed",
                        "--spring.datasource.url=jdbc:h2:mem:observed" + System.nanoTime()
                                + ";DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=20000",
                        "--management.tracing.sampling.probability=1.0",
                        "--txn.doctor.enabled=false",
                        "--spring.jmx.enabled=false");
    }

    @AfterAll
    static void stop() {
        context.close();
        coordinator.close();
    }

    private static JdbcTemplate database() {
        return context.getBean(JdbcTemplate.class);
    }

    private final Spans spans = context.getBean(Spans.class);
    private final GlobalTransactionTemplate transactions = context.getBean(GlobalTransactionTemplate.class);

    @BeforeEach
    void forget() {
        spans.finished.clear();
    }

    private static int take(int id) {
        return database().update("UPDATE stock SET amount = amount - 1 WHERE id = " + id);
    }

    private static double count(String meter, String... tags) {
        var timer = context.getBean(MeterRegistry.class).find(meter).tags(tags).timer();
        return timer == null ? 0 : timer.count();
    }

    @Test
    void aCommittedTransactionIsOneTraceWithItsBranchAndItsCalls() throws Throwable {
        double before = count("txn.global", "name", "observed", "outcome", "committed");
        String xid = transactions.execute(GlobalTransactionOptions.named("observed"), () -> {
            take(1);
            return Objects.requireNonNull(context.getBean(ContextCarrier.class).current())
                    .xidWithin()
                    .value();
        });
        MutableSpan global = spans.one("global transaction observed");
        MutableSpan branch = spans.one("branch at");
        assertThat(global.tags())
                .containsEntry("txn.xid", xid)
                .containsEntry("outcome", "committed")
                .containsEntry("name", "observed");
        assertThat(branch.traceId()).isEqualTo(global.traceId());
        assertThat(branch.parentId()).isEqualTo(global.id());
        assertThat(branch.tags())
                .containsEntry("txn.xid", xid)
                .containsEntry("outcome", "committed")
                .containsKey("txn.branch.id");
        assertThat(branch.tags().get("txn.resource")).startsWith("jdbc:h2:mem:observed");
        MutableSpan call = spans.one("coordinator branch register");
        assertThat(call.parentId()).isEqualTo(branch.id());
        assertThat(call.tags()).containsEntry("txn.xid", xid).containsEntry("coordinator", coordinator.address());
        assertThat(spans.one("coordinator global commit").parentId()).isEqualTo(global.id());
        assertThat(count("txn.global", "name", "observed", "outcome", "committed"))
                .isEqualTo(before + 1);
        assertThat(count("txn.branch", "type", "at", "outcome", "committed")).isPositive();
        assertThat(count("txn.coordinator.call", "request", "BranchRegister")).isPositive();
        // Phase two comes from the coordinator, and finds its transaction by the XID.
        MutableSpan phaseTwo = spans.one("branch commit", Map.of("txn.xid", xid));
        assertThat(phaseTwo.tags())
                .containsEntry("txn.xid", xid)
                .containsEntry("txn.branch.id", branch.tags().get("txn.branch.id"))
                .containsEntry("outcome", "done");
        Await.until("its timer", Duration.ofSeconds(20), () -> count("txn.phase.two", "decision", "commit") > 0);
    }

    @Test
    void aRolledBackTransactionSaysSoAndWhy() {
        assertThatThrownBy(() -> transactions.execute(GlobalTransactionOptions.named("doomed"), () -> {
                    take(1);
                    throw new IllegalStateException("sold out");
                }))
                .hasMessage("sold out");
        MutableSpan global = spans.one("global transaction doomed");
        assertThat(global.tags()).containsEntry("outcome", "rolled_back");
        assertThat(global.error()).hasMessage("sold out");
        assertThat(spans.one("branch rollback").tags())
                .containsEntry("outcome", "done")
                .containsEntry("decision", "rollback");
        assertThat(count("txn.global", "name", "doomed", "outcome", "rolled_back"))
                .isEqualTo(1);
    }

    @Test
    void aRequestThatWasAnsweredByItsFirstRunSaysSo() throws Throwable {
        GlobalTransactionOptions once =
                GlobalTransactionOptions.named("once").withIdempotencyKey(IdempotencyKey.of("order-1"));
        double before = count("txn.global", "name", "once", "outcome", "repeated");
        transactions.execute(once, () -> {
            take(1);
            return null;
        });
        transactions.execute(once, () -> {
            throw new AssertionError("it runs again");
        });
        MutableSpan first = spans.one("global transaction once", Map.of("outcome", "committed"));
        MutableSpan repeated = spans.one("global transaction once", Map.of("outcome", "repeated"));
        assertThat(first.tags()).containsKey("txn.xid");
        assertThat(repeated.tags()).as("it opened nothing").doesNotContainKey("txn.xid");
        assertThat(repeated.error()).isNull();
        assertThat(count("txn.global", "name", "once", "outcome", "repeated")).isEqualTo(before + 1);
    }

    @Test
    void aWaitForRowsOfAnotherTransactionIsSeen() throws Throwable {
        CountDownLatch taken = new CountDownLatch(1);
        ExecutorService other = Executors.newSingleThreadExecutor();
        try {
            Future<?> holder = other.submit(() -> {
                try {
                    return transactions.execute(GlobalTransactionOptions.named("holder"), () -> {
                        take(2);
                        taken.countDown();
                        // Until somebody waits for the row: seen at the coordinator.
                        Await.until(
                                "somebody waits",
                                Duration.ofSeconds(20),
                                () -> coordinator.statistics().lockWaiters() > 0);
                        // A moment longer than what counts as an answer at once.
                        CountDownLatch never = new CountDownLatch(1);
                        return never.await(200, TimeUnit.MILLISECONDS);
                    });
                } catch (Throwable e) {
                    throw new IllegalStateException(e);
                }
            });
            assertThat(taken.await(20, TimeUnit.SECONDS)).isTrue();
            transactions.execute(GlobalTransactionOptions.named("waiter"), () -> take(2));
            holder.get(20, TimeUnit.SECONDS);
        } finally {
            other.shutdownNow();
        }
        String waiter = spans.one("global transaction waiter").traceId();
        MutableSpan wait = spans.named("wait for rows").stream()
                .filter(span -> span.traceId().equals(waiter))
                .findFirst()
                .orElseThrow();
        assertThat(wait.tags().get("txn.resource")).startsWith("jdbc:h2:mem:observed");
        assertThat(count("txn.lock.wait")).isPositive();
    }

    @Test
    void linesOfLogNameTheTransactionAndWhileItIsCommittedTheBranch() throws Throwable {
        String[] inside = new String[1];
        String xid = transactions.execute(GlobalTransactionOptions.named("logged"), () -> {
            take(1);
            inside[0] = MDC.get(ContextCarrier.MDC_KEY);
            return Objects.requireNonNull(context.getBean(ContextCarrier.class).current())
                    .xidWithin()
                    .value();
        });
        assertThat(inside[0]).isEqualTo(xid);
        assertThat(MDC.get(ContextCarrier.MDC_KEY)).isNull();
        Map<String, String> atCommit =
                context.getBean(DataSource.class).unwrap(Pool.class).atCommit.get();
        assertThat(atCommit).containsKey("branchId").containsEntry("xid", xid);
        assertThat(spans.one("branch at").tags()).containsEntry("txn.branch.id", atCommit.get("branchId"));
        assertThat(MDC.get("branchId")).isNull();
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class WithBrokenObserver {
        @Bean
        TxnClientOptionsCustomizer broken() {
            TxnObserver broken = work -> {
                throw new IllegalStateException("the backend of metrics is broken");
            };
            return options -> options.withObserver(broken);
        }
    }

    @Test
    void anObserverThatFailsChangesNothing() throws Throwable {
        try (ConfigurableApplicationContext other = start(WithBrokenObserver.class)) {
            JdbcTemplate own = other.getBean(JdbcTemplate.class);
            own.execute("CREATE TABLE stock (id INT PRIMARY KEY, amount INT)");
            own.update("INSERT INTO stock VALUES (1, 100)");
            Map<String, Integer> done = other.getBean(GlobalTransactionTemplate.class)
                    .execute(
                            GlobalTransactionOptions.named("unobserved"),
                            () -> Map.of("rows", own.update("UPDATE stock SET amount = 99 WHERE id = 1")));
            assertThat(done).containsEntry("rows", 1);
        }
    }
}
