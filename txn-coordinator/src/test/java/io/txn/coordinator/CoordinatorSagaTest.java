package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.SagaState;
import io.txn.protocol.Xid;
import io.txn.protocol.message.Message;
import io.txn.protocol.saga.Policy;
import io.txn.protocol.saga.Recovery;
import io.txn.protocol.saga.SagaHead;
import io.txn.protocol.saga.SagaPlan;
import io.txn.protocol.saga.Step;
import io.txn.protocol.saga.Work;
import io.txn.test.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Sagas over real connections: steps of applications and HTTP endpoints, and what each answer means. */
@Timeout(120)
class CoordinatorSagaTest {

    private static final Work.Bean DO = new Work.Bean("saga/shop/do");
    private static final Work.Bean UNDO = new Work.Bean("saga/shop/undo");
    private static final Policy QUICK = new Policy(0, 30_000, 100, 1, 100, 0);

    @TempDir
    Path directory;

    private SagaTargets targets;
    private Coordinator coordinator;
    private SagaClient client;

    private final List<String> called = new CopyOnWriteArrayList<>();
    private final List<Long> arrivals = new CopyOnWriteArrayList<>();
    private final BlockingQueue<SagaClient.Call> calls = new LinkedBlockingQueue<>();
    private final Map<String, SagaClient.Answer> answers = new ConcurrentHashMap<>();
    private final Map<String, SagaTargets.Answer> endpoints = new ConcurrentHashMap<>();
    private final AtomicInteger rounds = new AtomicInteger();

    @BeforeEach
    void start() throws Exception {
        targets = new SagaTargets(call -> {
            SagaTargets.Answer answer = endpoints.get(call.path());
            return answer == null ? SagaTargets.Answer.of(200, "{\"at\":\"" + call.path() + "\"}") : answer;
        });
        coordinator = Coordinator.start(CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", 0)
                .withDataDir(directory)
                .withSagas(new CoordinatorOptions.Sagas(List.of(targets.url() + "/api"), Duration.ofSeconds(3))));
        client = new SagaClient(coordinator.tcpPort(), this::answer, DO.resource(), UNDO.resource(), "saga/d@1");
    }

    @AfterEach
    void stop() {
        client.close();
        coordinator.close();
        targets.close();
    }

    private SagaClient.Answer answer(SagaClient.Call call) {
        String word = call.called().call() + " " + call.called().step();
        called.add(word);
        arrivals.add(System.nanoTime());
        calls.add(call);
        if (call.called().call() == SagaHead.Call.CHOOSE && !answers.containsKey(word)) {
            return SagaClient.Answer.done(rounds.incrementAndGet() < 3 ? "\"again\"" : "\"out\"");
        }
        return answers.getOrDefault(
                word, SagaClient.Answer.done("\"" + call.called().step() + "\""));
    }

    private Work.Http http(String path) {
        return new Work.Http("POST", targets.url() + "/api" + path);
    }

    private static Step step(String name, Work.Call work, Work.Call undo, List<String> results, String... after) {
        return new Step(name, work, List.of(after), undo, QUICK, QUICK, Recovery.COMPENSATE, null, results, null);
    }

    private static SagaPlan plan(String result, Step... steps) {
        return new SagaPlan("d", 1, List.of(steps), result);
    }

    @Test
    void stepsOfApplicationsAndEndpointsFollowEachOtherAndPassResultsOn() throws Exception {
        SagaPlan plan = plan(
                "charge",
                step("freeze", DO, UNDO, List.of()),
                step("charge", http("/charge"), http("/refund"), List.of("freeze"), "freeze"));
        String xid = client.start(plan, "{\"n\":1}");
        assertThat(client.awaitEnd(xid))
                .isEqualTo(new SagaHead.Progress(SagaHead.State.DONE, "{\"at\":\"/api/charge\"}", null));
        assertThat(called).containsExactly("ACTION freeze");
        assertThat(calls.take().given()).isEqualTo("{\"input\":{\"n\":1},\"results\":{}}");
        SagaTargets.Call call = targets.calls().get(0);
        assertThat(call.body()).isEqualTo("{\"input\":{\"n\":1},\"results\":{\"freeze\":\"freeze\"}}");
        assertThat(call.xid()).isEqualTo(xid);
        assertThat(call.key()).isEqualTo(xid + "/" + call.branch() + "/action");
        assertThat(client.await(xid, 0).state()).isEqualTo(SagaHead.State.DONE);
        assertThat(coordinator.transaction(new Xid(xid)).get().orElseThrow().branches())
                .extracting(BranchDetail::step)
                .containsExactly(
                        new BranchDetail.SagaStep("freeze", SagaState.Progress.DONE),
                        new BranchDetail.SagaStep("charge", SagaState.Progress.DONE));
    }

    /** Begun with the first step, the first done with the second, the second done with the end. */
    @Test
    void aSagaOfTwoStepsIsThreeRecords() throws Exception {
        SagaPlan plan = plan("b", step("a", http("/a"), null, List.of()), step("b", http("/b"), null, List.of(), "a"));
        client.awaitEnd(client.start(plan, "null"));
        long before = coordinator.statistics().journalRecords();
        client.awaitEnd(client.start(plan, "null"));
        assertThat(coordinator.statistics().journalRecords() - before).isEqualTo(3);
    }

    @Test
    void aRefusalCompensatesWhatWasDoneTheLastFirst() throws Exception {
        endpoints.put("/api/charge", SagaTargets.Answer.of(409, "no money"));
        SagaPlan plan = plan(
                null,
                step("a", http("/a"), http("/undo-a"), List.of()),
                step("b", DO, UNDO, List.of(), "a"),
                step("charge", http("/charge"), http("/refund"), List.of(), "b"));
        String xid = client.start(plan, "null");
        SagaHead.Progress end = client.awaitEnd(xid);
        assertThat(end.state()).isEqualTo(SagaHead.State.COMPENSATED);
        assertThat(end.failure()).startsWith("charge: ").contains("409").contains("no money");
        assertThat(called).containsExactly("ACTION b", "COMPENSATE b");
        assertThat(targets.lines()).containsExactly("action /api/a", "action /api/charge", "compensate /api/undo-a");
        assertThat(targets.calls().get(2).body()).contains("\"result\":{\"at\":\"/api/a\"}");
    }

    @Test
    void aRefusalIsOneHoweverMuchItSays() throws Exception {
        endpoints.put("/api/charge", SagaTargets.Answer.of(409, "no money " + "€".repeat(200_000)));
        SagaPlan plan = plan(null, step("charge", http("/charge"), http("/refund"), List.of()));
        SagaHead.Progress end = client.awaitEnd(client.start(plan, "null"));
        assertThat(end.state()).isEqualTo(SagaHead.State.COMPENSATED);
        assertThat(end.failure()).contains("409").contains("no money €€€").hasSizeLessThan(500);
        assertThat(targets.lines()).containsExactly("action /api/charge");
    }

    /** As JSON it is twice as long as it was: it is not taken, and asked for again. The work was done, so in the end it is compensated. */
    @Test
    void aResultIsMeasuredAsItIsKept() throws Exception {
        endpoints.put("/api/charge", SagaTargets.Answer.of(200, "\"".repeat(SagaPlan.LONGEST_RESULT / 2 + 1)));
        Policy twice = new Policy(0, 30_000, 100, 1, 100, 2);
        Step charge = new Step(
                "charge",
                http("/charge"),
                List.of(),
                http("/refund"),
                twice,
                QUICK,
                Recovery.COMPENSATE,
                null,
                List.of(),
                null);
        SagaHead.Progress end = client.awaitEnd(client.start(plan("charge", charge), "null"));
        assertThat(end.state()).isEqualTo(SagaHead.State.COMPENSATED);
        assertThat(end.failure()).contains("after 2 calls").contains("16004 bytes of JSON");
        assertThat(targets.lines())
                .containsExactly("action /api/charge", "action /api/charge", "compensate /api/refund");
    }

    @Test
    void aPlanThatMayTurnBehindItsPointOfNoReturnIsNotStarted() throws Exception {
        Step pivot = new Step("pivot", DO, List.of(), null, QUICK, QUICK, Recovery.FORWARD, null, List.of(), null);
        Message.GlobalBeginResponse response =
                client.tryStart(plan(null, pivot, step("after", DO, UNDO, List.of(), "pivot")), "null", 60_000, 0);
        assertThat(response.xid()).isNull();
        assertThat(response.outcome().message())
                .contains("step pivot can only go forward", "after, which comes after it");
        assertThat(called).isEmpty();
    }

    /** As clients of the version before send them. */
    @Test
    void aPlanWithTimesThatAreTooShortIsStartedWithTheShortestOnes() throws Exception {
        answers.put("ACTION a", SagaClient.Answer.later());
        Policy hasty = new Policy(0, 1, 1, 1, 1, 0);
        Step a = new Step("a", DO, List.of(), UNDO, hasty, hasty, Recovery.FORWARD, null, List.of(), null);
        String xid = client.start(plan("a", a), "null");
        Await.until("six calls", Duration.ofSeconds(30), () -> arrivals.size() >= 6);
        // Five delays of 50 to 100 ms each, where 1 ms was said.
        assertThat(arrivals.get(5) - arrivals.get(0)).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(200));
        answers.put("ACTION a", SagaClient.Answer.done("1"));
        assertThat(client.awaitEnd(xid)).isEqualTo(new SagaHead.Progress(SagaHead.State.DONE, "1", null));
    }

    @Test
    void whatIsNotThereNowIsAskedForAgain() throws Exception {
        endpoints.put("/api/busy", SagaTargets.Answer.of(503, ""));
        String xid = client.start(plan("busy", step("busy", http("/busy"), null, List.of())), "null");
        Await.until("three calls", Duration.ofSeconds(20), () -> targets.calls().size() >= 3);
        assertThat(client.await(xid, 0).state()).isEqualTo(SagaHead.State.RUNNING);
        endpoints.put("/api/busy", SagaTargets.Answer.of(200, "fine"));
        assertThat(client.awaitEnd(xid).result()).isEqualTo("\"fine\"");
        assertThat(targets.calls().stream().map(SagaTargets.Call::key).distinct())
                .hasSize(1);
    }

    @Test
    void anOngoingStepIsCompletedByAReport() throws Exception {
        answers.put("ACTION slow", SagaClient.Answer.ongoing());
        String xid = client.start(plan("slow", step("slow", DO, UNDO, List.of())), "null");
        SagaClient.Call call = calls.poll(20, TimeUnit.SECONDS);
        client.complete(xid, call.branch(), "{\"late\":true}", null);
        client.complete(xid, call.branch(), "{\"late\":true}", null);
        assertThat(client.awaitEnd(xid)).isEqualTo(new SagaHead.Progress(SagaHead.State.DONE, "{\"late\":true}", null));
    }

    @Test
    void anEndpointMayBeOngoingAndIsAskedAgain() throws Exception {
        endpoints.put("/api/slow", new SagaTargets.Answer(202, "", "60"));
        String xid = client.start(plan("slow", step("slow", http("/slow"), null, List.of())), "null");
        Await.until("two calls", Duration.ofSeconds(20), () -> targets.calls().size() >= 2);
        endpoints.put("/api/slow", SagaTargets.Answer.of(200, "7"));
        assertThat(client.awaitEnd(xid).result()).isEqualTo("7");
    }

    @Test
    void aStepThatNeverAnswersIsCompensatedWhenItsTimeIsOver() throws Exception {
        SagaClient.Answer none = SagaClient.Answer.later();
        answers.put("ACTION hangs", none);
        Step hangs = new Step(
                "hangs",
                DO,
                List.of("a"),
                UNDO,
                new Policy(400, 0, 100, 1, 100, 0),
                QUICK,
                Recovery.COMPENSATE,
                null,
                List.of(),
                null);
        String xid = client.start(plan(null, step("a", DO, UNDO, List.of()), hangs), "null");
        SagaHead.Progress end = client.awaitEnd(xid);
        assertThat(end.state()).isEqualTo(SagaHead.State.COMPENSATED);
        assertThat(end.failure()).contains("not done within its timeout of 400 ms");
        List<String> back = new ArrayList<>(called);
        back.removeIf(word -> word.startsWith("ACTION"));
        assertThat(back).containsExactly("COMPENSATE hangs", "COMPENSATE a");
    }

    @Test
    void aChoiceOfTheApplicationGoesRoundALoopAndOut() throws Exception {
        Step choice = new Step(
                "x",
                new Work.Choice("saga/d@1", List.of("out"), List.of("again"), 5),
                List.of("again"),
                null,
                QUICK,
                QUICK,
                Recovery.COMPENSATE,
                null,
                List.of("again"),
                null);
        SagaPlan plan = plan(null, step("again", DO, UNDO, List.of()), choice, step("out", DO, null, List.of(), "x"));
        assertThat(client.awaitEnd(client.start(plan, "null")).state()).isEqualTo(SagaHead.State.DONE);
        assertThat(called)
                .containsExactly(
                        "ACTION again",
                        "CHOOSE x",
                        "ACTION again",
                        "CHOOSE x",
                        "ACTION again",
                        "CHOOSE x",
                        "ACTION out");
    }

    @Test
    void anAnswerThatIsNoSuccessorFailsTheSaga() throws Exception {
        answers.put("CHOOSE x", SagaClient.Answer.done("\"elsewhere\""));
        Step choice = new Step(
                "x",
                new Work.Choice("saga/d@1", List.of("out"), List.of(), 0),
                List.of(),
                null,
                QUICK,
                QUICK,
                Recovery.COMPENSATE,
                null,
                List.of(),
                null);
        SagaHead.Progress end =
                client.awaitEnd(client.start(plan(null, choice, step("out", DO, null, List.of(), "x")), "null"));
        assertThat(end.failure()).contains("elsewhere");
        assertThat(called).containsExactly("CHOOSE x");
    }

    @Test
    void aStartThatIsAskedAgainIsTheSameSaga() throws Exception {
        SagaPlan plan = plan(null, step("a", DO, null, List.of()));
        Message.GlobalBeginResponse first = client.tryStart(plan, "null", 60_000, 77);
        client.awaitEnd(first.xid());
        assertThat(client.tryStart(plan, "null", 60_000, 77).xid()).isEqualTo(first.xid());
        assertThat(called).containsExactly("ACTION a");
    }

    @Test
    void targetsThatAreNotAllowedAreRefusedAtTheStart() throws Exception {
        for (String url :
                List.of("http://127.0.0.1:1/api/x", targets.url() + "/other", targets.url() + "/api/%2e%2e/x")) {
            SagaPlan plan = plan(null, step("a", new Work.Http("POST", url), null, List.of()));
            Message.GlobalBeginResponse response = client.tryStart(plan, "null", 60_000, 0);
            assertThat(response.xid()).isNull();
            assertThat(response.outcome().message()).startsWith("TXN-SGA002");
        }
        assertThat(targets.calls()).isEmpty();
    }

    @Test
    void anOperatorCancelsASagaThatIsStuckForward() throws Exception {
        answers.put("ACTION pivot", SagaClient.Answer.refused("never"));
        Step pivot = new Step("pivot", DO, List.of("a"), UNDO, QUICK, QUICK, Recovery.FORWARD, null, List.of(), null);
        String xid = client.start(plan(null, step("a", DO, UNDO, List.of()), pivot), "null");
        Await.until("it needs a person", Duration.ofSeconds(20), () -> state(xid) == SagaHead.State.NEEDS_ATTENTION);
        assertThat(client.await(xid, 0).failure()).contains("never");
        OperatorResult result = coordinator
                .operate(
                        new OperatorCommand.Force(new Xid(xid), OperatorCommand.Force.Status.ROLLED_BACK, "we give up"))
                .get(20, TimeUnit.SECONDS);
        assertThat(result).isEqualTo(new OperatorResult.Accepted());
        assertThat(client.awaitEnd(xid).state()).isEqualTo(SagaHead.State.COMPENSATED);
        assertThat(called).endsWith("COMPENSATE pivot", "COMPENSATE a");
    }

    /** As nobody answers those of a definition that was changed and kept its version. */
    @Test
    void aQuestionBehindThePointOfNoReturnIsAskedWithoutEndUntilAnOperatorEndsIt() throws Exception {
        answers.put("CHOOSE how", SagaClient.Answer.later());
        Step pivot = new Step("pivot", DO, List.of(), null, QUICK, QUICK, Recovery.FORWARD, null, List.of(), null);
        Work.Choice choice = new Work.Choice("saga/d@1", List.of("end"), List.of(), 0);
        Step how =
                new Step("how", choice, List.of("pivot"), null, QUICK, QUICK, Recovery.FORWARD, null, List.of(), null);
        Step end = new Step(
                "end", new Work.Pass(), List.of("how"), null, QUICK, QUICK, Recovery.COMPENSATE, null, List.of(), null);
        long began = System.nanoTime();
        String xid =
                client.tryStart(plan(null, pivot, how, end), "null", 1_000, 0).xid();
        Await.until("it is asked when its time is over", Duration.ofSeconds(30), () -> arrivals.stream()
                .anyMatch(at -> at - began > TimeUnit.SECONDS.toNanos(2)));
        assertThat(state(xid)).isEqualTo(SagaHead.State.RUNNING);
        OperatorCommand over =
                new OperatorCommand.Force(new Xid(xid), OperatorCommand.Force.Status.COMMITTED, "done by hand");
        Await.until(
                "it is ended between two calls",
                Duration.ofSeconds(30),
                () -> coordinator.operate(over).join().equals(new OperatorResult.Accepted()));
        assertThat(client.awaitEnd(xid).state()).isEqualTo(SagaHead.State.DONE);
    }

    private SagaHead.State state(String xid) {
        try {
            return client.await(xid, 0).state();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
