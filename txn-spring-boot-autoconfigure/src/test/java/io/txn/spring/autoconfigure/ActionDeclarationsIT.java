package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.action.ActionContext;
import io.txn.client.action.Fencing;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.Captured;
import io.txn.spring.EndPolicy;
import io.txn.spring.GlobalTransactional;
import io.txn.spring.SagaAction;
import io.txn.spring.TccAction;
import io.txn.test.Await;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.aop.support.AopUtils;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.transaction.TransactionAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.test.util.AopTestUtils;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.AbstractPlatformTransactionManager;
import org.springframework.transaction.support.DefaultTransactionStatus;

/** What cannot work fails the start, with what would. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ActionDeclarationsIT {

    private TestCoordinator coordinator;

    @BeforeAll
    void start(@TempDir Path directory) {
        coordinator = TestCoordinator.start(directory.resolve("coordinator"));
    }

    @AfterAll
    void stop() {
        coordinator.close();
    }

    private ApplicationContextRunner runner() {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        TxnAutoConfiguration.class,
                        TxnDataSourceAutoConfiguration.class,
                        TxnModesAutoConfiguration.class,
                        AopAutoConfiguration.class,
                        DataSourceAutoConfiguration.class,
                        JdbcTemplateAutoConfiguration.class,
                        DataSourceTransactionManagerAutoConfiguration.class,
                        TransactionAutoConfiguration.class))
                .withPropertyValues(
                        coordinator.property(),
                        "spring.application.name=declarations",
                        "spring.datasource.generate-unique-name=true");
    }

    private void refused(Class<?> bean, ErrorCode code, String... texts) {
        refused(runner().withBean(bean), code, texts);
    }

    private static void refused(ApplicationContextRunner runner, ErrorCode code, String... texts) {
        runner.run(context -> {
            assertThat(context).hasFailed();
            Throwable cause = context.getStartupFailure();
            while (cause != null && !(cause instanceof TxnException)) {
                cause = cause.getCause();
            }
            assertThat(cause)
                    .as("%s", context.getStartupFailure())
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(code));
            assertThat(String.valueOf(cause.getMessage())).contains(texts);
        });
    }

    public static class Good {
        @TccAction(name = "good")
        public void attempt(@Captured String id, List<String> notKept) {}

        public void confirm(String id) {}

        public boolean cancel(ActionContext context, String id) {
            return true;
        }
    }

    static class NoCancel {
        @TccAction(name = "no/cancel")
        public void attempt(@Captured("id") long id, @Captured("sums") List<BigDecimal> sums) {}

        public void confirm(long id, List<BigDecimal> sums) {}
    }

    static class OtherTypes {
        @TccAction(name = "other/types")
        public void attempt(@Captured("id") long id) {}

        public void confirm(String id) {}

        public void cancel(long id) {}
    }

    static class CapturesNothing {
        @TccAction(name = "captures/nothing")
        public void attempt(String user, BigDecimal amount) {}

        public void confirm(String user, BigDecimal amount) {}

        public void cancel(String user, BigDecimal amount) {}
    }

    static class CapturesHalf {
        @SagaAction(name = "captures/half")
        public String act(@Captured("guest") String guest, int nights) {
            return "";
        }

        public void compensate(ActionContext context, String guest, int nights, String booking) {}
    }

    static class Private {
        @TccAction(name = "private")
        public void attempt(@Captured("id") long id) {}

        public void confirm(long id) {}

        @SuppressWarnings("unused")
        private void cancel(long id) {}
    }

    static class Unfit {
        @TccAction(name = "unfit")
        public void attempt(@Captured("thread") Thread thread) {}

        public void confirm(Thread thread) {}

        public void cancel(Thread thread) {}
    }

    static class Future {
        @SagaAction(name = "future")
        public CompletableFuture<String> attempt() {
            return new CompletableFuture<>();
        }

        public void compensate() {}
    }

    static class Impatient {
        @SagaAction(name = "impatient", ends = @EndPolicy(firstDelay = "2s", maxDelay = "1s"))
        public void act() {}

        public void compensate() {}
    }

    static class Hasty {
        @SagaAction(name = "hasty", ends = @EndPolicy(firstDelay = "10ms"))
        public void act() {}

        public void compensate() {}
    }

    static class Breathless {
        @SagaAction(name = "breathless", ends = @EndPolicy(callTimeout = "500ms"))
        public void act() {}

        public void compensate() {}
    }

    static class Wordy {
        @SagaAction(name = "wordy", ends = @EndPolicy(callTimeout = "soon"))
        public void act() {}

        public void compensate() {}
    }

    static class Nameless {
        @SagaAction(name = "")
        public void act() {}

        public void compensate() {}
    }

    static class Hideaway {
        @SagaAction(name = "hideaway")
        @SuppressWarnings("unused")
        private void act() {}

        public void compensate() {}
    }

    static class Leaves {
        @SagaAction(name = "leaves")
        @Transactional(propagation = Propagation.REQUIRES_NEW)
        public void act() {}

        public void compensate() {}
    }

    interface Nobody {
        void compensate();
    }

    static class Elsewhere {
        @SagaAction(name = "elsewhere", on = Nobody.class)
        public void act() {}

        public void compensate() {}
    }

    static class Bare {
        @SagaAction(name = "bare", fencing = Fencing.NONE)
        public void act() {}

        public void compensate() {}
    }

    interface Ending {
        void undo();
    }

    static class LeavesBehindAnInterface implements Ending {
        @Override
        @Transactional(propagation = Propagation.REQUIRES_NEW)
        public void undo() {}
    }

    static class ActsAndIsEndedElsewhere {
        @SagaAction(name = "ended/elsewhere", compensation = "undo", on = Ending.class)
        public void act() {}
    }

    static class ReachesFurther {
        @SagaAction(name = "reaches", fencing = Fencing.REMOTE)
        public long act() {
            return 7;
        }

        public void compensate(long result) {}
    }

    static class BeginsAtItsEnd {
        @SagaAction(name = "begins/at/its/end")
        public void act() {}

        @GlobalTransactional
        public void compensate() {}
    }

    static class Acts {
        @SagaAction(name = "acts")
        public void act() {}

        public void compensate() {}
    }

    static class Overrides extends Acts {
        @Override
        public void act() {}
    }

    /** Begins a local transaction that is none of the data source. */
    static class OtherManager extends AbstractPlatformTransactionManager {

        private static final long serialVersionUID = 1L;

        @Override
        protected Object doGetTransaction() {
            return new Object();
        }

        @Override
        protected void doBegin(Object transaction, TransactionDefinition definition) {}

        @Override
        protected void doCommit(DefaultTransactionStatus status) {}

        @Override
        protected void doRollback(DefaultTransactionStatus status) {}
    }

    static class Misled {
        private final AtomicInteger runs = new AtomicInteger();

        AtomicInteger runs() {
            return runs;
        }

        @SagaAction(name = "misled")
        @Transactional("other")
        public void act() {
            runs.incrementAndGet();
        }

        @Transactional("other")
        public void compensate() {}
    }

    interface Shown {
        void act();
    }

    static class Hidden implements Shown {
        @Override
        @SagaAction(name = "hidden")
        public void act() {}

        public void compensate() {}
    }

    @Test
    void aGoodOneStartsAndIsKnownToTheCoordinator() {
        runner().withBean(Good.class).run(context -> assertThat(context).hasNotFailed());
    }

    @Test
    void aWrongSignatureShowsTheRightOne() {
        refused(
                NoCancel.class,
                ErrorCode.ACTION_MISDECLARED,
                "has no method cancel",
                "public void cancel(long id, List<BigDecimal> sums)");
        refused(
                OtherTypes.class,
                ErrorCode.ACTION_MISDECLARED,
                "public void confirm(String)",
                "public void confirm(long id)");
        refused(
                Private.class,
                ErrorCode.ACTION_MISDECLARED,
                "private void cancel(long)",
                "public void cancel(long id)");
    }

    @Test
    void whatTheEndsTakeAndNobodyCapturesIsNamed() {
        refused(
                CapturesNothing.class,
                ErrorCode.ACTION_MISDECLARED,
                "confirm takes String, BigDecimal, which attempt takes and does not capture",
                "@Captured(\"…\") on each parameter of attempt that confirm is to be given");
        refused(
                CapturesHalf.class,
                ErrorCode.ACTION_MISDECLARED,
                "compensate takes int, which act takes and does not capture");
    }

    /** What stands at its parameters is not inherited, and without the annotation it would run as no branch. */
    @Test
    void anActionThatIsOverriddenSaysSoThere() {
        refused(
                Overrides.class,
                ErrorCode.ACTION_MISDECLARED,
                "Overrides.act() overrides it and has none; put it there too");
    }

    @Test
    void aPolicyThatCannotBeIsSaidAtTheStart() {
        refused(Impatient.class, ErrorCode.ACTION_MISDECLARED, "the longest delay is shorter than the first one");
        refused(Hasty.class, ErrorCode.ACTION_MISDECLARED, "a delay is 10 ms and must be at least 100 ms");
        refused(Breathless.class, ErrorCode.ACTION_MISDECLARED, "the time for a call is 500 ms and must be at least");
        refused(Wordy.class, ErrorCode.ACTION_MISDECLARED, "Wordy.act()", "callTimeout=soon", "such as 500ms");
    }

    @Test
    void whatCouldNotBeCalledThroughTheBeanOrFoundAgainIsSaidWithItsPlace() {
        refused(Nameless.class, ErrorCode.ACTION_MISDECLARED, "Nameless.act()", "a name has 1 to 100 letters");
        refused(
                Hideaway.class,
                ErrorCode.ACTION_MISDECLARED,
                "Hideaway.act()",
                "calls of a private or static method do not pass through the bean");
    }

    @Test
    void whatCannotBeKeptIsSaidAtTheStart() {
        refused(
                Unfit.class,
                ErrorCode.ACTION_VALUES_UNFIT,
                "Unfit.attempt(",
                "java.lang.Thread is none of the types that are kept");
    }

    @Test
    void whatWouldBreakTheFenceIsSaidAtTheStart() {
        refused(Leaves.class, ErrorCode.ACTION_MISDECLARED, "leave the local transaction that the fence is in");
        for (boolean byClass : new boolean[] {true, false}) {
            refused(
                    runner().withBean(ActsAndIsEndedElsewhere.class)
                            .withBean(
                                    "ending",
                                    Ending.class,
                                    LeavesBehindAnInterface::new,
                                    definition -> definition.setLazyInit(byClass))
                            .withPropertyValues("spring.aop.proxy-target-class=" + byClass),
                    ErrorCode.ACTION_MISDECLARED,
                    "leave the local transaction that the fence is in");
        }
        refused(
                ReachesFurther.class,
                ErrorCode.ACTION_MISDECLARED,
                "compensate()",
                "Long last (what the action returned; null when it broke off)");
        refused(BeginsAtItsEnd.class, ErrorCode.ACTION_MISDECLARED, "would begin another one");
        refused(Future.class, ErrorCode.ACTION_MISDECLARED, "wait for the result inside the method");
        refused(Elsewhere.class, ErrorCode.ACTION_MISDECLARED, "0 beans are of type");
    }

    @Test
    void aTransactionManagerOfAnotherDataSourceIsNoPlaceForAFence() {
        runner().withBean(Misled.class)
                .withBean("other", PlatformTransactionManager.class, OtherManager::new)
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    Misled misled = context.getBean(Misled.class);
                    assertThat(catchThrowable(() -> context.getBean(GlobalTransactionTemplate.class)
                                    .execute(GlobalTransactionOptions.named("misled"), () -> {
                                        misled.act();
                                        return "";
                                    })))
                            .isInstanceOf(IllegalStateException.class)
                            .hasMessageContaining("does not manage the data source of the fence");
                    assertThat(misled.runs()).hasValue(0);
                });
    }

    @Test
    void aNameIsOfOneActionOnly() {
        refused(
                runner().withBean("one", Good.class).withBean("two", Good.class),
                ErrorCode.ACTION_MISDECLARED,
                "action good is declared by the beans one and two");
    }

    @Test
    void aBeanBehindInterfacesShowsItsEndsThere() {
        refused(
                runner().withBean(Hidden.class).withPropertyValues("spring.aop.proxy-target-class=false"),
                ErrorCode.ACTION_MISDECLARED,
                "behind interfaces that do not show compensate");
        runner().withBean(Hidden.class)
                .withPropertyValues("spring.aop.proxy-target-class=true")
                .run(context -> assertThat(context).hasNotFailed());
    }

    interface Seats {
        void keep(String id);

        void sell(String id);

        void free(String id);
    }

    static class SeatsOfATheatre implements Seats {

        private final List<String> calls = new CopyOnWriteArrayList<>();

        @Override
        @TccAction(name = "behind/interface", confirm = "sell", cancel = "free")
        @Transactional
        public void keep(@Captured("id") String id) {
            calls.add("keep " + id);
        }

        @Override
        @Transactional
        public void sell(String id) {
            calls.add("sell " + id);
        }

        @Override
        public void free(String id) {
            calls.add("free " + id);
        }
    }

    @Test
    void aBeanProxiedByItsInterfaceIsTriedConfirmedAndCancelled() {
        runner().withBean(SeatsOfATheatre.class)
                .withPropertyValues("spring.aop.proxy-target-class=false")
                .run(context -> {
                    Seats seats = context.getBean(Seats.class);
                    assertThat(AopUtils.isJdkDynamicProxy(seats)).isTrue();
                    List<String> calls = ((SeatsOfATheatre) AopTestUtils.getTargetObject(seats)).calls;
                    GlobalTransactionTemplate transactions = context.getBean(GlobalTransactionTemplate.class);
                    assertThat(catchThrowable(() -> transactions.execute(GlobalTransactionOptions.named("sold"), () -> {
                                seats.keep("1");
                                return "";
                            })))
                            .isNull();
                    assertThat(catchThrowable(
                                    () -> transactions.execute(GlobalTransactionOptions.named("freed"), () -> {
                                        seats.keep("2");
                                        throw new IllegalStateException("no");
                                    })))
                            .hasMessage("no");
                    Await.until("both have ended", Duration.ofSeconds(60), () -> calls.size() == 4);
                    assertThat(calls).containsExactly("keep 1", "sell 1", "keep 2", "free 2");
                });
    }

    @Test
    void withoutADatabaseAnActionSaysThatItNeedsNoFence() {
        ApplicationContextRunner bare = new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        TxnAutoConfiguration.class, TxnModesAutoConfiguration.class, AopAutoConfiguration.class))
                .withPropertyValues(coordinator.property(), "spring.application.name=bare");
        refused(bare.withBean(Good.class), ErrorCode.ACTION_MISDECLARED, "needs the one or primary data source");
        bare.withBean(Bare.class).run(context -> assertThat(context).hasNotFailed());
        refused(
                bare.withBean(Good.class).withClassLoader(new FilteredClassLoader(DataSourceUtils.class)),
                ErrorCode.ACTION_MISDECLARED,
                "needs spring-jdbc");
    }
}
