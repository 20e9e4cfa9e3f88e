package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.txn.client.ContextCarrier;
import io.txn.client.FailureHandler;
import io.txn.client.GlobalTransactionHook;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.RollbackRules;
import io.txn.client.TransactionContext;
import io.txn.client.TxnClient;
import io.txn.client.action.Action;
import io.txn.client.action.ActionContext;
import io.txn.client.action.Actions;
import io.txn.client.action.Fencing;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.extension.BranchPolicy;
import io.txn.test.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Hooks and failure handlers, with a real coordinator. */
@Timeout(120)
class HooksIT {

    private TestCoordinator coordinator;
    private ConfigurableApplicationContext application;
    private GlobalTransactionTemplate transactions;
    private Recorder recorder;

    @BeforeEach
    void start(@TempDir Path directory) {
        coordinator = TestCoordinator.start(directory.resolve("coordinator"));
        application = new SpringApplicationBuilder(Application.class)
                .web(WebApplicationType.NONE)
                .properties(
                        coordinator.property(),
                        "spring.application.name=hooks",
                        "txn.client.decision-wait=1s",
                        "txn.client.request-timeout=1s",
                        "txn.client.connect-wait=1s")
                .run();
        transactions = application.getBean(GlobalTransactionTemplate.class);
        recorder = application.getBean(Recorder.class);
    }

    @AfterEach
    void stop() {
        application.close();
        coordinator.close();
    }

    @Configuration(proxyBeanMethods = false)
    @ImportAutoConfiguration({TxnAutoConfiguration.class, AopAutoConfiguration.class})
    static class Application {

        @Bean
        Recorder recorder(ContextCarrier contexts) {
            return new Recorder(contexts);
        }
    }

    /** Writes down what it is told, and fails where it is asked to. */
    static class Recorder implements GlobalTransactionHook, FailureHandler {

        private final List<String> told = new CopyOnWriteArrayList<>();
        private final ContextCarrier contexts;
        private String failsIn = "";

        Recorder(ContextCarrier contexts) {
            this.contexts = contexts;
        }

        private void told(String what) {
            told.add(what + (contexts.current() == null ? "" : " inside"));
            if (failsIn.equals(what)) {
                throw new IllegalStateException("vetoed in " + what);
            }
        }

        @Override
        public void beforeBegin(String name) {
            told("beforeBegin");
        }

        @Override
        public void afterBegin(TransactionContext transaction) {
            told("afterBegin");
        }

        @Override
        public void beforeCommit(TransactionContext transaction) {
            told("beforeCommit");
        }

        @Override
        public void beforeRollback(TransactionContext transaction, Throwable cause) {
            told("beforeRollback");
        }

        @Override
        public void afterCommit(TransactionContext transaction) {
            told("afterCommit");
        }

        @Override
        public void afterRollback(TransactionContext transaction) {
            told("afterRollback");
        }

        @Override
        public void afterCompletion(TransactionContext transaction, Completion completion) {
            told("afterCompletion " + completion);
        }

        @Override
        public void needsAttention(TransactionContext transaction, TxnException problem) {
            told("needsAttention " + problem.code());
        }

        @Override
        public void outcomeUnknown(TransactionContext transaction, TxnException problem) {
            told("outcomeUnknown");
        }

        @Override
        public void rollbackNotConfirmed(TransactionContext transaction, TxnException problem) {
            told("rollbackNotConfirmed");
        }
    }

    private Throwable run(String name, Runnable work) {
        return run(GlobalTransactionOptions.named(name), work);
    }

    private Throwable run(GlobalTransactionOptions options, Runnable work) {
        recorder.told.clear();
        return catchThrowable(() -> transactions.execute(options, () -> {
            // So that the coordinator hears of it although nothing is done.
            application.getBean(ContextCarrier.class).current().xid();
            work.run();
            return "";
        }));
    }

    @Test
    void eachStepIsToldInOrderAndTheWorkStepsWithinTheTransaction() {
        assertThat(run("commit", () -> recorder.told.add("work"))).isNull();
        assertThat(recorder.told)
                .containsExactly(
                        "beforeBegin",
                        "afterBegin inside",
                        "work",
                        "beforeCommit inside",
                        "afterCommit",
                        "afterCompletion COMMITTED");
        assertThat(run("rollback", () -> {
                    throw new IllegalStateException("no");
                }))
                .hasMessage("no");
        assertThat(recorder.told)
                .containsExactly(
                        "beforeBegin",
                        "afterBegin inside",
                        "beforeRollback",
                        "afterRollback",
                        "afterCompletion ROLLED_BACK");
    }

    @Test
    void aHookOfOneTransactionHearsOfThatOneOnly() {
        List<String> one = new ArrayList<>();
        assertThat(run(
                        "hooked",
                        () -> transactions.hook(new GlobalTransactionHook() {
                            @Override
                            public void afterCompletion(TransactionContext transaction, Completion completion) {
                                one.add(completion.name());
                            }
                        })))
                .isNull();
        assertThat(run("other", () -> {})).isNull();
        assertThat(one).containsExactly("COMMITTED");
        assertThat(catchThrowableOfType(TxnException.class, () -> transactions.hook(new GlobalTransactionHook() {}))
                        .code())
                .isEqualTo(ErrorCode.PROPAGATION_VIOLATED);
    }

    @Test
    void whoIsAskedBeforeMayVetoWhateverTheRulesSpareAndWhoIsToldAfterMayNot() {
        GlobalTransactionOptions spares = GlobalTransactionOptions.named("vetoed")
                .withRules(RollbackRules.ALL.noRollbackFor(IllegalStateException.class));
        recorder.failsIn = "beforeCommit";
        assertThat(run(spares, () -> {})).hasMessage("vetoed in beforeCommit");
        assertThat(recorder.told).endsWith("beforeRollback", "afterRollback", "afterCompletion ROLLED_BACK");
        recorder.failsIn = "beforeBegin";
        List<String> work = new ArrayList<>();
        assertThat(run("unborn", () -> work.add("ran"))).hasMessage("vetoed in beforeBegin");
        recorder.failsIn = "afterBegin";
        assertThat(run("stillborn", () -> work.add("ran"))).hasMessage("vetoed in afterBegin");
        assertThat(work).isEmpty();
        recorder.failsIn = "afterCommit";
        assertThat(run("kept", () -> {})).isNull();
        assertThat(recorder.told).endsWith("afterCompletion COMMITTED");
        recorder.failsIn = "beforeRollback";
        assertThat(run("gone", () -> {
                    throw new IllegalArgumentException("no");
                }))
                .hasMessage("no");
        assertThat(coordinator.transaction("vetoed").state().name()).isEqualTo("ROLLED_BACK");
        assertThat(coordinator.transaction("kept").state().name()).isEqualTo("COMMITTED");
        assertThat(coordinator.transaction("gone").state().name()).isEqualTo("ROLLED_BACK");
        recorder.failsIn = "";
    }

    /** An action whose ends fail each time, so many times at most. */
    private void act(String name, int attempts) {
        Action.Ends ends = new Action.Ends() {
            @Override
            public boolean confirm(ActionContext context, List<?> captured) {
                throw new IllegalStateException("not today");
            }

            @Override
            public boolean cancel(ActionContext context, List<?> captured, Object result) {
                throw new IllegalStateException("not today");
            }
        };
        Action action = Action.tcc(name, List.of(), Fencing.NONE, null, ends)
                .withPolicy(BranchPolicy.declared(2_000, 100, 100, attempts));
        TxnClient client = application.getBean(TxnClient.class);
        Actions actions = new Actions(transactions, client.contexts(), client.resources());
        actions.register(action);
        try {
            actions.run(action, List.of(), context -> "");
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aSecondPhaseThatNeedsAPersonIsSaidAtOnceOrWhenItComesToThat() {
        assertThat(run("at once", () -> act("hooks/once", 1)))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.COMMIT_INCOMPLETE));
        assertThat(recorder.told)
                .endsWith("needsAttention COMMIT_INCOMPLETE", "afterCommit", "afterCompletion COMMITTED");
        for (boolean keep : new boolean[] {true, false}) {
            String name = keep ? "hooks/kept" : "hooks/undone";
            Throwable end = run(name, () -> {
                act(name, 4);
                if (!keep) {
                    throw new IllegalStateException("no");
                }
            });
            assertThat(end == null).as("%s", end).isEqualTo(keep);
            String told = "needsAttention " + (keep ? ErrorCode.COMMIT_INCOMPLETE : ErrorCode.ROLLBACK_FAILED);
            Await.until(told, Duration.ofSeconds(60), () -> recorder.told.contains(told));
            assertThat(recorder.told)
                    .as("its caller had been told that it is decided")
                    .endsWith("afterCompletion " + (keep ? "COMMITTED" : "ROLLED_BACK"), told);
            assertThat(coordinator.transaction(name).state().name()).isEqualTo("NEEDS_ATTENTION");
        }
    }

    @Test
    void aRollbackThatNobodyConfirmsIsSaid() {
        assertThat(run("unconfirmed", () -> {
                    coordinator.close();
                    throw new IllegalStateException("no");
                }))
                .hasMessage("no");
        assertThat(recorder.told).endsWith("rollbackNotConfirmed", "afterCompletion UNKNOWN");
    }

    @Test
    void aCoordinatorThatCannotBeHeardIsSomebodysBusiness() {
        Throwable unknown = run("unheard", coordinator::close);
        assertThat(unknown).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                .isEqualTo(ErrorCode.OUTCOME_UNKNOWN));
        assertThat(recorder.told).endsWith("outcomeUnknown", "afterCompletion UNKNOWN");
    }
}
