package io.txn.client.jdbc;

import static io.txn.client.jdbc.FollowingRows.column;
import static io.txn.client.jdbc.FollowingRows.names;
import static io.txn.client.jdbc.FollowingRows.place;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.ForeignKey;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.undo.ImageColumn;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How rows that were read before a statement follow what they refer to when that moves, as far as that tells: by table, and by the key that they had. It is reckoned, without the database.
 * For one statement execution.
 */
final class Course {

    /** By the tables' names in SQL. */
    private final Map<String, FollowingRows> found;

    private final Map<FollowingRows, Map<List<Value>, List<Value>>> now = new HashMap<>();
    private final Map<FollowingRows, Map<List<Value>, Set<Integer>>> followed = new HashMap<>();

    private Course(Map<String, FollowingRows> found) {
        this.found = found;
    }

    /** All rows of a statement move at once. */
    static Course together(Map<String, FollowingRows> found, List<Moves> moves) {
        Course course = new Course(found);
        moves.forEach(moved -> course.move(moved.table(), moved.columns(), moved.rows()));
        return course;
    }

    /** One row of a statement moves after the other, and takes along who came to its place meanwhile. */
    static Course rowByRow(Map<String, FollowingRows> found, List<Moves> moves) {
        Course course = new Course(found);
        for (Moves moved : moves) {
            moved.rows().forEach(row -> course.move(moved.table(), moved.columns(), List.of(row)));
        }
        return course;
    }

    /** A row that others follow, as it was and as it is. */
    record Move(List<Value> from, List<Value> to) {}

    /** What the statement itself did to rows of a table that others follow, from the first step to the last. */
    record Moves(Table table, List<String> columns, List<Move> rows) {

        /**
         * @param tables of which rows were changed
         * @param own what the statement did itself
         */
        static List<Moves> of(Collection<Table> tables, List<TableChange> own) {
            List<Moves> all = new ArrayList<>();
            for (Table table : tables) {
                // A row may change in several steps, and its key with it.
                Map<List<Value>, Move> rows = new LinkedHashMap<>();
                List<String> columns = List.of();
                for (TableChange change : own) {
                    if (change.kind() == TableChange.Kind.UPDATE
                            && change.lockName().equals(table.lockName())) {
                        columns =
                                change.columns().stream().map(ImageColumn::name).toList();
                        Map<List<Value>, Move> moved = new LinkedHashMap<>();
                        for (RowChange row : change.rows()) {
                            Move earlier = rows.remove(change.keyOf(row.original()));
                            moved.put(
                                    change.keyOf(row.existing()),
                                    new Move(earlier == null ? row.original() : earlier.from(), row.existing()));
                        }
                        rows.putAll(moved);
                    }
                }
                if (!rows.isEmpty()) {
                    all.add(new Moves(table, columns, List.copyOf(rows.values())));
                }
            }
            return all;
        }

        /** Whether a row is where another one was, in what others refer to. */
        boolean changePlaces() {
            for (ForeignKey key : table.referencedBy()) {
                if (key.followsUpdate() && columns.containsAll(key.parentColumns())) {
                    Set<List<Value>> places = new HashSet<>();
                    rows.forEach(row -> places.add(place(table, key.parentColumns(), columns, row.from())));
                    for (Move row : rows) {
                        List<Value> to = place(table, key.parentColumns(), columns, row.to());
                        if (!to.equals(place(table, key.parentColumns(), columns, row.from())) && places.contains(to)) {
                            return true;
                        }
                    }
                }
            }
            return false;
        }
    }

    /** From here on. */
    private void begin(FollowingRows rows, Map<List<Value>, List<Value>> as) {
        now.put(rows, new LinkedHashMap<>(as));
    }

    private Map<List<Value>, List<Value>> now(FollowingRows rows) {
        return now.computeIfAbsent(rows, r -> new LinkedHashMap<>(r.before));
    }

    List<Value> now(FollowingRows rows, List<Value> key) {
        List<Value> row = now(rows).get(key);
        if (row == null) {
            throw new AssertionError("no row of " + rows.table + " was read that had the key " + key);
        }
        return row;
    }

    /** Whether the row follows in any column, even if that comes to the same value. */
    boolean follows(FollowingRows rows, List<Value> key) {
        return followed.getOrDefault(rows, Map.of()).containsKey(key);
    }

    /** The row, in what followed as here, else as {@code actual}. */
    List<Value> followed(FollowingRows rows, List<Value> key, List<Value> actual) {
        List<Value> row = new ArrayList<>(actual);
        List<Column> columns = rows.table.columns();
        followed.getOrDefault(rows, Map.of()).getOrDefault(key, Set.of()).forEach(i -> {
            Value value = now(rows, key).get(i);
            if (!columns.get(i).inKeys(value).equals(columns.get(i).inKeys(row.get(i)))) {
                row.set(i, value);
            }
        });
        return List.copyOf(row);
    }

    /**
     * Rows move together, and take along those that refer to them.
     *
     * @param columns of the rows
     */
    private void move(Table parent, List<String> columns, List<Move> moves) {
        for (ForeignKey key : parent.referencedBy()) {
            FollowingRows rows = found.get(key.child());
            if (rows != null
                    && key.followsUpdate()
                    && columns.containsAll(key.parentColumns())
                    && key.childColumns().stream().allMatch(name -> rows.table.named(name) != null)) {
                move(parent, key, rows, columns, moves);
            }
        }
    }

    private void move(Table parent, ForeignKey by, FollowingRows rows, List<String> columns, List<Move> moves) {
        List<Integer> from = by.parentColumns().stream().map(columns::indexOf).toList();
        Map<List<Value>, List<Value>> places = new HashMap<>();
        for (Move move : moves) {
            List<Value> to = from.stream().map(move.to()::get).toList();
            if (!to.equals(from.stream().map(move.from()::get).toList())) {
                places.put(place(parent, by.parentColumns(), columns, move.from()), to);
            }
        }
        if (places.isEmpty()) {
            return;
        }
        boolean cascades = by.onUpdate() == ForeignKey.Action.CASCADE;
        List<Integer> at = by.childColumns().stream()
                .map(name -> rows.table.columns().indexOf(column(rows.table, name)))
                .toList();
        List<Move> followers = new ArrayList<>();
        for (List<Value> key : rows.remaining()) {
            List<Value> row = now(rows, key);
            List<Value> spelt = rows.spelt.get(new FollowingRows.Seen(key, by));
            boolean there = spelt != null
                    && at.stream().allMatch(i -> row.get(i)
                            .equals(SelectedRows.known(rows.before, key).get(i)));
            List<Value> to = places.get(there ? spelt : place(rows.table, by.childColumns(), names(rows.table), row));
            if (to != null) {
                List<Value> moved = new ArrayList<>(row);
                for (int i = 0; i < to.size(); i++) {
                    // What else they get, they get from nobody who moves.
                    moved.set(at.get(i), cascades ? to.get(i) : Value.NULL);
                }
                now(rows).put(key, moved);
                followers.add(new Move(row, moved));
                if (cascades) {
                    followed.computeIfAbsent(rows, r -> new HashMap<>())
                            .computeIfAbsent(key, k -> new HashSet<>())
                            .addAll(at);
                }
            }
        }
        if (!followers.isEmpty()) {
            move(rows.table, names(rows.table), followers);
        }
    }

    /**
     * Where rows that moved let those of others go along with their own, what these became besides following their own: undone first, each is with its own again,
     * who takes it back.
     *
     * @param actual the rows as they are, which are otherwise than in this course
     */
    List<TableChange> strayed(Map<FollowingRows, Map<List<Value>, List<Value>>> actual) {
        List<TableChange> all = new ArrayList<>();
        List<FollowingRows> parentsFirst = new ArrayList<>(actual.keySet());
        Collections.reverse(parentsFirst);
        for (FollowingRows rows : parentsFirst) {
            List<RowChange> strayed = new ArrayList<>();
            List<Move> back = new ArrayList<>();
            SelectedRows.known(actual, rows).forEach((key, row) -> {
                List<Value> with = followed(rows, key, row);
                if (!with.equals(row)) {
                    strayed.add(new RowChange(with, row));
                    back.add(new Move(row, with));
                }
            });
            Course course = new Course(found);
            actual.forEach(course::begin);
            course.move(rows.table, names(rows.table), back);
            List<TableChange> step = new ArrayList<>();
            for (Map.Entry<FollowingRows, Map<List<Value>, List<Value>>> entry : actual.entrySet()) {
                FollowingRows others = entry.getKey();
                List<RowChange> taken = new ArrayList<>();
                entry.getValue().replaceAll((key, row) -> {
                    List<Value> now = course.now(others, key);
                    if (!now.equals(row)) {
                        taken.add(new RowChange(now, row));
                    }
                    return now;
                });
                others.images
                        .change(TableChange.Kind.UPDATE, others.table.columns(), taken)
                        .forEach(change -> step.add(change.asFollowing()));
            }
            step.addAll(rows.images.change(TableChange.Kind.UPDATE, rows.table.columns(), strayed));
            all.addAll(0, step);
        }
        return all;
    }
}
