package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Trigger;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Plan;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A table that an UPDATE or DELETE writes, under every name that the statement has for it, and the rows that were read of it before. For one
 * statement execution.
 */
final class Target {

    private final Table table;
    private final TableImages images;
    private final Set<String> leftToTriggers;
    private final List<Plan.Source> sources = new ArrayList<>();
    private final List<Column> assigned = new ArrayList<>();
    private final Map<List<Value>, List<Value>> before = new LinkedHashMap<>();
    /** Known when the first one asks: which columns are set is settled by then. */
    private @Nullable List<Column> changing;

    Target(WriteRun run, Table table) {
        this.table = table;
        this.images = new TableImages(run, table);
        this.leftToTriggers = run.options().leftToTriggers(table, Trigger.Event.UPDATE);
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
        for (Column column : table.key()) {
            if (assigned.contains(column) || !assigned.isEmpty() && column.is(Column.Trait.MAINTAINED)) {
                return true;
            }
        }
        return false;
    }

    /**
     * The columns of an UPDATE's images: what it sets, by what other rows follow it, and what the database maintains, by itself or by triggers, next to the
     * key.
     */
    List<Column> changing() {
        List<Column> known = changing;
        if (known == null) {
            List<Column> followed = Followers.neededColumns(table, assigned);
            List<Column> found = new ArrayList<>();
            for (Column column : table.columns()) {
                if (table.isKey(column)
                        || column.is(Column.Trait.MAINTAINED)
                        || leftToTriggers.contains(column.name())
                        || assigned.contains(column)
                        || followed.contains(column)) {
                    found.add(column);
                }
            }
            known = List.copyOf(found);
            changing = known;
        }
        return known;
    }

    /** The rows that were read, by their key. */
    Map<List<Value>, List<Value>> before() {
        return before;
    }

    List<List<Value>> keys() {
        return List.copyOf(before.keySet());
    }
}
