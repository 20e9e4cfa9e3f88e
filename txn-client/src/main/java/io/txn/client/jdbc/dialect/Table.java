package io.txn.client.jdbc.dialect;

import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.TableName;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What the catalog says about a table.
 *
 * @param sqlName schema and name in the database's quotes
 * @param lockName the name in lock keys; with its schema only if that is not the data source's own
 * @param columns in the table's order, without generated ones
 * @param shown all that a row shows, in the table's order, generated ones among them; of the generated ones, name and place are what counts
 * @param key the columns by which a row is known, in the key's order: the primary key's, or where there is none those of a unique key without
 *     NULLs; empty when there is neither
 * @param uniqueKeys the columns of every key by which a new row may stand in the way of another one, {@code key} among them; not known of H2,
 *     without keys on expressions, on generated columns, on the beginning of a column and on some rows only
 * @param soleUnique whether it has one unique key in all, on whatever that is; known of MySQL and MariaDB only
 * @param otherUniqueKeys whether there are some that are not among these, PostgreSQL's exclusion constraints included; not known of H2
 * @param referencedBy foreign keys that point here
 * @param triggers in force; each says at what it fires
 * @param refusal why no write to this table can be captured; null when it can
 * @param unseen why this account may not see, or not write back, rows that a foreign key of this table's changes; null when it may
 * @param unvalidated a condition on the columns, all checks together that are in force and that rows may break which were there before; null when there are none
 * @param lacking by the kind of statement, why this account could not take one back, and what mends that
 * @param identities what an image query must say about where it looked; empty when the statement says so itself
 * @param stamps what {@link Stamps} compares; empty where the database has none
 */
public record Table(
        String schema,
        String name,
        String sqlName,
        String lockName,
        List<Column> columns,
        List<Column> shown,
        List<Column> key,
        List<List<Column>> uniqueKeys,
        boolean soleUnique,
        boolean otherUniqueKeys,
        List<ForeignKey> referencedBy,
        List<Trigger> triggers,
        @Nullable String refusal,
        @Nullable String unseen,
        @Nullable String unvalidated,
        Map<Trigger.Event, String> lacking,
        Set<String> identities,
        List<String> stamps) {

    /** Why a table is not written to that has unique keys, and none whose values a statement gives. */
    static final String GENERATED_KEY =
            "it has no key without generated columns, which images leave out: its rows cannot be named";

    /** The end of a refusal: what is written there is not taken back by anything. */
    static final String NO_TRANSACTIONS = " has no transactions";

    public Table {
        columns = List.copyOf(columns);
        shown = List.copyOf(shown);
        key = List.copyOf(key);
        uniqueKeys = uniqueKeys.stream().map(List::copyOf).toList();
        referencedBy = List.copyOf(referencedBy);
        triggers = List.copyOf(triggers);
        stamps = List.copyOf(stamps);
        lacking = Map.copyOf(lacking);
        identities = Set.copyOf(identities);
    }

    /** Why nothing that is written here can be taken back, by the database itself either; null when it can. */
    public @Nullable String withoutTransactions() {
        return refusal != null && refusal.endsWith(NO_TRANSACTIONS) ? refusal : null;
    }

    /** Notes what an account lacks that is to take back statements of this kind: {@code privileges}, of which those that it has are empty. */
    static void lack(Map<Trigger.Event, String> lacking, Trigger.Event event, String grantee, String... privileges) {
        String missing = Arrays.stream(privileges).filter(p -> !p.isEmpty()).collect(Collectors.joining(", "));
        if (!missing.isEmpty()) {
            lacking.put(event, "this account may not take it back: GRANT " + missing + " ON " + grantee);
        }
    }

    /**
     * The column that a statement means. An exact match counts first; otherwise case is ignored, if that leaves one.
     *
     * @return null when there is none, or more than one
     */
    public @Nullable Column column(Identifier written) {
        return find(columns, written);
    }

    /** As {@link #column}, among all that a row shows. */
    public @Nullable Column shown(Identifier written) {
        return find(shown, written);
    }

    private static @Nullable Column find(List<Column> columns, Identifier written) {
        Column found = null;
        for (Column column : columns) {
            if (column.name().equalsIgnoreCase(written.text())) {
                if (found != null) {
                    return written.quoted() ? named(columns, written.text()) : null;
                }
                found = column;
            }
        }
        return found;
    }

    /** The column of exactly this name, or null. */
    public @Nullable Column named(String name) {
        return named(columns, name);
    }

    private static @Nullable Column named(List<Column> columns, String name) {
        for (Column column : columns) {
            if (column.name().equals(name)) {
                return column;
            }
        }
        return null;
    }

    public boolean isKey(Column column) {
        return key.contains(column);
    }

    /**
     * The first trigger that fires.
     *
     * @param set the columns that an UPDATE sets; null for any
     */
    public @Nullable Trigger triggerOn(Trigger.Event event, @Nullable List<Column> set) {
        for (Trigger trigger : triggers) {
            if (trigger.fires(event, set)) {
                return trigger;
            }
        }
        return null;
    }

    /**
     * Whether what a trigger makes of a column concerns this row alone: it is not in the key, no foreign key refers to it, and none to what the database
     * computes of it.
     */
    public boolean concernsItsRowAlone(String column) {
        return key.stream().noneMatch(c -> c.name().equals(column))
                && referencedBy.stream()
                        .flatMap(reference -> reference.parentColumns().stream())
                        .noneMatch(name -> name.equals(column) || named(name) == null);
    }

    /**
     * The columns that triggers set which are understood.
     *
     * @param event at which these fire; null for any
     */
    public Set<String> setByTriggers(Trigger.@Nullable Event event) {
        Set<String> names = new TreeSet<>();
        for (Trigger trigger : triggers) {
            Set<String> sets = trigger.sets();
            if (sets != null && (event == null || trigger.fires(event, null))) {
                names.addAll(sets);
            }
        }
        return names;
    }

    /** Whether settings of the session say how values of it are printed. */
    public boolean printedBySetting() {
        for (Column column : columns) {
            if (column.is(Column.Trait.PRINTED_BY_SETTING)) {
                return true;
            }
        }
        return false;
    }

    /** Its name as a statement would write it, with its schema. */
    public TableName named(Dialect dialect) {
        return new TableName(
                List.of(new Identifier(schema, true), new Identifier(name, true)),
                dialect.quote(schema) + '.' + dialect.quote(name));
    }

    /** Whether all that matters is the same, whatever else of it changed; an account that may do more than before, may. */
    public boolean isStill(Table other) {
        return lacking.keySet().containsAll(other.lacking.keySet())
                && new Table(
                                schema,
                                name,
                                sqlName,
                                lockName,
                                columns,
                                other.shown,
                                key,
                                uniqueKeys,
                                soleUnique,
                                otherUniqueKeys,
                                referencedBy,
                                triggers,
                                refusal,
                                other.unseen == null ? null : unseen,
                                unvalidated,
                                other.lacking,
                                other.identities,
                                other.stamps)
                        .equals(other);
    }

    /**
     * What acts behind writes to the table: triggers, foreign keys that carry changes on, columns that the database maintains; each in words, by a number that is
     * another one when it is another one.
     *
     * @param withColumns whether all columns count, too
     */
    public Map<Integer, String> acting(boolean withColumns) {
        Map<Integer, String> acting = new TreeMap<>();
        for (Trigger trigger : triggers) {
            acting.put(fingerprint(trigger.mark()), trigger.name());
        }
        for (ForeignKey reference : referencedBy) {
            if (reference.followsDelete() || reference.followsUpdate()) {
                acting.put(
                        fingerprint(reference.toString()),
                        "a foreign key of " + reference.child() + ", which carries changes on");
            }
        }
        for (Column column : columns) {
            if (column.is(Column.Trait.MAINTAINED)) {
                acting.put(
                        fingerprint("maintained " + column.name()),
                        "column " + column.name() + ", which the database maintains");
            } else if (withColumns) {
                acting.put(fingerprint("column " + column.name()), "column " + column.name());
            }
        }
        return acting;
    }

    private static int fingerprint(String text) {
        CRC32C sum = new CRC32C();
        sum.update(text.getBytes(StandardCharsets.UTF_8));
        return (int) sum.getValue();
    }

    /** Same columns of the same types, and the same key. */
    public boolean sameShape(Table other) {
        return columns.equals(other.columns) && key.equals(other.key);
    }

    /** By its name only: tables are looked up by it for every statement, and have much to be compared by. */
    @Override
    public int hashCode() {
        return sqlName.hashCode();
    }

    @Override
    public String toString() {
        return schema + '.' + name + key.stream().map(Column::name).collect(Collectors.joining(",", "(", ")"));
    }
}
