package io.txn.client.jdbc.undo;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.ForeignKey;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.protocol.extension.UndoReport;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Undoes one change: each row is compared with what the transaction left and what it found, before any is written. For one thread. */
final class ChangeUndo {

    private final ChangedTable of;
    private final List<TableChange> changes;
    private final int place;
    private final DirtyRows dirty;
    private final Map<Row, Set<String>> setBackByOthers;
    private final Map<Row, Map<String, Boolean>> writtenByOthers;
    private final Hindrances hindrances;
    private final RowWriter writer;
    /** Rows on which hangs what only earlier changes made hang on them, or in whose way may be what waits. */
    private final List<RowChange> waiting = new ArrayList<>();

    /** Keys of rows that were written, or are in the way. */
    private final Set<List<Value>> left = new HashSet<>();

    private boolean applied;
    private boolean last;
    private int until = Hindrances.WITH_OTHERS;
    private Supplier<Map<String, Set<List<Value>>>> going = Map::of;

    /** A row of a table, by its name in lock keys. */
    record Row(String table, List<Value> key) {}

    /** Says why a row is not to be written, or null. */
    private interface Check {
        @Nullable
        String hindrance(RowChange row) throws SQLException, CannotUndoException;
    }

    /**
     * Looks at the table as it is now.
     *
     * @param changes of the record, of which this is the one at {@code place}
     * @param setBackByOthers by row, the columns that were found to be as before a later change: somebody else had set them back
     * @param writtenByOthers by row, of each column that is left to triggers whether somebody else had written it after a later change; if not, what it is now is what the undo of
     *     that change left
     * @param writtenFirst by table and key, the first change that wrote the row, of the tables that were asked for
     */
    ChangeUndo(
            Connection connection,
            Dialect dialect,
            List<TableChange> changes,
            int place,
            DirtyRows dirty,
            LargeValues large,
            Map<Row, Set<String>> setBackByOthers,
            Map<Row, Map<String, Boolean>> writtenByOthers,
            Map<String, Map<List<Value>, Integer>> writtenFirst)
            throws SQLException, CannotUndoException {
        this.of = new ChangedTable(connection, dialect, changes.get(place));
        this.changes = changes;
        this.place = place;
        this.dirty = dirty;
        this.setBackByOthers = setBackByOthers;
        this.writtenByOthers = writtenByOthers;
        this.hindrances = new Hindrances(of, changes, place, dirty, writtenFirst);
        this.writer = new RowWriter(of, place, dirty, large, this::waitBeside);
    }

    /** Locks the rows. */
    void lock() throws SQLException {
        of.currentRows();
    }

    /** Whether rows of it are still to be written, or all. */
    boolean waits() {
        return !applied || !waiting.isEmpty();
    }

    /** Whether this one concerns a row which that one has not written yet. */
    boolean waitsFor(ChangeUndo later) {
        if (!later.waits() || !later.of.change().lockName().equals(of.change().lockName())) {
            return false;
        }
        Set<List<Value>> keys = new HashSet<>();
        for (RowChange row : later.applied ? later.waiting : later.of.change().rows()) {
            keys.add(later.of.change().keyOf(row.existing()));
            keys.add(later.of.change().keyOf(row.original()));
        }
        return of.change().keys().stream().anyMatch(keys::contains);
    }

    /** The place of the first change that has to be undone before all rows can be written, if they do not wait for others that wait. */
    int until() {
        return until;
    }

    /** Whether it waits for what waits itself. */
    boolean waitsForOthers() {
        return until == Hindrances.WITH_OTHERS;
    }

    /**
     * Once more, after an earlier change was undone.
     *
     * @param left what is still to be undone
     * @param going rows that wait, by their tables
     * @return whether fewer rows wait now
     */
    boolean again(List<TableChange> left, Map<String, Set<List<Value>>> going)
            throws SQLException, CannotUndoException {
        waitBeside(() -> going);
        hindrances.left(left, applied);
        if (!applied) {
            apply();
            return true;
        }
        List<RowChange> todo = new ArrayList<>(waiting);
        int before = waiting.size();
        waiting.clear();
        until = Hindrances.WITH_OTHERS;
        if (of.change().kind() == TableChange.Kind.INSERT && !todo.isEmpty()) {
            Map<List<Value>, List<Value>> current = of.currentRows();
            todo.removeIf(row -> !current.containsKey(of.change().keyOf(row.existing()))); // went with one before
        }
        write(todo);
        leave();
        return waiting.size() < before;
    }

    /** Says which rows of other changes wait, by their tables. */
    void waitBeside(Supplier<Map<String, Set<List<Value>>>> others) {
        going = others;
    }

    /** A constraint objects to these rows: what waits may be in their way, and then they wait, too. */
    private boolean waitBeside(List<RowChange> rows) {
        boolean overwritten =
                of.change().kind() == TableChange.Kind.DELETE && rows.stream().anyMatch(row -> row.after() != null);
        if (last || overwritten || going.get().isEmpty()) {
            return false;
        }
        waiting.addAll(rows);
        return true;
    }

    /**
     * The rows that wait, put to those of other changes.
     *
     * @param deleted only those that wait to be deleted
     */
    void gather(Map<String, Set<List<Value>>> going, boolean deleted) {
        for (RowChange row : applied ? waiting : of.change().rows()) {
            if (deleted ? applied && row.before() == null : row.after() != null) {
                going.computeIfAbsent(of.change().lockName(), t -> new HashSet<>())
                        .add(of.change().keyOf(row.existing()));
            }
        }
    }

    /**
     * Takes out rows on which something else hangs than what is to be deleted with them.
     *
     * @return whether there were such
     */
    boolean narrow(Map<String, Set<List<Value>>> deleted) throws SQLException {
        hindrances.left(List.of(), true);
        boolean narrowed = false;
        Set<List<Value>> here = deleted.getOrDefault(of.change().lockName(), Set.of());
        for (RowChange row : waiting) {
            List<Value> key = of.change().keyOf(row.existing());
            if (row.before() == null && here.contains(key) && hindrances.until(row, deleted) == Hindrances.NEVER) {
                narrowed |= here.remove(key);
            }
        }
        return narrowed;
    }

    /**
     * Deletes rows that hold nothing but each other.
     *
     * @param together their keys, by their tables
     */
    void delete(Map<String, Set<List<Value>>> together) throws SQLException {
        last = true;
        Set<List<Value>> here = together.getOrDefault(of.change().lockName(), Set.of());
        for (RowChange row : List.copyOf(waiting)) {
            List<Value> key = of.change().keyOf(row.existing());
            if (row.before() == null && here.contains(key)) {
                if (of.currentRow(key) != null) { // else it went with one before
                    writer.delete(List.of(row));
                }
                waiting.remove(row);
            }
        }
        leave();
    }

    /** Nothing is left to wait for: what rows wait for is in the way. */
    void atLast() throws SQLException, CannotUndoException {
        if (waits()) {
            again(List.of(), Map.of());
        }
        for (RowChange row : waiting) {
            String reason = "rows that refer to it would go or change with it";
            dirty.add(of.change(), place, row, row.after(), UndoReport.Cause.REFERENCED, reason);
        }
        waiting.clear();
        leave();
    }

    void apply() throws SQLException, CannotUndoException {
        applied = true;
        dirty.enter(place);
        Map<List<Value>, List<Value>> current = of.currentRows();
        List<RowChange> todo = new ArrayList<>();
        List<RowChange> overwritten = new ArrayList<>();
        Map<Row, Map<String, Boolean>> written = new HashMap<>();
        for (int i = of.change().rows().size() - 1; i >= 0; i--) {
            RowChange row = of.change().rows().get(i);
            List<Value> now = now(row, current);
            Set<String> setBack = setBackByOthers.getOrDefault(row(row.existing()), Set.of());
            DirtyRow known = dirty.at(of.change(), row);
            if (known == null) {
                known = dirty.decidedBeside(of.change(), place, row, now);
            }
            // A value in between, left by an earlier statement of ours, is not ours any more once somebody wrote
            // it.
            if (known != null) {
                decided(known, row, now, todo, overwritten);
            } else if ((of.equal(now, row.after()) || of.change().following() && isSetBackInPart(row, now))
                    && Collections.disjoint(setBack, changedColumns(row))) {
                Map<String, Boolean> byOthers =
                        of.writtenByOthers(row, now, writtenByOthers.getOrDefault(row(row.existing()), Map.of()));
                if (!byOthers.isEmpty()) {
                    written.put(row(row.original()), byOthers);
                }
                todo.add(of.leavingToOthers(foundAt(row, now), now, byOthers));
            } else if (isAsBefore(row, now, current)) {
                // What follows was set back with what it follows, which the database may have noted in the row.
                if (of.change().following() && isNoted(row, now)) {
                    todo.add(foundAt(row, now));
                } else if (!of.change().following()) {
                    setBackByOthers
                            .computeIfAbsent(row(row.original()), r -> new HashSet<>())
                            .addAll(changedColumns(row));
                }
            } else {
                UndoReport.Cause cause = now == null
                        ? UndoReport.Cause.GONE
                        : row.after() == null ? UndoReport.Cause.THERE : UndoReport.Cause.CHANGED;
                dirty.add(of.change(), place, row, now, cause, null);
            }
        }
        // Keys may change places: the rows go by their old ones from here on.
        if (!writtenByOthers.isEmpty()) {
            of.change().rows().forEach(row -> writtenByOthers.remove(row(row.existing())));
        }
        writtenByOthers.putAll(written);
        switch (of.change().kind()) {
            case INSERT, UPDATE -> write(todo);
            case DELETE -> {
                writer.update(unhindered(overwritten, hindrances::toUpdate));
                write(todo);
            }
        }
        leave();
    }

    private void leave() {
        Set<List<Value>> here = new HashSet<>();
        waiting.forEach(row -> here.add(of.change().keyOf(row.existing())));
        dirty.leave(
                of.change(),
                of.change().rows().stream()
                        .filter(row -> !here.contains(of.change().keyOf(row.existing()))
                                && left.add(of.change().keyOf(row.existing())))
                        .toList());
    }

    private void write(List<RowChange> rows) throws SQLException, CannotUndoException {
        List<RowChange> written = new ArrayList<>(rows);
        switch (of.change().kind()) {
            case INSERT -> {
                writer.delete(unhindered(rows, hindrances::toDelete));
                return;
            }
            case UPDATE -> {
                written = unhindered(rows, hindrances::toUpdate);
                writer.update(written);
            }
            case DELETE -> writer.insert(rows);
        }
        written.removeAll(waiting);
        requireAsBefore(written);
    }

    /** A trigger had its hands on what was written: that it left alone what is not its own was known of the text that it had when the undo began. */
    private void requireAsBefore(List<RowChange> written) throws SQLException {
        if (of.table().triggers().isEmpty() || written.isEmpty() || !dirty.isEmpty()) {
            return;
        }
        Map<List<Value>, List<Value>> now = of.currentRows();
        for (RowChange row : written) {
            if (!of.equal(now.get(of.change().keyOf(row.original())), row.before())) {
                String reason = "a trigger of the table did not leave its values as they were before";
                dirty.add(of.change(), place, row, row.after(), UndoReport.Cause.CONSTRAINT, reason);
            }
        }
    }

    /** A row that is in the way, or was: without a decision it is left alone, with one it becomes what that says. */
    private void decided(
            DirtyRow known,
            RowChange row,
            @Nullable List<Value> now,
            List<RowChange> todo,
            List<RowChange> overwritten) {
        if (!known.isDecided()) {
            known.before(of.change(), row, now);
            return;
        }
        List<Value> before = row.before();
        if (known.isKept() || (before == null && now == null)) {
            return;
        }
        if (before == null) {
            todo.add(new RowChange(null, now));
            return;
        }
        List<Value> target = known.decided(of.change(), before, now);
        if (of.change().kind() == TableChange.Kind.DELETE) {
            (now == null ? todo : overwritten).add(new RowChange(target, now));
        } else if (now != null) {
            todo.add(new RowChange(target, now));
        } else {
            dirty.add(of.change(), place, row, null, UndoReport.Cause.GONE, null);
        }
    }

    /** Rows that nothing hangs on; what of the rest does not wait is in the way. */
    private List<RowChange> unhindered(List<RowChange> rows, Check check) throws SQLException, CannotUndoException {
        List<RowChange> free = new ArrayList<>(rows.size());
        for (RowChange row : rows) {
            String hindered = check.hindrance(row);
            int possible = hindered == null || of.change().kind() == TableChange.Kind.DELETE
                    ? Hindrances.NEVER
                    : hindrances.until(row, going.get());
            if (hindered == null) {
                free.add(row);
            } else if (possible != Hindrances.NEVER) {
                waiting.add(row);
                until = Math.min(until, possible);
            } else {
                dirty.add(of.change(), place, row, row.after(), UndoReport.Cause.REFERENCED, hindered);
            }
        }
        boolean together = of.change().kind() == TableChange.Kind.INSERT
                && of.table().referencedBy().stream().anyMatch(key -> key.ofItself() && key.followsDelete());
        if (together && !waiting.isEmpty()) {
            waiting.addAll(free); // they might take along those that wait
            return List.of();
        }
        return free;
    }

    /**
     * Whether what the row followed was set back, and took some of its columns along; with a column that is as it was nothing is lost, nor with one that is now spelt as
     * what it follows.
     */
    private boolean isSetBackInPart(RowChange row, @Nullable List<Value> now) throws SQLException, CannotUndoException {
        List<Value> before = row.before();
        List<Value> after = row.after();
        if (now == null || before == null || after == null || of.same(now, after) || of.same(now, before)) {
            return false;
        }
        List<Integer> unknown = new ArrayList<>();
        for (int i = 0; i < of.columns().size(); i++) {
            boolean known = now.get(i).equals(before.get(i)) || now.get(i).equals(after.get(i));
            if (!known && !of.change().columns().get(i).maintained()) {
                unknown.add(i);
            }
        }
        return unknown.isEmpty()
                || followsBy()
                                .containsAll(unknown.stream()
                                        .map(i -> of.columns().get(i).name())
                                        .toList())
                        && of.alike(now, unknown, before);
    }

    /** The columns by which rows of the table follow rows that were set back before. */
    private Set<String> followsBy() throws SQLException {
        Set<String> names = new HashSet<>();
        for (TableChange later : changes.subList(place + 1, changes.size())) {
            Table parent = of.dialect()
                    .table(of.connection(), ChangedTable.named(of.dialect(), later.schema(), later.table()));
            for (ForeignKey key : parent == null ? List.<ForeignKey>of() : parent.referencedBy()) {
                if (key.onUpdate() == ForeignKey.Action.CASCADE
                        && key.child().equals(of.table().sqlName())) {
                    names.addAll(key.childColumns());
                }
            }
        }
        return names;
    }

    /**
     * The row as it is now. One whose key follows has gone back to its old one, most often, with what it follows; under its new key another one may be then.
     */
    private @Nullable List<Value> now(RowChange row, Map<List<Value>, List<Value>> current)
            throws SQLException, CannotUndoException {
        List<Value> now = current.get(of.change().keyOf(row.existing()));
        if (!of.change().following() || now != null && !of.change().changesKey(row)) {
            return now;
        }
        List<Value> back = current.get(of.change().keyOf(row.original()));
        if (back == null) {
            back = of.currentRow(of.change().keyOf(row.original()));
        }
        return back != null && (now == null || of.equal(back, row.before()) || isSetBackInPart(row, back)) ? back : now;
    }

    /** Whether a column that the database maintains is another one than before. */
    private boolean isNoted(RowChange row, @Nullable List<Value> now) {
        List<Value> before = row.before();
        for (int i = 0; now != null && before != null && i < of.columns().size(); i++) {
            if (of.columns().get(i).is(Column.Trait.MAINTAINED) && !now.get(i).equals(before.get(i))) {
                return true;
            }
        }
        return false;
    }

    /** The same change, of a row that may have gone back to its old key already. */
    private RowChange foundAt(RowChange row, @Nullable List<Value> now) {
        boolean moved = now != null
                && row.after() != null
                && !of.change().keyOf(now).equals(of.change().keyOf(row.existing()));
        return moved ? new RowChange(row.before(), now) : row;
    }

    /** Whether somebody else has set the row back: where its key had changed, it is under the old one again, and nothing under the new. */
    private boolean isAsBefore(RowChange row, @Nullable List<Value> now, Map<List<Value>, List<Value>> current)
            throws SQLException {
        if (of.change().following() || !of.change().changesKey(row)) {
            return of.equal(now, row.before());
        }
        return now == null && of.equal(current.get(of.change().keyOf(row.original())), row.before());
    }

    private Row row(List<Value> image) {
        return new Row(of.change().lockName(), of.change().keyOf(image));
    }

    private Set<String> changedColumns(RowChange row) {
        List<Value> before = row.before();
        List<Value> after = row.after();
        Set<String> changed = new HashSet<>();
        for (int i = 0; i < of.columns().size(); i++) {
            boolean differs = before == null
                    || after == null
                    || !before.get(i).equals(after.get(i))
                            && !of.change().columns().get(i).maintained();
            if (differs) {
                changed.add(of.columns().get(i).name());
            }
        }
        return changed;
    }
}
