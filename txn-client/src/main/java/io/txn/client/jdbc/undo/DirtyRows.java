package io.txn.client.jdbc.undo;

import io.txn.client.jdbc.dialect.Value;
import io.txn.protocol.extension.UndoDecision;
import io.txn.protocol.extension.UndoReport;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The rows that are in the way of one undo, gathered change by change, the last one first. What once is in the way is not touched by earlier changes either: they
 * only add what it was before them. With a decision, what it names is done to these rows instead. For one thread.
 */
final class DirtyRows {

    private record Place(String table, List<Value> key) {}

    private record Name(String table, String key) {}

    /** In the order in which they were met. */
    private final List<DirtyRow> found = new ArrayList<>();

    /** By where they are as the undo goes back: a row whose key changed has had another one earlier. */
    private final Map<Place, DirtyRow> tracked = new HashMap<>();

    private final Map<Name, UndoDecision.Row> decided = new HashMap<>();
    private final List<DirtyRow> known;
    private final @Nullable String knownId;

    /** No decision: everything that is in the way is only gathered. */
    DirtyRows() {
        known = List.of();
        knownId = null;
    }

    /**
     * Those that were gathered before, with what was decided about them.
     *
     * @param decision for the report of {@code gathered}
     */
    DirtyRows(DirtyRows gathered, UndoDecision decision) {
        known = gathered.inTheWay();
        knownId = gathered.id();
        decision.rows().forEach(row -> decided.put(new Name(row.table(), row.key()), row));
        List<String> names = names(known);
        for (int i = 0; i < known.size(); i++) {
            DirtyRow row = known.get(i);
            UndoDecision.Row verdict = decided.remove(new Name(row.table(), names.get(i)));
            if (verdict == null && decision.rest() != null) {
                verdict = new UndoDecision.Row(row.table(), names.get(i), decision.rest(), Map.of());
            }
            if (verdict != null) {
                row.decide(verdict);
            }
        }
        if (known.stream().anyMatch(row -> !row.isDecided())) {
            found.addAll(known.stream().filter(row -> !row.isDecided()).toList());
        }
    }

    /** The undo comes to this change: rows that were met here before are followed from here on. */
    void enter(int change) {
        for (DirtyRow row : known) {
            if (row.change() == change) {
                tracked.put(new Place(row.table(), row.key()), row);
            }
        }
    }

    /** The undo leaves this change: rows whose key it changed had another one before. */
    void leave(TableChange change, List<RowChange> rows) {
        Map<Place, DirtyRow> moved = new HashMap<>();
        for (RowChange row : rows) {
            if (change.changesKey(row)) {
                DirtyRow dirty = tracked.remove(new Place(change.lockName(), change.keyOf(row.existing())));
                if (dirty != null) {
                    moved.put(new Place(change.lockName(), change.keyOf(row.original())), dirty);
                }
            }
        }
        tracked.putAll(moved);
    }

    @Nullable
    DirtyRow at(TableChange change, RowChange row) {
        return tracked.get(new Place(change.lockName(), change.keyOf(row.existing())));
    }

    /** A row is in the way. */
    void add(
            TableChange of,
            int change,
            RowChange row,
            @Nullable List<Value> now,
            UndoReport.Cause cause,
            @Nullable String detail) {
        DirtyRow dirty = at(of, row);
        if (dirty == null) {
            dirty = new DirtyRow(of, change, row, now, cause, detail);
            tracked.put(new Place(of.lockName(), of.keyOf(row.existing())), dirty);
            found.add(dirty);
        } else {
            dirty.blocked(cause, detail);
            if (!found.contains(dirty)) {
                found.add(dirty);
            }
        }
    }

    /** A row that was not in the way by itself, but hinders or is hindered by what is decided about others: it may be decided too. */
    @Nullable
    DirtyRow decidedBeside(TableChange of, int change, RowChange row, @Nullable List<Value> now) {
        if (decided.isEmpty()) {
            return null;
        }
        UndoDecision.Row verdict = decided.get(new Name(of.lockName(), LockKeys.row(of.keyOf(row.existing()))));
        if (verdict == null) {
            return null;
        }
        DirtyRow dirty = new DirtyRow(of, change, row, now, UndoReport.Cause.CONSTRAINT, null);
        dirty.decide(verdict);
        if (dirty.isKept()) {
            tracked.put(new Place(of.lockName(), of.keyOf(row.existing())), dirty);
            return dirty;
        }
        return null;
    }

    /** Whether the undo leaves the row that has this key now as it is: it is in the way, or was decided to be kept. */
    boolean stays(String table, List<Value> key) {
        DirtyRow row = tracked.get(new Place(table, key));
        return row != null && (row.isKept() || !row.isDecided())
                || known.stream()
                        .anyMatch(k ->
                                k.isKept() && k.table().equals(table) && k.key().equals(key));
    }

    private List<DirtyRow> inTheWay() {
        return found.stream().filter(row -> !row.isAsBefore()).toList();
    }

    boolean isEmpty() {
        return found.isEmpty();
    }

    /** @throws CannotUndoException when something is in the way */
    void refuse() throws CannotUndoException {
        List<DirtyRow> rows = inTheWay();
        if (!rows.isEmpty()) {
            throw CannotUndoException.dirty(rows, report());
        }
    }

    private static List<String> names(List<DirtyRow> rows) {
        Map<Name, Integer> counts = new HashMap<>();
        List<String> names = new ArrayList<>();
        for (DirtyRow row : rows) {
            String text = LockKeys.row(row.key());
            int count = counts.merge(new Name(row.table(), text), 1, Integer::sum);
            names.add(count == 1 ? text : text + "#" + count);
        }
        return names;
    }

    private String id() {
        String given = knownId;
        if (given != null) {
            return given;
        }
        List<DirtyRow> rows = inTheWay();
        List<String> names = names(rows);
        MessageDigest digest = DirtyRow.sha256();
        for (int i = 0; i < rows.size(); i++) {
            rows.get(i).digest(digest, names.get(i));
        }
        return HexFormat.of().formatHex(digest.digest(), 0, 8);
    }

    /** All rows in the way; after a decision that could not be carried out, those it was about, and what it met. Those that cannot be set back come first. */
    private UndoReport report() {
        List<DirtyRow> all = new ArrayList<>(known);
        inTheWay().stream().filter(row -> !known.contains(row)).forEach(all::add);
        List<String> names = names(all);
        List<UndoReport.Row> shown = new ArrayList<>();
        for (int i = 0; i < all.size(); i++) {
            if (shown.size() < UndoReport.MOST_ROWS || !all.get(i).restorable()) {
                shown.add(all.get(i).shown(names.get(i)));
            }
        }
        shown.sort(Comparator.comparing(UndoReport.Row::restorable));
        List<UndoReport.Row> first = shown.subList(0, Math.min(UndoReport.MOST_ROWS, shown.size()));
        return new UndoReport(id(), first, all.size() - first.size());
    }
}
