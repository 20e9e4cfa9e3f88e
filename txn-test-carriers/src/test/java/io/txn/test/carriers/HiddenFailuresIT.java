package io.txn.test.carriers;

import static io.txn.test.carriers.TheCoordinator.LONG;
import static io.txn.test.carriers.TheCoordinator.ended;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.alibaba.csp.sentinel.annotation.SentinelResource;
import com.alibaba.csp.sentinel.annotation.aspectj.SentinelResourceAspect;
import com.alibaba.csp.sentinel.slots.block.BlockException;
import com.alibaba.csp.sentinel.slots.block.flow.FlowRule;
import com.alibaba.csp.sentinel.slots.block.flow.FlowRuleManager;
import io.github.resilience4j.circuitbreaker.annotation.CircuitBreaker;
import io.github.resilience4j.retry.annotation.Retry;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.GlobalTransactional;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.container.AsyncResponse;
import jakarta.ws.rs.container.Suspended;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.ext.ExceptionMapper;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.aspectj.lang.ProceedingJoinPoint;
import org.aspectj.lang.annotation.Around;
import org.aspectj.lang.annotation.Aspect;
import org.glassfish.jersey.server.ResourceConfig;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.web.client.RestTemplateBuilder;
import org.springframework.boot.web.servlet.context.ServletWebServerApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.task.AsyncTaskExecutor;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.client.RestTemplate;
import reactor.core.publisher.Mono;

/** Failures that Jersey's mappers, Sentinel's and resilience4j's fallbacks, and repetitions hide. */
@Timeout(180)
class HiddenFailuresIT {

    private static final TestDatabase STOCK = TestDatabases.h2();
    private static ServletWebServerApplicationContext application;

    @BeforeAll
    static void start() {
        System.setProperty("csp.sentinel.log.dir", "target/sentinel");
        STOCK.execute("CREATE TABLE taken (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(50))");
        application = (ServletWebServerApplicationContext) TheCoordinator.run(
                Shop.class,
                WebApplicationType.SERVLET,
                "spring.datasource.url=" + STOCK.jdbcUrl(),
                "spring.datasource.username=" + STOCK.user(),
                "spring.datasource.password=" + STOCK.password());
    }

    @AfterAll
    static void stop() {
        FlowRuleManager.loadRules(List.of());
        application.close();
    }

    private static void global(String name, GlobalTransactionTemplate.Callback<Object> work) throws Throwable {
        application
                .getBean(GlobalTransactionTemplate.class)
                .execute(GlobalTransactionOptions.named(name).withTimeout(LONG), work);
    }

    private static int taken(String text) {
        return new JdbcTemplate(STOCK.dataSource())
                .queryForObject("SELECT COUNT(*) FROM taken WHERE text = ?", Integer.class, text);
    }

    private static void assertRolledBackOnly(Throwable thrown, String name) {
        assertThat(thrown).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                .isEqualTo(ErrorCode.ROLLED_BACK_ONLY));
        assertThat(ended(name).state()).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(ended(name).cause()).contains("the second half failed");
        assertThat(taken(name)).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"half", "half-later"})
    void aMapperOfJerseysThatAnswersWellDoesNotTurnARollbackIntoACommit(String how) {
        String name = "jersey-" + how;
        assertRolledBackOnly(
                catchThrowable(() -> global(name, () -> {
                    assertThat(application.getBean(Buying.class).post(how, name))
                            .isEqualTo("sorry");
                    return null;
                })),
                name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"whole", "whole-later"})
    void aResourceOfJerseysIsAParticipant(String how) throws Throwable {
        String name = "jersey-" + how;
        global(name, () -> application.getBean(Buying.class).post(how, name));
        assertThat(ended(name).state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(taken(name)).isEqualTo(1);
    }

    @Test
    void aFallbackOfSentinelsDoesNotHideWhatFailedFurtherDown() {
        assertRolledBackOnly(
                catchThrowable(() -> global("sentinel-half", () -> {
                    assertThat(application.getBean(Buying.class).buy("half-rude", "sentinel-half"))
                            .isEqualTo("fallback");
                    return null;
                })),
                "sentinel-half");
    }

    @Test
    void whatSentinelBlocksWasNotSentAndMarksNothing() throws Throwable {
        FlowRuleManager.loadRules(List.of(new FlowRule("blocked").setCount(0)));
        global("sentinel-blocked", () -> {
            assertThat(application.getBean(Buying.class).blocked("whole", "sentinel-blocked"))
                    .isEqualTo("blocked");
            return application.getBean(Buying.class).post("whole", "sentinel-blocked");
        });
        assertThat(ended("sentinel-blocked").state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(taken("sentinel-blocked")).isEqualTo(1);
    }

    // Advice on the method that opens the transaction stands within it, unless it is given an earlier order

    @ParameterizedTest
    @ValueSource(strings = {"sentinel", "breaker", "retry"})
    void whatStandsOnTheOpenerItselfHidesNoFailureThatLeftSomething(String advice) {
        String name = "opener-" + advice;
        Opener opener = application.getBean(Opener.class);
        assertRolledBackOnly(
                catchThrowable(() -> {
                    switch (advice) {
                        case "sentinel" -> opener.sentinel(name);
                        case "breaker" -> opener.breaker(name);
                        default -> {
                            opener.forget();
                            opener.retry(name);
                        }
                    }
                }),
                name);
    }

    /** Nothing was kept by the first attempt, so there is nothing that the second could do twice. */
    @Test
    void anAttemptThatLeftNothingMayBeRepeatedWithinTheTransaction() {
        Opener opener = application.getBean(Opener.class);
        opener.forget();
        opener.retryLocally("opener-local");
        assertThat(ended("opener-local").state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(taken("opener-local")).isEqualTo(1);
        assertThat(opener.attempts()).isEqualTo(2);
    }

    /** What somebody else has handed over is no work of the attempt's. */
    @Test
    void whatRunsBesideAnAttemptDoesNotCountAsItsWork() throws Throwable {
        Opener opener = application.getBean(Opener.class);
        CountDownLatch goOn = new CountDownLatch(1);
        opener.forget();
        global("opener-beside", () -> {
            application.getBean(AsyncTaskExecutor.class).submit(() -> goOn.await(LONG.toSeconds(), TimeUnit.SECONDS));
            opener.retryLocally("opener-beside");
            goOn.countDown();
            return null;
        });
        assertThat(ended("opener-beside").state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(taken("opener-beside")).isEqualTo(1);
        assertThat(opener.attempts()).isEqualTo(2);
    }

    /** What it handed over itself may still be kept. */
    @Test
    void whatAnAttemptHandedOverCountsAsItsWork() {
        Opener opener = application.getBean(Opener.class);
        opener.forget();
        assertRolledBackOnly(catchThrowable(() -> opener.retryBehindATask("opener-task")), "opener-task");
    }

    @Test
    void aPublisherOfTheOpenersHidesNoFailureEither() {
        assertRolledBackOnly(
                catchThrowable(() ->
                        application.getBean(Opener.class).later("opener-later").block(LONG)),
                "opener-later");
    }

    @Test
    void whatTheRulesSpareIsSparedThereToo() {
        assertThat(application.getBean(Opener.class).spared("opener-spared")).isEqualTo("fallback");
        assertThat(ended("opener-spared").state()).isEqualTo(TransactionState.COMMITTED);
        assertThat(taken("opener-spared")).isEqualTo(1);
    }

    /** Its methods open the transactions themselves. */
    @Service
    static class Opener {

        private final JdbcTemplate jdbc;
        private final AtomicInteger attempts = new AtomicInteger();
        private final Queue<CountDownLatch> goOns = new ConcurrentLinkedQueue<>();

        private final AsyncTaskExecutor executor;

        Opener(JdbcTemplate jdbc, AsyncTaskExecutor executor) {
            this.jdbc = jdbc;
            this.executor = executor;
        }

        /** Not a field: whoever asks, asks a proxy. */
        int attempts() {
            return attempts.get();
        }

        void forget() {
            attempts.set(0);
        }

        private String half(String text) {
            jdbc.update("INSERT INTO taken (text) VALUES (?)", text);
            throw new IllegalStateException("the second half failed");
        }

        public String instead(String text, Throwable failure) {
            return "fallback";
        }

        @GlobalTransactional(name = "opener-sentinel")
        @SentinelResource(value = "opener", fallback = "instead")
        public String sentinel(String text) {
            return half(text);
        }

        @GlobalTransactional(name = "opener-breaker")
        @CircuitBreaker(name = "opener", fallbackMethod = "instead")
        public String breaker(String text) {
            return half(text);
        }

        @GlobalTransactional(name = "opener-spared", noRollbackFor = IllegalStateException.class)
        @CircuitBreaker(name = "opener", fallbackMethod = "instead")
        public String spared(String text) {
            return half(text);
        }

        @GlobalTransactional(name = "opener-retry")
        @Retry(name = "opener")
        public String retry(String text) {
            jdbc.update("INSERT INTO taken (text) VALUES (?)", text);
            failTheFirst();
            return "done";
        }

        @GlobalTransactional(name = "opener-local")
        @Retry(name = "opener")
        @Transactional
        public String retryLocally(String text) {
            jdbc.update("INSERT INTO taken (text) VALUES (?)", text);
            failTheFirst();
            return "done";
        }

        @GlobalTransactional(name = "opener-task")
        @Retry(name = "opener")
        public String retryBehindATask(String text) {
            boolean fails = attempts.getAndIncrement() % 2 == 0;
            CountDownLatch goOn = new CountDownLatch(1);
            goOns.add(goOn);
            executor.execute(() -> {
                try {
                    goOn.await();
                    jdbc.update("INSERT INTO taken (text) VALUES (?)", text);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            if (fails) {
                throw new IllegalStateException("the second half failed");
            }
            goOns.forEach(CountDownLatch::countDown);
            return "done";
        }

        @GlobalTransactional(name = "opener-later")
        public Mono<String> later(String text) {
            return Mono.fromCallable(() -> half(text));
        }

        private void failTheFirst() {
            if (attempts.getAndIncrement() % 2 == 0) {
                throw new IllegalStateException("the second half failed");
            }
        }
    }

    /** Stands for advice that puts operators on what the method returned. */
    @Aspect
    @Order(Ordered.LOWEST_PRECEDENCE - 50)
    static class FallsBack {

        @Around("execution(* io.txn.test.carriers.HiddenFailuresIT.Opener.later(..))")
        public Object instead(ProceedingJoinPoint call) throws Throwable {
            return ((Mono<?>) call.proceed()).cast(Object.class).onErrorReturn("fallback");
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @Import({Buying.class, Opener.class, FallsBack.class})
    static class Shop {

        @Bean
        SentinelResourceAspect sentinel() {
            return new SentinelResourceAspect();
        }

        @Bean
        ResourceConfig resources(JdbcTemplate jdbc, AsyncTaskExecutor executor) {
            return new ResourceConfig().register(new Stock(jdbc, executor)).register(new Sorry());
        }
    }

    @Service
    static class Buying {

        private final RestTemplate template;

        Buying(RestTemplateBuilder builder) {
            this.template = builder.build();
        }

        public String post(String how, String text) {
            return template.postForObject(
                    "http://127.0.0.1:" + application.getWebServer().getPort() + "/" + how + "/" + text,
                    null,
                    String.class);
        }

        @SentinelResource(value = "buy", fallback = "instead")
        public String buy(String how, String text) {
            return post(how, text);
        }

        public String instead(String how, String text, Throwable failure) {
            return "fallback";
        }

        @SentinelResource(value = "blocked", blockHandler = "refused")
        public String blocked(String how, String text) {
            return post(how, text);
        }

        public String refused(String how, String text, BlockException failure) {
            return "blocked";
        }
    }

    /** The service. */
    @Path("/")
    public static class Stock {

        private final JdbcTemplate jdbc;
        private final AsyncTaskExecutor executor;

        Stock(JdbcTemplate jdbc, AsyncTaskExecutor executor) {
            this.jdbc = jdbc;
            this.executor = executor;
        }

        private String insert(String how, String text) {
            jdbc.update("INSERT INTO taken (text) VALUES (?)", text);
            if (how.startsWith("half")) {
                throw how.endsWith("rude")
                        ? new IllegalStateException("the second half failed")
                        : new IllegalArgumentException("the second half failed");
            }
            return "done";
        }

        @POST
        @Path("{how}/{text}")
        public String take(@PathParam("how") String how, @PathParam("text") String text) {
            return insert(how, text);
        }

        @POST
        @Path("{how: .*-later}/{text}")
        public void takeLater(
                @PathParam("how") String how, @PathParam("text") String text, @Suspended AsyncResponse answer) {
            executor.execute(() -> {
                try {
                    answer.resume(insert(how, text));
                } catch (RuntimeException e) {
                    answer.resume(e);
                }
            });
        }
    }

    /** Makes a good answer of a failure. */
    public static class Sorry implements ExceptionMapper<IllegalArgumentException> {

        @Override
        public Response toResponse(IllegalArgumentException failure) {
            return Response.ok("sorry").build();
        }
    }
}
