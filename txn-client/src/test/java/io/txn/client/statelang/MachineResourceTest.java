package io.txn.client.statelang;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.client.action.Json;
import io.txn.client.rm.Branch;
import io.txn.client.rm.BranchResult;
import io.txn.client.saga.SagaEnded;
import io.txn.protocol.BranchId;
import io.txn.protocol.Xid;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.saga.SagaHead;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What an application does when it is called for a state: services, status, exceptions, ways, compensations. */
class MachineResourceTest {

    /** A service that answers or throws what the test says. */
    public static class Shop {
        private final List<String> calls = new ArrayList<>();
        private @Nullable Object answer;
        private @Nullable Exception failure;
        private boolean away;

        public @Nullable Object book(String key, @Nullable Map<String, Object> more) throws Exception {
            return said("book " + key + " " + more);
        }

        public @Nullable Object undo(String key, @Nullable String room) throws Exception {
            return said("undo " + key + " " + room);
        }

        public @Nullable Object send(int number) throws Exception {
            return said("send " + number);
        }

        private @Nullable Object said(String call) throws Exception {
            calls.add(call);
            if (failure != null) {
                throw failure;
            }
            return answer;
        }
    }

    private final Shop shop = new Shop();
    private final List<String> told = new ArrayList<>();

    private final class Shops implements Services {
        @Override
        public @Nullable Class<?> type(String service) {
            return service.equals("shop") ? Shop.class : null;
        }

        @Override
        public @Nullable String problem(String service, Method method) {
            return null;
        }

        @Override
        public @Nullable Object call(String service, Method method, @Nullable Object[] arguments) throws Throwable {
            if (shop.away) {
                throw new NotCalledException(service, new IllegalStateException("closed"));
            }
            try {
                return method.invoke(shop, arguments);
            } catch (InvocationTargetException e) {
                throw Objects.requireNonNull(e.getCause());
            }
        }
    }

    private static String machine(String strategy, String more) {
        return """
                {"Name": "m", %s "StartState": "Book", "States": {
                  "Book": {"Type": "ServiceTask", "ServiceName": "shop", "ServiceMethod": "book", "CompensateState": "Undo",
                    "Input": ["$.[key]", {"n": "$.[n]", "seq": "$Sequence.BUSINESS_KEY|SIMPLE"}], "Output": {"room": "$.#root.room"}, "Next": "Send"%s},
                  "Undo": {"Type": "ServiceTask", "ServiceName": "shop", "ServiceMethod": "undo", "Input": ["$.[key]", "$.[room]"],
                    "Status": {"#root == null || #root != 'no'": "SU", "#root == 'no'": "FA", "$Exception{java.io.IOException}": "SU"}},
                  "Send": {"Type": "ServiceTask", "ServiceName": "shop", "ServiceMethod": "send", "Input": ["$.[n]"], "Next": "Which"},
                  "Which": {"Type": "Choice", "Choices": [{"Expression": "[room] == 'A'", "Next": "Done"}, {"Expression": "[n] > 5", "Next": "Other"}]},
                  "Other": {"Type": "ServiceTask", "ServiceName": "shop", "ServiceMethod": "send", "IsForUpdate": true, "Input": [1]},
                  "Trigger": {"Type": "CompensationTrigger", "Next": "Fail"},
                  "Fail": {"Type": "Fail", "ErrorCode": "NO", "Message": "not today"},
                  "Done": {"Type": "Succeed"}}}
                """.formatted(
                        strategy.isEmpty() ? "" : "\"RecoverStrategy\": \"" + strategy + "\",",
                        more.isEmpty() ? "" : ", " + more);
    }

    private final Map<String, StateMachine> known = new LinkedHashMap<>();

    private MachineResource resource(String text) {
        StateMachine machine = StateMachine.read(text, "m.json");
        known.put(machine.id(), machine);
        Services services = new Shops();
        return new MachineResource(machine, new MachineResource.Machines() {
            @Override
            public @Nullable StateMachine find(String id) {
                return known.get(id);
            }

            @Override
            public ServiceMethod method(StateMachine of, State.Task task) {
                return ServiceMethod.of(of, task, services);
            }

            @Override
            public Services services() {
                return services;
            }

            @Override
            public void ended(SagaEnded<?> ended) {
                told.add(ended.definition() + " " + ended.input() + " " + ended.done());
            }
        });
    }

    private Branch branch(
            SagaHead.Call call, String step, int attempt, Map<String, ?> results, @Nullable Object result) {
        StateMachine machine = known.values().iterator().next();
        return branch(
                new Envelope(Envelope.Pinned.of(machine), Map.of(), variables(), Map.of()),
                call,
                step,
                attempt,
                results,
                result);
    }

    private static Map<String, @Nullable Object> variables() {
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        variables.put("key", "k1");
        variables.put("n", 7);
        return variables;
    }

    private static Branch branch(
            Envelope envelope,
            SagaHead.Call call,
            String step,
            int attempt,
            Map<String, ?> results,
            @Nullable Object result) {
        Map<String, @Nullable Object> document = new LinkedHashMap<>();
        document.put("input", envelope.toJson());
        document.put("results", results);
        if (result != null) {
            document.put("result", result);
        }
        return new Branch(
                new Xid("127.0.0.1:8091:17"),
                new BranchId(23),
                "saga/m@0.0.1",
                Json.write(document),
                null,
                new SagaHead.Called(call, step, "m@1", attempt));
    }

    private BranchResult act(MachineResource resource, String step, int attempt, Map<String, ?> results) {
        return resource.commit(branch(SagaHead.Call.ACTION, step, attempt, results, null));
    }

    private static @Nullable String result(BranchResult answered) {
        assertThat(answered.status()).as(answered.cause()).isEqualTo(BranchStatus.PHASE_TWO_COMMITTED);
        return Objects.requireNonNull(answered.said()).result();
    }

    private static String refused(BranchResult answered) {
        assertThat(answered.status()).isEqualTo(BranchStatus.PHASE_TWO_COMMIT_FAILED_UNRETRYABLE);
        return Objects.requireNonNull(answered.cause());
    }

    private static String again(BranchResult answered) {
        assertThat(answered.status()).as(answered.cause()).isEqualTo(BranchStatus.PHASE_TWO_COMMIT_FAILED_RETRYABLE);
        return Objects.requireNonNull(answered.cause());
    }

    @Test
    void aServiceIsGivenItsInputAndPutsOutItsOutput() {
        MachineResource resource = resource(machine("", ""));
        shop.answer = Map.of("room", "A");
        assertThat(result(act(resource, "Book", 1, Map.of())))
                .isEqualTo("{\"status\":\"SU\",\"out\":{\"room\":\"A\"}}");
        assertThat(shop.calls).containsExactly("book k1 {n=7, seq=127.0.0.1:8091:17-23}");
        assertThat(result(act(resource, "Book.next", 1, Map.of("Book", Map.of("status", "SU", "out", Map.of())))))
                .isEqualTo("\"Send\"");
        shop.answer = null;
        assertThat(result(act(resource, "Send", 1, Map.of()))).isEqualTo("{\"status\":\"SU\",\"out\":{}}");
        assertThat(result(act(resource, "Which", 1, Map.of("Book", Map.of("out", Map.of("room", "A"))))))
                .isEqualTo("\"machine.end\"");
        assertThat(result(act(resource, "Which", 1, Map.of()))).isEqualTo("\"Other\"");
        assertThat(result(act(resource, "machine.end", 1, Map.of("Book", Map.of("out", Map.of("room", "A"))))))
                .isEqualTo("{\"status\":\"SU\",\"out\":{\"key\":\"k1\",\"n\":7,\"room\":\"A\"}}");
    }

    @Test
    void aFailureIsTriedAgainTurnsBackOrWaitsAsTheStrategySays() {
        shop.failure = new IllegalStateException("away");
        assertThat(again(act(resource(machine("", "")), "Book", 9, Map.of()))).contains("Book failed", "away");
        known.clear();
        assertThat(again(act(resource(machine("Forward", "")), "Book", 9, Map.of())))
                .contains("away");
        known.clear();
        MachineResource compensating = resource(machine("Compensate", ""));
        assertThat(result(act(compensating, "Book", 1, Map.of())))
                .contains("\"status\":\"UN\"", "\"failed\":\"Book failed");
        assertThat(refused(
                        act(compensating, "Book.next", 1, Map.of("Book", Map.of("status", "UN", "failed", "because")))))
                .isEqualTo("because");
        assertThat(refused(act(compensating, "Send", 1, Map.of()))).contains("Send failed");
    }

    @Test
    void aStatusIsWhatTheFirstRuleThatMatchesSays() {
        String statuses =
                "\"Status\": {\"$Exception{java.io.IOException}\": \"FA\", \"#root == true\": \"SU\", \"#root == false\": \"FA\", "
                        + "\"$Exception{java.lang.Throwable}\": \"UN\"}";
        MachineResource resource = resource(
                machine("Compensate", statuses.replace("#root.room", "#root")).replace("$.#root.room", "$.#root"));
        shop.answer = true;
        assertThat(result(act(resource, "Book", 1, Map.of()))).isEqualTo("{\"status\":\"SU\",\"out\":{\"room\":true}}");
        shop.answer = false;
        assertThat(result(act(resource, "Book", 1, Map.of())))
                .isEqualTo("{\"status\":\"FA\",\"out\":{\"room\":false}}");
        shop.answer = 5;
        assertThat(result(act(resource, "Book", 1, Map.of())))
                .isEqualTo("{\"status\":\"UN\",\"out\":{},\"failed\":\"its result matches none of its Status\"}");
        shop.failure = new SocketTimeoutException("slow");
        assertThat(result(act(resource, "Book", 1, Map.of()))).contains("\"status\":\"FA\"");
        shop.failure = new IllegalStateException("x");
        assertThat(result(act(resource, "Book", 1, Map.of()))).contains("\"status\":\"UN\"");
    }

    @Test
    void anExceptionIsTriedAgainAsItsRetrySaysAndThenCaught() {
        MachineResource resource = resource(machine("", """
                "Retry": [{"Exceptions": ["java.io.IOException"], "MaxAttempts": 2, "IntervalSeconds": 1, "BackoffRate": 2},
                          {"MaxAttempts": 5}],
                "Catch": [{"Exceptions": ["java.io.IOException"], "Next": "Which"},
                          {"Exceptions": ["java.lang.IllegalStateException"], "Next": "Trigger"},
                          {"Exceptions": ["java.lang.Error"], "Next": "Fail"}]"""));
        shop.failure = new IOException("busy");
        again(act(resource, "Book", 1, Map.of()));
        again(act(resource, "Book", 2, Map.of()));
        assertThat(result(act(resource, "Book", 3, Map.of())))
                .isEqualTo("{\"status\":\"UN\",\"out\":{},\"next\":\"Which\"}");
        assertThat(result(act(resource, "Book.next", 1, Map.of("Book", Map.of("status", "UN", "next", "Which")))))
                .isEqualTo("\"Which\"");
        shop.failure = new IllegalStateException("no");
        assertThat(result(act(resource, "Book", 1, Map.of())))
                .contains(
                        "\"failed\":\"Fail: NO not today, because Book failed: java.lang.IllegalStateException: no\"");
        shop.failure = new RuntimeException(new SocketTimeoutException("net"));
        again(act(resource, "Book", 5, Map.of()));
        assertThat(again(act(resource, "Book", 6, Map.of())))
                .as("uncaught, and it may have changed something")
                .contains("net");
    }

    @Test
    void whatCannotBeGivenOrKeptIsNeverCalledAgain() {
        MachineResource resource =
                resource(machine("", "").replace("$.[n]\"], \"Next\": \"Which\"", "$.[key]\"], \"Next\": \"Which\""));
        assertThat(refused(act(resource, "Send", 1, Map.of()))).contains("the Input of Send is none", "Input[0]");
        assertThat(shop.calls).isEmpty();
        shop.answer = Map.of("room", "x".repeat(17_000));
        assertThat(result(act(resource, "Book", 1, Map.of()))).contains("\"status\":\"UN\"", "TXN-SGA001");
        shop.answer = Map.of("other", 1);
        assertThat(result(act(resource, "Book", 1, Map.of()))).contains("there is no property room");
    }

    @Test
    void aCompensationIsGivenWhatItsStateSawAndAnswered() {
        MachineResource resource = resource(machine("", ""));
        Map<String, ?> answered = Map.of("status", "SU", "out", Map.of("room", "A"));
        assertThat(resource.rollback(branch(SagaHead.Call.COMPENSATE, "Book", 1, Map.of(), answered))
                        .done())
                .isTrue();
        assertThat(resource.rollback(branch(SagaHead.Call.COMPENSATE, "Book", 1, Map.of(), null))
                        .done())
                .isTrue();
        assertThat(shop.calls).containsExactly("undo k1 A", "undo k1 null");
        Map<String, ?> nothing = Map.of("status", "FA", "out", Map.of());
        assertThat(resource.rollback(branch(SagaHead.Call.COMPENSATE, "Book", 1, Map.of(), nothing))
                        .done())
                .isTrue();
        assertThat(shop.calls).as("what did nothing is not undone").hasSize(2);
        shop.answer = "no";
        assertThat(resource.rollback(branch(SagaHead.Call.COMPENSATE, "Book", 1, Map.of(), answered))
                        .status())
                .isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE);
        shop.failure = new IOException("that is as good as done");
        assertThat(resource.rollback(branch(SagaHead.Call.COMPENSATE, "Book", 1, Map.of(), answered))
                        .done())
                .isTrue();
        shop.failure = new IllegalStateException("not now");
        assertThat(resource.rollback(branch(SagaHead.Call.COMPENSATE, "Book", 1, Map.of(), answered))
                        .status())
                .isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE);
        assertThat(resource.rollback(branch(SagaHead.Call.COMPENSATE, "Other", 1, Map.of(), null))
                        .status())
                .as("it changes something, and nothing undoes it")
                .isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
    }

    private BranchStatus undone(MachineResource resource) {
        Map<String, ?> answered = Map.of("status", "SU", "out", Map.of("room", "A"));
        return resource.rollback(branch(SagaHead.Call.COMPENSATE, "Book", 1, Map.of(), answered))
                .status();
    }

    /** A rule for every exception is one for what the service throws. */
    @Test
    void aCompensationThatWasNotCalledIsNotDoneWhateverItsStatusSaysOfExceptions() {
        String any = machine("", "").replace("java.io.IOException}\": \"SU\"", "java.lang.Exception}\": \"SU\"");
        assertThat(undone(resource(any.replace(
                        "\"undo\", \"Input\": [\"$.[key]\", \"$.[room]\"]", "\"send\", \"Input\": [\"$.[key]\"]"))))
                .as("no text is the number that is taken")
                .isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
        known.clear();
        assertThat(undone(resource(any.replace("\"$.[room]\"]", "\"$.[room].number\"]"))))
                .as("its Input has no value")
                .isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
        known.clear();
        MachineResource resource = resource(any);
        shop.away = true;
        assertThat(undone(resource)).isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE);
        assertThat(again(act(resource, "Send", 1, Map.of()))).contains("service shop is not to be had", "closed");
        assertThat(shop.calls).isEmpty();
        shop.away = false;
        shop.answer = new Object();
        assertThat(undone(resource))
                .as("nobody can read what it answers")
                .isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE);
        known.clear();
        shop.answer = Map.of("other", 1);
        assertThat(undone(resource(any.replace("#root == null || #root != 'no'", "#root.gone == true"))))
                .as("its Status has no value")
                .isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE);
        assertThat(shop.calls).containsExactly("undo k1 A", "undo k1 A");
        known.clear();
        shop.failure = new IllegalStateException("gone long ago");
        assertThat(undone(resource(any))).isEqualTo(BranchStatus.PHASE_TWO_ROLLED_BACK);
    }

    private static final String OUTER = """
            {"Name": "outer", "StartState": "Trip", "States": {
              "Trip": {"Type": "SubStateMachine", "StateMachineName": "m", "Input": [{"key": "$.[key]", "n": 7}],
                       "Output": {"where": "$.[room]"}}}}
            """;

    @Test
    void whatAMachineEndsWithIsKeptOrSaidToBeMissing() throws Exception {
        MachineResource resource = resource(OUTER);
        resource(machine("", ""));
        String end = "Trip/machine.end";
        Map<String, ?> room = Map.of("status", "SU", "out", Map.of("room", "A"));
        assertThat(result(act(resource, "Trip", 1, Map.of(end, room))))
                .isEqualTo("{\"status\":\"SU\",\"out\":{\"where\":\"A\"}}");

        Map<String, ?> large = Map.of("Trip", Map.of("status", "SU", "out", Map.of("room", "x".repeat(16_000))));
        String told = Objects.requireNonNull(result(act(resource, "machine.end", 1, large)));
        assertThat(told).doesNotContain("xxx");
        assertThatThrownBy(() -> StateMachines.ended(told))
                .as("all was done, and nobody is given half of it")
                .hasMessageContaining("TXN-SGA001")
                .hasMessageContaining("the variables that outer@0.0.1 ends with have more than 16000 bytes");
        assertThat(refused(act(resource, "Trip", 1, Map.of(end, Json.readAny(told)))))
                .contains("TXN-SGA001 Trip: the variables that outer@0.0.1 ends with");

        Map<String, ?> twice = Map.of("status", "SU", "out", Map.of("room", "x".repeat(15_990)));
        assertThat(refused(act(resource, "Trip", 1, Map.of(end, twice))))
                .as("what the outer machine keeps of it")
                .contains("TXN-SGA001 the Output of Trip has more than 16000 bytes");
    }

    @Test
    void aMachineInAMachineBeginsInTheWordsInWhichTheSagaWasStarted() throws Exception {
        MachineResource resource = resource(OUTER);
        resource(machine("", ""));
        StateMachine outer = Objects.requireNonNull(known.get("outer@0.0.1"));
        StateMachine inner = Objects.requireNonNull(known.get("m@0.0.1"));
        Map<String, Envelope.Pinned> machines = Map.of("Trip", Envelope.Pinned.of(inner));
        Envelope started = new Envelope(Envelope.Pinned.of(outer), machines, variables(), Map.of());
        Branch begin = branch(started, SagaHead.Call.ACTION, "Trip.begin", 1, Map.of(), null);
        assertThat(Json.readAny(Objects.requireNonNull(result(resource.commit(begin)))))
                .isEqualTo(Json.readAny(
                        Json.write(new Envelope(Envelope.Pinned.of(inner), Map.of(), variables(), Map.of()).toJson())));

        Map<String, @Nullable Object> large = Map.of("key", "x".repeat(16_000));
        Envelope much = new Envelope(Envelope.Pinned.of(outer), machines, large, Map.of());
        assertThat(refused(resource.commit(branch(much, SagaHead.Call.ACTION, "Trip.begin", 1, Map.of(), null))))
                .contains("TXN-SGA001 the Input of Trip has more than 16000 bytes");

        resource(machine("", "\"Comment\": \"changed under its version\""));
        assertThat(again(resource.commit(begin))).contains("another text of m@0.0.1");
        known.remove("m@0.0.1");
        assertThat(again(resource.commit(begin))).contains("no m@0.0.1");
    }

    @Test
    void theEndOfAMachineIsToldAndNotThatOfOneInIt() {
        MachineResource resource = resource(machine("", ""));
        assertThat(result(act(resource, "machine.begun", 1, Map.of()))).isEqualTo("null");
        assertThat(told).isEmpty();
        act(resource, "machine.end", 1, Map.of());
        act(resource, "Inner/machine.end", 1, Map.of());
        assertThat(told)
                .singleElement()
                .asString()
                .startsWith("m@0.0.1")
                .contains("key=k1")
                .endsWith("true");
        assertThat(resource.rollback(branch(SagaHead.Call.COMPENSATE, "machine.begun", 1, Map.of(), null))
                        .done())
                .isTrue();
        assertThat(told).hasSize(2).last().asString().endsWith("false");
    }

    @Test
    void anInstanceWithAnotherTextOfTheDefinitionDoesNothing() {
        MachineResource resource = resource(machine("", ""));
        Branch branch = branch(SagaHead.Call.ACTION, "Book", 1, Map.of(), null);
        known.clear();
        resource(machine("", "\"Comment\": \"changed\""));
        assertThat(again(resource.commit(branch))).contains("another text of m@0.0.1");
        known.clear();
        assertThat(again(resource.commit(branch))).contains("no m@0.0.1");
        assertThat(shop.calls).isEmpty();
    }

    @Test
    void aServiceThatDoesNotFitIsRefusedAtTheStart() {
        StateMachine machine = StateMachine.read(machine("", ""), "m.json");
        for (String[] wrong : new String[][] {
            {
                "\"shop\", \"ServiceMethod\": \"book\"",
                "\"store\", \"ServiceMethod\": \"book\"",
                "there is no service store"
            },
            {"\"book\"", "\"buy\"", "no public method buy"},
            {"\"Input\": [\"$.[n]\"]", "\"Input\": [1, 2]", "takes 2 values"},
            {"\"Input\": [\"$.[n]\"]", "\"Input\": []", "nothing is given for it"},
            {"\"Input\": [1]", "\"ParameterTypes\": [\"long\"], \"Input\": [1]", "takes [long]"},
        }) {
            String text = machine("", "").replace(wrong[0], wrong[1]);
            StateMachine other = StateMachine.read(text, "m.json");
            assertThat(other.digest()).isNotEqualTo(machine.digest());
            assertThatThrownBy(() -> {
                        for (State state : other.states()) {
                            if (state instanceof State.Task task) {
                                ServiceMethod.of(other, task, new Shops());
                            }
                        }
                    })
                    .hasMessageContaining("TXN-SGA018")
                    .hasMessageContaining(wrong[2]);
        }
    }
}
