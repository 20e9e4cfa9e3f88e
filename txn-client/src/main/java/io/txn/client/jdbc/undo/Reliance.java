package io.txn.client.jdbc.undo;

import io.txn.client.jdbc.dialect.Table;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What was known to act behind writes to a table when its rows were captured. What is found there at the undo besides may have acted unseen. Immutable.
 *
 * @param whole whether the columns count too, because rows are to be restored in all of them
 * @param known fingerprints, see {@link Table#acting}
 */
public record Reliance(String schema, String table, boolean whole, Set<Integer> known) {

    public Reliance {
        known = Set.copyOf(known);
    }

    /** Those of tables; of one that was read twice, only what was known both times. */
    public static List<Reliance> of(Collection<Table> tables, Collection<Table> whole) {
        Map<String, Reliance> found = new LinkedHashMap<>();
        for (Table table : tables) {
            boolean inAll = whole.contains(table);
            Reliance one = new Reliance(
                    table.schema(), table.name(), inAll, table.acting(inAll).keySet());
            found.merge(table.sqlName(), one, Reliance::and);
        }
        return List.copyOf(found.values());
    }

    private Reliance and(Reliance other) {
        Set<Integer> both = new TreeSet<>(known);
        both.retainAll(other.known);
        return new Reliance(schema, table, whole || other.whole, both);
    }

    /** What acts behind the table now and was not known then, in words; empty when nothing does. */
    List<String> unknownIn(Table now) {
        return now.acting(whole).entrySet().stream()
                .filter(entry -> !known.contains(entry.getKey()))
                .map(Map.Entry::getValue)
                .toList();
    }
}
