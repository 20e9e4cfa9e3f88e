package io.txn.client.saga;

import io.txn.client.action.Json;
import io.txn.client.action.ValueType;
import io.txn.protocol.saga.Policy;
import io.txn.protocol.saga.Recovery;
import io.txn.protocol.saga.SagaPlan;
import io.txn.protocol.saga.Work;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a definition becomes: the plan for the coordinator, the references that travel with the input, and the questions that this application answers. Immutable.
 *
 * <p>A name of the user's has no dot, so what is added here has one: {@code how.end} after the choice {@code how}, {@code how.<answer>} before each of its ways, {@code rounds.begin} and {@code rounds.end} around a
 * loop, {@code mail.given} before what is given an object of its own (an endpoint, a saga in a saga), {@code saga.begun} and {@code saga.ended}.
 */
final class Program {

    static final String BEGUN = "saga.begun";
    static final String ENDED = "saga.ended";

    /** Begins each print. Whatever changes the prints of definitions that nobody changed needs another number: prints of other formats are not compared. */
    static final String PRINT_FORMAT = "1:";

    private final SagaDefinition<?, ?> definition;
    private final SagaPlan plan;
    private final String encoded;
    private final Map<String, ?> given;
    private final Map<String, Question> questions;
    private final List<String> resultPath;
    private final String print;

    /** What the coordinator asks of this application about a definition. */
    @FunctionalInterface
    interface Question {
        /** @return JSON; for a choice, the name of a step of the plan */
        @Nullable
        Object answer(Map<?, ?> document) throws Given.UnreadableException, ValueType.UnreadableException;
    }

    /** A choice answered what the definition does not know: asking again changes nothing. */
    static final class WrongAnswerException extends RuntimeException {

        private static final long serialVersionUID = 1L;

        WrongAnswerException(String problem) {
            super(problem, null, false, false);
        }
    }

    private Program(
            SagaDefinition<?, ?> definition,
            SagaPlan plan,
            Map<String, ?> given,
            Map<String, Question> questions,
            List<String> resultPath,
            String print) {
        this.print = print;
        this.definition = definition;
        this.plan = plan;
        this.encoded = plan.encoded();
        this.given = given;
        this.questions = Map.copyOf(questions);
        this.resultPath = List.copyOf(resultPath);
    }

    static Program of(SagaDefinition<?, ?> definition) {
        return new Compiler(definition).program();
    }

    static String resource(SagaDefinition<?, ?> definition) {
        return "saga/" + definition.id();
    }

    static String resource(String step) {
        return "saga/" + step;
    }

    SagaPlan plan() {
        return plan;
    }

    String encodedPlan() {
        return encoded;
    }

    /** What two definitions of one name and version must have in common. */
    String fingerprint() {
        return encoded + Json.write(given);
    }

    /**
     * By which sagas of this program are told from those that began with another one of its name and version: steps, their order and what they are given. Not how long and how often something is tried, which
     * goes with each saga and changes none of the answers here; not the URLs of endpoints, which go with it too and may be configuration; and not what functions do, which nobody sees.
     */
    String print() {
        return print;
    }

    @Nullable
    Question question(String step) {
        return questions.get(step);
    }

    /** What a saga is started with, on the wire. */
    String input(@Nullable Object input) throws ValueType.UnfitException {
        return Json.write(Given.envelope(ValueType.of(definition.input()).toJson(input), given, print));
    }

    /** What a saga answered, as JSON, from what its last step answered. */
    @Nullable
    Object result(@Nullable String json) throws Json.MalformedException, Given.UnreadableException {
        Object at = json == null ? null : Json.readAny(json);
        for (String name : resultPath) {
            if (at == null) {
                return null;
            }
            if (!(at instanceof Map<?, ?> map) || !map.containsKey(name)) {
                throw new Given.UnreadableException("the saga's result has no " + name);
            }
            at = map.get(name);
        }
        return at;
    }

    /** A function of the application. */
    @FunctionalInterface
    private interface Deciding {
        String on(List<@Nullable Object> given);
    }

    /** Where an instance of a definition stands: the root, or a saga in it. */
    private record Scope(
            String prefix,
            @Nullable String inputFrom,
            @Nullable String part,
            String owner,
            Map<String, Object> given) {}

    /**
     * A reference, and the steps whose results it needs.
     *
     * @param printed the same in each process: of constants, maps and sets are iterated in another order in each
     */
    private record Reference(Object json, @Nullable String step, Object printed) {
        Reference(Object json, @Nullable String step) {
            this(json, step, json);
        }
    }

    private static final class Compiler {

        private final SagaDefinition<?, ?> definition;
        private final List<io.txn.protocol.saga.Step> steps = new ArrayList<>();
        private final Map<String, Question> questions = new LinkedHashMap<>();
        private final StringBuilder references = new StringBuilder();
        private String print = "";

        Compiler(SagaDefinition<?, ?> definition) {
            this.definition = definition;
        }

        Program program() {
            Map<String, Object> given = new LinkedHashMap<>();
            Scope root = new Scope("", null, null, resource(definition), given);
            List<String> entry = List.of();
            if (definition.isAnnounced()) {
                Work.Bean teller = new Work.Bean(root.owner);
                add(root, BEGUN, teller, entry, teller, Policy.DEFAULT, Recovery.COMPENSATE, List.of());
                entry = List.of(BEGUN);
            }
            List<String> ends = block(definition.root(), entry, root);
            if (definition.isAnnounced()) {
                add(root, ENDED, new Work.Bean(root.owner), ends, null, Policy.DEFAULT, Recovery.FORWARD, List.of());
            }
            String resultStep = null;
            List<String> path = List.of();
            Value<?> result = definition.result();
            if (result != null) {
                Reference reference = reference(result, root);
                resultStep = reference.step;
                if (resultStep == null || !(reference.json instanceof List<?> way)) {
                    throw wrong(
                            null, "it answers nothing that one of its steps has answered", "returns(step.result())");
                }
                path = way.subList(2, way.size()).stream()
                        .map(String.class::cast)
                        .toList();
            }
            try {
                SagaPlan plan = goingForward(new SagaPlan(definition.name(), definition.version(), steps, resultStep));
                String problem = plan.problem();
                if (problem != null) {
                    throw wrong(null, problem, null);
                }
                print = print(plan);
                return new Program(definition, plan, given, questions, path, print);
            } catch (IllegalArgumentException e) {
                throw wrong(null, String.valueOf(e.getMessage()), null);
            }
        }

        private String print(SagaPlan plan) {
            StringBuilder text = new StringBuilder();
            for (io.txn.protocol.saga.Step step : plan.steps()) {
                text.append(step.name())
                        .append(print(step.work()))
                        .append(step.after())
                        .append(step.inputFrom())
                        .append(step.results())
                        .append('\n');
            }
            text.append(references);
            try {
                byte[] digest = MessageDigest.getInstance("SHA-256")
                        .digest(text.toString().getBytes(StandardCharsets.UTF_8));
                return PRINT_FORMAT + HexFormat.of().formatHex(digest, 0, 6);
            } catch (NoSuchAlgorithmException e) {
                throw new AssertionError("every Java has it", e);
            }
        }

        private static String print(Work work) {
            return work instanceof Work.Http http ? http.method() : work.toString();
        }

        private void given(String name, @Nullable Object reference) {
            references.append(name).append(Json.write(reference)).append('\n');
        }

        /** Questions to this application that come when the saga can only go forward do not turn it back either. */
        private SagaPlan goingForward(SagaPlan plan) {
            BitSet beyond = plan.beyondReturn();
            List<io.txn.protocol.saga.Step> all = new ArrayList<>(plan.steps());
            for (int i = beyond.nextSetBit(0); i >= 0; i = beyond.nextSetBit(i + 1)) {
                io.txn.protocol.saga.Step step = all.get(i);
                if (questions.containsKey(step.name())) {
                    all.set(
                            i,
                            planned(
                                    step.name(),
                                    step.work(),
                                    step.after(),
                                    step.compensation(),
                                    step.policy(),
                                    step.compensationPolicy(),
                                    Recovery.FORWARD,
                                    step.inputFrom(),
                                    step.results(),
                                    step.part()));
                }
            }
            return new SagaPlan(plan.definition(), plan.version(), all, plan.result());
        }

        private RuntimeException wrong(@Nullable SagaNode<?> node, String problem, @Nullable String expected) {
            return SagaBlock.misdeclared(definition.id(), node == null ? null : node.name(), problem, expected);
        }

        /** @return after which steps of the plan the block is over */
        private List<String> block(SagaBlock block, List<String> entry, Scope scope) {
            Set<String> ends = new LinkedHashSet<>();
            for (SagaNode<?> node : block.nodes()) {
                List<String> after = node.after().isEmpty()
                        ? entry
                        : node.after().stream()
                                .map(one -> end(one, scope))
                                .distinct()
                                .toList();
                node(node, after, scope);
                boolean last =
                        block.nodes().stream().noneMatch(other -> other.after().contains(node));
                if (last) {
                    ends.add(end(node, scope));
                }
            }
            return ends.isEmpty() ? entry : List.copyOf(ends);
        }

        private static String end(SagaNode<?> node, Scope scope) {
            return scope.prefix + node.name() + (node instanceof Step<?> ? "" : ".end");
        }

        private void node(SagaNode<?> node, List<String> after, Scope scope) {
            String name = scope.prefix + node.name();
            try {
                if (node instanceof Step<?> step) {
                    step(step, name, after, scope);
                } else if (node instanceof Choice choice) {
                    choice(choice, name, after, scope);
                } else if (node instanceof Round round) {
                    round(round, name, after, scope);
                }
            } catch (IllegalArgumentException e) {
                throw wrong(node, String.valueOf(e.getMessage()), null);
            }
        }

        private void step(Step<?> step, String name, List<String> after, Scope scope) {
            List<Reference> used = new ArrayList<>();
            Map<String, Object> references = new LinkedHashMap<>();
            Map<String, Object> printed = new LinkedHashMap<>();
            step.arguments().forEach((key, value) -> {
                Reference reference = reference(value, scope);
                used.add(reference);
                references.put(key, reference.json);
                printed.put(key, reference.printed);
            });
            given(name, printed);
            if (step.work() instanceof Step.Within within) {
                sub(step, within.definition(), references.get("input"), used, name, after, scope);
                return;
            }
            if (!(step.work() instanceof Step.Calling calling)) {
                throw new AssertionError(step.work());
            }
            Policy policy = policy(step);
            Policy undoing = new Policy(
                            0, policy.callTimeout(), policy.firstDelay(), policy.factor(), policy.maxDelay(), 0)
                    .applied(true);
            Recovery recovery = step.isForward() ? Recovery.FORWARD : Recovery.COMPENSATE;
            if (calling.call().target() instanceof Call.Bean bean) {
                scope.given.put(name, references);
                Work.Bean work = new Work.Bean(resource(bean.step()));
                Work.Bean undo = Boolean.TRUE.equals(step.isCompensated()) ? work : null;
                steps.add(planned(
                        name,
                        work,
                        after,
                        undo,
                        policy,
                        undoing,
                        recovery,
                        scope.inputFrom,
                        results(used),
                        scope.part));
            } else if (calling.call().target() instanceof Call.Http http) {
                String binder = name + ".given";
                add(
                        scope,
                        binder,
                        new Work.Bean(resource(definition)),
                        after,
                        null,
                        Policy.DEFAULT,
                        Recovery.COMPENSATE,
                        used);
                questions.put(binder, document -> {
                    Map<String, @Nullable Object> object = new LinkedHashMap<>();
                    for (Map.Entry<String, Object> one : references.entrySet()) {
                        object.put(one.getKey(), Given.resolve(document, one.getValue()));
                    }
                    return object;
                });
                Call.Http undo = step.compensation();
                steps.add(planned(
                        name,
                        new Work.Http(http.method(), http.url()),
                        List.of(binder),
                        undo == null ? null : new Work.Http(undo.method(), undo.url()),
                        policy,
                        undoing,
                        recovery,
                        binder,
                        List.of(),
                        scope.part));
            } else {
                throw new AssertionError(calling.call().target());
            }
        }

        private void sub(
                Step<?> step,
                SagaDefinition<?, ?> inner,
                @Nullable Object input,
                List<Reference> used,
                String name,
                List<String> after,
                Scope scope) {
            String binder = name + ".given";
            add(
                    scope,
                    binder,
                    new Work.Bean(resource(definition)),
                    after,
                    null,
                    Policy.DEFAULT,
                    Recovery.COMPENSATE,
                    used);
            Scope within = new Scope(name + "/", binder, inner.id(), scope.owner, new LinkedHashMap<>());
            List<String> ends = block(inner.root(), List.of(binder), within);
            add(scope, name, new Work.Pass(), ends, null, Policy.DEFAULT, Recovery.COMPENSATE, List.of());
            questions.put(binder, document -> Given.envelope(Given.resolve(document, input), within.given, print));
        }

        private void choice(Choice choice, String name, List<String> after, Scope scope) {
            List<String> ways =
                    choice.ways().keySet().stream().map(way -> name + "." + way).toList();
            ask(choice, choice.values(), name, after, ways, List.of(), 0, scope, (List<@Nullable Object> given) -> {
                String answer = choice.decide(given);
                if (answer == null || !choice.ways().containsKey(answer)) {
                    throw new WrongAnswerException(
                            "choice " + choice.name() + " answered " + answer + ", and goes only "
                                    + String.join(", ", choice.ways().keySet()));
                }
                return name + "." + answer;
            });
            Set<String> ends = new LinkedHashSet<>();
            choice.ways().forEach((way, block) -> {
                String entry = name + "." + way;
                add(scope, entry, new Work.Pass(), List.of(name), null, Policy.DEFAULT, Recovery.COMPENSATE, List.of());
                ends.addAll(block(block, List.of(entry), scope));
            });
            add(
                    scope,
                    name + ".end",
                    new Work.Pass(),
                    List.copyOf(ends),
                    null,
                    Policy.DEFAULT,
                    Recovery.COMPENSATE,
                    List.of());
        }

        private void round(Round round, String name, List<String> after, Scope scope) {
            String begin = name + ".begin";
            String end = name + ".end";
            add(scope, begin, new Work.Pass(), after, null, Policy.DEFAULT, Recovery.COMPENSATE, List.of());
            List<String> ends = block(round.body(), List.of(begin), scope);
            ask(
                    round,
                    round.values(),
                    name,
                    ends,
                    List.of(end),
                    List.of(begin),
                    round.most() - 1,
                    scope,
                    (List<@Nullable Object> given) -> round.isEnough(given) ? end : begin);
            add(scope, end, new Work.Pass(), List.of(name), null, Policy.DEFAULT, Recovery.COMPENSATE, List.of());
        }

        private void ask(
                SagaNode<?> node,
                List<Value<?>> values,
                String name,
                List<String> after,
                List<String> successors,
                List<String> back,
                int rounds,
                Scope scope,
                Deciding answer) {
            List<Reference> references =
                    values.stream().map(value -> reference(value, scope)).toList();
            references.forEach(one -> given(name, one.printed));
            List<ValueType> types =
                    values.stream().map(value -> type(node, value.type())).toList();
            questions.put(name, document -> {
                List<@Nullable Object> given = new ArrayList<>();
                for (int i = 0; i < types.size(); i++) {
                    given.add(types.get(i).fromJson(Given.resolve(document, references.get(i).json)));
                }
                return answer.on(given);
            });
            Work.Choice work = new Work.Choice(scope.owner, successors, back, rounds);
            add(scope, name, work, after, null, Policy.DEFAULT, Recovery.COMPENSATE, references);
        }

        private ValueType type(SagaNode<?> node, Type type) {
            try {
                return ValueType.of(type);
            } catch (ValueType.UnfitException e) {
                throw wrong(node, "it looks at a value that cannot be kept: " + e.getMessage(), null);
            }
        }

        private void add(
                Scope scope,
                String name,
                Work work,
                List<String> after,
                Work.@Nullable Call undo,
                Policy policy,
                Recovery recovery,
                Collection<Reference> used) {
            steps.add(planned(
                    name,
                    work,
                    after,
                    undo,
                    policy,
                    Policy.DEFAULT,
                    recovery,
                    scope.inputFrom,
                    results(used),
                    scope.part));
        }

        @SuppressWarnings("NullAway") // of a class file it does not read that a nested type may be null
        private static io.txn.protocol.saga.Step planned(
                String name,
                Work work,
                List<String> after,
                Work.@Nullable Call undo,
                Policy policy,
                Policy undoing,
                Recovery recovery,
                @Nullable String inputFrom,
                List<String> results,
                @Nullable String part) {
            return new io.txn.protocol.saga.Step(
                    name, work, after, undo, policy, undoing, recovery, inputFrom, results, part);
        }

        private static List<String> results(Collection<Reference> used) {
            Set<String> names = new LinkedHashSet<>();
            for (Reference reference : used) {
                if (reference.step != null) {
                    names.add(reference.step);
                }
            }
            return List.copyOf(names);
        }

        private Reference reference(Value<?> value, Scope scope) {
            String constant = value.constant();
            if (constant != null) {
                try {
                    Map<String, @Nullable Object> json = new LinkedHashMap<>();
                    json.put(Given.CONSTANT, Json.readAny(constant));
                    Map<String, @Nullable Object> printed = new LinkedHashMap<>();
                    printed.put(Given.CONSTANT, ValueType.of(value.type()).ordered(json.get(Given.CONSTANT)));
                    return new Reference(json, null, printed);
                } catch (Json.MalformedException | ValueType.UnfitException e) {
                    throw new AssertionError("checked when it was made", e);
                }
            }
            SagaNode<?> of = value.of();
            if (of == null) {
                return new Reference(Given.reference(Given.INPUT, null, value.path()), null);
            }
            String name = scope.prefix + of.name();
            if (of instanceof Step<?> step && step.work() instanceof Step.Within within) {
                Value<?> inner = within.definition().result();
                if (inner == null) {
                    throw wrong(of, "the saga in it answers nothing", null);
                }
                // Its result is a result of one of its steps, perhaps itself one in a saga.
                Reference found = reference(inner, new Scope(name + "/", null, null, scope.owner, Map.of()));
                if (!(found.json instanceof List<?> way)) {
                    throw new AssertionError("checked when the inner saga was defined");
                }
                List<Object> all = new ArrayList<>(way);
                all.addAll(value.path());
                return new Reference(all, found.step);
            }
            return new Reference(Given.reference(Given.RESULTS, name, value.path()), name);
        }

        private static Policy policy(Step<?> step) {
            Retry retry = step.retry();
            Retry usual = retry == null ? Retry.DEFAULT : retry;
            return new Policy(
                    step.within() == null ? 0 : step.within().toMillis(),
                    step.timeout().toMillis(),
                    usual.firstDelay().toMillis(),
                    2,
                    usual.maxDelay().toMillis(),
                    retry == null && step.isForward() ? 0 : usual.attempts());
        }
    }
}
