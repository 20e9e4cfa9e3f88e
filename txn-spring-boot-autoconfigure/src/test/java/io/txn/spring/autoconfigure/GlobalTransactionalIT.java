package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.ContextCarrier;
import io.txn.client.Propagation;
import io.txn.client.TransactionContext;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.spring.GlobalTransactional;
import io.txn.spring.GlobalTransactionalAspect;
import io.txn.test.Await;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.aspectj.lang.ProceedingJoinPoint;
import org.aspectj.lang.annotation.Around;
import org.aspectj.lang.annotation.Aspect;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.aop.support.AopUtils;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.AbstractPlatformTransactionManager;
import org.springframework.transaction.support.DefaultTransactionStatus;

/** The annotation on real proxies, with the real coordinator. */
class GlobalTransactionalIT {

    @TempDir
    static Path directory;

    private static TestCoordinator coordinator;

    @BeforeAll
    static void start() {
        coordinator = TestCoordinator.start(directory);
    }

    @AfterAll
    static void stop() {
        coordinator.close();
    }

    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(TxnAutoConfiguration.class, AopAutoConfiguration.class))
            .withUserConfiguration(Shop.class)
            .withPropertyValues(coordinator.property());

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theGlobalTransactionIsOutsideTheLocalOne(boolean classProxies) {
        runner.withPropertyValues("spring.aop.proxy-target-class=" + classProxies)
                .run(context -> {
                    Orders orders = context.getBean(Orders.class);
                    assertThat(AopUtils.isJdkDynamicProxy(orders)).isEqualTo(!classProxies);
                    Xid xid = orders.place(null);
                    assertThat(context.getBean(LocalTransactions.class).events)
                            .containsExactly("begin in ACTIVE", "commit in ACTIVE", "afterwards in ACTIVE");
                    assertThat(coordinator.detail(xid).summary().state()).isEqualTo(TransactionState.COMMITTED);
                });
    }

    @Test
    void anExceptionRollsBothBackInnermostFirstAndArrivesUntouched() {
        runner.run(context -> {
            IOException failure = new IOException("no stock");
            assertThat(catchThrowable(() -> context.getBean(Orders.class).place(failure)))
                    .isSameAs(failure);
            // Spring commits on a checked exception; the global transaction does not.
            assertThat(context.getBean(LocalTransactions.class).events)
                    .containsExactly("begin in ACTIVE", "commit in ACTIVE", "afterwards in ACTIVE");
            assertThat(failure).satisfies(told -> assertThat(told.getSuppressed())
                    .singleElement()
                    .isInstanceOfSatisfying(TxnException.class, outcome -> assertThat(outcome.code())
                            .isEqualTo(ErrorCode.ROLLED_BACK)));
            Xid xid = context.getBean(LocalTransactions.class).lastXid;
            assertThat(coordinator.detail(xid).summary().state()).isEqualTo(TransactionState.ROLLED_BACK);
        });
    }

    @Test
    void aGlobalTransactionInTheMiddleOfALocalOneIsRefused() {
        runner.run(context -> {
            assertThat(catchThrowable(() -> context.getBean(Backwards.class).place()))
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.LOCAL_TRANSACTION_OPEN));
            assertThat(context.getBean(LocalTransactions.class).events.get(0)).isEqualTo("begin in none");
        });
    }

    @Test
    void whatStandsFurtherOutStaysOutside() {
        runner.withUserConfiguration(Outer.class).run(context -> {
            context.getBean(Orders.class).place(null);
            assertThat(context.getBean(OuterAspect.class).seen).containsExactly("before none", "after none");
        });
    }

    @Test
    void theDeadlineIsKept() {
        runner.run(context -> {
            Throwable thrown = catchThrowable(() -> context.getBean(Slow.class).work(() -> {
                // Held until the coordinator itself has seen the deadline pass.
                Await.until(
                        "rolled back by the coordinator",
                        Duration.ofSeconds(20),
                        () -> coordinator.transaction("slow").state() == TransactionState.ROLLED_BACK);
            }));
            assertThat(thrown).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                    .isEqualTo(ErrorCode.TRANSACTION_TIMED_OUT));
            assertThat(coordinator.transaction("slow").timedOut()).isTrue();
        });
    }

    @Test
    void aCallWithinTheObjectDoesNotPassTheAspect() {
        runner.run(context -> {
            assertThat(context.getBean(Slow.class).self()).isNull();
            assertThat(context.getBean(Slow.class).name()).isNotNull();
        });
    }

    @Test
    void classesAreAnnotatedAsAWhole() {
        runner.run(context -> {
            Whole whole = context.getBean(Whole.class);
            assertThat(whole.inherited()).isNotNull();
            assertThat(whole.none()).isNull();
            assertThat(whole.packagePrivate()).as("not public").isNull();
        });
    }

    @Test
    void switchedOffTheAnnotationDoesNothing() {
        runner.withPropertyValues("txn.enabled=false")
                .withBean(ContextCarrier.class)
                .run(context -> {
                    assertThat(context).doesNotHaveBean(GlobalTransactionalAspect.class);
                    assertThat(context.getBean(Slow.class).name()).isNull();
                });
    }

    @Test
    void anAnnotationThatCannotWorkFailsTheStart() {
        runner.withBean(Hopeless.class).run(context -> assertThat(new TxnFailureAnalyzer(null)
                        .analyze(context.getStartupFailure())
                        .getDescription())
                .contains("TXN-CFG001")
                .contains("Hopeless.later()")
                .contains("before the work is done"));
    }

    @Test
    void manyCallersAtOnceEachHaveTheirOwn() {
        runner.run(context -> {
            Slow slow = context.getBean(Slow.class);
            List<Xid> xids = new CopyOnWriteArrayList<>();
            CountDownLatch done = new CountDownLatch(8);
            for (int i = 0; i < 8; i++) {
                new Thread(() -> {
                            for (int j = 0; j < 10; j++) {
                                xids.add(slow.name().xid());
                            }
                            done.countDown();
                        })
                        .start();
            }
            assertThat(done.await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(xids).doesNotHaveDuplicates().hasSize(80).allSatisfy(xid -> assertThat(
                            coordinator.detail(xid).summary().state())
                    .isEqualTo(TransactionState.COMMITTED));
        });
    }

    interface Orders {
        Xid place(Exception failure) throws Exception;
    }

    static class TransactionalOrders implements Orders {

        private final ContextCarrier contexts;

        TransactionalOrders(ContextCarrier contexts) {
            this.contexts = contexts;
        }

        @Override
        @Transactional
        @GlobalTransactional
        public Xid place(Exception failure) throws Exception {
            if (failure != null) {
                throw failure;
            }
            return contexts.current().xid();
        }
    }

    static class Backwards {

        private final Orders orders;

        Backwards(Orders orders) {
            this.orders = orders;
        }

        @Transactional
        public void place() throws Exception {
            orders.place(null);
        }
    }

    static class Slow {

        private final ContextCarrier contexts;

        Slow(ContextCarrier contexts) {
            this.contexts = contexts;
        }

        @GlobalTransactional(name = "slow", timeout = "200ms")
        public void work(Runnable work) {
            work.run();
        }

        @GlobalTransactional
        public TransactionContext name() {
            return contexts.current();
        }

        public TransactionContext self() {
            return name();
        }
    }

    static class Base {

        final ContextCarrier contexts;

        Base(ContextCarrier contexts) {
            this.contexts = contexts;
        }
    }

    @GlobalTransactional
    static class Whole extends Base {

        Whole(ContextCarrier contexts) {
            super(contexts);
        }

        public TransactionContext inherited() {
            return contexts.current();
        }

        TransactionContext packagePrivate() {
            return contexts.current();
        }

        @GlobalTransactional(propagation = Propagation.NOT_SUPPORTED)
        public TransactionContext none() {
            return contexts.current();
        }
    }

    static class Hopeless {
        @GlobalTransactional
        public CompletableFuture<String> later() {
            return new CompletableFuture<>();
        }
    }

    /** Says in which state of the global transaction the local one begins and ends. */
    static class LocalTransactions extends AbstractPlatformTransactionManager {

        private static final long serialVersionUID = 1L;

        private final transient List<String> events = new CopyOnWriteArrayList<>();
        private final transient ContextCarrier contexts;
        private transient Xid lastXid;

        LocalTransactions(ContextCarrier contexts) {
            this.contexts = contexts;
        }

        private void record(String event) {
            TransactionContext context = contexts.current();
            if (context != null) {
                lastXid = context.xid();
            }
            events.add(event + " in "
                    + (context == null
                            ? "none"
                            : coordinator.detail(context.xid()).summary().state()));
        }

        @Override
        protected Object doGetTransaction() {
            return new Object();
        }

        @Override
        protected void doBegin(Object transaction, TransactionDefinition definition) {
            record("begin");
        }

        @Override
        protected void doCommit(DefaultTransactionStatus status) {
            record("commit");
        }

        @Override
        protected void doRollback(DefaultTransactionStatus status) {
            record("rollback");
        }

        @Override
        protected void doCleanupAfterCompletion(Object transaction) {
            record("afterwards");
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableTransactionManagement
    static class Shop {

        @Bean
        PlatformTransactionManager transactionManager(ContextCarrier contexts) {
            return new LocalTransactions(contexts);
        }

        @Bean
        Orders orders(ContextCarrier contexts) {
            return new TransactionalOrders(contexts);
        }

        @Bean
        Backwards backwards(Orders orders) {
            return new Backwards(orders);
        }

        @Bean
        Slow slow(ContextCarrier contexts) {
            return new Slow(contexts);
        }

        @Bean
        Whole whole(ContextCarrier contexts) {
            return new Whole(contexts);
        }
    }

    @Aspect
    @Order(0)
    static class OuterAspect {

        private final ContextCarrier contexts;
        private final List<String> seen = new CopyOnWriteArrayList<>();

        OuterAspect(ContextCarrier contexts) {
            this.contexts = contexts;
        }

        @Around("execution(* *..Orders.place(..))")
        public Object around(ProceedingJoinPoint call) throws Throwable {
            seen.add("before " + (contexts.current() == null ? "none" : "bound"));
            Object result = call.proceed();
            seen.add("after " + (contexts.current() == null ? "none" : "bound"));
            return result;
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Outer {

        @Bean
        OuterAspect outerAspect(ContextCarrier contexts) {
            return new OuterAspect(contexts);
        }
    }
}
