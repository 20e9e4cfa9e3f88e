package io.txn.client.saga;

import static io.txn.client.saga.Saga.arg;
import static io.txn.client.saga.Saga.call;
import static io.txn.client.saga.Saga.callLater;
import static io.txn.client.saga.Saga.http;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.saga.Policy;
import io.txn.protocol.saga.Recovery;
import io.txn.protocol.saga.SagaPlan;
import io.txn.protocol.saga.Work;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
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
        peek(saga, "three", saga).after(one, two).retry(Retry.times(3).from(Duration.ofMillis(10)));
        peek(saga, "aside", saga).atOnce();
        SagaDefinition<Order, Reservation> definition = saga.returns(freeze.result());

        assertThat(planned(definition, "freeze").after()).isEmpty();
        assertThat(planned(definition, "one").after()).containsExactly("freeze");
        assertThat(planned(definition, "two").after()).containsExactly("freeze");
        assertThat(planned(definition, "two").recovery()).isEqualTo(Recovery.FORWARD);
        assertThat(planned(definition, "two").policy().maxAttempts()).isZero();
        assertThat(planned(definition, "three").after()).containsExactly("one", "two");
        assertThat(planned(definition, "three").policy()).isEqualTo(new Policy(0, 30_000, 10, 2, 30_000, 3));
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
                                + "\"note\":{\"item\":[\"results\",\"freeze\",\"item\"],\"kind\":{\"value\":\"frozen\"}}}}");
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
                        "given", Map.of("bill/look", Map.of("item", List.of("input", "item")))));
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
