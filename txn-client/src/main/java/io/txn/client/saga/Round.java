package io.txn.client.saga;

import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Does something again and again until a function of the application says that it is enough; while the saga is written: for one thread. */
public final class Round extends SagaNode<Round> {

    /** More rounds are another program. */
    public static final int MOST = 1_000;

    private final int most;
    private final Body body;
    private List<Value<?>> values = List.of();
    private @Nullable Function<List<@Nullable Object>, Boolean> enough;

    Round(String name, SagaBlock block, @Nullable SagaNode<?> before, int most) {
        super(name, block, before);
        if (most < 2 || most > MOST) {
            throw misdeclared("a loop has a bound from 2 to " + MOST + ", not " + most, null);
        }
        this.most = most;
        this.body = new Body(this);
    }

    /** What is done in each round, at least once. */
    public static final class Body extends SagaBlock {

        private final Round round;

        private Body(Round round) {
            super(round.block().saga(), round, round.block());
            this.round = round;
        }

        /** After a round: whether it was the last one. */
        @SuppressWarnings("unchecked") // the value is decoded as what it is declared to be
        public <T extends @Nullable Object> void until(Value<T> value, Predicate<T> enough) {
            round.values = List.of(value);
            round.enough = given -> enough.test((T) given.get(0));
        }
    }

    @Override
    Round self() {
        return this;
    }

    Body body() {
        return body;
    }

    int most() {
        return most;
    }

    List<Value<?>> values() {
        return values;
    }

    boolean hasEnd() {
        return enough != null;
    }

    boolean isEnough(List<@Nullable Object> given) {
        Function<List<@Nullable Object>, Boolean> asked = enough;
        return asked != null && asked.apply(given);
    }

    @Override
    List<SagaBlock> inside() {
        return List.of(body);
    }
}
