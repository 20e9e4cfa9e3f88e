package io.txn.protocol.saga;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class SagaPlanTest {

    private static final Policy POLICY = new Policy(60_000, 2_000, 100, 1.5, 5_000, 7);
    private static final Work.Bean FREEZE = new Work.Bean("saga/stock/stock.freeze");
    private static final Work.Bean RELEASE = new Work.Bean("saga/stock/stock.release");

    /** A plan of format 1 as it was written once: it is in journals. */
    private static final String GOLDEN =
            "eJxjZGBgYM0vSkktAjKYgZirILFSPzkjsSg9lYEVyGdLK0pNrUplBDLFixPTE_WLS_KTsyGkHkSOgQEkK4EhW5Sak5pYDJQGgVcJ"
                    + "EJr9AoRmSLH_wYAEhDtAkgykgP9AACOR3c0E5LIE-AeHAGmVjJKSgmIrfX2gtF5qRWJuQU6qlYWJiTFUbbF9ha0h2P1Qj4I0s7m4"
                    + "-riGuAJZCoS0k-RgEgKCCeEiZNcBWZxAp-Sm5pU4GIGEU_PyS9MzQBHHAw5_cFQ6GDOA9DOn5qWAtSZm5qSmoBnDCuYjxzatACM4"
                    + "htBsg8Ya1G2ghMaRl6-Qm5-XWglxKMRjNHMUauIBhRQLve0FAGobjqg";

    static SagaPlan everything() {
        return new SagaPlan(
                "order",
                3,
                List.of(
                        new Step(
                                "freeze",
                                FREEZE,
                                List.of(),
                                RELEASE,
                                POLICY,
                                Policy.DEFAULT,
                                Recovery.COMPENSATE,
                                null,
                                List.of(),
                                null),
                        new Step(
                                "pay/charge",
                                new Work.Http("POST", "https://pay.example:8443/charges?x=1"),
                                List.of("freeze"),
                                new Work.Http("DELETE", "https://pay.example:8443/charges"),
                                Policy.DEFAULT,
                                POLICY,
                                Recovery.CONTINUE,
                                "freeze",
                                List.of("freeze"),
                                "payment@2"),
                        new Step(
                                "enough",
                                new Work.Choice("saga/order@3", List.of("end", "failed"), List.of("freeze"), 5),
                                List.of("pay/charge"),
                                null,
                                Policy.DEFAULT,
                                Policy.DEFAULT,
                                Recovery.FORWARD,
                                null,
                                List.of("pay/charge"),
                                null),
                        plain("failed", new Work.Fail("no money"), "enough"),
                        plain("end", new Work.Pass(), "enough")),
                "pay/charge");
    }

    private static Step plain(String name, Work work, String... after) {
        return new Step(
                name,
                work,
                List.of(after),
                null,
                Policy.DEFAULT,
                Policy.DEFAULT,
                Recovery.COMPENSATE,
                null,
                List.of(),
                null);
    }

    private static Step bean(String name, String... after) {
        return Step.calling(name, FREEZE, RELEASE, after);
    }

    private static SagaPlan plan(Step... steps) {
        return new SagaPlan("d", 1, List.of(steps), null);
    }

    @Test
    void aPlanIsReadAsItWasWritten() {
        assertThat(SagaPlan.decode(everything().encoded())).isEqualTo(everything());
        assertThat(everything().encoded()).isEqualTo(everything().encoded());
    }

    @Test
    void aPlanOfFormatOneIsReadForEver() {
        assertThat(SagaPlan.decode(GOLDEN)).isEqualTo(everything());
        assertThat(SagaPlan.decode(GOLDEN).encoded()).isEqualTo(everything().encoded());
    }

    @Test
    void aBrokenTextIsRefused() {
        String text = everything().encoded();
        SplittableRandom random = new SplittableRandom(Long.getLong("txn.test.seed", 11));
        for (int i = 0; i < 2_000; i++) {
            StringBuilder broken = new StringBuilder(text);
            int at = random.nextInt(text.length());
            if (random.nextBoolean()) {
                broken.setCharAt(at, (char) (33 + random.nextInt(90)));
            } else {
                broken.setLength(at);
            }
            try {
                SagaPlan.decode(broken.toString());
            } catch (TxnException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.BAD_REQUEST);
            }
        }
        assertThatThrownBy(() -> SagaPlan.decode("A".repeat(SagaPlan.LONGEST_TEXT + 1)))
                .hasMessageContaining("too long");
    }

    private static Step pivot(String name, String... after) {
        return new Step(
                name,
                FREEZE,
                List.of(after),
                null,
                Policy.DEFAULT,
                Policy.DEFAULT,
                Recovery.FORWARD,
                null,
                List.of(),
                null);
    }

    /** It may be in a journal, or come from a client of the version before. */
    @Test
    void timesThatAreTooShortAreReadAndAppliedAsTheShortestOnesAndInNoNewPlan() {
        Policy hasty = new Policy(5, 1, 1, 2, 1, 3);
        Step step = new Step("a", FREEZE, List.of(), RELEASE, hasty, hasty, Recovery.COMPENSATE, null, List.of(), null);
        SagaPlan plan = SagaPlan.decode(plan(step).encoded());
        assertThat(plan.steps()).containsExactly(step);
        assertThat(plan.problem()).contains("step a has 1 ms for a call and must have at least 100 ms");
        assertThat(plan.problemBeyondReturn()).isNull();
        assertThat(step.appliedPolicy()).isEqualTo(new Policy(5, 100, 100, 2, 100, 3));
        assertThat(step.appliedCompensationPolicy()).isEqualTo(new Policy(5, 2_000, 100, 2, 100, 3));
        assertThat(Policy.DEFAULT.applied(true)).isSameAs(Policy.DEFAULT);
        for (boolean endless : new boolean[] {true, false}) {
            assertThat(POLICY.problem(endless)).isNull();
            assertThat(new Policy(0, 0, 99, 1, 0, 0).problem(endless)).contains("a delay of 99 ms");
            assertThat(new Policy(0, 0, 0, 1, 99, 0).problem(endless)).contains("a delay of 99 ms");
        }
    }

    private static Step choice(String name, List<String> ways, List<String> back, int rounds, String... after) {
        return new Step(
                name,
                new Work.Choice("saga/d@1", ways, back, rounds),
                List.of(after),
                null,
                Policy.DEFAULT,
                Policy.DEFAULT,
                Recovery.FORWARD,
                null,
                List.of(),
                null);
    }

    @Test
    void nothingMayTurnASagaBehindItsPointOfNoReturn() {
        assertThat(plan(bean("a"), pivot("p", "a"), pivot("q", "p")).problem()).isNull();
        assertThat(plan(bean("a"), pivot("p", "a"), bean("b", "p")).problem())
                .contains("step p can only go forward", "b, which comes after it");
        assertThat(plan(bean("a"), pivot("p", "a"), pivot("q", "p"), bean("b", "q"))
                        .problem())
                .contains("b, which comes after it");
        assertThat(plan(bean("a"), pivot("p", "a"), bean("beside", "a")).problem())
                .contains("step p", "beside, which runs beside it");
        assertThat(plan(pivot("p"), plain("fail", new Work.Fail("no"), "p")).problem())
                .contains("fail");
        assertThat(plan(pivot("p"), plain("end", new Work.Pass(), "p")).problem())
                .isNull();
    }

    @Test
    void whatCanBeCompensatedIsNoPointOfNoReturn() {
        Step undoable = new Step(
                "p",
                FREEZE,
                List.of(),
                RELEASE,
                Policy.DEFAULT,
                Policy.DEFAULT,
                Recovery.FORWARD,
                null,
                List.of(),
                null);
        assertThat(plan(undoable, bean("b", "p")).problem()).isNull();
        assertThat(everything().problem()).isNull();
    }

    @Test
    void theOtherWayOfAChoiceIsNeitherBehindNorBeside() {
        Step x = choice("x", List.of("p", "l"), List.of(), 0, "a");
        assertThat(plan(bean("a"), x, pivot("p", "x"), bean("l", "x")).problem())
                .isNull();
        assertThat(plan(bean("a"), x, pivot("p", "x"), bean("l", "x"), bean("end", "p", "l"))
                        .problem())
                .contains("end, which comes after it");
    }

    @Test
    void aLoopGoesBackBehindThePointOfNoReturnInIt() {
        Step x = choice("x", List.of("end"), List.of("a"), 3, "p");
        SagaPlan plan = plan(bean("first"), bean("a", "first"), pivot("p", "a"), x, pivot("end", "x"));
        assertThat(plan.problem()).contains("step p", "a, which comes again in a loop");
        assertThat(plan.beyondReturn().stream()
                        .mapToObj(i -> plan.steps().get(i).name()))
                .containsExactlyInAnyOrder("a", "p", "x", "end");
    }

    @Test
    void plansThatNoCoordinatorCouldFollowAreRefused() {
        refused("in a circle", () -> plan(bean("a", "b"), bean("b", "a")));
        refused("no step of this plan", () -> plan(bean("a", "b")));
        refused("two steps", () -> plan(bean("a"), bean("a")));
        refused("1 to 100 steps", () -> plan());
        refused("a name has", () -> plan(bean("a b")));
        refused("nothing to compensate", () -> Step.calling("a", FREEZE, null)
                .equals(new Step(
                        "a",
                        new Work.Pass(),
                        List.of(),
                        RELEASE,
                        POLICY,
                        POLICY,
                        Recovery.FORWARD,
                        null,
                        List.of(),
                        null)));
        refused("to take the result from", () -> new SagaPlan("d", 1, List.of(bean("a")), "b"));
        refused("no method", () -> new Work.Http("TRACE", "http://a/"));
        refused("no URL", () -> new Work.Http("POST", "file:///etc/passwd"));
        refused("no URL", () -> new Work.Http("POST", "http://user:word@a/"));
        refused("to choose from", () -> new Work.Choice("r", List.of(), List.of(), 0));
        refused("goes back", () -> new Work.Choice("r", List.of(), List.of("a"), 0));
        Work.Choice choice = new Work.Choice("r", List.of("b"), List.of(), 0);
        refused("which cannot choose it", () -> plan(plain("x", choice), bean("b", "x"), bean("c", "x")));
        refused("does not come after the choice", () -> plan(plain("x", choice), bean("b")));
    }

    @Test
    void loopsHaveOneWayInAndOneWayOut() {
        Work.Choice again = new Work.Choice("r", List.of("out"), List.of("first"), 2);
        SagaPlan fine = plan(
                bean("first"), bean("l", "first"), bean("r", "first"), plain("x", again, "l", "r"), bean("out", "x"));
        assertThat(fine.body(0, 3)).isEqualTo(BitSet.valueOf(new long[] {0b1111}));
        refused(
                "is left at l",
                () -> plan(
                        bean("first"), bean("l", "first"), plain("x", again, "l"), bean("out", "x"), bean("o2", "l")));
        refused(
                "is entered at l",
                () -> plan(
                        bean("first"), bean("o"), bean("l", "first", "o"), plain("x", again, "l"), bean("out", "x")));
        refused(
                "does not lead to an earlier step",
                () -> plan(bean("o"), plain("x", again, "o"), bean("first"), bean("out", "x")));
    }

    private static void refused(String why, Runnable make) {
        assertThatThrownBy(make::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(why);
    }

    @Test
    void theLargestUsualPlanFitsIntoAHead() {
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i < SagaPlan.MOST_STEPS; i++) {
            Work.Http http = new Work.Http("POST", "http://warehouse-" + i % 7 + ".example/api/orders/" + i);
            steps.add(Step.calling(
                    "step-number-" + i, http, http, i == 0 ? new String[0] : new String[] {"step-number-" + (i - 1)}));
        }
        String text = new SagaPlan("large", 1, steps, null).encoded();
        assertThat(text.length()).isLessThan(SagaPlan.LONGEST_TEXT / 2);
        assertThat(SagaPlan.LONGEST_TEXT + SagaPlan.LONGEST_INPUT).isLessThan(30_000);
    }

    @Test
    void whatDoesNotFitIsRefusedBeforeItIsSent() {
        SplittableRandom random = new SplittableRandom(5);
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i < SagaPlan.MOST_STEPS; i++) {
            StringBuilder noise = new StringBuilder();
            random.ints(280, 'a', 'z').forEach(c -> noise.append((char) c));
            steps.add(Step.calling("s" + i, new Work.Bean(noise.toString()), null));
        }
        assertThatThrownBy(() -> new SagaPlan("d", 1, steps, null).encoded())
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.SAGA_TOO_LARGE));
    }

    @Test
    void headsSayWhatWasMeant() {
        Map<String, @Nullable String> head = new HashMap<>();
        SagaHead.start("plan", "{\"a\":1}", head);
        assertThat(SagaHead.input(head)).isEqualTo("{\"a\":1}");
        SagaHead.Called called = new SagaHead.Called(SagaHead.Call.CHOOSE, "s", "d@1", 3);
        SagaHead.call(called, head);
        assertThat(SagaHead.called(head)).isEqualTo(called);
        assertThat(SagaHead.said(head)).isEqualTo(SagaHead.Said.NOTHING);
        SagaHead.Said said = new SagaHead.Said("[1, 2]", 0);
        SagaHead.said(said, head);
        assertThat(SagaHead.said(head)).isEqualTo(said);
        SagaHead.Progress progress = new SagaHead.Progress(SagaHead.State.NEEDS_ATTENTION, null, "why");
        Map<String, @Nullable String> answer = new HashMap<>();
        SagaHead.progress(progress, answer);
        assertThat(SagaHead.progress(answer)).isEqualTo(progress);
        assertThat(SagaHead.waitOf(answer)).isEqualTo(-1);
        SagaHead.waitFor(1_000_000, answer);
        assertThat(SagaHead.waitOf(answer)).isEqualTo(SagaHead.LONGEST_WAIT);
        assertThat(SagaHead.called(answer)).isNull();
        assertThatThrownBy(() -> SagaHead.start("plan", "{a}", new HashMap<>())).hasMessageContaining("no JSON");
        assertThatThrownBy(() -> SagaHead.said(new SagaHead.Said("\"" + "x".repeat(20_000) + '"', -1), new HashMap<>()))
                .hasMessageStartingWith("TXN-SGA001");
        assertThatThrownBy(() -> SagaHead.waitOf(Map.of(SagaHead.WAIT, "-1"))).hasMessageContaining("no number");
    }
}
