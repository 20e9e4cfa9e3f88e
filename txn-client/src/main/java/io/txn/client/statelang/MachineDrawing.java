package io.txn.client.statelang;

import org.jspecify.annotations.Nullable;

/** Draws a machine: a flow chart, exceptions and compensations dashed. Stateless. */
final class MachineDrawing {

    private MachineDrawing() {}

    static String of(StateMachine machine) {
        StringBuilder out = new StringBuilder("flowchart TD\n");
        line(out, "begin([" + machine.id() + "]) --> " + id(machine.startName()));
        for (State state : machine.inOrder()) {
            String id = id(state.name());
            if (state instanceof State.Task task) {
                line(
                        out,
                        id + "[\"" + task.name() + "<br/><small>" + task.service() + "." + task.method()
                                + "</small>\"]");
                next(out, id, task.next(), task.async() ? " -. at once .-> " : " --> ");
                task.catches().forEach(one -> line(out, id + " -. catch .-> " + id(one.next())));
                State.Task undo = MachineCheck.compensation(machine, task);
                if (undo != null) {
                    line(out, id + " -.-> " + id + "_undo([\"undo " + undo.service() + "." + undo.method() + "\"])");
                }
            } else if (state instanceof State.Machine inner) {
                line(out, id + "[[\"" + inner.name() + "<br/><small>" + inner.machine() + "</small>\"]]");
                next(out, id, inner.next(), " --> ");
            } else if (state instanceof State.Choosing choosing) {
                line(out, id + "{" + choosing.name() + "?}");
                for (State.Option option : choosing.options()) {
                    line(out, id + " -- \"" + option.text().replace("\"", "#quot;") + "\" --> " + id(option.next()));
                }
                if (choosing.otherwise() != null) {
                    line(out, id + " -- else --> " + id(choosing.otherwise()));
                }
            } else if (state instanceof State.Fail fail) {
                line(out, id + "([\"" + fail.told().replace("\"", "#quot;") + "\"])");
            } else if (state instanceof State.Trigger trigger) {
                line(out, id + "{{" + trigger.name() + "}}");
                next(out, id, trigger.next(), " --> ");
            } else {
                line(out, id + "([" + state.name() + "])");
            }
        }
        return out.toString();
    }

    private static void next(StringBuilder out, String from, @Nullable String next, String arrow) {
        if (next != null) {
            line(out, from + arrow + id(next));
        }
    }

    private static void line(StringBuilder out, String text) {
        out.append("    ").append(text).append('\n');
    }

    /** "end" is a word of the language. */
    private static String id(String state) {
        return "s_" + state.replace('-', '_');
    }
}
