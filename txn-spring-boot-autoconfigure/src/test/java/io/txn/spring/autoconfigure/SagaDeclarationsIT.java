package io.txn.spring.autoconfigure;

import static io.txn.client.saga.Saga.call;
import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.ContextCarrier;
import io.txn.client.action.Fencing;
import io.txn.client.saga.Saga;
import io.txn.client.saga.SagaBuilder;
import io.txn.client.saga.SagaDefinition;
import io.txn.client.saga.SagaEnded;
import io.txn.client.saga.SagaStep;
import io.txn.client.saga.Sagas;
import io.txn.client.saga.Started;
import io.txn.client.saga.Step;
import io.txn.client.saga.Value;
import io.txn.client.statelang.StateMachine;
import io.txn.client.statelang.StateMachines;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.saga.SagaHead;
import io.txn.spring.GlobalTransactional;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.transaction.TransactionAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.event.EventListener;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Steps and definitions of sagas are found among the beans, and what cannot work fails the start with what would. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SagaDeclarationsIT {

    private static final Duration LONG = Duration.ofSeconds(60);

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
                        "spring.application.name=sagas",
                        "spring.datasource.generate-unique-name=true");
    }

    private static void refused(ApplicationContextRunner runner, ErrorCode code, String... texts) {
        runner.run(context -> {
            assertThat(context).hasFailed();
            Throwable cause = context.getStartupFailure();
            while (cause != null && !(cause instanceof TxnException)) {
                cause = cause.getCause();
            }
            assertThat(cause).isNotNull();
            assertThat(((TxnException) cause).code()).isEqualTo(code);
            assertThat(cause).hasMessageContainingAll(texts);
        });
    }

    record Question(String item) {}

    record Answer(String item) {}

    static class Ears {

        private final List<String> heard = new CopyOnWriteArrayList<>();

        public List<String> heard() {
            return heard;
        }

        @EventListener
        public void question(SagaEnded<Question> ended) {
            heard.add("question " + ended.input().item());
        }

        @EventListener
        public void answer(SagaEnded<Answer> ended) {
            heard.add("answer " + ended.input().item());
        }

        @EventListener
        public void machine(SagaEnded<Map<String, Object>> ended) {
            heard.add("machine " + ended.input());
        }

        @EventListener
        public void any(SagaEnded<?> ended) {
            heard.add("any " + ended.definition());
        }
    }

    private static <I> SagaDefinition<I, ?> told(String name, Class<I> input) {
        SagaBuilder<I> saga = Saga.define(name, 1, input).announced();
        saga.step("peek", Saga.call(Stock.class, Stock::peek, Value.constant("book")))
                .notCompensated();
        return saga.done();
    }

    @Test
    void whoListensToTheEndsOfOneKindOfSagaHearsOfThose() {
        SagaDefinition<Question, ?> questions = told("question", Question.class);
        runner().withBean(Stock.class)
                .withBean(Ears.class)
                .withBean("questions", SagaDefinition.class, () -> questions)
                .withBean(
                        StateMachine.class,
                        () -> StateMachine.read(
                                "{\"Name\": \"brief\", \"StartState\": \"Done\", \"States\": {\"Done\": {\"Type\": \"Succeed\"}}}",
                                "brief.json"))
                .withPropertyValues("txn.saga.state-machine.announced=true")
                .run(context -> {
                    Ears ears = context.getBean(Ears.class);
                    assertThat(context.getBean(Sagas.class)
                                    .start(questions, new Question("book"))
                                    .await(LONG)
                                    .isDone())
                            .isTrue();
                    assertThat(new TreeSet<>(ears.heard())).containsExactly("any question@1", "question book");
                    ears.heard().clear();
                    assertThat(context.getBean(StateMachines.class)
                                    .start("brief", Map.of("key", "K"))
                                    .await(LONG)
                                    .isDone())
                            .isTrue();
                    assertThat(new TreeSet<>(ears.heard())).containsExactly("any brief@0.0.1", "machine {key=K}");
                });
    }

    interface Warehouse {
        @SagaStep(name = "warehouse.pack", compensation = "unpack")
        String pack(String item);
    }

    @Transactional
    static class PackingWarehouse implements Warehouse {
        @Override
        public String pack(String item) {
            return "packed " + item;
        }

        public void unpack(String item) {}
    }

    static class Stock {
        @SagaStep(name = "stock.peek")
        public int peek(String item) {
            return 1;
        }
    }

    static class OtherStock {
        @SagaStep(name = "stock.peek")
        public int look(String item) {
            return 1;
        }
    }

    static class WrongCompensation {
        @SagaStep(name = "stock.freeze", compensation = "release")
        public int freeze(String item, int count) {
            return count;
        }

        public void release(int count) {}
    }

    static class OutsideOfTheFence {
        @SagaStep(name = "stock.freeze")
        @Transactional(propagation = Propagation.REQUIRES_NEW)
        public int freeze(String item) {
            return 1;
        }
    }

    static class OpensOne {
        @SagaStep(name = "stock.freeze")
        @GlobalTransactional
        public int freeze(String item) {
            return 1;
        }
    }

    static class OpensOneToUndo {
        @SagaStep(name = "stock.freeze", compensation = "release")
        public void freeze(String item) {}

        @GlobalTransactional
        public void release(String item) {}
    }

    /** Without a fence there is no local transaction that it could begin in the middle of. */
    static class OpensOneWithoutAFence {
        @SagaStep(name = "stock.freeze", fencing = Fencing.NONE)
        @GlobalTransactional
        public int freeze(String item) {
            return 1;
        }
    }

    @GlobalTransactional
    static class InAnAnnotatedClass {

        private final ContextCarrier contexts;
        private boolean releasedOutside;

        InAnAnnotatedClass(ContextCarrier contexts) {
            this.contexts = contexts;
        }

        @SagaStep(name = "stock.freeze", compensation = "release")
        public boolean freeze() {
            return contexts.current() == null;
        }

        public void release() {
            releasedOutside = contexts.current() == null;
        }

        public boolean wasReleasedOutside() {
            return releasedOutside;
        }

        public boolean other() {
            return contexts.current() == null;
        }
    }

    static class Unkept {
        @SagaStep(name = "stock.freeze", fencing = Fencing.NONE)
        public Thread freeze(String item) {
            return Thread.currentThread();
        }
    }

    private static SagaDefinition<String, Integer> peeking(Value<String> item) {
        SagaBuilder<String> saga = Saga.define("peeking", 1, String.class);
        return saga.returns(saga.step("peek", call(Stock.class, Stock::peek, item))
                .notCompensated()
                .result());
    }

    @Test
    void stepsAndDefinitionsOfBeansAreKnown() {
        runner().withBean(PackingWarehouse.class)
                .withBean(Stock.class)
                .withBean("peeking", SagaDefinition.class, () -> peeking(Value.constant("book")))
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(context.getBean(Sagas.class).describe())
                            .isEqualTo("1 definitions [peeking@1], 2 steps [stock.peek, warehouse.pack]");
                });
    }

    @Test
    void aStartThatIsRepeatedUnderItsKeyIsTheFirstOne() {
        SagaDefinition<String, Integer> peeking = peeking(Value.constant("book"));
        runner().withBean(Stock.class)
                .withBean("peeking", SagaDefinition.class, () -> peeking)
                .run(context -> {
                    Sagas sagas = context.getBean(Sagas.class);
                    Started<Integer> first = sagas.start(peeking, "a", "order-1");
                    assertThat(sagas.start(peeking, "b", "order-1").xid()).isEqualTo(first.xid());
                    assertThat(first.await(LONG).result()).isEqualTo(1);
                    Started<Integer> ended = sagas.start(peeking, "a", "order-1");
                    assertThat(ended.xid()).isEqualTo(first.xid());
                    assertThat(ended.now().state()).isEqualTo(SagaHead.State.DONE);
                    Started<Integer> another = sagas.start(peeking, "a", "order-2");
                    assertThat(another.xid()).isNotEqualTo(first.xid());
                    assertThat(another.await(LONG).state()).isEqualTo(SagaHead.State.DONE);
                });
    }

    static class Gate {
        private final CountDownLatch called = new CountDownLatch(1);
        private volatile boolean open;

        @SagaStep(name = "gate.pass", fencing = Fencing.NONE)
        public int pass(String item) {
            called.countDown();
            if (!open) {
                throw new IllegalStateException("it is shut");
            }
            return 1;
        }
    }

    private static SagaDefinition<String, Integer> gates(int version, AtomicReference<String> asked) {
        SagaBuilder<String> saga = Saga.define("gates", version, String.class);
        Step<Integer> pass = saga.step("pass", call(Gate.class, Gate::pass, saga.input()))
                .notCompensated()
                .forward();
        saga.choose("where", pass.result(), passed -> {
                    asked.set("version " + version);
                    return "way-" + version;
                })
                .when("way-" + version, way -> {});
        return saga.returns(pass.result());
    }

    @Test
    void aSagaFinishesOnTheVersionItBeganWithBesideANewOne() {
        Gate gate = new Gate();
        AtomicReference<String> asked = new AtomicReference<>();
        List<Xid> begun = new ArrayList<>();
        SagaDefinition<String, Integer> first = gates(1, asked);
        runner().withBean(Gate.class, () -> gate)
                .withBean("first", SagaDefinition.class, () -> first)
                .run(context -> {
                    begun.add(context.getBean(Sagas.class).start(first, "a").xid());
                    assertThat(gate.called.await(LONG.toSeconds(), TimeUnit.SECONDS))
                            .isTrue();
                });
        gate.open = true;
        SagaDefinition<String, Integer> second = gates(2, asked);
        runner().withBean(Gate.class, () -> gate)
                .withBean("first", SagaDefinition.class, () -> first)
                .withBean("second", SagaDefinition.class, () -> second)
                .run(context -> {
                    Sagas sagas = context.getBean(Sagas.class);
                    assertThat(sagas.find(begun.get(0), first).await(LONG).state())
                            .isEqualTo(SagaHead.State.DONE);
                    assertThat(asked.get()).isEqualTo("version 1");
                    assertThat(sagas.start(second, "b").await(LONG).state()).isEqualTo(SagaHead.State.DONE);
                    assertThat(asked.get()).isEqualTo("version 2");
                });
    }

    @Test
    void anApplicationWithoutSagasKnowsNone() {
        runner().run(context ->
                assertThat(context.getBean(Sagas.class).isUsed()).isFalse());
    }

    @Test
    void twoDefinitionsThatDifferNeedTwoVersions() {
        refused(
                runner().withBean(Stock.class)
                        .withBean("one", SagaDefinition.class, () -> peeking(Value.constant("book")))
                        .withBean("other", SagaDefinition.class, () -> peeking(Value.constant("pen"))),
                ErrorCode.SAGA_MISDECLARED,
                "peeking@1",
                "another version");
    }

    @Test
    void twoStepsOfOneNameAreRefused() {
        refused(
                runner().withBean(Stock.class).withBean(OtherStock.class),
                ErrorCode.SAGA_MISDECLARED,
                "stock.peek",
                "a name of its own for each");
    }

    @Test
    void aCompensationThatDoesNotFitIsShownTheRightOne() {
        refused(
                runner().withBean(WrongCompensation.class),
                ErrorCode.SAGA_MISDECLARED,
                "public void release(int)",
                "public void release(String item, int count), which may take int last");
    }

    @Test
    void aStepThatWouldLeaveTheTransactionOfItsFenceIsRefused() {
        refused(runner().withBean(OutsideOfTheFence.class), ErrorCode.ACTION_MISDECLARED, "propagation REQUIRED");
    }

    @Test
    void aStepThatWouldBeginAGlobalTransactionInThatOfItsFenceIsRefused() {
        refused(runner().withBean(OpensOne.class), ErrorCode.SAGA_MISDECLARED, "without @GlobalTransactional");
        refused(runner().withBean(OpensOneToUndo.class), ErrorCode.SAGA_MISDECLARED, "release", "Fencing.NONE");
        runner().withBean(OpensOneWithoutAFence.class)
                .run(context -> assertThat(context).hasNotFailed());
    }

    @Test
    void aStepBehindARouterIsRefusedAndOneOnAPoolThatTakesNoPartIsNot() {
        refused(
                runner().withBean(Stock.class).withBean("routing", DataSource.class, () -> {
                    AbstractRoutingDataSource router = new AbstractRoutingDataSource() {
                        @Override
                        protected Object determineCurrentLookupKey() {
                            return "one";
                        }
                    };
                    router.setTargetDataSources(
                            Map.of("one", TestDatabases.h2().create().dataSource()));
                    return router;
                }),
                ErrorCode.SAGA_MISDECLARED,
                "stock.peek",
                "another database",
                "Fencing.NONE");
        runner().withBean(Stock.class)
                .withPropertyValues("txn.jdbc.excluded=dataSource")
                .run(context -> assertThat(context).hasNotFailed());
    }

    @Test
    void anAnnotationOnTheClassOfAStepMeansTheOtherMethods() {
        runner().withBean(InAnAnnotatedClass.class).run(context -> {
            InAnAnnotatedClass bean = context.getBean(InAnAnnotatedClass.class);
            assertThat(bean.freeze()).isTrue();
            bean.release();
            assertThat(bean.wasReleasedOutside()).isTrue();
            assertThat(bean.other()).isFalse();
        });
    }

    @Test
    void aResultThatCannotBeKeptIsRefused() {
        refused(runner().withBean(Unkept.class), ErrorCode.SAGA_MISDECLARED, "returns", "java.lang.Thread");
    }
}
