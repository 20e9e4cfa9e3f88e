package io.txn.client.jdbc.dialect;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A foreign key that points to a table.
 *
 * @param child the pointing table, qualified and quoted
 * @param ofItself whether the pointing table is the table itself
 * @param childColumns quoted
 * @param parentColumns plain names, in the same order
 * @param followsDelete whether deleting a parent row changes child rows
 * @param followsUpdate whether changing a parent's columns changes child rows
 */
public record ForeignKey(
        String child,
        boolean ofItself,
        List<String> childColumns,
        List<String> parentColumns,
        boolean followsDelete,
        boolean followsUpdate) {

    public ForeignKey {
        childColumns = List.copyOf(childColumns);
        parentColumns = List.copyOf(parentColumns);
    }

    /** One column of a foreign key, as a catalog lists them. */
    record Part(
            String constraint,
            String child,
            boolean ofItself,
            String childColumn,
            String parentColumn,
            boolean followsDelete,
            boolean followsUpdate) {}

    /** The keys, from their columns. */
    static List<ForeignKey> of(List<Part> parts) {
        Map<String, List<Part>> constraints = new LinkedHashMap<>();
        for (Part part : parts) {
            constraints
                    .computeIfAbsent(part.constraint(), k -> new ArrayList<>())
                    .add(part);
        }
        List<ForeignKey> keys = new ArrayList<>();
        for (List<Part> columns : constraints.values()) {
            Part first = columns.get(0);
            keys.add(new ForeignKey(
                    first.child(),
                    first.ofItself(),
                    columns.stream().map(Part::childColumn).toList(),
                    columns.stream().map(Part::parentColumn).toList(),
                    first.followsDelete(),
                    first.followsUpdate()));
        }
        return keys;
    }
}
