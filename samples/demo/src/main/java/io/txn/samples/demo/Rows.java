package io.txn.samples.demo;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The rows of all services at one moment: service → table → rows, each as "column=value column=value". */
public record Rows(Map<Program, Map<String, List<String>>> services) {

    private static final String UNDO_TABLE = "undo_log";

    /** How the row of a defence is told from an undo record; docs/at.md. */
    private static final String DEFENCE = " log_status=1 ";

    /** The rows of a table of a service. */
    public List<String> of(Program service, String table) {
        List<String> rows = services.getOrDefault(service, Map.of()).get(table);
        if (rows == null) {
            throw new IllegalArgumentException("the " + service.title() + " service has no table " + table);
        }
        return rows;
    }

    /**
     * The undo records of all services together. Defences do not count: where a roll-back came before its branch had committed, one stays behind on
     * purpose, so that the branch cannot commit any more, and goes after days.
     */
    public int undoRecords() {
        return (int) services.values().stream()
                .flatMap(tables -> tables.getOrDefault(UNDO_TABLE, List.of()).stream())
                .filter(row -> !row.contains(DEFENCE))
                .count();
    }

    /** Everything but what AT mode keeps for itself: the undo records, and the table beside them. */
    public Rows business() {
        Map<Program, Map<String, List<String>>> kept = new LinkedHashMap<>();
        services.forEach((service, tables) -> {
            Map<String, List<String>> others = new LinkedHashMap<>(tables);
            others.keySet().removeIf(table -> table.startsWith(UNDO_TABLE));
            kept.put(service, others);
        });
        return new Rows(kept);
    }

    /** As a table for people; a row that was not there before is marked. */
    String text(Rows before) {
        TextTable text = new TextTable("service", "table", "row");
        business()
                .services()
                .forEach((service, tables) -> tables.forEach((table, rows) -> {
                    List<String> old =
                            before.services().getOrDefault(service, Map.of()).getOrDefault(table, List.of());
                    List<String> shown = new ArrayList<>();
                    for (String row : rows) {
                        shown.add(old.contains(row) ? row : row + "   <- changed");
                    }
                    if (rows.isEmpty()) {
                        shown.add("(no rows)");
                    }
                    for (int i = 0; i < shown.size(); i++) {
                        text.row(i == 0 ? service.title() : "", i == 0 ? table : "", shown.get(i));
                    }
                }));
        return text.toString();
    }
}
