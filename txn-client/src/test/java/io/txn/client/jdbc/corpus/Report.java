package io.txn.client.jdbc.corpus;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/** Results as tables. */
public final class Report {

    /** What a refusal says, by what it is about; the first that is found counts, and the last is found in all. */
    private static final Map<String, Pattern> REASONS = new LinkedHashMap<>();

    static {
        REASONS.put(
                "a statement that is to be refused: DDL, LOCK, LOAD, what no parser understands …",
                Pattern.compile("reason=[A-Z]+ is not captured|parser does not understand|reason=it is empty"));
        REASONS.put(
                "a table without a key or without transactions",
                Pattern.compile("TXN-AT003|rows cannot be named|has no transactions"));
        REASONS.put(
                "a trigger, rule, function or procedure that writes or may",
                Pattern.compile(
                        "may write|writes, or runs|does more than reading|is VOLATILE|changes large objects|would do so again|is written in|\\brule\\b|not seen by this account"));
        REASONS.put("MERGE where it tells nothing of its rows", Pattern.compile("does not tell what MERGE did"));
        REASONS.put("anything else", Pattern.compile(""));
    }

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

    /** Why cases of each target were refused, by what the refusal says. */
    public String refusals() {
        StringBuilder out = new StringBuilder("| refused because of |");
        targets.forEach(target -> out.append(' ').append(target.title()).append(" |"));
        out.append(" all | of all cases |\n|---|")
                .append("---|".repeat(targets.size() + 2))
                .append('\n');
        Map<String, List<Result>> because = new LinkedHashMap<>();
        REASONS.keySet().forEach(reason -> because.put(reason, new ArrayList<>()));
        all.stream().filter(r -> r.outcome() == Outcome.REFUSED).forEach(r -> because.get(reason(r))
                .add(r));
        because.forEach((reason, of) -> {
            out.append("| ").append(reason).append(" |");
            for (Target target : targets) {
                out.append(' ')
                        .append(of.stream()
                                .filter(r -> r.what().target() == target)
                                .count())
                        .append(" |");
            }
            out.append(' ')
                    .append(of.size())
                    .append(" |")
                    .append(share(of.size(), all.size()))
                    .append(" |\n");
        });
        return out.toString();
    }

    private static String reason(Result refused) {
        return REASONS.entrySet().stream()
                .filter(reason -> reason.getValue().matcher(refused.detail()).find())
                .findFirst()
                .orElseThrow()
                .getKey();
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
