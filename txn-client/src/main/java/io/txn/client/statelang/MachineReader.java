package io.txn.client.statelang;

import io.txn.client.action.Json;
import io.txn.client.statelang.State.Status;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads the text of a definition: every state, every expression, or a refusal that says where, what and what instead. What the states are to each other is {@link MachineCheck}'s. Stateless. */
final class MachineReader {

    /** Of a text, in characters. */
    static final int LONGEST = 256 * 1024;

    static final int MOST_STATES = 100;

    private static final String STATE_NAME = "[A-Za-z0-9][A-Za-z0-9_-]{0,59}";
    private static final String MACHINE_NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,59}";

    private static final Set<String> ALWAYS = Set.of("Type", "Name", "Comment", "Extensions");
    private static final Set<String> OF_MACHINE = Set.of(
            "Name",
            "Comment",
            "Version",
            "StartState",
            "RecoverStrategy",
            "States",
            "IsPersist",
            "IsRetryPersistModeUpdate",
            "IsCompensatePersistModeUpdate",
            "Extensions");

    /** Who is kept where is not a question here: everything is durable at the coordinator. */
    private static final Set<String> OF_TASK = Set.of(
            "ServiceName",
            "ServiceMethod",
            "ServiceType",
            "ParameterTypes",
            "IsAsync",
            "IsForUpdate",
            "IsForCompensation",
            "IsPersist",
            "IsRetryPersistModeUpdate",
            "IsCompensatePersistModeUpdate",
            "CompensateState",
            "Input",
            "Output",
            "Status",
            "Catch",
            "Retry",
            "Next");

    private static final Set<String> OF_MACHINE_STATE = Set.of(
            "StateMachineName",
            "IsForCompensation",
            "Catch",
            "Status",
            "Retry",
            "CompensateState",
            "Input",
            "Output",
            "IsForUpdate",
            "IsPersist",
            "IsRetryPersistModeUpdate",
            "IsCompensatePersistModeUpdate",
            "Next");

    private static final long LONGEST_INTERVAL_SECONDS = 3_600;

    private MachineReader() {}

    static StateMachine read(String text, String source) {
        if (text.length() > LONGEST) {
            throw Node.refused(source, null, null, "it is longer than " + LONGEST + " characters", "a smaller machine");
        }
        Node root;
        try {
            root = new Node(source, "", Json.readAny(text));
        } catch (Json.MalformedException e) {
            throw Node.refused(source, null, null, "it is no JSON: " + e.getMessage(), "RFC 8259, without comments");
        }
        if (root.object().containsKey("nodes") && root.object().containsKey("edges")) {
            throw root.refused(
                    "it is the drawing of a designer", "the state language itself: Name, StartState, States");
        }
        root.requireKnown("a state machine", OF_MACHINE);
        String name = root.requireText("Name");
        if (!name.matches(MACHINE_NAME)) {
            throw root.require("Name")
                    .refused("it is no name here", "1 to 60 letters, digits and . _ -, a letter or digit first");
        }
        Map<String, State> states = new LinkedHashMap<>();
        root.require("States").entries().forEach((key, node) -> states.put(key, state(key, node)));
        if (states.size() > MOST_STATES) {
            throw root.require("States")
                    .refused("more than " + MOST_STATES + " states", "a SubStateMachine for a part of them");
        }
        StateMachine.Recovery recovery = recovery(root);
        String version = root.text("Version");
        StateMachine machine = new StateMachine(
                source,
                name,
                version == null ? "0.0.1" : version,
                version(root),
                root.requireText("StartState"),
                recovery,
                states,
                text);
        MachineCheck.check(machine);
        return machine;
    }

    private static StateMachine.Recovery recovery(Node root) {
        String strategy = root.text("RecoverStrategy");
        if (strategy == null) {
            return StateMachine.Recovery.WHILE_IN_TIME;
        }
        return switch (strategy) {
            case "Compensate" -> StateMachine.Recovery.COMPENSATE;
            case "Forward" -> StateMachine.Recovery.FORWARD;
            default -> throw root.require("RecoverStrategy").refused("no such strategy", "Compensate or Forward");
        };
    }

    /** One whole number that keeps the order of versions. */
    private static int version(Node root) {
        Node node = root.get("Version");
        String text = node == null ? "0.0.1" : node.text();
        if (text.matches("[0-9]{1,3}(\\.[0-9]{1,3}){0,2}")) {
            String[] parts = (text + ".0.0").split("\\.");
            int number = Integer.parseInt(parts[0]) * 1_000_000
                    + Integer.parseInt(parts[1]) * 1_000
                    + Integer.parseInt(parts[2]);
            if (number > 0) {
                return number;
            }
        }
        throw root.require("Version")
                .refused(
                        "no version that has a place among others",
                        "1 to 3 numbers of at most 3 digits, such as 0.0.1");
    }

    private static State state(String name, Node node) {
        if (!name.matches(STATE_NAME)) {
            throw node.refused(
                    "it is no name of a state here", "1 to 60 letters, digits, _ and -, a letter or digit first");
        }
        String type = node.requireText("Type");
        return switch (type) {
            case "ServiceTask" -> task(name, node);
            case "SubStateMachine" -> machine(name, node);
            case "CompensateSubMachine" -> undoMachine(name, node);
            case "Choice" -> choosing(name, node);
            case "Succeed" -> new State.Succeed(known(name, node, Set.of()));
            case "Fail" -> fail(known(name, node, Set.of("ErrorCode", "Message")), node);
            case "CompensationTrigger" -> new State.Trigger(known(name, node, Set.of("Next")), node.text("Next"));
            case "ScriptTask" ->
                throw node.require("Type")
                        .refused("scripts are not run", "a ServiceTask that calls a bean with the same code in Java");
            default ->
                throw node.require("Type")
                        .refused(
                                "no such type of state",
                                "ServiceTask, SubStateMachine, CompensateSubMachine, Choice, Succeed, Fail or CompensationTrigger");
        };
    }

    private static String known(String name, Node node, Set<String> own) {
        List<String> all = new ArrayList<>(ALWAYS);
        all.addAll(own);
        Node loop = node.get("Loop");
        if (loop != null) {
            throw loop.refused(
                    "loops over collections are not run",
                    "a service that takes the whole collection, or a saga in Java with repeat(…)");
        }
        node.requireKnown("a " + node.text("Type"), Set.copyOf(all));
        String again = node.text("Name");
        if (again != null && !again.equals(name)) {
            throw node.require("Name").refused("a state is called as it stands in States", name + ", or no Name");
        }
        return name;
    }

    private static State.Task task(String name, Node node) {
        known(name, node, OF_TASK);
        Node serviceType = node.get("ServiceType");
        if (serviceType != null
                && !serviceType.text().isEmpty()
                && !serviceType.text().equals("SpringBean")) {
            throw serviceType.refused("services are beans", "no ServiceType, or SpringBean");
        }
        String compensation = node.text("CompensateState");
        boolean async = node.flag("IsAsync");
        for (String late : List.of("Catch", "Status", "Output", "Retry")) {
            Node found = node.get(late);
            if (async && found != null && !found.isEmpty()) {
                throw found.refused("nobody waits for a state that IsAsync", "no " + late + ", or no IsAsync");
            }
        }
        Node types = node.get("ParameterTypes");
        return new State.Task(
                name,
                node.requireText("ServiceName"),
                node.requireText("ServiceMethod"),
                types == null ? null : node.texts("ParameterTypes"),
                input(node),
                output(node),
                statuses(node),
                catches(node),
                retries(node),
                compensation,
                compensation != null || node.flag("IsForUpdate"),
                async,
                node.text("Next"));
    }

    private static State.Machine machine(String name, Node node) {
        for (String unfit : List.of("Catch", "Status", "Retry")) {
            Node found = node.get(unfit);
            if (found != null && !found.isEmpty()) {
                throw found.refused(
                        "a machine in a machine that fails turns the whole saga back",
                        "no " + unfit + " here; Catch, Status and Retry in " + node.text("StateMachineName"));
            }
        }
        known(name, node, OF_MACHINE_STATE);
        return new State.Machine(
                name,
                node.requireText("StateMachineName"),
                parameters(node),
                output(node),
                node.text("CompensateState"),
                node.text("Next"));
    }

    private static State.UndoMachine undoMachine(String name, Node node) {
        known(
                name,
                node,
                Set.of(
                        "Input",
                        "IsForCompensation",
                        "IsPersist",
                        "IsRetryPersistModeUpdate",
                        "IsCompensatePersistModeUpdate"));
        return new State.UndoMachine(name, parameters(node));
    }

    /** What a machine is started with is one object. */
    private static Template.Mapped parameters(Node node) {
        Node given = node.get("Input");
        if (given == null || given.elements().isEmpty()) {
            return new Template.Mapped(Map.of());
        }
        Template first = template(given.elements().get(0));
        if (given.elements().size() == 1 && first instanceof Template.Mapped mapped) {
            return mapped;
        }
        throw given.refused("a machine is started with one object", "[ { \"name\": … } ]");
    }

    private static List<Template> input(Node node) {
        Node given = node.get("Input");
        return given == null
                ? List.of()
                : given.elements().stream().map(MachineReader::template).toList();
    }

    private static Map<String, Template> output(Node node) {
        Node given = node.get("Output");
        Map<String, Template> output = new LinkedHashMap<>();
        if (given != null) {
            given.entries().forEach((name, value) -> output.put(name, template(value)));
        }
        return output;
    }

    private static Template template(Node node) {
        if (node.json() instanceof Map<?, ?>) {
            Map<String, Template> entries = new LinkedHashMap<>();
            node.entries().forEach((name, value) -> {
                if (name.startsWith("@")) {
                    throw value.refused(
                            "data names no classes", "no " + name + ": the service's parameter says what it takes");
                }
                entries.put(name, template(value));
            });
            return new Template.Mapped(entries);
        } else if (node.json() instanceof List<?>) {
            return new Template.Listed(
                    node.elements().stream().map(MachineReader::template).toList());
        } else if (node.json() instanceof String text && text.startsWith("$")) {
            if (text.startsWith("$Sequence.")) {
                return new Template.Sequence();
            }
            return new Template.Computed(expression(node, text), text);
        }
        return new Template.Fixed(node.json());
    }

    /** With or without the {@code $.} in front. */
    private static Expression expression(Node node, String text) {
        int skipped = 0;
        if (text.startsWith("$")) {
            if (!text.startsWith("$.")) {
                throw node.refused(
                        "no kind of expression that is read here",
                        "$.<expression>, $Sequence.<name>, in Status $Exception{<class>}");
            }
            skipped = 2;
        }
        try {
            return ExpressionReader.read(text.substring(skipped));
        } catch (ExpressionReader.UnreadException e) {
            throw node.refused("character " + (e.column() + skipped) + ": " + e.getMessage(), e.instead());
        }
    }

    private static List<State.StatusRule> statuses(Node node) {
        Node given = node.get("Status");
        List<State.StatusRule> rules = new ArrayList<>();
        if (given == null) {
            return rules;
        }
        given.entries().forEach((text, value) -> {
            Status status = status(value);
            // The place of an expression here is the name.
            Node named = new Node(value.source(), given.path(), text);
            boolean isException = text.startsWith("$Exception");
            rules.add(new State.StatusRule(
                    isException ? exception(named, text) : null,
                    isException ? null : expression(named, text),
                    text,
                    status));
        });
        return rules;
    }

    private static Status status(Node value) {
        return switch (value.text()) {
            case "SU" -> Status.SU;
            case "FA" -> Status.FA;
            case "UN" -> Status.UN;
            default -> throw value.refused("no such status", "SU, FA or UN");
        };
    }

    private static String exception(Node named, String text) {
        String name = text.startsWith("$Exception{") && text.endsWith("}")
                ? text.substring("$Exception{".length(), text.length() - 1)
                : text.startsWith("$Exception.") ? text.substring("$Exception.".length()) : "";
        return className(named, name);
    }

    private static String className(Node node, String name) {
        if (!name.matches("[A-Za-z_][A-Za-z0-9_]*([.$][A-Za-z_][A-Za-z0-9_]*)*")) {
            throw node.refused(
                    "it names no class",
                    "the full name of an exception's class, as in $Exception{java.io.IOException}");
        }
        return name;
    }

    private static List<String> exceptions(Node node) {
        Node given = node.get("Exceptions");
        return given == null
                ? List.of()
                : given.elements().stream()
                        .map(one -> className(one, one.text()))
                        .toList();
    }

    private static List<State.Catching> catches(Node node) {
        Node given = node.get("Catch");
        List<State.Catching> catches = new ArrayList<>();
        if (given != null) {
            for (Node one : given.elements()) {
                one.requireKnown("a Catch", Set.of("Exceptions", "Next"));
                List<String> exceptions = exceptions(one);
                if (exceptions.isEmpty()) {
                    throw one.refused("it names no exception", "Exceptions: [ \"java.lang.Throwable\" ]");
                }
                catches.add(new State.Catching(exceptions, one.requireText("Next")));
            }
        }
        return catches;
    }

    private static List<State.Retrying> retries(Node node) {
        Node given = node.get("Retry");
        List<State.Retrying> retries = new ArrayList<>();
        if (given != null) {
            for (Node one : given.elements()) {
                one.requireKnown("a Retry", Set.of("Exceptions", "IntervalSeconds", "MaxAttempts", "BackoffRate"));
                one.require("MaxAttempts");
                double seconds = one.number("IntervalSeconds", 0, 0, LONGEST_INTERVAL_SECONDS);
                retries.add(new State.Retrying(
                        exceptions(one),
                        Math.max(1, Math.round(seconds * 1_000)),
                        one.number("BackoffRate", 1, 1, 10),
                        (int) one.number("MaxAttempts", 0, 0, 1_000)));
            }
        }
        return retries;
    }

    private static State.Choosing choosing(String name, Node node) {
        known(name, node, Set.of("Choices", "Default"));
        List<State.Option> options = new ArrayList<>();
        for (Node one : node.require("Choices").elements()) {
            one.requireKnown("one of the Choices", Set.of("Expression", "Next"));
            Node expression = one.require("Expression");
            options.add(new State.Option(
                    expression(expression, expression.text()), expression.text(), one.requireText("Next")));
        }
        String otherwise = node.text("Default");
        if (options.isEmpty() && otherwise == null) {
            throw node.require("Choices").refused("it goes no way", "{ \"Expression\": …, \"Next\": … }");
        }
        return new State.Choosing(name, options, otherwise);
    }

    private static State.Fail fail(String name, Node node) {
        StringBuilder cause = new StringBuilder();
        for (String key : List.of("ErrorCode", "Message")) {
            @Nullable String text = node.text(key);
            if (text != null) {
                cause.append(cause.length() == 0 ? "" : " ").append(text.replaceAll("\\p{Cntrl}", " "));
            }
        }
        String told = cause.length() == 0 ? "the machine fails" : cause.toString();
        return new State.Fail(name, told.length() <= 200 ? told : told.substring(0, 200));
    }
}
