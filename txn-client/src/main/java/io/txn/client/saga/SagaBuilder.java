package io.txn.client.saga;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A saga that is being written. For one thread.
 *
 * @param <I> what it is started with
 */
public final class SagaBuilder<I> extends SagaBlock {

    private final String name;
    private final int version;
    private final Class<I> input;
    private final List<Consumer<SagaEnded<I>>> listeners = new ArrayList<>();
    private boolean announced;
    private Duration within = DEFAULT_TIME;

    /** How long a saga may take that says nothing. */
    public static final Duration DEFAULT_TIME = Duration.ofHours(1);

    /** Longer does not fit the wire. */
    public static final Duration LONGEST_TIME = Duration.ofDays(24);

    SagaBuilder(String name, int version, Class<I> input) {
        super(name + "@" + version, null, null);
        if (!name.matches("[A-Za-z][A-Za-z0-9._-]{0,59}")) {
            throw misdeclared(
                    saga(),
                    null,
                    "a name has 1 to 60 letters, digits and . _ -, and begins with a letter: " + name,
                    null);
        }
        if (version < 1) {
            throw misdeclared(saga(), null, "versions count from 1", null);
        }
        this.name = name;
        this.version = version;
        this.input = input;
    }

    /** What the saga is started with. */
    public Value<I> input() {
        return Value.input(input);
    }

    /** A component of what the saga is started with. */
    public <T extends @Nullable Object> Value<T> input(Methods.Component<? super I, T> component) {
        return input().get(component);
    }

    /** How long the saga may take; when it is over, it turns back, unless it is in a step that must succeed. At most 24 days. */
    public SagaBuilder<I> within(Duration time) {
        if (time.toMillis() < 1 || time.compareTo(LONGEST_TIME) > 0) {
            throw misdeclared(saga(), null, "a saga takes from 1 ms to 24 days, not " + time, null);
        }
        within = time;
        return this;
    }

    /** Some instance that has the definition is told when a saga has ended, done or undone: at least once, before the saga counts as ended. */
    public SagaBuilder<I> announced() {
        announced = true;
        return this;
    }

    /** As {@link #announced}, and this is called; what it throws has it called again. */
    public SagaBuilder<I> whenEnded(Consumer<SagaEnded<I>> listener) {
        listeners.add(listener);
        return announced();
    }

    /**
     * Ends the definition.
     *
     * @param result what the saga answers when all is done
     * @throws io.txn.protocol.TxnException SAGA_MISDECLARED when it could not work, with what is wrong and how it would be right
     */
    public <R extends @Nullable Object> SagaDefinition<I, R> returns(Value<R> result) {
        return DefinitionCheck.checked(
                new SagaDefinition<>(name, version, input, this, result, within, announced, listeners));
    }

    /** Ends the definition of a saga that answers nothing but that it is done. */
    public SagaDefinition<I, @Nullable Void> done() {
        return DefinitionCheck.checked(
                new SagaDefinition<I, @Nullable Void>(name, version, input, this, null, within, announced, listeners));
    }
}
