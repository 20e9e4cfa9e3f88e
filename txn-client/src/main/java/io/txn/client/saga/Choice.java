package io.txn.client.saga;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Goes one of several ways, as a function of the application says; while the saga is written: for one thread. */
public final class Choice extends SagaNode<Choice> {

    private final List<Value<?>> values;
    private final Function<List<@Nullable Object>, String> decision;
    private final Map<String, SagaBlock> ways = new LinkedHashMap<>();

    Choice(
            String name,
            SagaBlock block,
            @Nullable SagaNode<?> before,
            List<Value<?>> values,
            Function<List<@Nullable Object>, String> decision) {
        super(name, block, before);
        this.values = values;
        this.decision = decision;
    }

    @Override
    Choice self() {
        return this;
    }

    /** What is done when the function answers this; it may be nothing. */
    public Choice when(String answer, Consumer<SagaBlock> way) {
        if (!answer.matches("[A-Za-z][A-Za-z0-9-]{0,59}")) {
            throw misdeclared("an answer has 1 to 60 letters, digits and -, and begins with a letter: " + answer, null);
        }
        SagaBlock inside = new SagaBlock(block().saga(), this, block());
        if (ways.put(answer, inside) != null) {
            throw misdeclared("it goes two ways when the answer is " + answer, "when(…) once for each answer");
        }
        way.accept(inside);
        return this;
    }

    List<Value<?>> values() {
        return values;
    }

    Map<String, SagaBlock> ways() {
        return ways;
    }

    String decide(List<@Nullable Object> given) {
        return decision.apply(given);
    }

    @Override
    List<SagaBlock> inside() {
        return new ArrayList<>(ways.values());
    }
}
