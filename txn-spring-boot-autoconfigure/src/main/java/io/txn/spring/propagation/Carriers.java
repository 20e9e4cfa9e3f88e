package io.txn.spring.propagation;

import java.util.Comparator;
import java.util.List;

/** The carriers that this application has. Immutable. */
public final class Carriers {

    private final List<Carrier> all;

    public Carriers(List<Carrier> carriers) {
        this.all = carriers.stream()
                .sorted(Comparator.comparing(Carrier::way).thenComparing(Carrier::name))
                .toList();
    }

    /** By direction, then by name. */
    public List<Carrier> all() {
        return all;
    }

    /** A line for each, for people. */
    public String table() {
        int width =
                all.stream().mapToInt(carrier -> carrier.name().length()).max().orElse(0);
        StringBuilder table = new StringBuilder();
        for (Carrier carrier : all) {
            table.append(
                    String.format("%-8s%-" + (width + 2) + "s%s", carrier.way(), carrier.name(), carrier.covers()));
            if (!carrier.bound().isEmpty()) {
                table.append("; a call under way ends by ").append(carrier.bound());
            }
            table.append('\n');
        }
        return table.toString();
    }
}
