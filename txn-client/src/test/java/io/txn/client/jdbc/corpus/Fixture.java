package io.txn.client.jdbc.corpus;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Tables with rows in them, for one target.
 *
 * @param create statements that make tables and whatever belongs to them
 * @param rows statements that fill them
 */
public record Fixture(String name, List<String> create, List<String> rows) {

    private static final String ONE_NAME = "(?:\"(?:[^\"]|\"\")+\"|`(?:[^`]|``)+`|[\\w$]+)";
    private static final Pattern CREATED = Pattern.compile(
            "CREATE (?:OR REPLACE )?(?:(?:UNLOGGED|CACHED|MEMORY) )?(TABLE|SEQUENCE|FUNCTION|PROCEDURE|VIEW|TYPE|DOMAIN|SCHEMA|ALIAS)"
                    + " (" + ONE_NAME + "(?:\\." + ONE_NAME + ")?)",
            Pattern.CASE_INSENSITIVE);

    public Fixture {
        create = List.copyOf(create);
        rows = List.copyOf(rows);
    }

    /** Something that was created. */
    record Made(String kind, String name) {}

    List<Made> made() {
        List<Made> made = new ArrayList<>();
        for (String sql : create) {
            Matcher created = CREATED.matcher(sql);
            if (created.lookingAt()) {
                made.add(new Made(created.group(1).toUpperCase(Locale.ROOT), created.group(2)));
            }
        }
        return made;
    }

    List<String> tables() {
        return made().stream()
                .filter(made -> made.kind().equals("TABLE"))
                .map(Made::name)
                .toList();
    }

    /** Statements that take everything away, as far as it is there. */
    List<String> drop(Target target) {
        List<Made> made = new ArrayList<>(made());
        Collections.reverse(made);
        List<String> drop = new ArrayList<>();
        for (Made one : made) {
            boolean cascade = target.isPostgres() || one.kind().equals("TABLE") && target == Target.H2;
            drop.add("DROP " + one.kind() + " IF EXISTS " + one.name() + (cascade ? " CASCADE" : ""));
        }
        return drop;
    }

    /** Cheaper than TRUNCATE where tables are small; those made last, which refer to others, first. */
    private void deleteAll(List<String> statements) {
        List<String> tables = new ArrayList<>(tables());
        Collections.reverse(tables);
        tables.forEach(table -> statements.add("DELETE FROM " + table));
        if (create.stream().anyMatch(sql -> sql.startsWith("CREATE TRIGGER"))) {
            tables.forEach(table -> statements.add("DELETE FROM " + table));
        }
    }

    /** Statements that make the tables what they were when they were made, counters of generated keys included. */
    List<String> reset(Target target) {
        List<String> reset = new ArrayList<>();
        switch (target) {
            case H2 -> {
                reset.add("SET REFERENTIAL_INTEGRITY FALSE");
                tables().forEach(table -> reset.add("TRUNCATE TABLE " + table + " RESTART IDENTITY"));
                reset.add("SET REFERENTIAL_INTEGRITY TRUE");
            }
            case POSTGRES, POSTGRES15 -> {
                deleteAll(reset);
                reset.add("SELECT setval(oid::regclass, 1, false) FROM pg_class"
                        + " WHERE relkind = 'S' AND relname NOT LIKE 'undo%'");
            }
            case MARIADB, MYSQL -> {
                reset.add("SET FOREIGN_KEY_CHECKS = 0");
                deleteAll(reset);
                for (String sql : create) {
                    Matcher created = CREATED.matcher(sql);
                    if (created.lookingAt() && sql.contains("AUTO_INCREMENT")) {
                        reset.add("ALTER TABLE " + created.group(2) + " AUTO_INCREMENT = 1");
                    }
                }
                reset.add("SET FOREIGN_KEY_CHECKS = 1");
            }
        }
        for (Made one : made()) {
            if (one.kind().equals("SEQUENCE") && !target.isPostgres()) {
                reset.add("ALTER SEQUENCE " + one.name() + " RESTART WITH 1");
            }
        }
        reset.addAll(rows);
        return reset;
    }
}
