package io.txn.client.statelang;

import io.txn.client.action.Json;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What travels with a saga as the input of a machine: which machine, in which words, with which machines in it, and what it was started with. Immutable.
 *
 * @param machines those in it, as they were when the saga was started, by the path of the state they stand in
 * @param undo variables that only its compensations see, and before all others
 */
record Envelope(
        Pinned machine,
        Map<String, Pinned> machines,
        Map<String, @Nullable Object> variables,
        Map<String, @Nullable Object> undo) {

    private static final int VERSION = 1;

    /**
     * A machine in the words in which a saga was started with it: under the same version a file may say something else.
     *
     * @param id name and version
     * @param digest of the text of its definition
     */
    record Pinned(String id, String digest) {

        static Pinned of(StateMachine machine) {
            return new Pinned(machine.id(), machine.digest());
        }
    }

    /** What was sent cannot be read: another instance may. */
    static final class UnreadableException extends Exception {

        private static final long serialVersionUID = 1L;

        UnreadableException(String problem) {
            super(problem, null, false, false);
        }
    }

    Map<String, @Nullable Object> toJson() {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("v", VERSION);
        json.put("machine", machine.id);
        json.put("text", machine.digest);
        Map<String, @Nullable Object> inner = new LinkedHashMap<>();
        machines.forEach((path, pinned) -> inner.put(path, List.of(pinned.id, pinned.digest)));
        json.put("machines", inner);
        json.put("in", variables);
        json.put("undo", undo);
        return json;
    }

    /** A call as it came. */
    record Sent(
            Envelope envelope,
            Map<String, @Nullable Object> results,
            @Nullable Map<String, @Nullable Object> result) {

        /**
         * What is known when a state begins: what the machine was started with, and what the states before it put out.
         *
         * @param prefix of the machine's steps in the plan
         */
        Map<String, @Nullable Object> variables(StateMachine of, String prefix) {
            Map<String, @Nullable Object> all = new LinkedHashMap<>(envelope.variables);
            for (State state : of.inOrder()) {
                all.putAll(outputs(results.get(prefix + state.name())));
            }
            return all;
        }
    }

    /** What a state put out; nothing when it did not answer. */
    static Map<String, @Nullable Object> outputs(@Nullable Object answered) {
        return named(answered instanceof Map<?, ?> map ? map.get(Answered.OUTPUTS) : null);
    }

    private static Map<String, @Nullable Object> named(@Nullable Object json) {
        Map<String, @Nullable Object> named = new LinkedHashMap<>();
        if (json instanceof Map<?, ?> map) {
            map.forEach((name, value) -> named.put((String) name, value));
        }
        return named;
    }

    static Sent read(@Nullable String text) throws UnreadableException {
        Object json;
        try {
            json = text == null ? null : Json.readAny(text);
        } catch (Json.MalformedException e) {
            throw new UnreadableException("what was sent with the call is no JSON: " + e.getMessage());
        }
        if (json instanceof Map<?, ?> document && document.get("input") instanceof Map<?, ?> input) {
            if (Integer.valueOf(VERSION).equals(input.get("v"))
                    && input.get("machine") instanceof String machine
                    && input.get("text") instanceof String digest
                    && input.get("machines") instanceof Map<?, ?> machines) {
                Envelope envelope = new Envelope(
                        new Pinned(machine, digest),
                        pinned(machines),
                        named(input.get("in")),
                        named(input.get("undo")));
                Object result = document.get("result");
                return new Sent(
                        envelope, named(document.get("results")), result instanceof Map<?, ?> ? named(result) : null);
            }
        }
        throw new UnreadableException("the saga's input is of no version that is read here");
    }

    private static Map<String, Pinned> pinned(Map<?, ?> json) throws UnreadableException {
        Map<String, Pinned> machines = new LinkedHashMap<>();
        for (Map.Entry<?, ?> one : json.entrySet()) {
            if (!(one.getValue() instanceof List<?> list)
                    || list.size() != 2
                    || !(list.get(0) instanceof String id)
                    || !(list.get(1) instanceof String digest)) {
                throw new UnreadableException("the machine in " + one.getKey() + " is of no version that is read here");
            }
            machines.put((String) one.getKey(), new Pinned(id, digest));
        }
        return machines;
    }

    /** Of the machine that stands in a state: those in it, by their paths from there. */
    Map<String, Pinned> machinesIn(String state) {
        Map<String, Pinned> inner = new LinkedHashMap<>();
        machines.forEach((path, pinned) -> {
            if (path.startsWith(state + "/")) {
                inner.put(path.substring(state.length() + 1), pinned);
            }
        });
        return inner;
    }
}
