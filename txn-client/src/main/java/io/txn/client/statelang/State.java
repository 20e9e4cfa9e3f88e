package io.txn.client.statelang;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A state of a machine, as its definition says it. Immutable. */
sealed interface State {

    String name();

    /** The states that it may lead to, a compensation apart. */
    List<String> targets();

    /** What a state comes to mean for the machine. */
    enum Status {
        /** It did what it was to do. */
        SU,
        /** It did nothing, and is not compensated. */
        FA,
        /** Nobody knows. */
        UN
    }

    /**
     * What status an end has.
     *
     * @param exception the name of a class; null: {@code expression} looks at the result
     */
    record StatusRule(@Nullable String exception, @Nullable Expression expression, String text, Status status) {}

    /**
     * Where an exception leads.
     *
     * @param exceptions names of classes
     */
    record Catching(List<String> exceptions, String next) {
        public Catching {
            exceptions = List.copyOf(exceptions);
        }
    }

    /**
     * How often an exception has the service called again.
     *
     * @param exceptions names of classes; empty: those of the network
     * @param most calls after the first one
     */
    record Retrying(List<String> exceptions, long interval, double factor, int most) {
        public Retrying {
            exceptions = List.copyOf(exceptions);
        }
    }

    /**
     * Calls a service.
     *
     * @param compensation the state that undoes it; null: none
     * @param updates whether it changes something
     * @param next null: the machine has succeeded
     */
    record Task(
            String name,
            String service,
            String method,
            @Nullable List<String> parameterTypes,
            List<Template> input,
            Map<String, Template> output,
            List<StatusRule> statuses,
            List<Catching> catches,
            List<Retrying> retries,
            @Nullable String compensation,
            boolean updates,
            boolean async,
            @Nullable String next)
            implements State {

        public Task {
            input = List.copyOf(input);
            output = new LinkedHashMap<>(output);
            statuses = List.copyOf(statuses);
            catches = List.copyOf(catches);
            retries = List.copyOf(retries);
        }

        @Override
        public List<String> targets() {
            List<String> targets = new ArrayList<>();
            if (next != null) {
                targets.add(next);
            }
            catches.forEach(one -> targets.add(one.next()));
            return targets;
        }
    }

    /**
     * Another machine, which is part of this one's saga.
     *
     * @param compensation the {@link UndoMachine} that says what its compensations are given beside; null: nothing
     */
    record Machine(
            String name,
            String machine,
            Template.Mapped input,
            Map<String, Template> output,
            @Nullable String compensation,
            @Nullable String next)
            implements State {

        public Machine {
            output = new LinkedHashMap<>(output);
        }

        @Override
        public List<String> targets() {
            return next == null ? List.of() : List.of(next);
        }
    }

    /** What the compensations of another machine are given beside its own variables. */
    record UndoMachine(String name, Template.Mapped input) implements State {
        @Override
        public List<String> targets() {
            return List.of();
        }
    }

    /** One of several ways. */
    record Option(Expression expression, String text, String next) {}

    /**
     * Goes the first way whose expression is true.
     *
     * @param otherwise null: the machine fails
     */
    record Choosing(
            String name, List<Option> options, @Nullable String otherwise) implements State {
        public Choosing {
            options = List.copyOf(options);
        }

        @Override
        public List<String> targets() {
            List<String> targets = new ArrayList<>();
            options.forEach(option -> targets.add(option.next));
            if (otherwise != null) {
                targets.add(otherwise);
            }
            return targets;
        }
    }

    /** The end of a machine that has done what it was to do. */
    record Succeed(String name) implements State {
        @Override
        public List<String> targets() {
            return List.of();
        }
    }

    /**
     * The end of a machine that has not; what was done is compensated.
     *
     * @param cause one line
     */
    record Fail(String name, String cause) implements State {

        /** The cause, and where. */
        String told() {
            return name + ": " + cause;
        }

        @Override
        public List<String> targets() {
            return List.of();
        }
    }

    /**
     * What was done is compensated.
     *
     * @param next where the definition goes on afterwards, which names the cause; null: nowhere
     */
    record Trigger(String name, @Nullable String next) implements State {
        @Override
        public List<String> targets() {
            return List.of();
        }
    }
}
