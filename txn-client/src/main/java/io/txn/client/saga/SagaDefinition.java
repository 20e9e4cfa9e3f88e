package io.txn.client.saga;

import io.txn.client.action.Json;
import io.txn.client.action.ValueType;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A saga as it was written and checked. Nothing of it changes any more; its functions are called by several threads.
 *
 * @param <I> what it is started with
 * @param <R> what it answers
 */
public final class SagaDefinition<I, R extends @Nullable Object> {

    private final String name;
    private final int version;
    private final Class<I> input;
    private final SagaBlock root;
    private final @Nullable Value<R> result;
    private final Duration within;
    private final boolean announced;
    private final List<Consumer<SagaEnded<I>>> listeners;
    private final Map<String, SagaNode<?>> nodes = new LinkedHashMap<>();
    private @Nullable Program program;

    SagaDefinition(
            String name,
            int version,
            Class<I> input,
            SagaBlock root,
            @Nullable Value<R> result,
            Duration within,
            boolean announced,
            List<Consumer<SagaEnded<I>>> listeners) {
        this.name = name;
        this.version = version;
        this.input = input;
        this.root = root;
        this.result = result;
        this.within = within;
        this.announced = announced;
        this.listeners = List.copyOf(listeners);
    }

    public String name() {
        return name;
    }

    public int version() {
        return version;
    }

    /** Name and version. */
    public String id() {
        return name + "@" + version;
    }

    Class<I> input() {
        return input;
    }

    SagaBlock root() {
        return root;
    }

    @Nullable
    Value<R> result() {
        return result;
    }

    Type resultType() {
        return result == null ? void.class : result.type();
    }

    Duration within() {
        return within;
    }

    boolean isAnnounced() {
        return announced;
    }

    List<Consumer<SagaEnded<I>>> listeners() {
        return listeners;
    }

    void compiled(Program made) {
        program = made;
    }

    Program program() {
        Program made = program;
        if (made == null) {
            throw new AssertionError("a definition is compiled when it is checked");
        }
        return made;
    }

    /** What a saga of this definition answered, from JSON. */
    @SuppressWarnings("unchecked") // decoded as what it is declared to be
    @Nullable
    R answer(@Nullable String json) {
        Value<R> declared = result;
        if (declared == null) {
            return null;
        }
        try {
            return (R) ValueType.of(declared.type()).fromJson(program().result(json));
        } catch (ValueType.UnfitException
                | ValueType.UnreadableException
                | Given.UnreadableException
                | Json.MalformedException e) {
            throw Sagas.unfit(this, "result", e);
        }
    }

    /** Filled by the check, which sees them all. */
    void know(SagaNode<?> node) {
        nodes.put(node.name(), node);
    }

    Collection<SagaNode<?>> nodes() {
        return nodes.values();
    }

    @Nullable
    SagaNode<?> node(String wanted) {
        return nodes.get(wanted);
    }

    /** A diagram of it, in the language of Mermaid. */
    public String toMermaid() {
        return Mermaid.of(this);
    }

    @Override
    public String toString() {
        return "saga " + id();
    }
}
