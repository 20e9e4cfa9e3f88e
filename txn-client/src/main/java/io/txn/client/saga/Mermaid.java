package io.txn.client.saga;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Draws a definition: a flow chart, compensations dashed. For one thread. */
final class Mermaid {

    private final StringBuilder out = new StringBuilder("flowchart TD\n");
    private int indent = 1;

    private Mermaid() {}

    static String of(SagaDefinition<?, ?> definition) {
        Mermaid drawing = new Mermaid();
        drawing.line("begin([" + definition.id() + "])");
        Ends ends = drawing.block(definition.root(), "", new Ends("begin", null));
        drawing.line("done([done])");
        ends.all().forEach(end -> drawing.arrow(end, "done"));
        return drawing.out.toString();
    }

    /** From where arrows go on, and what is written at them. */
    private record End(String id, @Nullable String label) {}

    private static final class Ends {
        private final Set<End> all = new LinkedHashSet<>();

        Ends() {}

        Ends(String id, @Nullable String label) {
            all.add(new End(id, label));
        }

        Set<End> all() {
            return all;
        }
    }

    private void line(String text) {
        out.append("    ".repeat(indent)).append(text).append('\n');
    }

    private void arrow(End from, String to) {
        line(from.label == null ? from.id + " --> " + to : from.id + " -- " + from.label + " --> " + to);
    }

    private static String id(String prefix, SagaNode<?> node) {
        // "end" is a word of the language.
        return "s_" + (prefix + node.name()).replace('/', '_').replace('-', '_');
    }

    private Ends block(SagaBlock block, String prefix, Ends entry) {
        Map<SagaNode<?>, Ends> ends = new LinkedHashMap<>();
        List<SagaNode<?>> open = new ArrayList<>(block.nodes());
        while (!open.isEmpty()) {
            SagaNode<?> node = open.stream()
                    .filter(one -> ends.keySet().containsAll(one.after()))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("a cycle was checked for"));
            open.remove(node);
            Ends before = new Ends();
            if (node.after().isEmpty()) {
                before.all.addAll(entry.all);
            }
            node.after().forEach(one -> before.all.addAll(of(ends, one)));
            ends.put(node, node(node, prefix, before));
        }
        Ends last = new Ends();
        for (SagaNode<?> node : block.nodes()) {
            if (block.nodes().stream().noneMatch(other -> other.after().contains(node))) {
                last.all.addAll(of(ends, node));
            }
        }
        return block.nodes().isEmpty() ? entry : last;
    }

    private static Set<End> of(Map<SagaNode<?>, Ends> ends, SagaNode<?> node) {
        return Objects.requireNonNull(ends.get(node), node.name()).all();
    }

    private Ends node(SagaNode<?> node, String prefix, Ends before) {
        String id = id(prefix, node);
        if (node instanceof Choice choice) {
            line(id + "{" + node.name() + "?}");
            before.all().forEach(end -> arrow(end, id));
            Ends ends = new Ends();
            choice.ways()
                    .forEach((way, block) -> ends.all.addAll(
                            block(block, prefix, new Ends(id, way)).all()));
            return ends;
        }
        if (node instanceof Round round) {
            line(id + "_begin((" + "again))");
            before.all().forEach(end -> arrow(end, id + "_begin"));
            Ends ends = block(round.body(), prefix, new Ends(id + "_begin", null));
            line(id + "{" + node.name() + "?}");
            ends.all().forEach(end -> arrow(end, id));
            arrow(new End(id, "at most " + round.most() + " times"), id + "_begin");
            return new Ends(id, "enough");
        }
        if (node instanceof Step<?> step && step.work() instanceof Step.Within within) {
            line("subgraph " + id + "[\"" + node.name() + ": "
                    + within.definition().id() + "\"]");
            indent++;
            line(id + "_begin(( ))");
            Ends ends = block(within.definition().root(), prefix + node.name() + "/", new Ends(id + "_begin", null));
            indent--;
            line("end");
            before.all().forEach(end -> arrow(end, id + "_begin"));
            return ends;
        }
        if (node instanceof Step<?> step && step.work() instanceof Step.Calling calling) {
            line(id + "[\"" + node.name() + "<br/><small>"
                    + target(calling.call().target()) + "</small>\"]");
            before.all().forEach(end -> arrow(end, id));
            if (step.isForward()) {
                line("style " + id + " stroke-width:3px");
            }
            if (Boolean.TRUE.equals(step.isCompensated())) {
                Call.Http http = step.compensation();
                line(id + " -.-> " + id + "_undo([\"undo " + (http == null ? node.name() : target(http)) + "\"])");
            }
            return new Ends(id, null);
        }
        throw new AssertionError(node);
    }

    private static String target(Call.Target target) {
        if (target instanceof Call.Bean bean) {
            return bean.step();
        }
        if (target instanceof Call.Http http) {
            return http.method() + " " + http.url();
        }
        throw new AssertionError(target);
    }
}
