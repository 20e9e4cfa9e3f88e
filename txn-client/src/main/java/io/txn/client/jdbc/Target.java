package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Plan;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A table that an UPDATE or DELETE writes, under every name that the statement has for it, and the rows that were read of it before. For one
 * statement execution.
 */
final class Target {

    private final Table table;
    private final TableImages images;
    private final List<Plan.Source> sources = new ArrayList<>();
    private final List<Column> assigned = new ArrayList<>();
    private final Map<List<Value>, List<Value>> before = new LinkedHashMap<>();

    Target(WriteRun run, Table table) {
        this.table = table;
        this.images = new TableImages(run, table);
    }

    /** The targets that are these sources, each table once. */
    static Map<Plan.Source, Target> of(Collection<Plan.Source> sources, WriteRun run) throws SQLException {
        Map<String, Target> byTable = new LinkedHashMap<>();
        Map<Plan.Source, Target> targets = new LinkedHashMap<>();
        for (Plan.Source source : sources) {
            Table table = run.writable(source.table());
            Target target = byTable.computeIfAbsent(table.sqlName(), name -> new Target(run, table));
            target.sources.add(source);
            targets.put(source, target);
        }
        return targets;
    }

    Table table() {
        return table;
    }

    TableImages images() {
        return images;
    }

    List<Plan.Source> sources() {
        return sources;
    }

    /** The columns that an UPDATE sets. */
    List<Column> assigned() {
        return assigned;
    }

    /** Whether it may: a key may hold the time of the last UPDATE. */
    boolean changesKey() {
        return assigned.stream().anyMatch(table::isKey)
                || !assigned.isEmpty() && table.key().stream().anyMatch(c -> c.is(Column.Trait.MAINTAINED));
    }

    /** The columns of an UPDATE's images: what it sets, by what other rows follow it, and what the database maintains, next to the key. */
    List<Column> changing() {
        List<Column> followed = Followers.neededColumns(table, assigned);
        return table.columns().stream()
                .filter(c ->
                        table.isKey(c) || c.is(Column.Trait.MAINTAINED) || assigned.contains(c) || followed.contains(c))
                .toList();
    }

    /** The rows that were read, by their key. */
    Map<List<Value>, List<Value>> before() {
        return before;
    }

    List<List<Value>> keys() {
        return List.copyOf(before.keySet());
    }
}
