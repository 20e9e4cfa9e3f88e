package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.saga.Policy;
import io.txn.protocol.saga.Recovery;
import io.txn.protocol.saga.SagaHead;
import io.txn.protocol.saga.SagaPlan;
import io.txn.protocol.saga.Step;
import io.txn.protocol.saga.Work;
import io.txn.test.JavaProcess;
import io.txn.test.Ports;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A coordinator's process is killed while a saga is on its way: the next one goes on from where that was, forward and back. */
@Timeout(180)
class CoordinatorSagaIT {

    private static final Work.Bean DO = new Work.Bean("saga/shop/do");
    private static final Work.Bean UNDO = new Work.Bean("saga/shop/undo");
    private static final Policy QUICK = new Policy(0, 2_000, 100, 1, 100, 0);

    @TempDir
    Path directory;

    private final int port = Ports.free();
    private final List<String> called = new CopyOnWriteArrayList<>();

    /** Which call is the one in which the coordinator dies; it is never answered. */
    private volatile String fatal = "";

    private final CountDownLatch reached = new CountDownLatch(1);
    private int life;
    private SagaTargets targets;
    private JavaProcess coordinator;

    @AfterEach
    void stop() {
        if (coordinator != null) {
            coordinator.close();
        }
        if (targets != null) {
            targets.close();
        }
    }

    private JavaProcess process() {
        JavaProcess process = JavaProcess.mainClass(CoordinatorProcess.class)
                .args(
                        directory.resolve("data").toString(),
                        Integer.toString(port),
                        directory.resolve("clock").toString(),
                        targets.url())
                .start(directory.resolve("coordinator-" + life++ + ".log"));
        process.awaitLine("serving", Duration.ofSeconds(60));
        return process;
    }

    private boolean isFatal(String call) {
        boolean first = fatal.equals(call) && reached.getCount() > 0;
        if (first) {
            reached.countDown();
        }
        return first;
    }

    private SagaClient.Answer answer(SagaClient.Call call) {
        String word = call.called().call() + " " + call.called().step();
        called.add(word);
        if (isFatal(word)) {
            return null;
        }
        return word.equals("ACTION refused")
                ? SagaClient.Answer.refused("sold out")
                : SagaClient.Answer.done("\"" + call.called().step() + "\"");
    }

    private SagaTargets.Answer answer(SagaTargets.Call call) {
        called.add(call.line());
        return SagaTargets.Answer.of(isFatal(call.line()) ? 503 : 200, "1");
    }

    private Step step(String name, Work.Call work, Work.Call undo, String... after) {
        return new Step(name, work, List.of(after), undo, QUICK, QUICK, Recovery.COMPENSATE, null, List.of(), null);
    }

    private SagaHead.Progress killedAt(String call, SagaPlan plan) throws Exception {
        fatal = call;
        coordinator = process();
        String xid;
        try (SagaClient client = new SagaClient(port, this::answer, DO.resource(), UNDO.resource())) {
            xid = client.start(plan, "{}");
            assertThat(reached.await(60, TimeUnit.SECONDS)).isTrue();
            coordinator.kill9();
        }
        coordinator = process();
        try (SagaClient client = new SagaClient(port, this::answer, DO.resource(), UNDO.resource())) {
            return client.awaitEnd(xid);
        }
    }

    @Test
    void killedBetweenTwoStepsItGoesOnWithTheSecond() throws Exception {
        targets = new SagaTargets(this::answer);
        Work.Http second = new Work.Http("POST", targets.url() + "/second");
        SagaPlan plan = new SagaPlan(
                "d",
                1,
                List.of(
                        step("first", DO, UNDO),
                        step("second", second, null, "first"),
                        step("third", DO, UNDO, "second")),
                "third");
        SagaHead.Progress end = killedAt("action /second", plan);
        assertThat(end).isEqualTo(new SagaHead.Progress(SagaHead.State.DONE, "\"third\"", null));
        // On a slow machine an answer may come after its time, and the call again.
        assertThat(called)
                .startsWith("ACTION first", "action /second")
                .containsSubsequence("action /second", "action /second", "ACTION third")
                .endsWith("ACTION third");
        assertThat(called).containsOnlyOnce("ACTION first");
        assertThat(targets.calls().stream().map(SagaTargets.Call::key).distinct())
                .hasSize(1);
    }

    @Test
    void killedInACompensationItGoesOnCompensating() throws Exception {
        targets = new SagaTargets(this::answer);
        Work.Http first = new Work.Http("POST", targets.url() + "/first");
        Work.Http undo = new Work.Http("DELETE", targets.url() + "/undo");
        SagaPlan plan = new SagaPlan(
                "d",
                1,
                List.of(
                        step("first", first, undo),
                        step("second", DO, UNDO, "first"),
                        step("refused", DO, UNDO, "second")),
                null);
        SagaHead.Progress end = killedAt("compensate /undo", plan);
        assertThat(end.state()).isEqualTo(SagaHead.State.COMPENSATED);
        assertThat(end.failure()).contains("sold out");
        assertThat(called)
                .startsWith(
                        "action /first", "ACTION second", "ACTION refused", "COMPENSATE second", "compensate /undo");
        assertThat(called).containsOnlyOnce("COMPENSATE second").doesNotContain("COMPENSATE refused");
        assertThat(called).last().isEqualTo("compensate /undo");
    }
}
