package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.ForeignKey;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Trigger;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.undo.CannotUndoException;
import io.txn.client.jdbc.undo.ImageColumn;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import io.txn.client.jdbc.undo.Undo;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
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

    private final Map<String, Rows> found = new LinkedHashMap<>();
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

    /** Rows of one table that follow. */
    private final class Rows {

        private final Table table;
        private final TableImages images;
        /** By the key that they had. */
        private final Map<List<Value>, List<Value>> before = new LinkedHashMap<>();

        private final Set<List<Value>> deleted = new LinkedHashSet<>();
        /** Those that went with others besides. */
        private final Set<List<Value>> gone = new HashSet<>();

        private final Set<Seen> seen = new HashSet<>();

        Rows(Table table) {
            this.table = table;
            this.images = new TableImages(run, table);
        }

        List<Value> key(List<Value> row) {
            return images.keyOf(table.columns(), row);
        }

        List<Value> inKeys(List<Value> key) {
            List<Value> found = new ArrayList<>();
            for (int i = 0; i < key.size(); i++) {
                found.add(table.key().get(i).inKeys(key.get(i)));
            }
            return found;
        }

        List<List<Value>> remaining() {
            return before.keySet().stream()
                    .filter(k -> !deleted.contains(k) && !gone.contains(k))
                    .toList();
        }
    }

    private record Seen(List<Value> key, ForeignKey by) {}

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
        Rows rows = found.computeIfAbsent(child.sqlName(), name -> new Rows(child));
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
            for (List<Value> row : rowsThatRefer(child, key, item.table(), chunk)) {
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
                } else if (rows.seen.add(new Seen(id, key))) {
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
        Column like = column(
                tables.getOrDefault(key.child(), parent), key.childColumns().get(place));
        return new Column(name, run.dialect().quote(name), like.type(), like.codec(), Set.of(Column.Trait.GENERATED));
    }

    private List<List<Value>> rowsThatRefer(Table child, ForeignKey key, Table parent, List<List<Value>> references)
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

    private static Column column(Table table, String name) {
        Column column = table.named(name);
        if (column == null) {
            throw new AssertionError("a foreign key refers to " + name + ", which " + table + " has not");
        }
        return column;
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
        List<Moves> moves = moves(own);
        Course together = new Course();
        moves.forEach(moved -> together.move(moved.table(), moved.columns(), moved.rows()));
        boolean meeting =
                run.dialect().product() == Dialect.Product.H2 && moves.stream().anyMatch(Moves::changePlaces);
        Course course = together;
        if (meeting && rowByRow) {
            course = new Course();
            for (Moves moved : moves) {
                for (Move row : moved.rows()) {
                    course.move(moved.table(), moved.columns(), List.of(row));
                }
            }
        }
        List<TableChange> all = new ArrayList<>();
        List<TableChange> mine = new ArrayList<>(own);
        Map<Rows, Map<List<Value>, List<Value>>> actual = new LinkedHashMap<>();
        for (Rows rows : childrenFirst()) {
            refuseIfWritten(rows, own);
            Map<List<Value>, List<Value>> now = now(rows, course);
            actual.put(rows, now);
            List<RowChange> updated = new ArrayList<>();
            now.forEach((key, row) -> {
                List<Value> before = rows.before.get(key);
                List<Value> with = meeting && rowByRow ? together.followed(rows, key, row) : row;
                // What stayed as it was may have come to refer to another row, and is in nobody's way.
                if (!with.equals(before) || !together.now(rows, key).equals(before)) {
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
                all.addAll(strayed(actual, together));
            }
            rehearse(all);
        }
        return all;
    }

    /**
     * Where rows that moved let those of others go along with their own, what these became besides following their own: undone first, each is with its own again,
     * who takes it back.
     *
     * @param actual the rows as they are
     * @param together as they would be
     */
    private List<TableChange> strayed(Map<Rows, Map<List<Value>, List<Value>>> actual, Course together) {
        List<TableChange> all = new ArrayList<>();
        List<Rows> parentsFirst = new ArrayList<>(actual.keySet());
        Collections.reverse(parentsFirst);
        for (Rows rows : parentsFirst) {
            List<RowChange> strayed = new ArrayList<>();
            List<Move> back = new ArrayList<>();
            SelectedRows.known(actual, rows).forEach((key, row) -> {
                List<Value> with = together.followed(rows, key, row);
                if (!with.equals(row)) {
                    strayed.add(new RowChange(with, row));
                    back.add(new Move(row, with));
                }
            });
            Course course = new Course();
            actual.forEach(course::begin);
            course.move(rows.table, names(rows.table), back);
            List<TableChange> step = new ArrayList<>();
            for (Map.Entry<Rows, Map<List<Value>, List<Value>>> entry : actual.entrySet()) {
                Rows others = entry.getKey();
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

    /** Whether rows that took each other's places can be set back, and take back who follows them, depends on much: constraints, and free keys. So it is tried. */
    private void rehearse(List<TableChange> changes) throws SQLException {
        if (run.incomplete() != null) {
            return;
        }
        Savepoint before = run.connection().setSavepoint();
        String failure = null;
        try {
            Undo.rehearse(run.connection(), run.dialect(), changes);
            for (Rows rows : found.values()) {
                if (!isAsBefore(rows)) {
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

    private boolean isAsBefore(Rows rows) throws SQLException {
        Map<List<Value>, List<Value>> now = new HashMap<>();
        read(rows, List.copyOf(rows.before.keySet())).forEach(row -> now.put(rows.key(row), row));
        for (Map.Entry<List<Value>, List<Value>> entry : rows.before.entrySet()) {
            List<Value> row = now.get(entry.getKey());
            for (int i = 0; row != null && i < row.size(); i++) {
                if (!rows.table.columns().get(i).is(Column.Trait.MAINTAINED)
                        && !row.get(i).equals(entry.getValue().get(i))) {
                    row = null;
                    break;
                }
            }
            if (row == null) {
                return false;
            }
        }
        return true;
    }

    /** What the statement itself says of a row that the database then changed once more is not what the row is. */
    private void refuseIfWritten(Rows rows, List<TableChange> own) {
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

    /** A row that others follow, as it was and as it is. */
    private record Move(List<Value> from, List<Value> to) {}

    /** How those that were read follow what they refer to, as far as that tells: by table, and by the key that they had. */
    private final class Course {

        private final Map<Rows, Map<List<Value>, List<Value>>> now = new HashMap<>();
        private final Map<Rows, Map<List<Value>, Set<Integer>>> followed = new HashMap<>();

        /** From here on. */
        void begin(Rows rows, Map<List<Value>, List<Value>> as) {
            now.put(rows, new LinkedHashMap<>(as));
        }

        private Map<List<Value>, List<Value>> now(Rows rows) {
            return now.computeIfAbsent(rows, r -> new LinkedHashMap<>(r.before));
        }

        List<Value> now(Rows rows, List<Value> key) {
            List<Value> row = now(rows).get(key);
            if (row == null) {
                throw new AssertionError("no row of " + rows.table + " was read that had the key " + key);
            }
            return row;
        }

        /** The row, in what followed as here, else as {@code actual}. */
        List<Value> followed(Rows rows, List<Value> key, List<Value> actual) {
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
        void move(Table parent, List<String> columns, List<Move> moves) {
            for (ForeignKey key : parent.referencedBy()) {
                Rows rows = found.get(key.child());
                if (rows != null
                        && key.followsUpdate()
                        && columns.containsAll(key.parentColumns())
                        && key.childColumns().stream().allMatch(name -> rows.table.named(name) != null)) {
                    move(parent, key, rows, columns, moves);
                }
            }
        }

        private void move(Table parent, ForeignKey by, Rows rows, List<String> columns, List<Move> moves) {
            List<Integer> from =
                    by.parentColumns().stream().map(columns::indexOf).toList();
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
                List<Value> to = places.get(place(rows.table, by.childColumns(), names(rows.table), row));
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
    }

    /** What a row has in some columns, as it is found by. */
    private static List<Value> place(Table table, List<String> of, List<String> columns, List<Value> row) {
        return of.stream()
                .map(name -> column(table, name).inKeys(row.get(columns.indexOf(name))))
                .toList();
    }

    private static List<String> names(Table table) {
        return table.columns().stream().map(Column::name).toList();
    }

    /** What the statement itself did to rows of a table that others follow, from the first step to the last. */
    private record Moves(Table table, List<String> columns, List<Move> rows) {

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

    private List<Moves> moves(List<TableChange> own) {
        List<Moves> all = new ArrayList<>();
        for (Root root : roots) {
            if (root.set() == null) {
                continue;
            }
            // A row may change in several steps, and its key with it.
            Map<List<Value>, Move> rows = new LinkedHashMap<>();
            List<String> columns = List.of();
            for (TableChange change : own) {
                if (change.kind() == TableChange.Kind.UPDATE
                        && change.lockName().equals(root.table().lockName())) {
                    columns = change.columns().stream().map(ImageColumn::name).toList();
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
                all.add(new Moves(root.table(), columns, List.copyOf(rows.values())));
            }
        }
        return all;
    }

    /** The rows as they are, by the key that they had. */
    private Map<List<Value>, List<Value>> now(Rows rows, Course course) throws SQLException {
        Map<List<Value>, List<Value>> byNewKey = new LinkedHashMap<>();
        List<List<Value>> keys = new ArrayList<>();
        for (List<Value> key : rows.remaining()) {
            keys.add(rows.key(course.now(rows, key)));
            byNewKey.put(rows.inKeys(keys.get(keys.size() - 1)), key);
        }
        Map<List<Value>, List<Value>> now = new LinkedHashMap<>();
        for (List<Value> row : read(rows, keys)) {
            List<Value> key = byNewKey.get(rows.inKeys(rows.key(row)));
            if (key != null) {
                now.put(key, row);
            }
        }
        if (now.size() != rows.remaining().size()) {
            run.incomplete("a row of " + rows.table.lockName() + " that a foreign key changed was not found again");
        }
        return now;
    }

    private List<List<Value>> read(Rows rows, List<List<Value>> keys) throws SQLException {
        List<List<Value>> found = new ArrayList<>();
        for (int from = 0; from < keys.size(); from += TableImages.KEYS_PER_QUERY) {
            rows.images.readImage(
                    new Query()
                            .add("SELECT " + run.dialect().identity("", rows.table)
                                    + TableImages.reads(rows.table.columns(), "") + " FROM " + rows.table.sqlName()
                                    + " WHERE ")
                            .addKeys(
                                    rows.table.key(),
                                    keys.subList(from, Math.min(from + TableImages.KEYS_PER_QUERY, keys.size())))
                            .add(run.dialect().afterImageLocks() ? run.dialect().allForUpdate() : ""),
                    () -> {},
                    rows.table.columns(),
                    found);
        }
        return found;
    }

    /** Tables that refer to others before those. */
    private List<Rows> childrenFirst() {
        List<Rows> ordered = new ArrayList<>();
        Set<String> done = new HashSet<>();
        found.values().forEach(rows -> addChildrenFirst(rows, ordered, done));
        return ordered;
    }

    private void addChildrenFirst(Rows rows, List<Rows> ordered, Set<String> done) {
        if (!done.add(rows.table.sqlName())) {
            return;
        }
        for (ForeignKey key : rows.table.referencedBy()) {
            Rows child = found.get(key.child());
            if (child != null) {
                addChildrenFirst(child, ordered, done);
            }
        }
        ordered.add(rows);
    }
}
