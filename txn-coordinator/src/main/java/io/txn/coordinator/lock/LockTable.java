package io.txn.coordinator.lock;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Who holds which row. A row is held by one global transaction, on behalf of its first unfinished branch that named it; further branches of the same
 * transaction find it free. Rows are given and looked up under one name; {@link LockNames} says under which ones. Not thread-safe: it belongs to the engine's thread.
 *
 * <p>Memory: a lock costs one map entry and the text of its key; the {@link Holder} is shared by all rows of a branch, resource and table
 * names by all their rows. A table without locks costs nothing.
 */
public final class LockTable {

    private final Map<String, Map<String, Map<String, Holder>>> resources = new HashMap<>();
    private long size;

    /** The first of these rows that a transaction other than {@code transaction} holds, or null when all are free or ours. */
    public @Nullable LockConflict conflict(long transaction, String resource, LockKeys keys) {
        return conflict(transaction, resource, keys, holder -> false);
    }

    /** The same, but a row whose holder is {@code worse} comes before the first one. */
    public @Nullable LockConflict conflict(long transaction, String resource, LockKeys keys, Predicate<Holder> worse) {
        Map<String, Map<String, Holder>> tables = resources.get(resource);
        if (tables == null) {
            return null;
        }
        LockConflict first = null;
        String table = "";
        Map<String, Holder> rows = null;
        for (LockKeys.Row row : keys.rows()) {
            if (!row.table().equals(table)) {
                table = row.table();
                rows = tables.get(table);
            }
            Holder holder = rows == null ? null : rows.get(row.key());
            if (holder != null && holder.transaction() != transaction) {
                LockConflict conflict = new LockConflict(row, holder);
                if (worse.test(holder)) {
                    return conflict;
                }
                first = first == null ? conflict : first;
            }
        }
        return first;
    }

    /**
     * Takes every row that is free; the others must be the same transaction's (see {@link #conflict}). Under the name of a database rows may be somebody else's: whoever
     * gave them out did not know that name.
     */
    public void grant(Holder holder, String resource, LockKeys keys) {
        Map<String, Map<String, Holder>> tables = resources.computeIfAbsent(resource, r -> new HashMap<>());
        int counted = LockNames.isDatabase(resource) ? 0 : 1;
        String table = "";
        Map<String, Holder> rows = Map.of();
        for (LockKeys.Row row : keys.rows()) {
            if (!row.table().equals(table)) {
                table = row.table();
                rows = tables.computeIfAbsent(table, t -> new HashMap<>());
            }
            Holder before = rows.putIfAbsent(row.key(), holder);
            if (before == null) {
                size += counted;
            } else if (before.transaction() != holder.transaction() && !LockNames.isDatabase(resource)) {
                throw new IllegalStateException(
                        "row " + row + " of " + resource + " is held by " + before + ", wanted by " + holder);
            }
        }
    }

    /** Frees those of the rows that {@code holder} holds. */
    public void release(Holder holder, String resource, LockKeys keys) {
        Map<String, Map<String, Holder>> tables = resources.get(resource);
        if (tables == null) {
            return;
        }
        int counted = LockNames.isDatabase(resource) ? 0 : 1;
        String table = "";
        Map<String, Holder> rows = null;
        for (LockKeys.Row row : keys.rows()) {
            if (!row.table().equals(table)) {
                table = row.table();
                rows = tables.get(table);
            }
            if (rows == null || !rows.remove(row.key(), holder)) {
                continue;
            }
            size -= counted;
            if (rows.isEmpty()) {
                tables.remove(table);
            }
        }
        if (tables.isEmpty()) {
            resources.remove(resource);
        }
    }

    /** Passes the rows of {@code keys} that {@code from} holds to {@code to}, a later branch of the same transaction. */
    public void handOver(Holder from, Holder to, String resource, LockKeys keys) {
        Map<String, Map<String, Holder>> tables = resources.getOrDefault(resource, Map.of());
        for (LockKeys.Row row : keys.rows()) {
            Map<String, Holder> rows = tables.get(row.table());
            if (rows != null) {
                rows.replace(row.key(), from, to);
            }
        }
    }

    /** Who holds the row, or null. */
    public @Nullable Holder holder(String resource, LockKeys.Row row) {
        Map<String, Map<String, Holder>> tables = resources.get(resource);
        Map<String, Holder> rows = tables == null ? null : tables.get(row.table());
        return rows == null ? null : rows.get(row.key());
    }

    /** How many rows are held, each counted once. */
    public long size() {
        return size;
    }

    /** Equal when the same rows have the same holders. */
    @Override
    public boolean equals(Object other) {
        return other instanceof LockTable that && that.resources.equals(resources);
    }

    @Override
    public int hashCode() {
        return resources.hashCode();
    }

    @Override
    public String toString() {
        return resources.toString();
    }
}
