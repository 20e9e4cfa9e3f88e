package io.txn.client.statelang;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A state machine as its definition in Seata's state language says it: read and checked. Immutable. */
public final class StateMachine {

    /** What is done when a service fails and nothing catches it. */
    enum Recovery {
        /** It is called again until the time of the saga is over; then the saga turns back. */
        WHILE_IN_TIME,
        /** The saga turns back. */
        COMPENSATE,
        /** It is called again without end. */
        FORWARD
    }

    private final String source;
    private final String name;
    private final String version;
    private final int number;
    private final String start;
    private final Recovery recovery;
    private final Map<String, State> states;
    private final String digest;

    StateMachine(
            String source,
            String name,
            String version,
            int number,
            String start,
            Recovery recovery,
            Map<String, State> states,
            String text) {
        this.source = source;
        this.name = name;
        this.version = version;
        this.number = number;
        this.start = start;
        this.recovery = recovery;
        this.states = new LinkedHashMap<>(states);
        this.digest = digest(text);
    }

    private static String digest(String text) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has it", e);
        }
    }

    /**
     * Reads a definition.
     *
     * @param text JSON
     * @param source what refusals call it, as the name of a file
     * @throws io.txn.protocol.TxnException STATE_MACHINE_REFUSED with what is not run here, where it stands, and what may be written instead
     */
    public static StateMachine read(String text, String source) {
        return MachineReader.read(text, source);
    }

    public String name() {
        return name;
    }

    public String version() {
        return version;
    }

    /** Name and version. */
    public String id() {
        return name + "@" + version;
    }

    /** A diagram of it, in the language of Mermaid. */
    public String toMermaid() {
        return MachineDrawing.of(this);
    }

    String source() {
        return source;
    }

    /** The place of its version among others. */
    int number() {
        return number;
    }

    State start() {
        return state(start);
    }

    String startName() {
        return start;
    }

    Recovery recovery() {
        return recovery;
    }

    /** By which its own text is known from another one of the same version. */
    String digest() {
        return digest;
    }

    Collection<State> states() {
        return states.values();
    }

    @Nullable
    State find(String wanted) {
        return states.get(wanted);
    }

    State state(String wanted) {
        State state = states.get(wanted);
        if (state == null) {
            throw new AssertionError("checked when it was read: " + wanted);
        }
        return state;
    }

    /** Where an end leads: a state, or null for the end of the machine. */
    @Nullable
    State next(@Nullable String wanted) {
        State state = wanted == null ? null : state(wanted);
        return state instanceof State.Succeed ? null : state;
    }

    /** The states that the start leads to, in an order in which nothing leads back. */
    List<State> inOrder() {
        return MachineCheck.inOrder(this);
    }

    Node node(String state) {
        return new Node(source, "States." + state, null);
    }

    @Override
    public String toString() {
        return "state machine " + id();
    }
}
