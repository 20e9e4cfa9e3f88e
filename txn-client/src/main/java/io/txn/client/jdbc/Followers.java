package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.ForeignKey;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Trigger;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.undo.CannotUndoException;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import io.txn.client.jdbc.undo.Undo;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The rows that the database deletes or changes by itself when rows which they refer to are deleted or changed: the foreign keys that act, over any number of
 * levels. Before the statement, with its own rows locked, those that refer to them are read and locked, breadth first, each row once. The
 * locked rows let no others come to refer to them. After the statement, what changed is read again by its key, which it may follow too. For one statement execution.
 */
final class Followers {

    private final WriteRun run;
    private final List<Root> roots = new ArrayList<>();

    /** By name in SQL, the tables that can be reached. */
    private final Map<String, Table> tables = new LinkedHashMap<>();

    private final Map<String, FollowingRows> found = new LinkedHashMap<>();
    private int count;
    /** Whether those that follow may be set back with others, or be so already. */
    private boolean following;
    /** Whether the statement's rows are all written first, and others follow row by row then. */
    private boolean rowByRow;

    Followers(WriteRun run) {
        this.run = run;
    }

    /**
     * A table that the statement itself writes.
     *
     * @param set the columns that an UPDATE sets; null for a DELETE
     * @param keys of its own rows
     */
    private record Root(Table table, @Nullable Set<String> set, Set<List<Value>> keys) {}

    /** The statement deletes rows of this table. */
    Followers deleting(Table table) {
        roots.add(new Root(table, null, new HashSet<>()));
        return this;
    }

    /** The statement sets these columns of rows of this table. */
    Followers setting(Table table, Collection<Column> columns) {
        roots.add(new Root(table, names(columns), new HashSet<>()));
        following = true;
        return this;
    }

    /** Others are followed besides, perhaps by the same rows. */
    void besideOthers() {
        following = true;
    }

    /** Others follow row by row, in the order of the changes, when all rows are written: so H2 works an UPDATE off. */
    Followers rowByRow() {
        rowByRow = true;
        return this;
    }

    private @Nullable Root root(Table table) {
        return roots.stream()
                .filter(r -> r.table().sqlName().equals(table.sqlName()))
                .findFirst()
                .orElse(null);
    }

    private static Set<String> names(Collection<Column> columns) {
        Set<String> names = new LinkedHashSet<>();
        columns.forEach(c -> names.add(c.name()));
        return names;
    }

    /**
     * Rows of a table, to be asked who follows them.
     *
     * @param above the tables that it was come to by
     */
    private record Item(
            Table table, List<Column> columns, @Nullable Set<String> set, List<List<Value>> rows, Set<String> above) {

        /** Those that the tables are come to by which follow these rows. */
        Set<String> andThis() {
            Set<String> tables = new LinkedHashSet<>(above);
            tables.add(table.sqlName());
            return tables;
        }
    }

    /** Whether a foreign key acts at all on what the statement does. */
    boolean any() {
        for (Root root : roots) {
            for (ForeignKey key : root.table().referencedBy()) {
                if (acts(key, root.table(), root.set())) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Whether rows of a table that the statement writes may follow others; known once it was checked. */
    boolean comeBack() {
        return roots.stream().anyMatch(root -> tables.containsKey(root.table().sqlName()));
    }

    /** Whether such rows may lose what they refer to by. */
    boolean setOwn() {
        return comeBack()
                && Stream.concat(roots.stream().map(Root::table), tables.values().stream())
                        .flatMap(table -> table.referencedBy().stream())
                        .anyMatch(key -> key.onDelete() == ForeignKey.Action.SET
                                && roots.stream()
                                        .anyMatch(root -> root.table().sqlName().equals(key.child())));
    }

    /** A generated column may change with whatever is set. */
    private static boolean acts(ForeignKey key, Table parent, @Nullable Set<String> set) {
        return set == null
                ? key.followsDelete()
                : key.followsUpdate()
                        && !set.isEmpty()
                        && (key.parentColumns().stream().anyMatch(set::contains) || generated(key, parent));
    }

    /** Whether the key refers to a column that is not among those of images. */
    private static boolean generated(ForeignKey key, Table parent) {
        return key.parentColumns().stream().anyMatch(name -> parent.named(name) == null);
    }

    /** The columns by which others refer to rows of a table in which these are set. */
    static List<Column> neededColumns(Table table, Collection<Column> set) {
        if (table.referencedBy().isEmpty()) {
            return List.of();
        }
        Set<String> needed = new LinkedHashSet<>();
        Set<String> names = names(set);
        table.referencedBy().stream()
                .filter(key -> acts(key, table, names))
                .forEach(key -> needed.addAll(key.parentColumns()));
        return table.columns().stream().filter(c -> needed.contains(c.name())).toList();
    }

    /** The columns of which one differs whenever a row changed so that others follow, if these are set. */
    static List<Column> comparedColumns(Table table, Collection<Column> set) {
        Set<Column> compared = new LinkedHashSet<>(neededColumns(table, set));
        Set<String> names = names(set);
        if (table.referencedBy().stream().anyMatch(key -> acts(key, table, names) && generated(key, table))) {
            compared.addAll(set);
            table.columns().stream().filter(c -> c.is(Column.Trait.MAINTAINED)).forEach(compared::add);
        }
        return List.copyOf(compared);
    }

    // Before the statement

    /** Rows that the statement itself writes, as images of some columns. */
    record Own(List<Column> columns, Collection<List<Value>> rows) {}

    private record Step(Table table, @Nullable Set<String> set, String path) {}

    private record Visited(String table, @Nullable Set<String> set) {}

    /** Refuses what could not be captured, with the way that leads there. Reads the catalog only. */
    void check() throws SQLException {
        Queue<Step> open = new ArrayDeque<>();
        Set<Visited> visited = new HashSet<>();
        roots.forEach(
                root -> open.add(new Step(root.table(), root.set(), root.table().lockName())));
        for (Step step = open.poll(); step != null; step = open.poll()) {
            for (ForeignKey key : step.table().referencedBy()) {
                if (acts(key, step.table(), step.set())) {
                    Set<String> changed = step.set() == null && key.onDelete() == ForeignKey.Action.CASCADE
                            ? null
                            : Set.copyOf(key.childColumns());
                    String path = step.path() + " -> " + key.childTable();
                    Table child = child(key, path);
                    check(key, child, step.set(), changed, path);
                    if (generated(key, step.table())) {
                        checkGenerated(key, child, step.set(), path);
                    }
                    if (visited.add(new Visited(child.sqlName(), changed))) {
                        open.add(new Step(child, changed, path));
                    }
                }
            }
        }
    }

    private Table child(ForeignKey key, String path) throws SQLException {
        Table known = tables.get(key.child());
        if (known != null) {
            return known;
        }
        try {
            Table child = run.writable(key.childName());
            tables.put(key.child(), child);
            return child;
        } catch (SQLException e) {
            SQLException refusal = refused(path, "that table cannot be captured: " + e.getMessage());
            refusal.addSuppressed(e);
            throw refusal;
        }
    }

    private void check(
            ForeignKey key, Table child, @Nullable Set<String> parentSet, @Nullable Set<String> changed, String path)
            throws SQLException {
        String unseen = child.unseen();
        if (unseen != null) {
            throw refused(path, unseen);
        }
        String writes = run.functionThatWrites(child);
        if (writes != null) {
            throw refused(path, writes);
        }
        for (Column column : child.columns()) {
            if (!column.codec().supported()) {
                throw refused(
                        path, "column " + column.name() + " is of type " + column.type() + ", which is not captured");
            }
        }
        if (changed != null) {
            boolean keySet = (parentSet == null ? key.onDelete() : key.onUpdate()) == ForeignKey.Action.SET
                    && child.key().stream().anyMatch(c -> changed.contains(c.name()));
            if (keySet) {
                throw refused(path, "its key is set to a default");
            }
            Root own = root(child);
            if (own != null && own.set() != null) {
                throw refused(path, "the statement itself changes rows of that table");
            }
            List<Column> columns = child.columns().stream()
                    .filter(c -> changed.contains(c.name()))
                    .toList();
            refuseIfFired(child, Trigger.Event.UPDATE, columns, path);
        } else {
            refuseIfFired(child, Trigger.Event.INSERT, null, path);
            // MySQL's foreign keys act below its triggers.
            if (!run.dialect().product().isMySqlFamily()) {
                refuseIfFired(child, Trigger.Event.DELETE, null, path);
            }
        }
    }

    /** Its values are read by the type of the column that refers to it, and only the database knows them before. */
    private static void checkGenerated(ForeignKey key, Table child, @Nullable Set<String> parentSet, String path)
            throws SQLException {
        if (key.childColumns().stream().anyMatch(name -> child.named(name) == null)) {
            throw refused(path, "one generated column refers to another");
        }
        if (parentSet != null
                && child.key().stream().anyMatch(c -> key.childColumns().contains(c.name()))) {
            throw refused(path, "its key follows a generated column");
        }
    }

    private static void refuseIfFired(Table child, Trigger.Event event, @Nullable List<Column> columns, String path)
            throws SQLException {
        Trigger trigger = child.triggerOn(event, columns);
        if (trigger != null) {
            throw refused(path, trigger.name() + " on " + event + " may write where no image is taken");
        }
    }

    private static SQLException refused(String path, String reason) {
        return Refusals.notSupported(
                "a foreign key would change other rows with it (" + path + "), and " + reason,
                "delete or change those rows first, by statements of their own");
    }

    /**
     * Reads and locks the rows that follow. Nothing was changed yet, so whatever is wrong with them refuses the statement.
     *
     * @param own the rows that the statement will delete or change, already locked, by the tables' names in SQL
     */
    void read(Map<String, Own> own) throws SQLException {
        if (!any()) {
            return;
        }
        Queue<Item> open = new ArrayDeque<>();
        for (Root root : roots) {
            Own rows = own.get(root.table().sqlName());
            if (rows != null) {
                TableImages images = new TableImages(run, root.table());
                rows.rows().forEach(row -> root.keys().add(images.keyOf(rows.columns(), row)));
                count += rows.rows().size();
                open.add(new Item(root.table(), rows.columns(), root.set(), List.copyOf(rows.rows()), Set.of()));
            }
        }
        for (Item item = open.poll(); item != null; item = open.poll()) {
            for (ForeignKey key : item.table().referencedBy()) {
                if (acts(key, item.table(), item.set())) {
                    read(generated(key, item.table()) ? withGenerated(item, key) : item, key, open);
                }
            }
        }
        String incomplete = run.incomplete();
        if (incomplete != null) {
            throw Refusals.notSupported(incomplete, "delete or change the rows that refer to it first");
        }
    }

    private void read(Item item, ForeignKey key, Queue<Item> open) throws SQLException {
        Table child = tables.get(key.child());
        if (child == null) {
            throw new AssertionError("the graph was walked before: " + key.child());
        }
        FollowingRows rows = found.computeIfAbsent(child.sqlName(), name -> new FollowingRows(run, child));
        boolean deletes = item.set() == null && key.onDelete() == ForeignKey.Action.CASCADE;
        TableImages parents = new TableImages(run, item.table());
        Set<List<Value>> referred = new LinkedHashSet<>();
        for (List<Value> row : item.rows()) {
            List<Value> reference = values(item.columns(), row, key.parentColumns());
            if (!reference.contains(Value.NULL)) {
                referred.add(reference);
            }
        }
        Root own = root(child);
        List<List<Value>> references = List.copyOf(referred);
        List<List<Value>> deleted = new ArrayList<>();
        List<List<Value>> changed = new ArrayList<>();
        for (int from = 0; from < references.size(); from += TableImages.KEYS_PER_QUERY) {
            List<List<Value>> chunk =
                    references.subList(from, Math.min(from + TableImages.KEYS_PER_QUERY, references.size()));
            for (Referring each : rowsThatRefer(child, key, item, chunk)) {
                List<Value> row = each.row();
                List<Value> id = rows.key(row);
                // Rows come back table by table.
                if (deletes
                        && !child.equals(item.table())
                        && item.above().contains(child.sqlName())
                        && !undoDefers(child, item.table())) {
                    throw refused(
                            String.join(" -> ", item.andThis()) + " -> " + child.sqlName(),
                            "rows of one table that go by way of another table's do not come back in one piece");
                }
                if (own != null && own.set() == null && own.keys().contains(id)) {
                    continue;
                }
                if (each.spelt() != null) {
                    rows.spelt.put(new FollowingRows.Seen(id, key), each.spelt());
                }
                if (rows.before.putIfAbsent(id, row) == null) {
                    count++;
                    if (count > run.options().maxRowsPerStatement()) {
                        throw parents.tooManyRows();
                    }
                }
                if (deletes) {
                    if (rows.deleted.add(id)) {
                        deleted.add(row);
                    }
                } else if (rows.seen.add(new FollowingRows.Seen(id, key))) {
                    changed.add(row);
                }
            }
        }
        if (!deleted.isEmpty()) {
            open.add(new Item(child, child.columns(), null, deleted, item.andThis()));
        }
        if (!changed.isEmpty()) {
            open.add(new Item(child, child.columns(), Set.copyOf(key.childColumns()), changed, item.andThis()));
        }
    }

    /** The same rows with what the key refers to, which the database has computed. They are locked. */
    private Item withGenerated(Item item, ForeignKey key) throws SQLException {
        List<Column> columns = new ArrayList<>(item.table().key());
        for (int i = 0; i < key.parentColumns().size(); i++) {
            String name = key.parentColumns().get(i);
            if (columns.stream().noneMatch(c -> c.name().equals(name))) {
                columns.add(referred(item.table(), key, i));
            }
        }
        TableImages parents = new TableImages(run, item.table());
        List<List<Value>> keys = item.rows().stream()
                .map(row -> parents.keyOf(item.columns(), row))
                .toList();
        List<List<Value>> rows = new ArrayList<>();
        for (int from = 0; from < keys.size(); from += TableImages.KEYS_PER_QUERY) {
            Query query = new Query()
                    .add("SELECT " + run.dialect().identity("", item.table()) + TableImages.reads(columns, "")
                            + " FROM " + item.table().sqlName() + " WHERE ")
                    .addKeys(
                            item.table().key(),
                            keys.subList(from, Math.min(from + TableImages.KEYS_PER_QUERY, keys.size())))
                    .add(run.dialect().allForUpdate());
            parents.readImage(query, () -> {}, columns, rows);
        }
        return new Item(item.table(), columns, item.set(), rows, item.above());
    }

    /** Whether an undo may bring rows back before those that they refer to. */
    private boolean undoDefers(Table child, Table parent) throws SQLException {
        if (run.dialect().product() != Dialect.Product.POSTGRESQL) {
            return false;
        }
        boolean[] defers = {true};
        new Query()
                .add("SELECT condeferrable FROM pg_catalog.pg_constraint WHERE contype = 'f'")
                .add(
                        " AND conrelid = CAST(? AS regclass) AND confrelid = CAST(? AS regclass)",
                        List.of(child.sqlName(), parent.sqlName()))
                .read(run.connection(), run.scope(), row -> defers[0] &= row.getBoolean(1));
        return defers[0];
    }

    /** A column that a foreign key refers to; a generated one is taken to be of the type of the one that refers to it. */
    private Column referred(Table parent, ForeignKey key, int place) throws SQLException {
        String name = key.parentColumns().get(place);
        Column column = parent.named(name);
        if (column != null) {
            return column;
        }
        Column like = FollowingRows.column(
                tables.getOrDefault(key.child(), parent), key.childColumns().get(place));
        return new Column(name, run.dialect().quote(name), like.type(), like.codec(), Set.of(Column.Trait.GENERATED));
    }

    /**
     * A row that refers to another one.
     *
     * @param spelt the place of that other one; null where the row's own values tell it
     */
    private record Referring(List<Value> row, @Nullable List<Value> spelt) {}

    /** Which of the references a row holds that spells it otherwise, only the database knows: it is asked for fewer at a time. */
    private List<Referring> rowsThatRefer(Table child, ForeignKey key, Item item, List<List<Value>> references)
            throws SQLException {
        Table parent = item.table();
        List<List<Value>> rows = allThatRefer(child, key, parent, references);
        // What is deleted moves to no other place.
        if (item.set() == null || generated(key, parent)) {
            return rows.stream().map(row -> new Referring(row, null)).toList();
        }
        Set<List<Value>> places = new HashSet<>();
        references.forEach(reference ->
                places.add(FollowingRows.place(parent, key.parentColumns(), key.parentColumns(), reference)));
        boolean otherwise = false;
        for (List<Value> row : rows) {
            otherwise |=
                    !places.contains(FollowingRows.place(child, key.childColumns(), FollowingRows.names(child), row));
        }
        if (!otherwise) {
            return rows.stream().map(row -> new Referring(row, null)).toList();
        }
        List<Referring> referring = new ArrayList<>();
        if (references.size() == 1) {
            List<Value> place = places.iterator().next();
            rows.forEach(row -> referring.add(new Referring(row, place)));
            return referring;
        }
        int middle = references.size() / 2;
        referring.addAll(rowsThatRefer(child, key, item, references.subList(0, middle)));
        referring.addAll(rowsThatRefer(child, key, item, references.subList(middle, references.size())));
        return referring;
    }

    private List<List<Value>> allThatRefer(Table child, ForeignKey key, Table parent, List<List<Value>> references)
            throws SQLException {
        List<Column> compared = new ArrayList<>();
        for (int i = 0; i < key.childColumns().size(); i++) {
            Column written = referred(parent, key, i);
            String name = key.childColumns().get(i);
            compared.add(
                    new Column(name, run.dialect().quote(name), written.type(), written.codec(), written.traits()));
        }
        List<List<Value>> rows = new ArrayList<>();
        Query query = new Query()
                .add("SELECT " + run.dialect().identity("", child) + TableImages.reads(child.columns(), "") + " FROM "
                        + child.sqlName() + " WHERE ")
                .addKeys(compared, references)
                .add(run.dialect().allForUpdate());
        TableImages images = new TableImages(run, child);
        images.readImage(query, () -> {}, child.columns(), rows);
        return rows;
    }

    private static List<Value> values(List<Column> columns, List<Value> row, List<String> names) {
        List<Value> values = new ArrayList<>();
        for (String name : names) {
            for (int i = 0; i < columns.size(); i++) {
                if (columns.get(i).name().equals(name)) {
                    values.add(row.get(i));
                }
            }
        }
        return values;
    }

    // After the statement

    /** The changes of the statement itself with those that follow, in an order in which undoing them backwards finds what they refer to. */
    List<TableChange> with(List<TableChange> own) throws SQLException {
        if (found.isEmpty()) {
            return own;
        }
        for (TableChange change : own) {
            if (change.kind() == TableChange.Kind.DELETE) {
                found.values().stream()
                        .filter(rows -> rows.table.lockName().equals(change.lockName()))
                        .forEach(rows -> change.rows().forEach(row -> rows.gone.add(change.keyOf(row.original()))));
            }
        }
        List<Course.Moves> moves = Course.Moves.of(
                roots.stream()
                        .filter(root -> root.set() != null)
                        .map(Root::table)
                        .toList(),
                own);
        Course together = Course.together(found, moves);
        boolean meeting =
                run.dialect().product() == Dialect.Product.H2 && moves.stream().anyMatch(Course.Moves::changePlaces);
        Course course = meeting && rowByRow ? Course.rowByRow(found, moves) : together;
        List<TableChange> all = new ArrayList<>();
        List<TableChange> mine = new ArrayList<>(own);
        Map<FollowingRows, Map<List<Value>, List<Value>>> actual = new LinkedHashMap<>();
        for (FollowingRows rows : childrenFirst()) {
            refuseIfWritten(rows, own);
            Map<List<Value>, List<Value>> now = rows.now(course);
            actual.put(rows, now);
            List<RowChange> updated = new ArrayList<>();
            now.forEach((key, row) -> {
                List<Value> before = rows.before.get(key);
                List<Value> with = meeting && rowByRow ? together.followed(rows, key, row) : row;
                // What stayed as it was may have come to refer to another row, and is in nobody's way; or what it
                // refers to is spelt now as it was spelt there.
                if (!with.equals(before) || !together.now(rows, key).equals(before) || together.follows(rows, key)) {
                    updated.add(new RowChange(before, with));
                }
            });
            // When what they refer to is set back, they follow back.
            boolean moved =
                    updated.stream().anyMatch(row -> !rows.key(row.original()).equals(rows.key(row.existing())));
            List<RowChange> deleted = rows.deleted.stream()
                    .map(key -> new RowChange(rows.before.get(key), null))
                    .toList();
            List<Column> of = rows.table.columns();
            for (TableChange change : rows.images.change(TableChange.Kind.UPDATE, of, updated)) {
                all.add(following || moved ? change.asFollowing() : change);
            }
            for (TableChange change : rows.images.change(TableChange.Kind.DELETE, of, deleted)) {
                if (!joined(mine, change)) {
                    all.add(change);
                }
            }
        }
        all.addAll(mine);
        if (meeting) {
            if (rowByRow && run.incomplete() == null) {
                all.addAll(together.strayed(actual));
            }
            rehearse(all);
        }
        return all;
    }

    /** Whether rows that took each other's places can be set back, and take back who follows them, depends on much: constraints, and free keys. So it is tried. */
    private void rehearse(List<TableChange> changes) throws SQLException {
        if (run.incomplete() != null) {
            return;
        }
        Savepoint before = run.connection().setSavepoint();
        String failure = null;
        try {
            Undo.rehearse(run.connection(), run.dialect(), changes);
            for (FollowingRows rows : found.values()) {
                if (!rows.isAsBefore()) {
                    failure = "rows of " + rows.table.lockName() + " would not go back with those that they followed";
                }
            }
        } catch (CannotUndoException e) {
            failure = e.getMessage();
        } catch (SQLException e) {
            if (e.getSQLState() != null) {
                run.takeBack(before, e);
                run.changed(); // by the statement itself
                throw e;
            }
            failure = e.getMessage();
        }
        run.connection().rollback(before);
        run.forget(before);
        if (failure != null) {
            run.incomplete("rows took each other's places, which could not be undone: " + failure);
        }
    }

    /** What the statement itself says of a row that the database then changed once more is not what the row is. */
    private void refuseIfWritten(FollowingRows rows, List<TableChange> own) {
        for (TableChange change : own) {
            if (change.kind() != TableChange.Kind.DELETE
                    && !change.following()
                    && change.lockName().equals(rows.table.lockName())
                    && change.rows().stream().anyMatch(row -> rows.before.containsKey(change.keyOf(row.original())))) {
                run.incomplete("a row of " + rows.table.lockName() + " that it wrote itself was changed with others");
            }
        }
    }

    /** Rows of one table that may refer to each other in a circle come back together. */
    private static boolean joined(List<TableChange> own, TableChange change) {
        for (int i = 0; i < own.size(); i++) {
            TableChange other = own.get(i);
            if (other.kind() == change.kind()
                    && other.lockName().equals(change.lockName())
                    && other.columns().equals(change.columns())) {
                List<RowChange> rows = new ArrayList<>(change.rows());
                rows.addAll(other.rows());
                own.set(
                        i,
                        new TableChange(
                                other.kind(), other.schema(), other.table(), other.lockName(), other.columns(), rows));
                return true;
            }
        }
        return false;
    }

    /** Tables that refer to others before those. */
    private List<FollowingRows> childrenFirst() {
        List<FollowingRows> ordered = new ArrayList<>();
        Set<String> done = new HashSet<>();
        found.values().forEach(rows -> addChildrenFirst(rows, ordered, done));
        return ordered;
    }

    private void addChildrenFirst(FollowingRows rows, List<FollowingRows> ordered, Set<String> done) {
        if (!done.add(rows.table.sqlName())) {
            return;
        }
        for (ForeignKey key : rows.table.referencedBy()) {
            FollowingRows child = found.get(key.child());
            if (child != null) {
                addChildrenFirst(child, ordered, done);
            }
        }
        ordered.add(rows);
    }
}
