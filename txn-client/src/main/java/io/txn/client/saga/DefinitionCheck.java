package io.txn.client.saga;

import io.txn.client.action.ValueType;
import io.txn.protocol.TxnException;
import java.lang.reflect.Type;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Refuses definitions that could not work, before anything is started. Stateless. */
final class DefinitionCheck {

    /** Steps, choices and loops of one definition, without those of the sagas in it. */
    static final int NODES_MAX = 200;

    private final SagaDefinition<?, ?> definition;

    private DefinitionCheck(SagaDefinition<?, ?> definition) {
        this.definition = definition;
    }

    static <I, R extends @Nullable Object> SagaDefinition<I, R> checked(SagaDefinition<I, R> definition) {
        new DefinitionCheck(definition).check();
        definition.compiled(Program.of(definition));
        return definition;
    }

    private void check() {
        requireKept("it is started with", definition.input());
        block(definition.root());
        if (definition.nodes().size() > NODES_MAX) {
            throw wrong(null, "it has more than " + NODES_MAX + " steps", "a saga in a saga for a part of them");
        }
        Value<?> result = definition.result();
        if (result != null) {
            requireKept("it answers", result.type());
            if (result.of() == null) {
                throw wrong(null, "it answers nothing that one of its steps has answered", "returns(step.result())");
            }
            visible(null, result, over(definition.root().nodes()));
        }
    }

    private void requireKept(String what, Type type) {
        try {
            ValueType.of(type);
        } catch (ValueType.UnfitException e) {
            throw wrong(null, what + " " + type.getTypeName() + ", and " + e.getMessage(), null);
        }
    }

    private void block(SagaBlock block) {
        if (block.inside() == null && block.nodes().isEmpty()) {
            throw wrong(null, "it has no steps", "step(…)");
        }
        for (SagaNode<?> node : block.nodes()) {
            if (definition.node(node.name()) != null) {
                throw wrong(node, "two of its steps have this name", "a name of its own for each");
            }
            definition.know(node);
            for (SagaNode<?> before : node.after()) {
                if (before.block() != block) {
                    throw wrong(
                            node,
                            "it is to begin after " + before.name() + ", which is not beside it",
                            "after(…) with steps of the same block of the same saga");
                }
            }
        }
        for (SagaNode<?> node : block.nodes()) {
            Set<SagaNode<?>> before = before(node);
            if (before.contains(node)) {
                throw wrong(node, "it is to begin after itself: a cycle without a bound", "repeat(name, bound, …)");
            }
            for (Value<?> value : given(node)) {
                visible(node, value, seenBy(node));
            }
            if (node instanceof Step<?> step) {
                step(step);
            } else if (node instanceof Choice choice) {
                if (choice.ways().isEmpty()) {
                    throw wrong(node, "it goes no way", "when(answer, …)");
                }
            } else if (node instanceof Round round) {
                if (round.body().nodes().isEmpty()) {
                    throw wrong(node, "nothing is done in its rounds", "a step inside");
                }
                if (!round.hasEnd()) {
                    throw wrong(node, "it does not say when it is enough", "until(value, …) inside");
                }
            }
            node.inside().forEach(this::block);
            if (node instanceof Round round) {
                for (Value<?> value : round.values()) {
                    Set<SagaNode<?>> seen = new HashSet<>(seenBy(node));
                    seen.addAll(over(round.body().nodes()));
                    visible(node, value, seen);
                }
            }
        }
    }

    private static List<Value<?>> given(SagaNode<?> node) {
        if (node instanceof Step<?> step) {
            return new ArrayList<>(step.arguments().values());
        }
        return node instanceof Choice choice ? choice.values() : List.of();
    }

    private void step(Step<?> step) {
        if (step.isCompensated() == null) {
            throw wrong(
                    step,
                    "nothing says how it is undone",
                    step.work() instanceof Step.Calling calling
                                    && calling.call().target() instanceof Call.Http
                            ? "compensatedBy(method, url) or notCompensated()"
                            : "compensated() or notCompensated()");
        }
        if (step.work() instanceof Step.Calling calling
                && calling.call().target() instanceof Call.Bean bean
                && Boolean.FALSE.equals(calling.call().compensated())
                && Boolean.TRUE.equals(step.isCompensated())) {
            throw wrong(step, bean.step() + " has no compensation", "@SagaStep(compensation = \"…\")");
        }
        if (step.work() instanceof Step.Calling calling
                && Boolean.FALSE.equals(calling.call().compensated())
                && !step.saysNotCompensated()) {
            throw wrong(step, "its compensation is missing", "@SagaStep(compensation = \"…\"), or notCompensated()");
        }
        if (step.work() instanceof Step.Calling calling && calling.call().result() != void.class) {
            requireKept("step " + step.name() + " answers", calling.call().result());
        }
        if (step.work() instanceof Step.Calling calling && calling.call().isLater() && step.within() == null) {
            throw wrong(step, "it may be answered later, and does not say how much later", "within(Duration)");
        }
        if (step.work() instanceof Step.Within within
                && !Signature.sameText(
                        within.input().type(), within.definition().input())) {
            throw wrong(
                    step,
                    "it is given " + Signature.simple(within.input().type()),
                    Signature.simple(within.definition().input()));
        }
    }

    /** What is surely over when the node begins. */
    private static Set<SagaNode<?>> seenBy(SagaNode<?> node) {
        Set<SagaNode<?>> seen = new HashSet<>();
        SagaNode<?> at = node;
        while (at != null) {
            seen.addAll(over(before(at)));
            at = at.block().inside();
        }
        return seen;
    }

    private static Set<SagaNode<?>> before(SagaNode<?> node) {
        Set<SagaNode<?>> before = new LinkedHashSet<>();
        Deque<SagaNode<?>> open = new ArrayDeque<>(node.after());
        while (!open.isEmpty()) {
            SagaNode<?> one = open.remove();
            if (before.add(one)) {
                open.addAll(one.after());
            }
        }
        return before;
    }

    /** The nodes and what was surely done in them: rounds are done at least once, the ways of a choice perhaps not at all. */
    private static Set<SagaNode<?>> over(Iterable<SagaNode<?>> nodes) {
        Set<SagaNode<?>> over = new HashSet<>();
        for (SagaNode<?> node : nodes) {
            over.add(node);
            if (node instanceof Round round) {
                over.addAll(over(round.body().nodes()));
            }
        }
        return over;
    }

    private void visible(@Nullable SagaNode<?> user, Value<?> value, Set<SagaNode<?>> seen) {
        SagaNode<?> of = value.of();
        if (of == null || seen.contains(of)) {
            return;
        }
        throw wrong(
                user,
                "it uses the result of " + of.name() + ", which may not be there by then",
                definition.node(of.name()) == null ? "a step of this saga" : "after(" + of.name() + ")");
    }

    private TxnException wrong(@Nullable SagaNode<?> node, String problem, @Nullable String expected) {
        return SagaBlock.misdeclared(definition.id(), node == null ? null : node.name(), problem, expected);
    }
}
