package io.txn.client.jdbc.dialect;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A trigger of a table, or a rule that rewrites statements, in force. Two are equal when they are the same in all but how their conditions are printed and what follows for one account:
 * printed text depends on the search path, and rights come and go.
 *
 * @param name what it is and what it is called
 * @param events at which it fires
 * @param columns that an UPDATE has to set for it to fire; empty when any UPDATE does
 * @param ofNewRow its text, where it runs before each row is written and can see and set that row; empty where it is none of these, or hidden
 * @param condition on which it fires, as the database prints it to this session; empty for none
 * @param conditionMark the condition as the database stores it, the same for each session; empty where that is nowhere to be seen, or there is none
 * @param sets the columns of the new row that it sets, where its text is known to do nothing else and this account may set all columns; null where it may do more, or is not understood
 */
public record Trigger(
        String name,
        Set<Event> events,
        Set<String> columns,
        String ofNewRow,
        String condition,
        String conditionMark,
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

    /** A text for it that is another one when it is another trigger. */
    String mark() {
        return name + List.of(new TreeSet<>(events), new TreeSet<>(columns)) + ofNewRow + conditionMark;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Trigger trigger && mark().equals(trigger.mark());
    }

    @Override
    public int hashCode() {
        return name.hashCode();
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
