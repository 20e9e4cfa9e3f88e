package io.txn.client.saga;

import io.txn.client.action.Json;
import io.txn.protocol.ErrorCode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where the arguments of steps come from, as it travels with a saga's input: {@code {"v":1,"in":<input>,"given":{"<step>":{"<key>":<reference>}},"plan":"<print>"}}. A reference is a list that begins with {@code input} or
 * {@code results}, or {@code {"value":<constant>}}. So whoever runs a step needs no definition, and a saga keeps the references that it began with. Stateless.
 */
final class Given {

    static final String VERSION = "v";
    static final int VERSION_NOW = 1;
    static final String IN = "in";
    static final String GIVEN = "given";
    static final String PLAN = "plan";
    static final String INPUT = "input";
    static final String RESULTS = "results";
    static final String RESULT = "result";
    static final String CONSTANT = "value";

    private Given() {}

    /** What cannot be read here, and perhaps elsewhere. */
    static final class UnreadableException extends Exception {

        private static final long serialVersionUID = 1L;

        UnreadableException(String problem) {
            super(problem);
        }
    }

    /** @param print of the definition's program, see {@link Program#print()} */
    static Map<String, @Nullable Object> envelope(@Nullable Object input, Map<String, ?> given, String print) {
        Map<String, @Nullable Object> envelope = new LinkedHashMap<>();
        envelope.put(VERSION, VERSION_NOW);
        envelope.put(IN, input);
        envelope.put(GIVEN, given);
        envelope.put(PLAN, print);
        return envelope;
    }

    /** What a step was sent. */
    static Map<?, ?> document(@Nullable String text) throws UnreadableException {
        if (text == null) {
            throw new UnreadableException("nothing was sent with the call");
        }
        try {
            if (Json.readAny(text) instanceof Map<?, ?> document) {
                return document;
            }
        } catch (Json.MalformedException e) {
            throw new UnreadableException("what was sent with the call is no JSON: " + e.getMessage());
        }
        throw new UnreadableException("what was sent with the call is no object");
    }

    private static Map<?, ?> envelopeOf(Map<?, ?> document) throws UnreadableException {
        if (!(document.get(INPUT) instanceof Map<?, ?> envelope)
                || !Integer.valueOf(VERSION_NOW).equals(envelope.get(VERSION))) {
            throw new UnreadableException("the saga's input is of no version that is read here");
        }
        return envelope;
    }

    /**
     * Why nothing of a saga that began with another program of the same name and version is answered; null when it began with this one. One that began before programs were told apart, or where that is done
     * otherwise, does not say.
     */
    static @Nullable String otherPlan(Map<?, ?> document, SagaDefinition<?, ?> definition, String print)
            throws UnreadableException {
        if (!(envelopeOf(document).get(PLAN) instanceof String began)
                || !began.startsWith(Program.PRINT_FORMAT)
                || began.equals(print)) {
            return null;
        }
        return ErrorCode.SAGA_MISDECLARED.id() + ": it began with another definition of " + definition.id() + " ("
                + began + ", and here is " + print
                + "): one that was changed needs another version, and this saga an instance that has the former one";
    }

    /** The saga's own input. */
    static @Nullable Object input(Map<?, ?> document) throws UnreadableException {
        return envelopeOf(document).get(IN);
    }

    /** The arguments of a step, as JSON. */
    static Map<String, @Nullable Object> arguments(Map<?, ?> document, String step) throws UnreadableException {
        Map<String, @Nullable Object> arguments = new LinkedHashMap<>();
        if (!(envelopeOf(document).get(GIVEN) instanceof Map<?, ?> given)
                || !(given.get(step) instanceof Map<?, ?> references)) {
            throw new UnreadableException("the saga does not say what step " + step + " is given");
        }
        for (Map.Entry<?, ?> one : references.entrySet()) {
            arguments.put((String) one.getKey(), resolve(document, one.getValue()));
        }
        return arguments;
    }

    /** What a reference stands for. */
    static @Nullable Object resolve(Map<?, ?> document, @Nullable Object reference) throws UnreadableException {
        if (reference instanceof Map<?, ?> constant && constant.containsKey(CONSTANT)) {
            return constant.get(CONSTANT);
        }
        if (!(reference instanceof List<?> path) || path.isEmpty()) {
            throw new UnreadableException("a reference cannot be read");
        }
        Object at;
        int from;
        if (INPUT.equals(path.get(0))) {
            at = input(document);
            from = 1;
        } else if (RESULTS.equals(path.get(0)) && path.size() > 1) {
            at = document.get(RESULTS) instanceof Map<?, ?> results ? results.get(path.get(1)) : null;
            from = 2;
        } else {
            throw new UnreadableException("a reference leads nowhere: " + path);
        }
        for (Object name : path.subList(from, path.size())) {
            if (at == null) {
                return null;
            }
            if (!(at instanceof Map<?, ?> map) || !map.containsKey(name)) {
                throw new UnreadableException("there is no " + name + " where " + path + " leads");
            }
            at = map.get(name);
        }
        return at;
    }

    static List<Object> reference(String root, @Nullable String step, List<String> path) {
        List<Object> reference = new ArrayList<>();
        reference.add(root);
        if (step != null) {
            reference.add(step);
        }
        reference.addAll(path);
        return reference;
    }
}
