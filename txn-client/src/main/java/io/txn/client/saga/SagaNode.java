package io.txn.client.saga;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One place in a saga, while it is written: for one thread.
 *
 * @param <N> the kind of node, for chained calls
 */
public abstract sealed class SagaNode<N extends SagaNode<N>> permits Step, Choice, Round {

    private final String name;
    private final SagaBlock block;
    private List<SagaNode<?>> after;

    SagaNode(String name, SagaBlock block, @Nullable SagaNode<?> before) {
        if (!name.matches("[A-Za-z][A-Za-z0-9-]{0,59}")) {
            throw new TxnException(
                    ErrorCode.SAGA_MISDECLARED,
                    null,
                    "saga",
                    block.saga(),
                    "problem",
                    "a step's name has 1 to 60 letters, digits and -, and begins with a letter: " + name);
        }
        this.name = name;
        this.block = block;
        this.after = before == null ? List.of() : List.of(before);
    }

    abstract N self();

    public final String name() {
        return name;
    }

    /** It begins when all of these are over, instead of after the one written before it. All are of the same block. */
    public final N after(SagaNode<?>... nodes) {
        after = new ArrayList<>(Arrays.asList(nodes));
        return self();
    }

    /** It begins with its block, beside whatever else does. */
    public final N atOnce() {
        after = List.of();
        return self();
    }

    final List<SagaNode<?>> after() {
        return after;
    }

    final SagaBlock block() {
        return block;
    }

    /** What is inside it. */
    abstract List<SagaBlock> inside();

    final TxnException misdeclared(String problem, @Nullable String expected) {
        return SagaBlock.misdeclared(block.saga(), name, problem, expected);
    }

    @Override
    public final String toString() {
        return name;
    }
}
