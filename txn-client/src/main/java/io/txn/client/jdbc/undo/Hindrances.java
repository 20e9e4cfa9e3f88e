package io.txn.client.jdbc.undo;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.ForeignKey;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What hangs on rows that are about to be deleted or set back, and is somebody else's: it would be deleted or changed with them. For one thread.
 */
final class Hindrances {

    /** What hangs on a row is not the transaction's own, or stays. */
    static final int NEVER = -1;
    /** What hangs on a row waits itself. */
    static final int WITH_OTHERS = Integer.MAX_VALUE;

    private final ChangedTable of;
    private final List<TableChange> changes;
    private final DirtyRows dirty;
    private final Map<String, Map<List<Value>, Integer>> writtenFirst;
    /** What the transaction did before this change, and is still to be undone. */
    private List<TableChange> earlier;
    /** The keys of the change's own rows, once asked for; none as soon as it is known which of them wait. */
    private @Nullable Set<List<Value>> own;

    /**
     * @param changes of the transaction, of which this is the one at {@code place}
     * @param writtenFirst by table and key, the first change that wrote the row; filled here, table by table
     */
    Hindrances(
            ChangedTable of,
            List<TableChange> changes,
            int place,
            DirtyRows dirty,
            Map<String, Map<List<Value>, Integer>> writtenFirst) {
        this.of = of;
        this.changes = changes;
        this.dirty = dirty;
        this.writtenFirst = writtenFirst;
        this.earlier = changes.subList(0, place);
    }

    /** Only these changes are still to be undone, and of this one, when its rows were looked at, those that wait. */
    void left(List<TableChange> first, boolean lookedAt) {
        earlier = first;
        own = lookedAt ? Set.of() : own;
    }

    /**
     * How long a row has to wait, when all that hangs on it is what the transaction itself made hang on it before there was such a row, as a deferred key lets it: that goes when the changes
     * which are still to be undone are.
     *
     * @param going rows that wait, by their tables
     * @return the place of the change that has to be undone first, {@link #WITH_OTHERS} or {@link #NEVER}
     */
    int until(RowChange row, Map<String, Set<List<Value>>> going) throws SQLException {
        boolean deleted = row.before() == null;
        int until = WITH_OTHERS;
        for (ForeignKey reference : of.table().referencedBy()) {
            if (deleted ? !reference.followsDelete() : !reference.followsUpdate()) {
                continue;
            }
            Table child = of.dialect().table(of.connection(), reference.childName());
            if (child == null || child.key().isEmpty()) {
                return NEVER;
            }
            Set<List<Value>> beside = going.getOrDefault(child.lockName(), Set.of());
            Set<List<Value>> here = deleted && reference.ofItself() ? own() : Set.of();
            Map<List<Value>, Integer> first = writtenFirst.computeIfAbsent(child.lockName(), this::writtenFirst);
            for (List<Value> key : rowsThatRefer(reference, child, row, beside.size() + here.size() + first.size())) {
                int written = first.getOrDefault(key, WITH_OTHERS);
                if (dirty.stays(child.lockName(), key)) {
                    return NEVER;
                } else if (written < earlier.size()) {
                    until = Math.min(until, written);
                } else if (!beside.contains(key) && !here.contains(key)) {
                    return NEVER;
                }
            }
        }
        return until;
    }

    private Set<List<Value>> own() {
        Set<List<Value>> keys = own;
        if (keys == null) {
            keys = of.change().rows().stream()
                    .map(row -> of.change().keyOf(row.existing()))
                    .collect(Collectors.toSet());
            own = keys;
        }
        return keys;
    }

    private Map<List<Value>, Integer> writtenFirst(String table) {
        Map<List<Value>, Integer> first = new HashMap<>();
        for (int i = 0; i < changes.size(); i++) {
            TableChange change = changes.get(i);
            if (change.kind() != TableChange.Kind.DELETE && change.lockName().equals(table)) {
                for (RowChange row : change.rows()) {
                    first.putIfAbsent(change.keyOf(row.existing()), i);
                }
            }
        }
        return first;
    }

    /**
     * Deleting a row would take rows of others with it, if they point to it by a foreign key that cascades. The row is locked, so none can
     * come once this was checked.
     */
    @Nullable
    String toDelete(RowChange row) throws SQLException, CannotUndoException {
        for (ForeignKey reference : of.table().referencedBy()) {
            if (reference.followsDelete() && isReferenced(reference, row)) {
                return "rows of " + reference.child() + " refer to it and would be changed with it";
            }
        }
        return null;
    }

    private boolean isReferenced(ForeignKey reference, RowChange row) throws SQLException, CannotUndoException {
        List<Integer> parents = new ArrayList<>();
        for (String name : reference.parentColumns()) {
            parents.add(of.change().columns().stream()
                    .map(ImageColumn::name)
                    .toList()
                    .indexOf(name));
        }
        boolean generated =
                reference.parentColumns().stream().anyMatch(name -> of.table().named(name) == null);
        if (parents.contains(-1) && !generated) {
            throw CannotUndoException.unreadable(
                    of.table().lockName(), reference.child() + " refers to a column that is not in the image");
        }
        if (!generated && parents.stream().anyMatch(i -> row.existing().get(i).equals(Value.NULL))) {
            return false;
        }
        StringBuilder condition = new StringBuilder(generated ? refersToRow(reference) : "");
        for (int i = 0; !generated && i < parents.size(); i++) {
            condition
                    .append(i == 0 ? "" : " AND ")
                    .append(of.dialect().quote(reference.childColumns().get(i)))
                    .append(" = ")
                    .append(of.columns().get(parents.get(i)).codec().write());
        }
        // Of the table itself, the rows of this very change go together.
        Set<List<Value>> ours = new HashSet<>();
        String select = "1";
        if (reference.ofItself()) {
            of.change().rows().forEach(r -> ours.add(of.change().keyOf(r.existing())));
            ours.removeIf(own -> dirty.stays(of.change().lockName(), own));
            select = of.key().stream()
                    .map(of.columns()::get)
                    .map(c -> c.codec().readFrom(c.sqlName()))
                    .collect(Collectors.joining(", "));
        }
        try (PreparedStatement query = of.connection()
                .prepareStatement("SELECT " + select + " FROM " + reference.child() + " WHERE " + condition)) {
            if (generated) {
                bindRowReferredTo(query, reference, row);
            } else {
                of.bind(query, 1, parents, row.existing());
            }
            query.setMaxRows(ours.size() + 1);
            try (ResultSet children = query.executeQuery()) {
                while (children.next()) {
                    if (!reference.ofItself() || !ours.contains(of.keyFrom(children))) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    /**
     * Setting a row back may take along the rows that refer to it. Those that the transaction itself took along come back with it; others are
     * somebody else's. The row is locked, so none can come once this was checked.
     */
    @Nullable
    String toUpdate(RowChange row) throws SQLException, CannotUndoException {
        Set<String> names = new HashSet<>();
        of.setBack().forEach(column -> names.add(column.name()));
        for (ForeignKey reference : of.table().referencedBy()) {
            if (reference.followsUpdate()
                    && reference.parentColumns().stream()
                            .anyMatch(name -> names.contains(name) && differs(row, name)
                                    || of.table().named(name) == null)) {
                Table child = of.dialect().table(of.connection(), reference.childName());
                if (child == null) {
                    throw CannotUndoException.unreadable(reference.child(), "the table is gone");
                }
                if (othersFollow(reference, child, row)) {
                    return "rows of " + reference.child() + " refer to it and would follow it";
                }
            }
        }
        return null;
    }

    /** Of the rows of one statement, some may have stayed where they were. */
    private boolean differs(RowChange row, String name) {
        for (int i = 0; i < of.columns().size(); i++) {
            if (of.columns().get(i).name().equals(name)) {
                return !row.original().get(i).equals(row.existing().get(i));
            }
        }
        return true;
    }

    private boolean othersFollow(ForeignKey reference, Table child, RowChange row)
            throws SQLException, CannotUndoException {
        Set<List<Value>> ours = new HashSet<>();
        List<TableChange> followed = earlier.stream()
                .filter(change -> change.following() && change.lockName().equals(child.lockName()))
                .toList();
        followed.forEach(change -> change.rows().forEach(r -> ours.add(change.keyOf(r.existing()))));
        ours.removeIf(own -> dirty.stays(child.lockName(), own));
        int most = ours.size()
                + followed.stream().mapToInt(change -> change.rows().size()).sum();
        Set<List<Value>> others = rowsThatRefer(reference, child, row, most);
        others.removeAll(ours);
        // Those that went back already with what they follow have their old keys, perhaps spelt otherwise.
        for (TableChange change : followed) {
            boolean allGo =
                    change.rows().stream().noneMatch(r -> dirty.stays(child.lockName(), change.keyOf(r.existing())));
            if (allGo && !others.isEmpty()) {
                ChangedTable followers = new ChangedTable(of.connection(), of.dialect(), change);
                Set<List<Value>> now = followers.currentRows().keySet();
                for (RowChange r : change.rows()) {
                    if (!now.contains(change.keyOf(r.existing()))) {
                        List<Value> back = followers.currentRow(change.keyOf(r.original()));
                        if (back != null) {
                            others.remove(change.keyOf(back));
                        }
                    }
                }
            }
        }
        return !others.isEmpty();
    }

    /** Keys of rows that refer to one, up to one more than {@code most}; an empty one stands for rows without. */
    private Set<List<Value>> rowsThatRefer(ForeignKey reference, Table child, RowChange row, int most)
            throws SQLException {
        List<Column> childKey = child.key();
        Set<List<Value>> found = new HashSet<>();
        String select = childKey.isEmpty()
                ? "1"
                : childKey.stream().map(c -> c.codec().readFrom(c.sqlName())).collect(Collectors.joining(", "));
        try (PreparedStatement query = of.connection()
                .prepareStatement(
                        "SELECT " + select + " FROM " + reference.child() + " WHERE " + refersToRow(reference))) {
            bindRowReferredTo(query, reference, row);
            query.setMaxRows(most + 1);
            try (ResultSet children = query.executeQuery()) {
                while (children.next()) {
                    List<Value> id = new ArrayList<>();
                    for (int i = 0; i < childKey.size(); i++) {
                        id.add(childKey.get(i).codec().get(children, i + 1));
                    }
                    found.add(id);
                }
            }
        }
        return found;
    }

    /** The condition that is true of rows that refer to a row as it is, of which the key is bound. */
    private String refersToRow(ForeignKey reference) {
        StringBuilder condition = new StringBuilder();
        for (int i = 0; i < reference.childColumns().size(); i++) {
            condition
                    .append(i == 0 ? "" : " AND ")
                    .append(of.dialect().quote(reference.childColumns().get(i)))
                    .append(" = (SELECT ")
                    .append(of.dialect().quote(reference.parentColumns().get(i)))
                    .append(" FROM ")
                    .append(of.table().sqlName())
                    .append(" WHERE ")
                    .append(of.keyCondition())
                    .append(')');
        }
        return condition.toString();
    }

    private void bindRowReferredTo(PreparedStatement query, ForeignKey reference, RowChange row) throws SQLException {
        int parameter = 1;
        for (int i = 0; i < reference.childColumns().size(); i++) {
            parameter = of.bindKey(query, parameter, row);
        }
    }
}
