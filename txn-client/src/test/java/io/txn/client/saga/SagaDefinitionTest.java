package io.txn.client.saga;

import static io.txn.client.saga.Saga.arg;
import static io.txn.client.saga.Saga.call;
import static io.txn.client.saga.Saga.callLater;
import static io.txn.client.saga.Saga.http;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.client.LogLines;
import io.txn.client.rm.Branch;
import io.txn.client.rm.BranchResult;
import io.txn.protocol.BranchId;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.saga.Policy;
import io.txn.protocol.saga.Recovery;
import io.txn.protocol.saga.SagaHead;
import io.txn.protocol.saga.SagaPlan;
import io.txn.protocol.saga.Work;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class SagaDefinitionTest {

    record Order(String customer, String item, int count, BigDecimal price, boolean express) {}

    record Reservation(long id, String item) {}

    record Parcel(String number) {}

    static class Stock {
        @SagaStep(name = "stock.freeze", compensation = "release")
        public Reservation freeze(String item, int count) {
            return new Reservation(1, item);
        }

        public void release(String item, int count, Reservation kept) {}

        @SagaStep(name = "stock.peek")
        public int peek(String item) {
            return 1;
        }

        public void plain(String item) {}

        @SagaStep(name = "stock.total")
        public long total(long count) {
            return count;
        }
    }

    interface Warehouse {
        @SagaStep(name = "warehouse.pack", compensation = "unpack")
        Later<Parcel> pack(String item);
    }

    private static Step<Reservation> freeze(SagaBuilder<Order> saga) {
        return saga.step("freeze", call(Stock.class, Stock::freeze, saga.input(Order::item), saga.input(Order::count)));
    }

    private static Step<Integer> peek(SagaBlock block, String name, SagaBuilder<Order> saga) {
        return block.step(name, call(Stock.class, Stock::peek, saga.input(Order::item)))
                .notCompensated();
    }

    private static io.txn.protocol.saga.Step planned(SagaDefinition<?, ?> definition, String name) {
        SagaPlan plan = definition.program().plan();
        assertThat(plan.indexOf(name)).as(name).isNotNegative();
        return plan.steps().get(plan.indexOf(name));
    }

    @Test
    void stepsComeAfterTheOneWrittenBeforeUnlessTheySayOtherwise() {
        SagaBuilder<Order> saga = Saga.define("order", 3, Order.class);
        Step<Reservation> freeze = freeze(saga);
        Step<Integer> one = peek(saga, "one", saga);
        Step<Reservation> two = saga.step(
                        "two", call(Stock.class, Stock::freeze, saga.input(Order::item), saga.input(Order::count)))
                .after(freeze)
                .forward();
        peek(saga, "three", saga)
                .after(one, two)
                .retry(Retry.times(3).from(Duration.ofMillis(100)))
                .timeout(Duration.ofMillis(500));
        peek(saga, "aside", saga).atOnce();
        SagaDefinition<Order, Reservation> definition = saga.returns(freeze.result());

        assertThat(planned(definition, "freeze").after()).isEmpty();
        assertThat(planned(definition, "one").after()).containsExactly("freeze");
        assertThat(planned(definition, "two").after()).containsExactly("freeze");
        assertThat(planned(definition, "two").recovery()).isEqualTo(Recovery.FORWARD);
        assertThat(planned(definition, "two").policy().maxAttempts()).isZero();
        assertThat(planned(definition, "three").after()).containsExactly("one", "two");
        assertThat(planned(definition, "three").policy()).isEqualTo(new Policy(0, 500, 100, 2, 30_000, 3));
        assertThat(planned(definition, "aside").after()).isEmpty();
        assertThat(planned(definition, "freeze").work()).isEqualTo(new Work.Bean("saga/stock.freeze"));
        assertThat(planned(definition, "freeze").compensation()).isEqualTo(new Work.Bean("saga/stock.freeze"));
        assertThat(planned(definition, "one").compensation()).isNull();
        assertThat(definition.program().plan().result()).isEqualTo("freeze");
    }

    @Test
    void argumentsTravelAsReferencesWithTheInput() throws Exception {
        SagaBuilder<Order> saga = Saga.define("order", 1, Order.class);
        Step<Reservation> freeze = freeze(saga);
        saga.step(
                        "note",
                        call(
                                "notes.write",
                                Void.class,
                                arg("item", freeze.result(Reservation::item)),
                                arg("kind", Value.constant("frozen"))))
                .notCompensated();
        SagaDefinition<Order, ?> definition = saga.done();

        assertThat(planned(definition, "note").results()).containsExactly("freeze");
        String input = definition.program().input(new Order("alice", "book", 2, new BigDecimal("9.50"), true));
        assertThat(input)
                .isEqualTo(
                        "{\"v\":1,\"in\":{\"customer\":\"alice\",\"item\":\"book\",\"count\":2,\"price\":\"9.50\",\"express\":true},"
                                + "\"given\":{\"freeze\":{\"item\":[\"input\",\"item\"],\"count\":[\"input\",\"count\"]},"
                                + "\"note\":{\"item\":[\"results\",\"freeze\",\"item\"],\"kind\":{\"value\":\"frozen\"}}},\"plan\":\""
                                + definition.program().print() + "\"}");
        String sent = "{\"input\":" + input + ",\"results\":{\"freeze\":{\"id\":\"7\",\"item\":\"book\"}}}";
        assertThat(Given.arguments(Given.document(sent), "note")).isEqualTo(Map.of("item", "book", "kind", "frozen"));
        assertThatThrownBy(() -> Given.arguments(Given.document(sent), "other"))
                .isInstanceOf(Given.UnreadableException.class);
    }

    @Test
    void choicesAndLoopsAreAnsweredByTheDefinition() throws Exception {
        SagaBuilder<Order> saga = Saga.define("order", 1, Order.class);
        Choice how = saga.choose("how", saga.input(Order::express), express -> express ? "by-air" : "by-road")
                .when("by-air", air -> peek(air, "fly", saga))
                .when("by-road", road -> {});
        saga.repeat("until-there", 4, round -> {
                    Step<Integer> look = peek(round, "look", saga);
                    round.until(look.result(), there -> there > 0);
                })
                .after(how);
        SagaDefinition<Order, ?> definition = saga.done();

        Work.Choice choice = (Work.Choice) planned(definition, "how").work();
        assertThat(choice.resource()).isEqualTo("saga/order@1");
        assertThat(choice.successors()).containsExactly("how.by-air", "how.by-road");
        assertThat(planned(definition, "how.end").after()).containsExactly("fly", "how.by-road");
        Work.Choice loop = (Work.Choice) planned(definition, "until-there").work();
        assertThat(loop.back()).containsExactly("until-there.begin");
        assertThat(loop.maxRounds()).isEqualTo(3);
        assertThat(planned(definition, "until-there.begin").after()).containsExactly("how.end");

        assertThat(answer(definition, "how", "{\"express\":true}", "{}")).isEqualTo("how.by-air");
        assertThat(answer(definition, "how", "{\"express\":false}", "{}")).isEqualTo("how.by-road");
        assertThat(answer(definition, "until-there", "{}", "{\"look\":0}")).isEqualTo("until-there.begin");
        assertThat(answer(definition, "until-there", "{}", "{\"look\":1}")).isEqualTo("until-there.end");
    }

    private static SagaDefinition<Order, ?> choosing(Value<String> said, Retry retry, boolean more) {
        SagaBuilder<Order> saga = Saga.define("order", 1, Order.class);
        saga.step("note", call("notes.write", Void.class, arg("said", said)))
                .retry(retry)
                .notCompensated();
        saga.choose("how", saga.input(Order::express), express -> express ? "by-air" : "by-road")
                .when("by-air", air -> peek(air, "fly", saga))
                .when("by-road", road -> {});
        if (more) {
            peek(saga, "more", saga);
        }
        return saga.done();
    }

    private static Branch asked(String input) {
        return new Branch(
                new Xid("127.0.0.1:8091:42"),
                new BranchId(3),
                "saga/order@1",
                "{\"input\":" + input + ",\"results\":{}}",
                null,
                new SagaHead.Called(SagaHead.Call.CHOOSE, "how", "order@1", 1));
    }

    @Test
    void aDefinitionThatWasChangedWithoutAnotherVersionAnswersNothingOfTheFormerOne() throws Exception {
        SagaDefinition<Order, ?> former = choosing(Value.constant("a"), Retry.none(), false);
        Branch asked = asked(former.program().input(new Order("alice", "book", 2, new BigDecimal("9.50"), true)));
        for (SagaDefinition<Order, ?> same : List.of(former, choosing(Value.constant("a"), Retry.times(9), false))) {
            BranchResult answer = new DefinitionResource(same, ended -> {}).commit(asked);
            assertThat(answer.status()).isEqualTo(BranchStatus.PHASE_TWO_COMMITTED);
            assertThat(answer.said()).isEqualTo(new SagaHead.Said("\"how.by-air\"", -1));
        }
        for (SagaDefinition<Order, ?> changed : List.of(
                choosing(Value.constant("b"), Retry.none(), false),
                choosing(Value.constant("a"), Retry.none(), true))) {
            try (LogLines lines = LogLines.of(DefinitionResource.class.getName())) {
                BranchResult answer = new DefinitionResource(changed, ended -> {}).commit(asked);
                assertThat(answer.status()).isEqualTo(BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE);
                assertThat(answer.cause())
                        .startsWith("TXN-SGA011")
                        .contains("another definition of order@1", "needs another version");
                assertThat(lines.events()).singleElement().satisfies(line -> {
                    assertThat(line.getFormattedMessage()).contains("another definition of order@1", "step=how");
                    assertThat(line.getThrowableProxy())
                            .as("a stack trace with each question")
                            .isNull();
                });
            }
        }
    }

    @Test
    void whereProgramsAreToldApartOtherwiseNothingIsRefused() throws Exception {
        SagaDefinition<Order, ?> now = choosing(Value.constant("a"), Retry.none(), false);
        String print = now.program().print();
        String input = now.program().input(new Order("alice", "book", 2, new BigDecimal("9.50"), true));
        for (String other : List.of("\"0123456789ab\"", "\"2:0123456789ab\"", "7", "null")) {
            BranchResult answer =
                    new DefinitionResource(now, ended -> {}).commit(asked(input.replace("\"" + print + "\"", other)));
            assertThat(answer.status()).as(other).isEqualTo(BranchStatus.PHASE_TWO_COMMITTED);
        }
    }

    record Terms(Map<String, Set<String>> places, Optional<Set<Integer>> days, List<String> order) {}

    private static SagaDefinition<Order, ?> given(String host, Terms terms) {
        SagaBuilder<Order> saga = Saga.define("order", 1, Order.class);
        saga.step("note", call("notes.write", Void.class, arg("terms", Value.constant(terms))))
                .notCompensated();
        saga.step("pay", http("POST", host + "/pay", Parcel.class, arg("terms", Value.constant(terms))))
                .compensatedBy("DELETE", host + "/pay");
        saga.choose("how", Value.constant(terms), all -> "by-air").when("by-air", air -> peek(air, "fly", saga));
        saga.repeat("until-there", 3, round -> {
            Step<Integer> look = peek(round, "look", saga);
            round.until(look.result(), there -> there > 0);
        });
        SagaBuilder<Reservation> inner = Saga.define("billing", 2, Reservation.class);
        inner.step("bill", call(Stock.class, Stock::peek, inner.input(Reservation::item)))
                .notCompensated();
        saga.saga("billing", inner.done(), freeze(saga).result());
        return saga.done();
    }

    /** Of what {@code Map.of} and {@code Set.of} make, the order is another one in each process. */
    @Test
    void aDefinitionIsTheSameInEachProcessAndZone() {
        Map<String, Set<String>> one = new LinkedHashMap<>();
        one.put("x", new LinkedHashSet<>(List.of("a", "b")));
        one.put("y", Set.of());
        Map<String, Set<String>> other = new LinkedHashMap<>();
        other.put("y", Set.of());
        other.put("x", new LinkedHashSet<>(List.of("b", "a")));
        Optional<Set<Integer>> days = Optional.of(new LinkedHashSet<>(List.of(1, 2)));
        Optional<Set<Integer>> turned = Optional.of(new LinkedHashSet<>(List.of(2, 1)));
        String print = given("http://127.0.0.1:1", new Terms(one, days, List.of("1", "2")))
                .program()
                .print();

        assertThat(given("http://127.0.0.1:1", new Terms(other, turned, List.of("1", "2")))
                        .program()
                        .print())
                .as("iterated otherwise")
                .isEqualTo(print);
        assertThat(given("https://127.0.0.2/zone", new Terms(one, days, List.of("1", "2")))
                        .program()
                        .print())
                .as("elsewhere")
                .isEqualTo(print);
        assertThat(given("http://127.0.0.1:1", new Terms(one, days, List.of("2", "1")))
                        .program()
                        .print())
                .as("another list")
                .isNotEqualTo(print);
        assertThat(given("http://127.0.0.1:1", new Terms(Map.of(), days, List.of("1", "2")))
                        .program()
                        .print())
                .as("another map")
                .isNotEqualTo(print);
        // Another print here means that sagas under way are not answered any more when this library is exchanged: then
        // Program.PRINT_FORMAT needs another number.
        assertThat(print).isEqualTo("1:5a56c219d76a");
    }

    private static Object answer(SagaDefinition<?, ?> definition, String question, String in, String results)
            throws Exception {
        Program.Question asked = definition.program().question(question);
        assertThat(asked).isNotNull();
        return asked.answer(
                Given.document("{\"input\":{\"v\":1,\"in\":" + in + ",\"given\":{}},\"results\":" + results + "}"));
    }

    @Test
    void aSagaInASagaHasItsStepsInThePlanAndAnInputOfItsOwn() throws Exception {
        SagaBuilder<Reservation> inner = Saga.define("billing", 2, Reservation.class);
        Step<Integer> look = inner.step("look", call(Stock.class, Stock::peek, inner.input(Reservation::item)))
                .notCompensated();
        SagaDefinition<Reservation, Integer> billing = inner.returns(look.result());
        SagaBuilder<Order> saga = Saga.define("order", 1, Order.class);
        Step<Reservation> freeze = freeze(saga);
        Step<Integer> bill = saga.saga("bill", billing, freeze.result());
        SagaDefinition<Order, Integer> definition = saga.returns(bill.result());

        assertThat(planned(definition, "bill/look").inputFrom()).isEqualTo("bill.given");
        assertThat(planned(definition, "bill/look").part()).isEqualTo("billing@2");
        assertThat(planned(definition, "bill/look").after()).containsExactly("bill.given");
        assertThat(planned(definition, "bill").after()).containsExactly("bill/look");
        assertThat(definition.program().plan().result()).isEqualTo("bill/look");
        Object given = answer(definition, "bill.given", "{}", "{\"freeze\":{\"id\":\"7\",\"item\":\"book\"}}");
        assertThat(given)
                .isEqualTo(Map.of(
                        "v", 1,
                        "in", Map.of("id", "7", "item", "book"),
                        "given", Map.of("bill/look", Map.of("item", List.of("input", "item"))),
                        "plan", definition.program().print()));
    }

    @Test
    void anEndpointIsSentAnObjectOfItsArguments() throws Exception {
        SagaBuilder<Order> saga = Saga.define("order", 1, Order.class);
        saga.step(
                        "pay",
                        http(
                                "POST",
                                "http://127.0.0.1/payments",
                                Parcel.class,
                                arg("who", saga.input(Order::customer))))
                .compensatedBy("DELETE", "http://127.0.0.1/payments");
        SagaDefinition<Order, ?> definition = saga.done();
        assertThat(planned(definition, "pay").inputFrom()).isEqualTo("pay.given");
        assertThat(planned(definition, "pay").compensation())
                .isEqualTo(new Work.Http("DELETE", "http://127.0.0.1/payments"));
        assertThat(answer(definition, "pay.given", "{\"customer\":\"alice\"}", "{}"))
                .isEqualTo(Map.of("who", "alice"));
    }

    @Test
    void anAnnouncedSagaBeginsAndEndsWithItsApplication() {
        SagaBuilder<Order> saga = Saga.define("order", 1, Order.class).announced();
        freeze(saga);
        SagaDefinition<Order, ?> definition = saga.done();
        assertThat(planned(definition, "freeze").after()).containsExactly("saga.begun");
        assertThat(planned(definition, "saga.begun").compensation()).isEqualTo(new Work.Bean("saga/order@1"));
        assertThat(planned(definition, "saga.ended").after()).containsExactly("freeze");
        assertThat(planned(definition, "saga.ended").recovery()).isEqualTo(Recovery.FORWARD);
    }

    @Test
    void whatCouldNotWorkIsRefusedWithWhatIsRight() {
        refused("no step of its own", "it has no steps", saga -> {});
        refused(
                "missing compensation",
                "its compensation is missing",
                saga -> saga.step("peek", call(Stock.class, Stock::peek, saga.input(Order::item))));
        refused(
                "not said by name",
                "compensated() or notCompensated()",
                saga -> saga.step("far", call("far.away", Parcel.class)));
        refused("turns behind the point of no return", "step mail can only go forward", saga -> {
            peek(saga, "mail", saga).forward();
            freeze(saga);
        });
        refused("turns beside the point of no return", "freeze, which runs beside it", saga -> {
            peek(saga, "mail", saga).forward();
            freeze(saga).atOnce();
        });
        refused("twice", "two of its steps have this name", saga -> {
            freeze(saga);
            freeze(saga);
        });
        refused("cycle", "a cycle without a bound", saga -> {
            Step<Reservation> first = freeze(saga);
            first.after(peek(saga, "one", saga));
        });
        refused("too early", "after(freeze)", saga -> {
            Step<Reservation> freeze = freeze(saga);
            saga.step("early", call(Stock.class, Stock::peek, freeze.result(Reservation::item)))
                    .notCompensated()
                    .atOnce();
        });
        refused("a way that may not be taken", "may not be there by then", saga -> {
            AtomicReference<Value<String>> inside = new AtomicReference<>();
            saga.choose("how", saga.input(Order::express), express -> "a").when("a", way -> {
                Step<Reservation> freeze = way.step(
                        "freeze", call(Stock.class, Stock::freeze, saga.input(Order::item), saga.input(Order::count)));
                inside.set(freeze.result(Reservation::item));
            });
            saga.step("after", call(Stock.class, Stock::peek, inside.get())).notCompensated();
        });
        refused("beside", "which is not beside it", saga -> {
            SagaBuilder<Order> other = Saga.define("other", 1, Order.class);
            freeze(saga).after(freeze(other));
        });
        refused("no way", "it goes no way", saga -> saga.choose("how", saga.input(Order::express), express -> "a"));
        refused(
                "no end",
                "it does not say when it is enough",
                saga -> saga.repeat("again", 3, round -> peek(round, "one", saga)));
        refused("no bound", "a loop has a bound", saga -> saga.repeat("again", 100_000, round -> {}));
        refused(
                "no step",
                "@SagaStep(name",
                saga -> saga.step("plain", call(Stock.class, Stock::plain, saga.input(Order::item))));
        refused(
                "another text for long",
                "expected=long",
                saga -> saga.step(
                        "total",
                        Call.referenced(
                                Stock.class,
                                (Methods.Of1<Stock, Long, Long>) Stock::total,
                                false,
                                saga.input(Order::count))));
        refused(
                "a lambda",
                "Stock::freeze, or Order::item",
                saga -> saga.step(
                        "peek",
                        call(Stock.class, (Stock stock, String item) -> stock.peek(item), saga.input(Order::item))));
        refused(
                "later, without an end",
                "within(Duration)",
                saga -> saga.step("pack", callLater(Warehouse.class, Warehouse::pack, saga.input(Order::item))));
    }

    /** Each call that fails is kept on disk, and who has no time to answer is called for ever. */
    @Test
    void timesThatAreTooShortFailTheStartAndAreNeverTheCompensations() {
        for (Duration delay : List.of(Duration.ofMillis(99), Duration.ZERO, Duration.ofMillis(-1))) {
            refused("from " + delay, "from 100 ms", saga -> freeze(saga)
                    .retry(Retry.times(3).from(delay)));
        }
        refused("a longest delay", "from 100 ms", saga -> freeze(saga)
                .retry(new Retry(3, Duration.ofMillis(100), Duration.ofMillis(99))));
        refused("a first delay", "up to an hour", saga -> freeze(saga)
                .retry(Retry.times(3).from(Duration.ofHours(2))));
        refused("attempts", "1 to 1000 times", saga -> freeze(saga).retry(Retry.times(0)));
        refused("a call", "at least 100 ms", saga -> freeze(saga).timeout(Duration.ofMillis(99)));
        refused(
                "a call without end",
                "step freeze has 1999 ms for a call and must have at least 2000 ms",
                saga -> freeze(saga).forward().timeout(Duration.ofMillis(1_999)));

        SagaBuilder<Order> saga = Saga.define("order", 1, Order.class);
        freeze(saga).timeout(Duration.ofMillis(100)).retry(Retry.times(3).from(Duration.ofMillis(100)));
        io.txn.protocol.saga.Step freeze = planned(saga.done(), "freeze");
        assertThat(freeze.policy().callTimeout()).isEqualTo(100);
        assertThat(freeze.compensationPolicy()).isEqualTo(new Policy(0, 2_000, 100, 2, 30_000, 0));
    }

    /** The application is asked until it answers: that alone turns nothing. */
    @Test
    void questionsBehindThePointOfNoReturnGoForwardToo() {
        SagaBuilder<Order> saga = Saga.define("order", 1, Order.class);
        freeze(saga);
        peek(saga, "mail", saga).forward();
        saga.choose("how", saga.input(Order::express), express -> express ? "air" : "road")
                .when("air", air -> peek(air, "fly", saga).forward())
                .when("road", road -> {});
        SagaDefinition<Order, ?> definition = saga.done();
        assertThat(planned(definition, "how").recovery()).isEqualTo(Recovery.FORWARD);
        assertThat(planned(definition, "freeze").recovery()).isEqualTo(Recovery.COMPENSATE);
        assertThat(definition.program().plan().problem()).isNull();
    }

    private interface Writing {
        void to(SagaBuilder<Order> saga);
    }

    private static void refused(String what, String says, Writing writing) {
        ThrowingCallable defining = () -> {
            SagaBuilder<Order> saga = Saga.define("order", 1, Order.class);
            writing.to(saga);
            saga.done();
        };
        assertThatThrownBy(defining)
                .as(what)
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.SAGA_MISDECLARED))
                .hasMessageContaining(says);
    }

    @Test
    void aCompensationThatDoesNotFitIsShownTheRightOne() throws Exception {
        class Bad {
            @SagaStep(name = "bad", compensation = "undo")
            public Reservation act(String item, int count) {
                return new Reservation(1, item);
            }

            public void undo(int count) {}
        }
        Signature signature = Signature.of(Bad.class.getDeclaredMethod("act", String.class, int.class));
        assertThatThrownBy(() -> signature.compensation(Bad.class))
                .hasMessageContaining("public void undo(int)")
                .hasMessageContaining("public void undo(String item, int count), which may take Reservation last");
    }

    @Test
    void theDiagramShowsStepsWaysAndCompensations() {
        SagaBuilder<Order> saga = Saga.define("order", 1, Order.class);
        Step<Reservation> freeze = freeze(saga);
        saga.choose("how", saga.input(Order::express), express -> express ? "air" : "road")
                .when("air", air -> peek(air, "fly", saga))
                .when("road", road -> {});
        SagaDefinition<Order, Reservation> definition = saga.returns(freeze.result());
        assertThat(definition.toMermaid()).isEqualTo("""
                        flowchart TD
                            begin([order@1])
                            s_freeze["freeze<br/><small>stock.freeze</small>"]
                            begin --> s_freeze
                            s_freeze -.-> s_freeze_undo(["undo freeze"])
                            s_how{how?}
                            s_freeze --> s_how
                            s_fly["fly<br/><small>stock.peek</small>"]
                            s_how -- air --> s_fly
                            done([done])
                            s_fly --> done
                            s_how -- road --> done
                        """);
    }
}
