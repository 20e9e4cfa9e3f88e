package io.txn.client.jdbc.dialect;

import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.TableName;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A foreign key that points to a table.
 *
 * @param childSchema the schema of the pointing table
 * @param childTable the pointing table
 * @param child the pointing table, qualified and quoted
 * @param ofItself whether the pointing table is the table itself
 * @param childColumns plain names
 * @param parentColumns plain names, in the same order
 * @param onDelete what happens to child rows when a parent row is deleted
 * @param onUpdate what happens to child rows when a parent's columns change
 */
public record ForeignKey(
        String childSchema,
        String childTable,
        String child,
        boolean ofItself,
        List<String> childColumns,
        List<String> parentColumns,
        Action onDelete,
        Action onUpdate) {

    /** What a foreign key does by itself. */
    public enum Action {
        /** Nothing: it forbids. */
        NONE,
        /** Child rows go or change with the parent's. */
        CASCADE,
        /** Child rows lose their reference: it becomes NULL or the columns' default. */
        SET;

        static Action ofRule(@Nullable String rule) {
            if ("NO ACTION".equals(rule) || "RESTRICT".equals(rule)) {
                return NONE;
            }
            return "CASCADE".equals(rule) ? CASCADE : SET;
        }
    }

    public ForeignKey {
        childColumns = List.copyOf(childColumns);
        parentColumns = List.copyOf(parentColumns);
    }

    /** Whether deleting a parent row changes child rows. */
    public boolean followsDelete() {
        return onDelete != Action.NONE;
    }

    /** Whether changing a parent's columns changes child rows. */
    public boolean followsUpdate() {
        return onUpdate != Action.NONE;
    }

    /** The pointing table as a statement would name it. */
    public TableName childName() {
        return new TableName(List.of(new Identifier(childSchema, true), new Identifier(childTable, true)), child);
    }

    /** One column of a foreign key, as a catalog lists them. */
    record Part(
            String constraint,
            String childSchema,
            String childTable,
            String child,
            boolean ofItself,
            String childColumn,
            String parentColumn,
            Action onDelete,
            Action onUpdate) {}

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
                    first.childSchema(),
                    first.childTable(),
                    first.child(),
                    first.ofItself(),
                    columns.stream().map(Part::childColumn).toList(),
                    columns.stream().map(Part::parentColumn).toList(),
                    first.onDelete(),
                    first.onUpdate()));
        }
        return keys;
    }
}
