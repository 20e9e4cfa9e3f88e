package io.txn.client.jdbc.corpus;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Results as tables. */
public final class Report {

    private final List<Target> targets;
    private final Map<String, Map<Target, List<Result>>> groups = new LinkedHashMap<>();
    private final List<Result> all = new ArrayList<>();

    public Report(Target... targets) {
        this.targets = Arrays.asList(targets);
    }

    public void add(Result result) {
        all.add(result);
        groups.computeIfAbsent(result.what().row(), group -> new EnumMap<>(Target.class))
                .computeIfAbsent(result.what().target(), target -> new ArrayList<>())
                .add(result);
    }

    /** How many cases of each target came out how. */
    public String totals() {
        StringBuilder out = new StringBuilder(
                "| | cases | exact | refused for good | refused, to become exact | known to be worse |\n|---|---|---|---|---|---|\n");
        for (Target target : targets) {
            List<Result> of =
                    all.stream().filter(r -> r.what().target() == target).toList();
            out.append(totals(target.title(), of));
        }
        return out.append(totals("all", all)).toString();
    }

    private static String totals(String title, List<Result> of) {
        long exact = of.stream().filter(r -> r.outcome() == Outcome.EXACT).count();
        long open = of.stream().filter(Result::open).count();
        long refused = of.stream().filter(r -> r.outcome() == Outcome.REFUSED).count() - open;
        return "| " + title + " | " + of.size() + " | " + exact + share(exact, of.size()) + " | " + refused + " | "
                + open + " | " + (of.size() - exact - refused - open) + " |\n";
    }

    private static String share(long part, int whole) {
        return whole == 0 ? "" : String.format(Locale.ROOT, " (%.1f %%)", 100.0 * part / whole);
    }

    /** Each statement with its outcomes, a table for each file. */
    public String statements() {
        StringBuilder out = new StringBuilder();
        for (String file : groups.keySet().stream().map(Report::file).distinct().toList()) {
            out.append("\n### ").append(file).append("\n\n| |");
            targets.forEach(target -> out.append(' ').append(target.title()).append(" |"));
            out.append("\n|---|").append("---|".repeat(targets.size())).append('\n');
            groups.forEach((group, results) -> {
                if (file(group).equals(file)) {
                    out.append("| ").append(group.substring(file.length() + 1)).append(" |");
                    for (Target target : targets) {
                        out.append(' ')
                                .append(cell(results.getOrDefault(target, List.of())))
                                .append(" |");
                    }
                    out.append('\n');
                }
            });
        }
        return out.toString();
    }

    private static String file(String group) {
        return group.substring(0, group.indexOf('/'));
    }

    private static String cell(List<Result> results) {
        List<String> parts = new ArrayList<>();
        for (Outcome outcome : Outcome.values()) {
            long wanted = results.stream()
                    .filter(r -> r.outcome() == outcome && !r.open())
                    .count();
            long open = results.stream()
                    .filter(r -> r.outcome() == outcome && r.open())
                    .count();
            String word = outcome.name().toLowerCase(Locale.ROOT);
            if (wanted > 0) {
                parts.add(outcome.accepted() ? word + " " + wanted : "**" + word + " " + wanted + "**");
            }
            if (open > 0) {
                parts.add("*" + word + " " + open + "*");
            }
        }
        return String.join(", ", parts);
    }

    /** One line: every outcome that there is, with its number. */
    public String summary() {
        Map<Outcome, Integer> counts = new EnumMap<>(Outcome.class);
        all.forEach(result -> counts.merge(result.outcome(), 1, Integer::sum));
        return all.size() + " cases: " + counts + ", of the refused "
                + all.stream().filter(Result::open).count() + " should become exact";
    }
}
