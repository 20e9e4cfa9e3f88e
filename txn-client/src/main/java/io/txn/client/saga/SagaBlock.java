package io.txn.client.saga;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A part of a saga that is being written: its steps, in order. For one thread. Each step begins after the one written before it, unless it says otherwise; the first begins with the block.
 */
public sealed class SagaBlock permits SagaBuilder, Round.Body {

    private final String saga;
    private final @Nullable SagaNode<?> inside;
    private final @Nullable SagaBlock outer;
    private final List<SagaNode<?>> nodes = new ArrayList<>();

    SagaBlock(String saga, @Nullable SagaNode<?> inside, @Nullable SagaBlock outer) {
        this.saga = saga;
        this.inside = inside;
        this.outer = outer;
    }

    /** A step that calls something. */
    public <R extends @Nullable Object> Step<R> step(String name, Call<R> call) {
        return add(new Step<>(name, this, last(), new Step.Calling(call)));
    }

    /** A step that is a saga itself: it is over when that is, and undone by that saga's compensations. */
    public <I, R extends @Nullable Object> Step<R> saga(String name, SagaDefinition<I, R> definition, Value<I> input) {
        return add(new Step<>(name, this, last(), new Step.Within(definition, input)));
    }

    /**
     * Goes one of several ways.
     *
     * @param decision answers one of the {@link Choice#when} that follow; asked in this application, on any instance, and perhaps more than once, so it depends on nothing but what it is given
     */
    @SuppressWarnings("unchecked") // the value is decoded as what it is declared to be
    public <T extends @Nullable Object> Choice choose(String name, Value<T> value, Function<T, String> decision) {
        return add(new Choice(name, this, last(), List.of(value), given -> decision.apply((T) given.get(0))));
    }

    /** The same with two values. */
    @SuppressWarnings("unchecked") // as above
    public <T extends @Nullable Object, U extends @Nullable Object> Choice choose(
            String name, Value<T> first, Value<U> second, BiFunction<T, U, String> decision) {
        return add(new Choice(
                name,
                this,
                last(),
                List.of(first, second),
                given -> decision.apply((T) given.get(0), (U) given.get(1))));
    }

    /**
     * Does something again and again, at least once, until {@link Round.Body#until} says that it is enough. A round that would be one too many turns the saga back.
     *
     * @param most the bound
     */
    public Round repeat(String name, int most, Consumer<Round.Body> rounds) {
        Round round = add(new Round(name, this, last(), most));
        rounds.accept(round.body());
        return round;
    }

    private <N extends SagaNode<N>> N add(N node) {
        nodes.add(node);
        return node;
    }

    private @Nullable SagaNode<?> last() {
        return nodes.isEmpty() ? null : nodes.get(nodes.size() - 1);
    }

    final String saga() {
        return saga;
    }

    /** The choice or loop that it is in; null for the saga itself. */
    final @Nullable SagaNode<?> inside() {
        return inside;
    }

    final @Nullable SagaBlock outer() {
        return outer;
    }

    final List<SagaNode<?>> nodes() {
        return nodes;
    }

    static TxnException misdeclared(String saga, @Nullable String step, String problem, @Nullable String expected) {
        return new TxnException(
                ErrorCode.SAGA_MISDECLARED, null, "saga", saga, "step", step, "problem", problem, "expected", expected);
    }
}
