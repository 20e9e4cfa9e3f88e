package io.txn.client.jdbc.dialect;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A trigger of a table, or a rule that rewrites statements, in force.
 *
 * @param name what it is and what it is called
 * @param events at which it fires
 * @param columns that an UPDATE has to set for it to fire; empty when any UPDATE does
 * @param ofNewRow its text, where it runs before each row of an INSERT and can see and set that row; empty where it is none of these, or hidden
 */
public record Trigger(String name, Set<Event> events, Set<String> columns, String ofNewRow) {

    /** What is done to a row. */
    public enum Event {
        INSERT,
        UPDATE,
        DELETE
    }

    public Trigger {
        events = Set.copyOf(events);
        columns = Set.copyOf(columns);
    }

    /**
     * Whether it fires.
     *
     * @param set the columns that an UPDATE sets; null for any
     */
    public boolean fires(Event event, @Nullable List<Column> set) {
        return events.contains(event)
                && (event != Event.UPDATE
                        || columns.isEmpty()
                        || set == null
                        || set.stream().anyMatch(c -> columns.contains(c.name())));
    }
}
