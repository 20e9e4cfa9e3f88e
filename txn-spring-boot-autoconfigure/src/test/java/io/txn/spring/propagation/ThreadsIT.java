package io.txn.spring.propagation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
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
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.RejectedExecutionHandler;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.task.ThreadPoolTaskExecutorBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.task.AsyncTaskExecutor;
import org.springframework.core.task.SimpleAsyncTaskExecutor;
import org.springframework.core.task.TaskDecorator;
import org.springframework.core.task.TaskRejectedException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.AsyncConfigurer;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.scheduling.concurrent.ThreadPoolTaskExecutor;
import org.springframework.stereotype.Service;

/** Work on other threads: it belongs to the transaction of whoever handed it over, and is waited for. */
@Timeout(180)
class ThreadsIT {

    private static final Duration LONG = Duration.ofSeconds(60);

    @TempDir
    static Path directory;

    private static final TestDatabase ORDERS = TestDatabases.h2();
    private static final ThreadFactory FACTORY = Thread::new;
    private static final AtomicInteger DECORATED = new AtomicInteger();
    private static final AtomicInteger WAITING = new AtomicInteger();
    private static TestCoordinator coordinator;
    private static ConfigurableApplicationContext application;

    @BeforeAll
    static void start() {
        ORDERS.execute("CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(50))");
        coordinator = TestCoordinator.start(directory);
        application = new SpringApplicationBuilder(Shop.class)
                .web(WebApplicationType.NONE)
                .properties(
                        "spring.main.banner-mode=off",
                        "spring.application.name=shop",
                        "spring.datasource.url=" + ORDERS.jdbcUrl(),
                        "spring.datasource.username=" + ORDERS.user(),
                        "spring.datasource.password=" + ORDERS.password(),
                        "logging.level.root=warn",
                        coordinator.property())
                .run();
    }

    @AfterAll
    static void stop() {
        application.close();
        coordinator.close();
    }

    private static <T> T global(String name, Duration timeout, GlobalTransactionTemplate.Callback<T> work)
            throws Throwable {
        return application
                .getBean(GlobalTransactionTemplate.class)
                .execute(GlobalTransactionOptions.named(name).withTimeout(timeout), work);
    }

    private static Worker worker() {
        return application.getBean(Worker.class);
    }

    private static int orders(String text) {
        return new JdbcTemplate(ORDERS.dataSource())
                .queryForObject("SELECT COUNT(*) FROM orders WHERE text = ?", Integer.class, text);
    }

    private static TransactionState endOf(String name) {
        Await.until("it ended", LONG, () -> coordinator.transaction(name).endedAt() != null);
        return coordinator.transaction(name).state();
    }

    @Test
    void anAsyncMethodWorksInTheTransactionAndIsUndoneWithIt() {
        int before = DECORATED.get();
        IllegalStateException changedMind = new IllegalStateException();
        assertThat(catchThrowable(() -> global("async", LONG, () -> {
                    String own = application
                            .getBean(ContextCarrier.class)
                            .current()
                            .xid()
                            .value();
                    assertThat(worker().insert("async").get(LONG.toSeconds(), TimeUnit.SECONDS))
                            .isEqualTo(own);
                    throw changedMind;
                })))
                .isSameAs(changedMind);
        assertThat(endOf("async")).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(orders("async")).isZero();
        assertThat(DECORATED).as("the application's own decorator").hasValueGreaterThan(before);
    }

    @Test
    void aCommitWaitsForWhatIsUnderWay() throws Throwable {
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<Void> whole = CompletableFuture.runAsync(() -> {
            try {
                global("waits", LONG, () -> {
                    worker().insertAfter(goOn, "waits");
                    return "";
                });
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        });
        Await.until("the task waits", LONG, () -> WAITING.get() == 1);
        assertThat(whole).isNotDone();
        goOn.countDown();
        whole.get(LONG.toSeconds(), TimeUnit.SECONDS);
        assertThat(endOf("waits")).isEqualTo(TransactionState.COMMITTED);
        assertThat(orders("waits")).isEqualTo(1);
    }

    @Test
    void whatIsNotOverAtTheDeadlineRollsBackAndIsNamed() {
        CountDownLatch goOn = new CountDownLatch(1);
        Throwable thrown = catchThrowable(() -> global("never", Duration.ofSeconds(2), () -> {
            new JdbcTemplate(application.getBean(javax.sql.DataSource.class))
                    .update("INSERT INTO orders (text) VALUES ('never')");
            CompletableFuture.runAsync(
                    () -> worker().awaitOnly(goOn),
                    application.getBean("applicationTaskExecutor", AsyncTaskExecutor.class));
            return "";
        }));
        goOn.countDown();
        assertThat(thrown)
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.TRANSACTION_TIMED_OUT))
                .hasMessageContaining("unfinishedTasks=1");
        assertThat(endOf("never")).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(orders("never")).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"abort", "discard", "discardOldest", "callerRuns", "limited"})
    void aTaskThatIsRejectedOrThrownAwayIsWaitedForByNobody(String executor) throws Throwable {
        CountDownLatch goOn = new CountDownLatch(1);
        AsyncTaskExecutor full = application.getBean(executor, AsyncTaskExecutor.class);
        AtomicInteger rejected = new AtomicInteger();
        String name = "rejected-" + executor;
        global(name, LONG, () -> {
            new JdbcTemplate(application.getBean(javax.sql.DataSource.class))
                    .update("INSERT INTO orders (text) VALUES (?)", name);
            // One is at work and one may wait.
            for (int task = 0; task < 2; task++) {
                try {
                    full.submit(() -> worker().awaitOnly(goOn));
                } catch (TaskRejectedException e) {
                    rejected.incrementAndGet();
                }
            }
            try {
                full.submit(() -> {});
            } catch (TaskRejectedException e) {
                rejected.incrementAndGet();
            }
            if (executor.equals("abort")) {
                assertThatThrownBy(() -> worker().insertOnAFullExecutor()).isInstanceOf(TaskRejectedException.class);
            }
            goOn.countDown();
            return "";
        });
        assertThat(endOf(name)).isEqualTo(TransactionState.COMMITTED);
        assertThat(rejected.get()).isEqualTo(executor.equals("abort") ? 1 : executor.equals("limited") ? 2 : 0);
    }

    private static Throwable failed(String way, String name) throws InterruptedException {
        AsyncTaskExecutor executor = application.getBean("applicationTaskExecutor", AsyncTaskExecutor.class);
        CountDownLatch begun = new CountDownLatch(1);
        return switch (way) {
            case "void" -> {
                worker().insertAndFail(name);
                yield null;
            }
            case "composed" -> {
                worker().insertAndFailInTheBackground(name);
                yield null;
            }
            case "declared by an interface" -> {
                application.getBean(Clerk.class).insertAndFail(name);
                yield null;
            }
            case "future" ->
                catchThrowable(() -> worker().insertAndFailAsked(name).get(LONG.toSeconds(), TimeUnit.SECONDS));
            case "submitted" ->
                catchThrowable(
                        () -> executor.submit(() -> worker().insertHalf(name)).get(LONG.toSeconds(), TimeUnit.SECONDS));
            default -> {
                executor.execute(() -> {
                    begun.countDown();
                    worker().insertHalf(name);
                });
                assertThat(begun.await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
                yield null;
            }
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"void", "composed", "declared by an interface", "future", "submitted", "executed"})
    void aTaskThatKeptSomethingAndFailedMarks(String way) {
        String name = "half-" + way;
        // Whoever asks the future handles what it says, as a caller might.
        Throwable thrown = catchThrowable(() -> global(name, LONG, () -> failed(way, name)));
        assertThat(thrown)
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ROLLED_BACK_ONLY))
                .hasMessageContaining("the second half failed");
        assertThat(endOf(name)).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(orders(name)).isZero();
    }

    @Test
    void aTaskThatKeptNothingMayFail() throws Throwable {
        global("no-half", LONG, () -> {
            new JdbcTemplate(application.getBean(javax.sql.DataSource.class))
                    .update("INSERT INTO orders (text) VALUES ('no-half')");
            worker().failOnly();
            return catchThrowable(() -> worker().failOnlyAsked().get(LONG.toSeconds(), TimeUnit.SECONDS));
        });
        assertThat(endOf("no-half")).isEqualTo(TransactionState.COMMITTED);
    }

    @Test
    void anExecutorThatIsWatchedForWhatItRejectsIsWholeInAllItsMethods() {
        SimpleAsyncTaskExecutor limited = application.getBean("limited", SimpleAsyncTaskExecutor.class);
        assertThat(limited.getConcurrencyLimit()).isEqualTo(1);
        assertThat(limited.isThrottleActive()).isTrue();
        assertThat(limited.getThreadFactory()).isSameAs(FACTORY);
        assertThat(limited.getThreadNamePrefix()).isEqualTo("limited");
    }

    /** An executor of the platform's, or one that is no bean at all, as an AsyncConfigurer gives it out. */
    @ParameterizedTest
    @ValueSource(strings = {"of the platform's", "no bean", "the caller's thread"})
    void anAsyncMethodWorksInTheTransactionWhateverItsExecutorIs(String which) throws Throwable {
        String name = "executor: " + which;
        Callable<CompletableFuture<String>> insert = () -> switch (which) {
            case "no bean" -> application.getBean(Elsewhere.class).insert(name);
            case "of the platform's" -> worker().insertByThePlatform(name);
            default -> worker().insertHere(name);
        };
        IllegalStateException changedMind = new IllegalStateException();
        assertThat(catchThrowable(() -> global(name, LONG, () -> {
                    String own = application
                            .getBean(ContextCarrier.class)
                            .current()
                            .xid()
                            .value();
                    assertThat(insert.call().get(LONG.toSeconds(), TimeUnit.SECONDS))
                            .isEqualTo(own);
                    throw changedMind;
                })))
                .isSameAs(changedMind);
        assertThat(endOf(name)).isEqualTo(TransactionState.ROLLED_BACK);
        assertThat(orders(name)).isZero();
    }

    @Test
    void aCommitWaitsForAnAsyncMethodOnAnExecutorThatIsNoBeanAndItsFailureMarks() throws Throwable {
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<Void> whole = CompletableFuture.runAsync(() -> {
            try {
                global("elsewhere", LONG, () -> {
                    application.getBean(Elsewhere.class).insertAfter(goOn, "elsewhere");
                    return "";
                });
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        });
        Await.until("it is under way", LONG, () -> Elsewhere.BEGUN.get() == 1);
        assertThat(whole).isNotDone();
        goOn.countDown();
        whole.get(LONG.toSeconds(), TimeUnit.SECONDS);
        assertThat(orders("elsewhere")).isEqualTo(1);
        Throwable thrown = catchThrowable(() -> global("elsewhere-half", LONG, () -> {
            application.getBean(Elsewhere.class).insertAndFail("elsewhere-half");
            return "";
        }));
        assertThat(thrown)
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ROLLED_BACK_ONLY))
                .hasMessageContaining("the second half failed");
        assertThat(orders("elsewhere-half")).isZero();
    }

    @Test
    void whatAnExecutorThatIsNoBeanRejectsIsWaitedForByNobody() throws Throwable {
        global("elsewhere-rejected", LONG, () -> {
            new JdbcTemplate(application.getBean(javax.sql.DataSource.class))
                    .update("INSERT INTO orders (text) VALUES ('elsewhere-rejected')");
            return catchThrowable(() -> worker().insertNowhere());
        });
        assertThat(endOf("elsewhere-rejected")).isEqualTo(TransactionState.COMMITTED);
    }

    /** Whoever cancels a call that no thread has taken up may commit, and it does not begin behind the commit. */
    @Test
    void aCallThatIsCancelledBeforeItBeginsIsWaitedForByNobody() throws Throwable {
        Runnable[] task = {null};
        global("elsewhere-cancelled", LONG, () -> {
            new JdbcTemplate(application.getBean(javax.sql.DataSource.class))
                    .update("INSERT INTO orders (text) VALUES ('elsewhere-cancelled')");
            CompletableFuture<String> never = worker().insertSomeTime("elsewhere-cancelled");
            task[0] = Shop.KEPT.poll(LONG.toSeconds(), TimeUnit.SECONDS);
            return never.cancel(false);
        });
        assertThat(endOf("elsewhere-cancelled")).isEqualTo(TransactionState.COMMITTED);
        task[0].run();
        assertThat(orders("elsewhere-cancelled")).as("the caller's own").isEqualTo(1);
    }

    @Test
    void aCommitWaitsForTheFutureThatAnAsyncMethodReturned() throws Exception {
        CountDownLatch goOn = new CountDownLatch(1);
        CompletableFuture<Void> whole = CompletableFuture.runAsync(() -> {
            try {
                global("elsewhere-later", LONG, () -> application
                        .getBean(Elsewhere.class)
                        .insertLater(goOn, "elsewhere-later"));
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        });
        assertThat(catchThrowable(() -> whole.get(500, TimeUnit.MILLISECONDS))).isInstanceOf(TimeoutException.class);
        goOn.countDown();
        whole.get(LONG.toSeconds(), TimeUnit.SECONDS);
        assertThat(endOf("elsewhere-later")).isEqualTo(TransactionState.COMMITTED);
        assertThat(orders("elsewhere-later")).isEqualTo(1);
    }

    @Test
    void outsideATransactionNothingIsBound() throws Exception {
        assertThat(worker().current().get(LONG.toSeconds(), TimeUnit.SECONDS)).isEqualTo("none");
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @EnableAsync
    @Import({Worker.class, SilentClerk.class, Elsewhere.class})
    static class Shop implements AsyncConfigurer {

        /** Ends with the JVM. */
        private static final ExecutorService NO_BEAN = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "no-bean");
            thread.setDaemon(true);
            return thread;
        });

        /** For methods that name no executor, as Spring's documentation shows it. */
        @Override
        public Executor getAsyncExecutor() {
            return NO_BEAN;
        }

        @Bean(destroyMethod = "shutdown")
        ExecutorService platform() {
            return Executors.newFixedThreadPool(1);
        }

        @Bean
        Executor here() {
            return Runnable::run;
        }

        static final BlockingQueue<Runnable> KEPT = new LinkedBlockingQueue<>();

        @Bean
        Executor someTime() {
            return KEPT::add;
        }

        @Bean
        Executor nowhere() {
            return task -> {
                throw new RejectedExecutionException("there is no room");
            };
        }

        private static ThreadPoolTaskExecutor full(RejectedExecutionHandler policy) {
            ThreadPoolTaskExecutor executor = new ThreadPoolTaskExecutor();
            executor.setCorePoolSize(1);
            executor.setMaxPoolSize(1);
            executor.setQueueCapacity(1);
            executor.setRejectedExecutionHandler(policy);
            return executor;
        }

        @Bean
        ThreadPoolTaskExecutor abort() {
            return full(new ThreadPoolExecutor.AbortPolicy());
        }

        @Bean
        ThreadPoolTaskExecutor discard() {
            return full(new ThreadPoolExecutor.DiscardPolicy());
        }

        @Bean
        ThreadPoolTaskExecutor discardOldest() {
            return full(new ThreadPoolExecutor.DiscardOldestPolicy());
        }

        @Bean
        ThreadPoolTaskExecutor callerRuns() {
            return full(new ThreadPoolExecutor.CallerRunsPolicy());
        }

        @Bean
        SimpleAsyncTaskExecutor limited() {
            SimpleAsyncTaskExecutor executor = new SimpleAsyncTaskExecutor("limited");
            executor.setConcurrencyLimit(1);
            executor.setRejectTasksWhenLimitReached(true);
            executor.setThreadFactory(FACTORY);
            return executor;
        }

        @Bean({"applicationTaskExecutor", "taskExecutor"})
        AsyncTaskExecutor applicationTaskExecutor(ThreadPoolTaskExecutorBuilder builder) {
            return builder.build();
        }

        @Bean
        TaskDecorator counting() {
            return task -> {
                DECORATED.incrementAndGet();
                return task;
            };
        }
    }

    /** An application's own word for what runs elsewhere. */
    @Async("taskExecutor")
    @Target({ElementType.METHOD, ElementType.TYPE})
    @Retention(RetentionPolicy.RUNTIME)
    @interface InTheBackground {}

    interface Clerk {
        @InTheBackground
        void insertAndFail(String text);
    }

    /** Says nothing itself. */
    @Service
    static class SilentClerk implements Clerk {

        private final JdbcTemplate jdbc;

        SilentClerk(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        @Override
        public void insertAndFail(String text) {
            jdbc.update("INSERT INTO orders (text) VALUES (?)", text);
            throw new IllegalStateException("the second half failed");
        }
    }

    /** Its methods run on what the configurer gives out. */
    @Service
    static class Elsewhere {

        static final AtomicInteger BEGUN = new AtomicInteger();

        private final JdbcTemplate jdbc;
        private final ContextCarrier contexts;

        Elsewhere(JdbcTemplate jdbc, ContextCarrier contexts) {
            this.jdbc = jdbc;
            this.contexts = contexts;
        }

        @Async
        public CompletableFuture<String> insert(String text) {
            jdbc.update("INSERT INTO orders (text) VALUES (?)", text);
            TransactionContext context = contexts.current();
            return CompletableFuture.completedFuture(
                    context == null ? "none" : context.xid().value());
        }

        /** On a thread that nobody else waits for. */
        @Async
        @SuppressWarnings("try") // the scope is opened for its closing
        public CompletableFuture<String> insertLater(CountDownLatch goOn, String text) {
            ContextCarrier.Captured captured = contexts.capture();
            return CompletableFuture.supplyAsync(() -> {
                try (ContextCarrier.Scope scope = captured.restore()) {
                    goOn.await();
                    jdbc.update("INSERT INTO orders (text) VALUES (?)", text);
                    return "";
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
        }

        @Async
        public void insertAfter(CountDownLatch goOn, String text) throws InterruptedException {
            BEGUN.incrementAndGet();
            if (!goOn.await(LONG.toSeconds(), TimeUnit.SECONDS)) {
                throw new AssertionError("nobody let it go");
            }
            jdbc.update("INSERT INTO orders (text) VALUES (?)", text);
        }

        @Async
        public void insertAndFail(String text) {
            jdbc.update("INSERT INTO orders (text) VALUES (?)", text);
            throw new IllegalStateException("the second half failed");
        }
    }

    @Service
    static class Worker {

        private final JdbcTemplate jdbc;
        private final ContextCarrier contexts;

        Worker(JdbcTemplate jdbc, ContextCarrier contexts) {
            this.jdbc = jdbc;
            this.contexts = contexts;
        }

        @Async("taskExecutor")
        public CompletableFuture<String> insert(String text) {
            jdbc.update("INSERT INTO orders (text) VALUES (?)", text);
            return CompletableFuture.completedFuture(contexts.current().xid().value());
        }

        @Async("taskExecutor")
        public CompletableFuture<String> current() {
            TransactionContext context = contexts.current();
            return CompletableFuture.completedFuture(
                    context == null ? "none" : context.xid().value());
        }

        @Async("taskExecutor")
        public void insertAfter(CountDownLatch goOn, String text) {
            WAITING.incrementAndGet();
            awaitOnly(goOn);
            jdbc.update("INSERT INTO orders (text) VALUES (?)", text);
        }

        @Async("taskExecutor")
        public void insertAndFail(String text) {
            insertHalf(text);
        }

        @InTheBackground
        public void insertAndFailInTheBackground(String text) {
            insertHalf(text);
        }

        @Async("taskExecutor")
        public CompletableFuture<String> insertAndFailAsked(String text) {
            return CompletableFuture.completedFuture(insertHalf(text));
        }

        public String insertHalf(String text) {
            jdbc.update("INSERT INTO orders (text) VALUES (?)", text);
            throw new IllegalStateException("the second half failed");
        }

        @Async("taskExecutor")
        public void failOnly() {
            throw new IllegalStateException("nothing was kept");
        }

        @Async("taskExecutor")
        public CompletableFuture<String> failOnlyAsked() {
            throw new IllegalStateException("nothing was kept");
        }

        @Async("platform")
        public CompletableFuture<String> insertByThePlatform(String text) {
            return insertNow(text);
        }

        @Async("here")
        public CompletableFuture<String> insertHere(String text) {
            return insertNow(text);
        }

        private CompletableFuture<String> insertNow(String text) {
            jdbc.update("INSERT INTO orders (text) VALUES (?)", text);
            TransactionContext context = contexts.current();
            return CompletableFuture.completedFuture(
                    context == null ? "none" : context.xid().value());
        }

        @Async("someTime")
        public CompletableFuture<String> insertSomeTime(String text) {
            return insertNow(text);
        }

        @Async("nowhere")
        public void insertNowhere() {
            throw new AssertionError("there was no room for it");
        }

        @Async("abort")
        public void insertOnAFullExecutor() {
            throw new AssertionError("there was no room for it");
        }

        public void awaitOnly(CountDownLatch goOn) {
            try {
                if (!goOn.await(LONG.toSeconds(), TimeUnit.SECONDS)) {
                    throw new AssertionError("nobody let it go");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError(e);
            }
        }
    }
}
