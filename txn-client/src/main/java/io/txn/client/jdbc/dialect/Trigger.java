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
 * @param ofNewRow its text, where it runs before each row is written and can see and set that row; empty where it is none of these, or hidden
 * @param condition on which it fires, as the database prints it; empty for none
 * @param sets the columns of the new row that it sets, where its text is known to do nothing else; null where it may do more, or is not understood
 */
public record Trigger(
        String name,
        Set<Event> events,
        Set<String> columns,
        String ofNewRow,
        String condition,
        @Nullable Set<String> sets) {

    /** What is done to a row. */
    public enum Event {
        INSERT,
        UPDATE,
        DELETE
    }

    public Trigger {
        events = Set.copyOf(events);
        columns = Set.copyOf(columns);
        sets = sets == null ? null : Set.copyOf(sets);
    }

    /** Whether all that it does is to set some of these columns of the row that is written; at DELETE there is none. */
    public boolean setsOnly(Set<String> some) {
        return sets != null && some.containsAll(sets) && !events.contains(Event.DELETE);
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
