package io.txn.benchmarks;

import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The options of one run, written {@code --name=value}. An unknown one is refused. Immutable. */
final class Options {

    /** Says that the command line makes no sense; the message is for people. */
    static final class Misused extends RuntimeException {

        private static final long serialVersionUID = 1L;

        Misused(String message) {
            super(message);
        }
    }

    private final Map<String, String> values;

    private Options(Map<String, String> values) {
        this.values = values;
    }

    /** The options with these names and defaults, changed by these arguments. */
    static Options parse(Map<String, String> defaults, List<String> arguments) {
        Map<String, String> values = new LinkedHashMap<>(defaults);
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            String name = argument.startsWith("--") && equals > 2 ? argument.substring(2, equals) : "";
            if (!defaults.containsKey(name)) {
                throw new Misused(
                        argument + " is no option here; there are --" + String.join("=, --", defaults.keySet()) + "=");
            }
            values.put(name, argument.substring(equals + 1));
        }
        return new Options(values);
    }

    String text(String name) {
        String value = values.get(name);
        if (value == null) {
            throw new AssertionError("no option " + name);
        }
        return value;
    }

    /** A number from 0 on. */
    int number(String name) {
        return number(name, text(name));
    }

    /** A time in seconds. */
    Duration seconds(String name) {
        return Duration.ofSeconds(number(name));
    }

    /** Numbers with commas between. */
    List<Integer> numbers(String name) {
        return Arrays.stream(text(name).split(","))
                .map(part -> number(name, part.strip()))
                .toList();
    }

    private static int number(String name, String text) {
        try {
            int value = Integer.parseInt(text);
            if (value >= 0) {
                return value;
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new Misused("--" + name + " takes whole numbers from 0 on, got " + text);
    }
}
