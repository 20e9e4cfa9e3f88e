package io.txn.client.statelang;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.saga.Recovery;
import io.txn.protocol.saga.SagaPlan;
import io.txn.protocol.saga.Step;
import io.txn.protocol.saga.Work;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Definitions in Seata's state language: what is read, what is refused and where, and what plan becomes of one. */
class StateMachineTest {

    private static final StateMachineOptions OPTIONS =
            new StateMachineOptions(Duration.ofMinutes(1), Duration.ofHours(1), false);

    /** A task with attributes, and an end. */
    private static String machine(String more) {
        return """
                {"Name": "one", "Version": "0.0.1", "StartState": "A", "States": {
                  "A": {"Type": "ServiceTask", "ServiceName": "s", "ServiceMethod": "m"%s},
                  "Undo": {"Type": "ServiceTask", "ServiceName": "s", "ServiceMethod": "undo"},
                  "Fail": {"Type": "Fail", "ErrorCode": "NO", "Message": "no"},
                  "Trigger": {"Type": "CompensationTrigger", "Next": "Fail"},
                  "Done": {"Type": "Succeed"}}}
                """.formatted(more.isEmpty() ? "" : ", " + more);
    }

    static final String TRIP = """
            {"Name": "trip", "Comment": "hotel and flight", "StartState": "Hotel", "Version": "1.2.3",
             "RecoverStrategy": "Compensate", "IsPersist": true,
             "States": {
               "Hotel": {"Type": "ServiceTask", "ServiceName": "hotels", "ServiceMethod": "book",
                 "CompensateState": "UndoHotel", "Next": "Booked", "style": {"x": 1},
                 "Input": ["$.[key]", {"nights": "$.[nights] + 1", "of": ["$.[guest].name", 2]}],
                 "Output": {"room": "$.#root.number", "hotel": "$.#root"},
                 "Status": {"#root != null": "SU", "#root == null": "FA", "$Exception{java.lang.Throwable}": "UN"}},
               "Booked": {"Type": "Choice", "Default": "Fail",
                 "Choices": [{"Expression": "[room] != null && [fly] == true", "Next": "Flight"},
                             {"Expression": "[room] != null", "Next": "Done"}]},
               "Flight": {"Type": "ServiceTask", "ServiceName": "flights", "ServiceMethod": "book",
                 "CompensateState": "UndoFlight", "Input": ["$.[key]"], "Next": "Mail",
                 "Retry": [{"Exceptions": ["java.io.IOException"], "IntervalSeconds": 0.5, "MaxAttempts": 3, "BackoffRate": 1.5},
                           {"IntervalSeconds": 0.1, "MaxAttempts": 1}],
                 "Catch": [{"Exceptions": ["java.lang.Exception"], "Next": "Trigger"}]},
               "Mail": {"Type": "ServiceTask", "ServiceName": "mails", "ServiceMethod": "send", "IsAsync": true,
                 "Input": ["$.[room]"], "Next": "Done"},
               "UndoHotel": {"Type": "ServiceTask", "ServiceName": "hotels", "ServiceMethod": "cancel", "Input": ["$.[key]"]},
               "UndoFlight": {"Type": "ServiceTask", "ServiceName": "flights", "ServiceMethod": "cancel", "Input": ["$.[key]"]},
               "Trigger": {"Type": "CompensationTrigger", "Next": "Fail"},
               "Done": {"Type": "Succeed"},
               "Fail": {"Type": "Fail", "ErrorCode": "NO_TRIP", "Message": "no trip"}}}
            """;

    private static SagaPlan plan(StateMachine machine, StateMachine... others) {
        return MachinePlan.of(machine, OPTIONS, name -> find(name, others)).plan();
    }

    private static @Nullable StateMachine find(String name, StateMachine... others) {
        return Stream.of(others)
                .filter(other -> other.name().equals(name))
                .findFirst()
                .orElse(null);
    }

    private static Step step(SagaPlan plan, String name) {
        assertThat(plan.indexOf(name)).as(name + " of " + names(plan)).isNotNegative();
        return plan.steps().get(plan.indexOf(name));
    }

    private static List<String> names(SagaPlan plan) {
        return plan.steps().stream().map(Step::name).toList();
    }

    @Test
    void aMachineBecomesAPlan() {
        SagaPlan plan = plan(StateMachine.read(TRIP, "trip.json"));
        assertThat(plan.definition()).isEqualTo("trip");
        assertThat(plan.version()).isEqualTo(1_002_003);
        assertThat(names(plan))
                .containsExactlyInAnyOrder(
                        "Hotel",
                        "Hotel.next",
                        "Booked",
                        "Flight",
                        "Flight.next",
                        "Mail",
                        "Mail.async",
                        "Fail",
                        "machine.end");
        Step flight = step(plan, "Flight");
        assertThat(flight.work()).isEqualTo(new Work.Bean("saga/trip@1.2.3"));
        assertThat(flight.compensation()).isEqualTo(new Work.Bean("saga/trip@1.2.3"));
        assertThat(flight.after()).containsExactly("Booked");
        assertThat(flight.policy().maxAttempts()).isEqualTo(4);
        assertThat(flight.policy().firstDelay()).isEqualTo(500);
        assertThat(flight.policy().factor()).isEqualTo(1.5);
        assertThat(flight.policy().maxDelay()).isEqualTo(60_000);
        assertThat(flight.policy().callTimeout()).isEqualTo(60_000);
        assertThat(((Work.Choice) step(plan, "Booked").work()).successors())
                .containsExactlyInAnyOrder("Flight", "machine.end", "Fail");
        assertThat(step(plan, "Booked").results()).containsExactly("Hotel");
        assertThat(step(plan, "Mail.async").recovery()).isEqualTo(Recovery.CONTINUE);
        assertThat(step(plan, "Mail.async").after()).containsExactly("Mail");
        assertThat(step(plan, "Mail.async").results()).containsExactly("Hotel");
        assertThat(step(plan, "Fail").work()).isEqualTo(new Work.Fail("NO_TRIP no trip"));
        assertThat(step(plan, "machine.end").after()).containsExactlyInAnyOrder("Booked", "Mail");
        assertThat(plan.result()).isEqualTo("machine.end");
        assertThat(SagaPlan.decode(plan.encoded())).isEqualTo(plan);
    }

    /** Definitions are meant to run: what is too short is as short as may be. */
    @Test
    void intervalsAndTimesThatAreTooShortAreTheShortestOnes() {
        StateMachineOptions brief = new StateMachineOptions(Duration.ofMillis(150), Duration.ofHours(1), false);
        for (String interval : List.of("\"IntervalSeconds\": 0, ", "\"IntervalSeconds\": 0.05, ", "")) {
            String trip = TRIP.replaceAll("\"IntervalSeconds\": 0.[15], ", interval);
            SagaPlan plan = MachinePlan.of(StateMachine.read(trip, "trip.json"), brief, name -> null)
                    .plan();
            assertThat(plan.problem()).isNull();
            assertThat(step(plan, "Flight").policy().firstDelay()).as(interval).isEqualTo(100);
            assertThat(step(plan, "Flight").policy().callTimeout()).isEqualTo(150);
            assertThat(step(plan, "Flight").compensationPolicy().callTimeout()).isEqualTo(2_000);
            assertThat(step(plan, "machine.end").policy().callTimeout()).isEqualTo(2_000);
        }
        String forward = TRIP.replace("\"RecoverStrategy\": \"Compensate\"", "\"RecoverStrategy\": \"Forward\"");
        SagaPlan plan = MachinePlan.of(StateMachine.read(forward, "trip.json"), brief, name -> null)
                .plan();
        assertThat(plan.problem()).isNull();
        assertThat(step(plan, "Hotel").policy().callTimeout()).isEqualTo(2_000);
        assertThatThrownBy(() -> new StateMachineOptions(Duration.ofMillis(99), Duration.ofHours(1), false))
                .hasMessageContaining("serviceInvokeTimeout is from 100 ms");
    }

    @Test
    void whereEndsAreToldThereIsAFirstStepWhoseCompensationComesLast() {
        StateMachineOptions announced = new StateMachineOptions(Duration.ofMinutes(1), Duration.ofHours(1), true);
        SagaPlan plan = MachinePlan.of(StateMachine.read(TRIP, "trip.json"), announced, name -> null)
                .plan();
        assertThat(step(plan, "machine.begun").after()).isEmpty();
        assertThat(step(plan, "machine.begun").compensation()).isNotNull();
        assertThat(step(plan, "Hotel").after()).containsExactly("machine.begun");
    }

    private static String outer(String more) {
        return """
                {"Name": "outer", "StartState": "Trip", "RecoverStrategy": "Compensate", "States": {
                  "Trip": {"Type": "SubStateMachine", "StateMachineName": "trip", "CompensateState": "UndoTrip",
                           "Input": [{"key": "$.[key]"}], "Output": {"where": "$.[room]"}, "Next": "Pay"},
                  "UndoTrip": {"Type": "CompensateSubMachine", "Input": [{"why": "$.[reason]"}]},
                  "Pay": {"Type": "ServiceTask", "ServiceName": "bank", "ServiceMethod": "pay"%s}}}
                """.formatted(more);
    }

    @Test
    void aMachineInAMachineIsPartOfItsPlan() {
        StateMachine trip = StateMachine.read(TRIP, "trip.json");
        MachinePlan both = MachinePlan.of(StateMachine.read(outer(""), "outer.json"), OPTIONS, name -> trip);
        SagaPlan plan = both.plan();
        assertThat(both.machines()).isEqualTo(Map.of("Trip", new Envelope.Pinned("trip@1.2.3", trip.digest())));
        assertThat(names(plan))
                .contains("Trip.begin", "Trip/Hotel", "Trip/Hotel.next", "Trip/machine.end", "Trip", "Pay");
        assertThat(step(plan, "Trip/Hotel").inputFrom()).isEqualTo("Trip.begin");
        assertThat(step(plan, "Trip/Hotel").part()).isEqualTo("trip@1.2.3");
        assertThat(step(plan, "Trip").after()).containsExactly("Trip/machine.end");
        assertThat(step(plan, "Pay").after()).containsExactly("Trip");
        assertThat(step(plan, "Pay").compensation()).isNull();
    }

    /** What only goes forward takes the saga its deadline. */
    @Test
    void onlyTheOutermostEndGoesForwardSoThatTimeTurnsWhatComesAfterAMachine() {
        StateMachine trip = StateMachine.read(TRIP, "trip.json");
        StateMachine outer = StateMachine.read(outer(""), "outer.json");
        String middle = outer("")
                .replace("\"outer\"", "\"middle\"")
                .replace("\"Trip\"", "\"Outer\"")
                .replace("\"trip\"", "\"outer\"");
        SagaPlan plan = plan(StateMachine.read(middle, "middle.json"), trip, outer);
        assertThat(names(plan)).contains("Outer/Trip/machine.end", "Outer/machine.end", "machine.end");
        assertThat(plan.steps())
                .filteredOn(step -> step.recovery() == Recovery.FORWARD)
                .extracting(Step::name)
                .containsExactly("machine.end");
        assertThat(step(plan, "Outer/machine.end").policy())
                .as("called again until the time is over")
                .isEqualTo(step(plan, "machine.end").policy());
    }

    @Test
    void aMachineThatGoesForwardDoesNotTurnForAService() {
        String text = TRIP.replace("\"Compensate\"", "\"Forward\"");
        SagaPlan plan = plan(StateMachine.read(text, "trip.json"));
        assertThat(step(plan, "Hotel").recovery()).isEqualTo(Recovery.FORWARD);
        assertThat(step(plan, "Flight").policy().maxAttempts()).isZero();
        assertThat(step(plan, "Fail").work()).isInstanceOf(Work.Bean.class);
        assertThat(step(plan, "Fail").recovery()).isEqualTo(Recovery.FORWARD);
    }

    /** Seata's designer gives states their names again, and empty attributes. */
    @Test
    void whatTheDesignerWritesIsRead() {
        StateMachine machine = StateMachine.read("""
                {"Name": "drawn", "Version": "0.0.1", "StartState": "ServiceTask-1", "style": {"bounds": {"x": 200}},
                 "edge": {"style": {}, "type": "Transition"},
                 "States": {
                   "ServiceTask-1": {"Type": "ServiceTask", "Name": "ServiceTask-1", "IsForCompensation": false, "Input": [{}],
                     "Output": {}, "Status": {}, "Retry": [], "Catch": [{"Exceptions": ["java.lang.Throwable"], "Next": "Trigger-1"}],
                     "ServiceName": "s", "ServiceMethod": "m", "Next": "Choice-1", "catch": {"edge": {}}, "edge": {}, "style": {}},
                   "Choice-1": {"Type": "Choice", "Name": "Choice-1", "Default": "SubStateMachine-1",
                     "Choices": [{"Expression": "[a] == 1", "Next": "Succeed-1"}]},
                   "SubStateMachine-1": {"Type": "SubStateMachine", "Name": "SubStateMachine-1", "IsForCompensation": false,
                     "Input": [{}], "Output": {}, "Status": {}, "Retry": [], "Catch": [], "StateMachineName": "trip", "CompensateState": "",
                     "Next": "Succeed-1"},
                   "Trigger-1": {"Type": "CompensationTrigger", "Name": "Trigger-1", "Next": "Fail-1"},
                   "Succeed-1": {"Type": "Succeed", "Name": "Succeed-1"},
                   "Fail-1": {"Type": "Fail", "Name": "Fail-1", "ErrorCode": "", "Message": ""}}}
                """, "drawn.json");
        StateMachine trip = StateMachine.read(TRIP.replace("\"RecoverStrategy\": \"Compensate\",", ""), "trip.json");
        assertThat(names(plan(machine, trip))).contains("ServiceTask-1.next", "SubStateMachine-1/Hotel");
    }

    @Test
    void machinesInEachOtherOrNowhereAreRefused() {
        StateMachine outer = StateMachine.read(outer(""), "outer.json");
        assertThatThrownBy(() -> plan(outer)).hasMessageContaining("there is no state machine trip");
        StateMachine round = StateMachine.read(outer("").replace("\"trip\"", "\"outer\""), "round.json");
        assertThatThrownBy(() -> plan(round, round)).hasMessageContaining("a machine stands in itself: outer → outer");
        StateMachine other = StateMachine.read(TRIP.replace("\"Compensate\"", "\"Forward\""), "trip.json");
        assertThatThrownBy(() -> plan(outer, other)).hasMessageContaining("the same RecoverStrategy in both");
    }

    @Test
    void theDiagramShowsWaysExceptionsAndCompensations() {
        assertThat(StateMachine.read(TRIP, "trip.json").toMermaid())
                .startsWith("flowchart TD\n    begin([trip@1.2.3]) --> s_Hotel\n")
                .contains("s_Hotel[\"Hotel<br/><small>hotels.book</small>\"]")
                .contains("s_Hotel -.-> s_Hotel_undo([\"undo hotels.cancel\"])")
                .contains("s_Booked -- \"[room] != null\" --> s_Done")
                .contains("s_Booked -- else --> s_Fail")
                .contains("s_Flight -. catch .-> s_Trigger")
                .contains("s_Trigger --> s_Fail")
                .contains("s_Mail -. at once .-> s_Done");
    }

    static Stream<Arguments> refusals() {
        return Stream.of(
                refusal("{", null, "it is no JSON", null),
                refusal("[]", null, "it is no object", null),
                refusal("{\"nodes\": [], \"edges\": []}", null, "the drawing of a designer", "StartState"),
                refusal("{\"Name\": \"a b\", \"States\": {}}", "Name", "no name here", null),
                refusal("{\"Name\": \"a\", \"StartState\": \"A\"}", null, "it has no States", null),
                refusal(
                        machine("").replace("\"A\", \"States", "\"B\", \"States"),
                        "StartState",
                        "no such state",
                        "[A,"),
                refusal(machine("").replace("0.0.1", "v1"), "Version", "no version", "0.0.1"),
                refusal(machine("").replace("0.0.1", "0.0"), "Version", "no version", null),
                refusal(machine("\"Next\": \"X\""), "States.A", "leads to X, which is no state", "[A,"),
                refusal(machine("\"Next\": \"A\""), "States.A", "circle, without a bound: A → A", "repeat("),
                refusal(machine("\"Name\": \"B\""), "States.A.Name", "called as it stands", "A, or no Name"),
                refusal(machine("\"Nxt\": \"Done\""), "States.A.Nxt", "nothing of this name", "Next"),
                refusal(machine("\"Loop\": {}"), "States.A.Loop", "loops over collections", "repeat("),
                refusal(
                        machine("\"ServiceType\": \"rest\""),
                        "States.A.ServiceType",
                        "services are beans",
                        "SpringBean"),
                refusal(machine("\"CompensateState\": \"X\""), "States.A", "CompensateState X is no state", null),
                refusal(machine("\"CompensateState\": \"Done\""), "States.A", "calls no service", "ServiceTask"),
                refusal(
                        machine("\"Next\": \"Undo\", \"CompensateState\": \"Undo\""),
                        "States.Undo",
                        "states lead to it",
                        null),
                refusal(
                        machine("\"IsForUpdate\": \"true\""),
                        "States.A.IsForUpdate",
                        "neither true nor false",
                        "quotation"),
                refusal(machine("\"IsAsync\": true, \"Catch\": [1]"), "States.A.Catch", "nobody waits", "no IsAsync"),
                refusal(
                        machine("\"Catch\": [{\"Next\": \"Fail\"}]"),
                        "States.A.Catch[0]",
                        "names no exception",
                        "Throwable"),
                refusal(
                        machine("\"Catch\": [{\"Exceptions\": [\"a b\"], \"Next\": \"Fail\"}]"),
                        "States.A.Catch[0].Exceptions[0]",
                        "names no class",
                        null),
                refusal(machine("\"Retry\": [{}]"), "States.A.Retry[0]", "it has no MaxAttempts", null),
                refusal(
                        machine("\"Retry\": [{\"MaxAttempts\": -1}]"),
                        "States.A.Retry[0].MaxAttempts",
                        "0.0 to 1000.0",
                        null),
                refusal(
                        machine("\"Status\": {\"#root == true\": \"OK\"}"),
                        "States.A.Status.#root == true",
                        "no such status",
                        "SU"),
                refusal(
                        machine("\"Status\": {\"T(x).y()\": \"SU\"}"),
                        "States.A.Status",
                        "character 1: types are not looked up",
                        "a service"),
                refusal(
                        machine("\"Status\": {\"$Exception{}\": \"SU\"}"),
                        "States.A.Status",
                        "names no class",
                        "IOException"),
                refusal(
                        machine("\"Input\": [\"a\", {\"b\": \"$.[c].run()\"}]"),
                        "States.A.Input[1].b",
                        "character 7: the method run is not called",
                        "size()"),
                refusal(
                        machine("\"Input\": [\"$Groovy.x\"]"),
                        "States.A.Input[0]",
                        "no kind of expression",
                        "$.<expression>"),
                refusal(
                        machine("\"Input\": [{\"@type\": \"x.Y\"}]"),
                        "States.A.Input[0].@type",
                        "data names no classes",
                        null),
                refusal(machine("\"Output\": \"x\""), "States.A.Output", "it is no object", null),
                refusal(
                        machine("").replace("\"Type\": \"ServiceTask\"", "\"Type\": \"ScriptTask\""),
                        "States.A.Type",
                        "scripts are not run",
                        "a ServiceTask"),
                refusal(
                        machine("").replace("\"Succeed\"", "\"Parallel\""),
                        "States.Done.Type",
                        "no such type",
                        "Choice"),
                refusal(
                        machine("\"Next\": \"Done\"")
                                .replace(
                                        "\"Done\": {",
                                        "\"D\": {\"Type\": \"ServiceTask\", \"ServiceName\": \"s\", \"ServiceMethod\": \"m\"}, \"Done\": {"),
                        "States.Undo",
                        "no state leads to it",
                        null),
                refusal(
                        machine("\"CompensateState\": \"Undo\"").replace("\"undo\"", "\"undo\", \"Next\": \"Done\""),
                        "States.Undo",
                        "nothing comes after it",
                        null),
                refusal(
                        machine("\"CompensateState\": \"Undo\"").replace("\"Next\": \"Fail\"", "\"Next\": \"A\""),
                        "States.Trigger",
                        "after everything was undone",
                        "Fail"),
                refusal(
                        outer("").replace("\"Next\": \"Pay\"", "\"Next\": \"Pay\", \"Catch\": [1]"),
                        "States.Trip.Catch",
                        "turns the whole saga back",
                        "in trip"),
                refusal(
                        outer("").replace("\"CompensateState\": \"UndoTrip\"", "\"CompensateState\": \"Pay\""),
                        "States.Trip",
                        "undone by its own compensations",
                        "CompensateSubMachine"),
                refusal(
                        TRIP.replace(
                                        "\"hotels\", \"ServiceMethod\": \"cancel\", \"Input\": [\"$.[key]\"]",
                                        "\"hotels\", \"ServiceMethod\": \"cancel\", \"Input\": [\"$.[ticket]\"]")
                                .replace(
                                        "\"Input\": [\"$.[key]\"], \"Next\": \"Mail\"",
                                        "\"Output\": {\"ticket\": \"$.#root\"}, \"Next\": \"Mail\""),
                        "States.UndoHotel",
                        "[ticket], which Flight puts out, perhaps after Hotel",
                        "Hotel itself"));
    }

    private static Arguments refusal(String text, @Nullable String at, String problem, @Nullable String expected) {
        return Arguments.of(text, at, problem, expected);
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void whatIsNotRunIsRefusedWithItsPlaceAndWhatMayStandThere(
            String text, @Nullable String at, String problem, @Nullable String expected) {
        TxnException refused = catchThrowableOfType(TxnException.class, () -> StateMachine.read(text, "file.json"));
        assertThat(refused).as(text).isNotNull();
        assertThat(refused.code()).isEqualTo(ErrorCode.STATE_MACHINE_REFUSED);
        assertThat(refused.facts()).containsEntry("definition", "file.json");
        assertThat(refused.facts().get("at")).as(refused.getMessage()).isEqualTo(at);
        assertThat((String) refused.facts().get("problem")).contains(problem);
        if (expected != null) {
            assertThat((String) refused.facts().get("expected")).contains(expected);
        }
    }

    @Test
    void whateverIsChangedInADefinitionItIsReadOrRefused() {
        long seed = Long.getLong("txn.test.seed", System.nanoTime());
        Random random = new Random(seed);
        String[] parts = TRIP.split("(?<=[\"\\[\\]{},:])|(?=[\"\\[\\]{},:])");
        int read = 0;
        for (int i = 0; i < 1_000; i++) {
            String[] changed = parts.clone();
            for (int n = random.nextInt(3); n >= 0; n--) {
                int at = random.nextInt(changed.length);
                changed[at] = random.nextInt(3) == 0 ? "" : parts[random.nextInt(parts.length)];
            }
            String text = String.join("", changed);
            try {
                plan(StateMachine.read(text, "changed.json"));
                read++;
            } catch (TxnException e) {
                assertThat(e.code()).as(text).isEqualTo(ErrorCode.STATE_MACHINE_REFUSED);
            } catch (RuntimeException | AssertionError | StackOverflowError e) {
                throw new AssertionError("txn.test.seed=" + seed + " " + text, e);
            }
        }
        assertThat(read).as("txn.test.seed=" + seed).isPositive();
    }

    @Test
    void sizeDepthAndNumberAreBounded() {
        assertThatThrownBy(() -> StateMachine.read(" ".repeat(300_000), "large.json"))
                .hasMessageContaining("longer than");
        assertThatThrownBy(() -> StateMachine.read("{\"a\":".repeat(500), "deep.json"))
                .hasMessageContaining("nested too deeply");
        StringBuilder many = new StringBuilder("{\"Name\": \"many\", \"StartState\": \"S0\", \"States\": {");
        for (int i = 0; i < 101; i++) {
            many.append("\"S%d\": {\"Type\": \"Succeed\"},".formatted(i));
        }
        many.setLength(many.length() - 1);
        assertThatThrownBy(() -> StateMachine.read(many + "}}", "many.json"))
                .hasMessageContaining("more than 100 states");
    }
}
