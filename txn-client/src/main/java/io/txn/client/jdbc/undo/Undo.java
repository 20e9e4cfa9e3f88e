package io.txn.client.jdbc.undo;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.ForeignKey;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Trigger;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.TableName;
import io.txn.protocol.extension.UndoDecision;
import io.txn.protocol.extension.UndoReport;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Undoes a record on one connection, within its transaction: change by change, last one first. Each row is locked and compared before
 * anything is written; what happens in each case stands in {@code docs/at.md}. For one thread.
 */
public final class Undo {

    private static final int KEYS_PER_QUERY = 100;
    /** Drivers send the number of parameters as 16 bits. */
    private static final int MOST_PARAMETERS = 30_000;
    /** Values of a large row that stay in its statement. */
    private static final int INLINE = 1 << 10;

    private final Connection connection;
    private final Dialect dialect;
    /** By row, the columns that were found to be as before a later change: somebody else had set them back. */
    private final Map<Row, Set<String>> setBackByOthers = new HashMap<>();

    private record Row(String table, List<Value> key) {}

    /** Whether the local commit saw that nothing came behind the tables unseen. */
    private final boolean seen;

    private final DirtyRows dirty;
    private final LargeValues large;

    /** @param seen whether the local commit saw that the tables were what they were taken for; else it is found out here */
    public Undo(Connection connection, Dialect dialect, boolean seen) {
        this(connection, dialect, seen, new DirtyRows());
    }

    private Undo(Connection connection, Dialect dialect, boolean seen, DirtyRows dirty) {
        this.connection = connection;
        this.dialect = dialect;
        this.seen = seen;
        this.dirty = dirty;
        this.large = new LargeValues(connection, dialect);
    }

    /**
     * @param decision what to do with rows that are in the way, if they are those that it was given for and hold what they held then; else it counts for
     *     nothing
     * @throws CannotUndoException when a person has to decide; the caller rolls back
     * @throws SQLException when the database failed; the caller rolls back and tries again later
     */
    public void apply(UndoRecord undo, @Nullable UndoDecision decision) throws SQLException, CannotUndoException {
        if (!seen) {
            requireNothingUnknown(undo);
        }
        if (decision == null) {
            apply(undo);
            return;
        }
        // Locked before the savepoint: what is looked at stays so when the trial is taken back.
        for (int i = undo.changes().size() - 1; i >= 0; i--) {
            new ChangeUndo(undo.changes(), i).currentRows();
        }
        Savepoint before = connection.setSavepoint();
        try {
            apply(undo);
        } catch (CannotUndoException e) {
            if (e.report() == null || !e.report().id().equals(decision.report())) {
                throw e;
            }
            connection.rollback(before);
            new Undo(connection, dialect, seen, new DirtyRows(dirty, decision)).apply(undo);
        }
    }

    /** What came behind a table after it was looked at may have acted in phase one, and no image tells of that. */
    private void requireNothingUnknown(UndoRecord undo) throws SQLException, CannotUndoException {
        for (Reliance reliance : undo.reliances()) {
            Table now = dialect.table(connection, named(reliance.schema(), reliance.table()));
            List<String> unknown = now == null ? List.of() : reliance.unknownIn(now);
            if (now != null && !unknown.isEmpty()) {
                throw CannotUndoException.unreadable(
                        now.lockName(),
                        "since phase one looked at the table, " + String.join(", ", unknown)
                                + " came, and may have changed what no image tells of: mend that by hand, drop it, and retry");
            }
        }
    }

    private TableName named(String schema, String table) {
        return new TableName(
                List.of(new Identifier(schema, true), new Identifier(table, true)),
                dialect.quote(schema) + '.' + dialect.quote(table));
    }

    private void apply(UndoRecord undo) throws SQLException, CannotUndoException {
        for (int i = undo.changes().size() - 1; i >= 0; i--) {
            try {
                new ChangeUndo(undo.changes(), i).apply();
            } catch (SQLException e) {
                if (!dirty.isEmpty() && e.getSQLState() == null) {
                    break; // ours: a row in the way was counted on
                }
                throw e;
            }
        }
        dirty.refuse();
    }

    /** One change and the table as it is now. */
    private final class ChangeUndo {

        private final TableChange change;
        private final int place;
        private final List<TableChange> earlier;
        private final Table table;
        private final List<Column> columns = new ArrayList<>();
        private final List<Integer> key;
        private final String keyCondition;

        ChangeUndo(List<TableChange> changes, int place) throws SQLException, CannotUndoException {
            this.change = changes.get(place);
            this.place = place;
            this.earlier = changes.subList(0, place);
            this.table = tableOf(change);
            for (ImageColumn image : change.columns()) {
                Column column = table.named(image.name());
                if (column == null || !column.codec().id().equals(image.codec())) {
                    throw CannotUndoException.unreadable(
                            table.lockName(),
                            "column " + image.name() + " is gone or has another type since phase one");
                }
                columns.add(column);
            }
            this.key = change.keyIndexes();
            if (!key.stream().map(columns::get).toList().equals(table.key())) {
                throw CannotUndoException.unreadable(
                        table.lockName(), "its primary key is another one since phase one");
            }
            this.keyCondition = key.stream()
                    .map(columns::get)
                    .map(c -> c.sqlName() + " = " + c.codec().write())
                    .collect(Collectors.joining(" AND "));
        }

        private Table tableOf(TableChange change) throws SQLException, CannotUndoException {
            Table found = dialect.table(connection, named(change.schema(), change.table()));
            if (found == null) {
                throw CannotUndoException.unreadable(change.lockName(), "the table is gone");
            }
            if (found.refusal() != null) {
                throw CannotUndoException.unreadable(change.lockName(), "since phase one, " + found.refusal());
            }
            Trigger trigger =
                    switch (change.kind()) {
                        case INSERT -> found.triggerOn(Trigger.Event.DELETE, null);
                        case DELETE -> found.triggerOn(Trigger.Event.INSERT, null);
                        case UPDATE -> found.triggerOn(Trigger.Event.UPDATE, written(change, found));
                    };
            if (trigger != null) {
                throw CannotUndoException.unreadable(
                        change.lockName(), "since phase one, it has " + trigger.name() + ", which would fire");
            }
            return found;
        }

        /** What setting rows back writes. */
        private static List<Column> written(TableChange change, Table found) {
            Set<String> names = new HashSet<>();
            for (int i = 0; i < change.columns().size(); i++) {
                int column = i;
                if (!change.columns().get(i).inKey() || change.rows().stream().anyMatch(row -> differs(row, column))) {
                    names.add(change.columns().get(i).name());
                }
            }
            return found.columns().stream()
                    .filter(c -> names.contains(c.name()))
                    .toList();
        }

        private static boolean differs(RowChange row, int column) {
            List<Value> before = row.before();
            List<Value> after = row.after();
            return before == null || after == null || !before.get(column).equals(after.get(column));
        }

        void apply() throws SQLException, CannotUndoException {
            dirty.enter(place);
            Map<List<Value>, List<Value>> current = currentRows();
            List<RowChange> todo = new ArrayList<>();
            List<RowChange> overwritten = new ArrayList<>();
            for (int i = change.rows().size() - 1; i >= 0; i--) {
                RowChange row = change.rows().get(i);
                List<Value> now = current.get(change.keyOf(row.existing()));
                Set<String> setBack = setBackByOthers.getOrDefault(
                        new Row(change.lockName(), change.keyOf(row.existing())), Set.of());
                DirtyRow known = dirty.at(change, row);
                if (known == null) {
                    known = dirty.decidedBeside(change, place, row, now);
                }
                // A value in between, left by an earlier statement of ours, is not ours any more once somebody wrote
                // it.
                if (known != null) {
                    decided(known, row, now, todo, overwritten);
                } else if ((equal(now, row.after()) || change.following() && isSetBackInPart(row, now))
                        && Collections.disjoint(setBack, changedColumns(row))) {
                    todo.add(row);
                } else if (isAsBefore(row, now, current)) {
                    // What follows was set back with what it follows.
                    if (!change.following()) {
                        setBackByOthers
                                .computeIfAbsent(
                                        new Row(change.lockName(), change.keyOf(row.original())), r -> new HashSet<>())
                                .addAll(changedColumns(row));
                    }
                } else {
                    UndoReport.Cause cause = now == null
                            ? UndoReport.Cause.GONE
                            : row.after() == null ? UndoReport.Cause.THERE : UndoReport.Cause.CHANGED;
                    dirty.add(change, place, row, now, cause, null);
                }
            }
            switch (change.kind()) {
                case INSERT -> {
                    writeAll(
                            "DELETE FROM " + table.sqlName() + " WHERE " + keyCondition,
                            unhindered(todo, this::hindranceToDelete),
                            this::bindKey,
                            this::unhookAndDelete);
                }
                case UPDATE -> update(unhindered(todo, this::hindranceToUpdate));
                case DELETE -> {
                    update(unhindered(overwritten, this::hindranceToUpdate));
                    insert(todo);
                }
            }
            dirty.leave(change);
        }

        /** A row that is in the way, or was: without a decision it is left alone, with one it becomes what that says. */
        private void decided(
                DirtyRow known,
                RowChange row,
                @Nullable List<Value> now,
                List<RowChange> todo,
                List<RowChange> overwritten) {
            if (!known.isDecided()) {
                known.before(change, row, now);
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
            List<Value> target = known.decided(change, before, now);
            if (change.kind() == TableChange.Kind.DELETE) {
                (now == null ? todo : overwritten).add(new RowChange(target, now));
            } else if (now != null) {
                todo.add(new RowChange(target, now));
            } else {
                dirty.add(change, place, row, null, UndoReport.Cause.GONE, null);
            }
        }

        /** Rows that nothing of others hangs on; the rest is in the way. */
        private List<RowChange> unhindered(List<RowChange> rows, Check check) throws SQLException, CannotUndoException {
            List<RowChange> free = new ArrayList<>(rows.size());
            for (RowChange row : rows) {
                String hindered = check.hindrance(row);
                if (hindered == null) {
                    free.add(row);
                } else {
                    dirty.add(change, place, row, row.after(), UndoReport.Cause.REFERENCED, hindered);
                }
            }
            return free;
        }

        /** Whether what the row followed was set back, and took some of its columns along; with a column that is as it was nothing is lost. */
        private boolean isSetBackInPart(RowChange row, @Nullable List<Value> now) {
            List<Value> before = row.before();
            List<Value> after = row.after();
            if (now == null || before == null || after == null || same(now, after) || same(now, before)) {
                return false;
            }
            for (int i = 0; i < columns.size(); i++) {
                boolean known = now.get(i).equals(before.get(i)) || now.get(i).equals(after.get(i));
                if (!known && !change.columns().get(i).maintained()) {
                    return false;
                }
            }
            return true;
        }

        /** Whether somebody else has set the row back: where its key had changed, it is under the old one again, and nothing under the new. */
        private boolean isAsBefore(RowChange row, @Nullable List<Value> now, Map<List<Value>, List<Value>> current)
                throws SQLException {
            if (!change.changesKey(row)) {
                return equal(now, row.before());
            }
            return now == null && equal(current.get(change.keyOf(row.original())), row.before());
        }

        private Map<List<Value>, List<Value>> currentRows() throws SQLException {
            Map<List<Value>, List<Value>> found = new HashMap<>();
            String select =
                    columns.stream().map(c -> c.codec().readFrom(c.sqlName())).collect(Collectors.joining(", "));
            List<List<Value>> keys = change.keys();
            for (int from = 0; from < keys.size(); from += KEYS_PER_QUERY) {
                List<List<Value>> chunk = keys.subList(from, Math.min(from + KEYS_PER_QUERY, keys.size()));
                String condition = String.join(" OR ", Collections.nCopies(chunk.size(), '(' + keyCondition + ')'));
                try (PreparedStatement query = connection.prepareStatement(
                        "SELECT " + select + " FROM " + table.sqlName() + " WHERE " + condition + " FOR UPDATE")) {
                    int parameter = 1;
                    for (List<Value> one : chunk) {
                        for (int i = 0; i < key.size(); i++) {
                            columns.get(key.get(i)).codec().set(query, parameter, one.get(i));
                            parameter++;
                        }
                    }
                    try (ResultSet rows = query.executeQuery()) {
                        while (rows.next()) {
                            List<Value> row = new ArrayList<>();
                            for (int i = 0; i < columns.size(); i++) {
                                row.add(columns.get(i).codec().get(rows, i + 1));
                            }
                            found.put(change.keyOf(row), row);
                        }
                    }
                }
            }
            return found;
        }

        private Set<String> changedColumns(RowChange row) {
            List<Value> before = row.before();
            List<Value> after = row.after();
            Set<String> changed = new HashSet<>();
            for (int i = 0; i < columns.size(); i++) {
                boolean differs = before == null
                        || after == null
                        || !before.get(i).equals(after.get(i))
                                && !change.columns().get(i).maintained();
                if (differs) {
                    changed.add(columns.get(i).name());
                }
            }
            return changed;
        }

        /**
         * As {@link #same}, whatever settings the session of phase one had: PostgreSQL prints points in time that are part of an array, a range or
         * a composite in the session's time zone.
         */
        private boolean equal(@Nullable List<Value> now, @Nullable List<Value> image) throws SQLException {
            if (same(now, image)) {
                return true;
            }
            return now != null
                    && image != null
                    && dialect.product() == Dialect.Product.POSTGRESQL
                    && same(now, printedHere(image));
        }

        /** An image as this session prints the same values. */
        private List<Value> printedHere(List<Value> image) throws SQLException {
            String select = columns.stream()
                    .map(c -> c.codec().readFrom(c.codec().write()))
                    .collect(Collectors.joining(", "));
            try (PreparedStatement query = connection.prepareStatement("SELECT " + select)) {
                for (int i = 0; i < columns.size(); i++) {
                    columns.get(i).codec().set(query, i + 1, image.get(i));
                }
                try (ResultSet row = query.executeQuery()) {
                    row.next();
                    List<Value> printed = new ArrayList<>();
                    for (int i = 0; i < columns.size(); i++) {
                        printed.add(columns.get(i).codec().get(row, i + 1));
                    }
                    return printed;
                }
            }
        }

        /** Whether a row as it is now equals an image; of columns that the database maintains it need not. */
        private boolean same(@Nullable List<Value> now, @Nullable List<Value> image) {
            if (now == null || image == null) {
                return now == image;
            }
            for (int i = 0; i < columns.size(); i++) {
                if (!change.columns().get(i).maintained() && !now.get(i).equals(image.get(i))) {
                    return false;
                }
            }
            return true;
        }

        /**
         * The columns that an UPDATE sets back: those of the key only where one changed, and at the end, because MySQL evaluates assignments from
         * left to right.
         */
        private List<Integer> written() {
            List<Integer> written = new ArrayList<>();
            for (int i = 0; i < columns.size(); i++) {
                if (!key.contains(i)) {
                    written.add(i);
                }
            }
            boolean moves = change.rows().stream().anyMatch(change::changesKey);
            // What the database would set by itself is set as well.
            key.stream()
                    .filter(i -> moves || columns.get(i).is(Column.Trait.MAINTAINED))
                    .forEach(written::add);
            // These take no value from an UPDATE, so none had changed them.
            written.removeIf(i -> columns.get(i).is(Column.Trait.IDENTITY_ALWAYS));
            return written;
        }

        private void update(List<RowChange> rows) throws SQLException {
            List<Integer> written = written();
            if (rows.isEmpty() || written.isEmpty()) {
                return;
            }
            String assignments = written.stream()
                    .map(columns::get)
                    .map(c -> c.sqlName() + " = " + c.codec().write())
                    .collect(Collectors.joining(", "));
            String sql = "UPDATE " + table.sqlName() + " SET " + assignments + " WHERE " + keyCondition;
            Binder binder = (statement, first, row) -> {
                int parameter = bind(statement, first, written, before(row));
                return bindKey(statement, parameter, row);
            };
            // MySQL checks each row by itself, and would look for the second column of a key by its new first one.
            boolean each = dialect.product().isMySqlFamily() && written.containsAll(key);
            Untying untying = each ? rest -> writeEach(sql, rest, binder) : this::updateAtOnce;
            if (anyLarge(rows, written)) {
                writeWithLarge(rows, written, false, sql, binder, untying);
                return;
            }
            if (!each && keysChangePlaces(rows) && parametersAtOnce(rows, written) <= MOST_PARAMETERS) {
                // One by one, two rows could have one key for a while, where its constraint is checked at the end.
                Savepoint before = connection.setSavepoint();
                try {
                    updateAtOnce(rows);
                    return;
                } catch (SQLException e) {
                    undoTo(before, e);
                }
            }
            writeAll(sql, rows, binder, untying);
        }

        /** Whether a row has the key that another one is to get. */
        private boolean keysChangePlaces(List<RowChange> rows) {
            Set<List<Value>> now = new HashSet<>();
            rows.forEach(row -> now.add(change.keyOf(row.existing())));
            return rows.stream().anyMatch(row -> change.changesKey(row) && now.contains(change.keyOf(row.original())));
        }

        private int parametersAtOnce(List<RowChange> rows, List<Integer> written) {
            return rows.size() * (written.size() * (key.size() + 1) + key.size());
        }

        /** All rows by one statement: databases that check unique keys at its end let values change places. */
        private void updateAtOnce(List<RowChange> rows) throws SQLException {
            List<Integer> written = written();
            StringBuilder sql = new StringBuilder("UPDATE " + table.sqlName() + " SET ");
            for (int i = 0; i < written.size(); i++) {
                Column column = columns.get(written.get(i));
                sql.append(i == 0 ? "" : ", ").append(column.sqlName()).append(" = CASE");
                sql.append((" WHEN " + keyCondition + " THEN " + column.codec().write()).repeat(rows.size()));
                sql.append(" ELSE ").append(column.sqlName()).append(" END");
            }
            sql.append(" WHERE ")
                    .append(String.join(" OR ", Collections.nCopies(rows.size(), '(' + keyCondition + ')')));
            try (PreparedStatement update = connection.prepareStatement(sql.toString())) {
                int parameter = 1;
                for (int column : written) {
                    for (RowChange row : rows) {
                        parameter = bindKey(update, parameter, row);
                        parameter = bind(update, parameter, List.of(column), before(row));
                    }
                }
                for (RowChange row : rows) {
                    parameter = bindKey(update, parameter, row);
                }
                int count = update.executeUpdate();
                if (count != rows.size()) {
                    throw new SQLException(
                            "undoing " + rows.size() + " rows of " + table.lockName() + " changed " + count);
                }
            }
        }

        /** The columns by which rows of the table point to rows of the table. */
        private List<Integer> hooks() {
            Set<String> names = new HashSet<>();
            for (ForeignKey reference : table.referencedBy()) {
                if (reference.ofItself() && table.triggerOn(Trigger.Event.UPDATE, null) == null) {
                    names.addAll(reference.childColumns());
                }
            }
            List<Integer> hooks = new ArrayList<>();
            for (int i = 0; i < columns.size(); i++) {
                if (names.contains(columns.get(i).name()) && !key.contains(i)) {
                    hooks.add(i);
                }
            }
            return hooks;
        }

        private String hookSql(String value) {
            return "UPDATE " + table.sqlName() + " SET "
                    + hooks().stream()
                            .map(columns::get)
                            .map(c -> c.sqlName() + " = "
                                    + (value.isEmpty() ? c.codec().write() : value))
                            .collect(Collectors.joining(", "))
                    + " WHERE " + keyCondition;
        }

        /** Rows that point to each other or to themselves: they let go first, then they are deleted. */
        private void unhookAndDelete(List<RowChange> rows) throws SQLException {
            if (!hooks().isEmpty()) {
                writeEach(hookSql("NULL"), rows, this::bindKey);
            }
            writeEach("DELETE FROM " + table.sqlName() + " WHERE " + keyCondition, rows, this::bindKey);
        }

        /** Rows that point to each other: they come without, and point once all are there. */
        private void insertAndHook(List<RowChange> rows) throws SQLException {
            List<Integer> hooks = hooks();
            List<Integer> plain = new ArrayList<>();
            for (int i = 0; i < columns.size(); i++) {
                if (!hooks.contains(i)) {
                    plain.add(i);
                }
            }
            writeEach(insertSql(plain), rows, (statement, first, row) -> bind(statement, first, plain, before(row)));
            if (!hooks.isEmpty()) {
                writeEach(hookSql(""), rows, (statement, first, row) -> {
                    int parameter = bind(statement, first, hooks, before(row));
                    return bindKey(statement, parameter, row);
                });
            }
        }

        private void insert(List<RowChange> rows) throws SQLException {
            List<Integer> all = new ArrayList<>();
            for (int i = 0; i < columns.size(); i++) {
                all.add(i);
            }
            Binder binder = (statement, first, row) -> bind(statement, first, all, before(row));
            if (anyLarge(rows, all)) {
                writeWithLarge(rows, all, true, insertSql(all), binder, this::insertAndHook);
            } else {
                writeAll(insertSql(all), rows, binder, this::insertAndHook);
            }
        }

        private String insertSql(List<Integer> indexes) {
            return insertSql(
                    indexes,
                    indexes.stream().map(i -> columns.get(i).codec().write()).toList());
        }

        private String insertSql(List<Integer> indexes, List<String> expressions) {
            String names =
                    indexes.stream().map(columns::get).map(Column::sqlName).collect(Collectors.joining(", "));
            String values = String.join(", ", expressions);
            return "INSERT INTO " + table.sqlName() + " (" + names + ")" + dialect.overridingIdentity(table)
                    + " VALUES (" + values + ")";
        }

        private boolean anyLarge(List<RowChange> rows, List<Integer> written) throws SQLException {
            for (RowChange row : rows) {
                if (isLarge(row, written)) {
                    return true;
                }
            }
            return false;
        }

        /** Whether a row is too large for a statement. */
        private boolean isLarge(RowChange row, List<Integer> written) throws SQLException {
            long bytes = 0;
            for (int i : written) {
                bytes += before(row).get(i) instanceof Value.Bytes value ? value.bytes().length : 0;
            }
            return large.exceed(bytes);
        }

        /**
         * Writes rows of which some are too large for a statement: these each by itself, the others in one batch before. When a constraint objects, all go one by
         * one, in as many passes as it takes while each gets at least one through.
         *
         * @param inserts whether they are to be inserted, not updated
         * @param sql how the others are written; {@code binder} and {@code untying} are theirs too
         */
        private void writeWithLarge(
                List<RowChange> rows,
                List<Integer> written,
                boolean inserts,
                String sql,
                Binder binder,
                Untying untying)
                throws SQLException {
            List<RowChange> some = new ArrayList<>();
            List<RowChange> small = new ArrayList<>();
            for (RowChange row : rows) {
                (isLarge(row, written) ? some : small).add(row);
            }
            Savepoint before = connection.setSavepoint();
            try {
                List<RowChange> waiting = some;
                try {
                    if (!small.isEmpty()) {
                        writeEach(sql, small, binder);
                    }
                } catch (SQLException e) {
                    if (dialect.refusesValue(e)) {
                        throw e;
                    }
                    undoTo(before, e);
                    waiting = rows;
                }
                writeInPassesWithLarge(waiting, written, inserts, sql, binder, untying);
            } catch (SQLException e) {
                if (!dialect.refusesValue(e)) {
                    throw e;
                }
                connection.rollback(before);
                writeLoosely(rows, () -> writeInPassesWithLarge(rows, written, inserts, sql, binder, untying));
            }
        }

        private void writeInPassesWithLarge(
                List<RowChange> rows,
                List<Integer> written,
                boolean inserts,
                String sql,
                Binder binder,
                Untying untying)
                throws SQLException {
            List<RowChange> waiting = rows;
            int before;
            do {
                before = waiting.size();
                List<RowChange> next = new ArrayList<>();
                for (RowChange row : waiting) {
                    Savepoint savepoint = connection.setSavepoint();
                    try {
                        if (isLarge(row, written)) {
                            writeLargeOrReport(row, written, inserts);
                        } else {
                            writeEach(sql, List.of(row), binder);
                        }
                    } catch (SQLException e) {
                        undoTo(savepoint, e);
                        next.add(row);
                    }
                }
                waiting = next;
            } while (!waiting.isEmpty() && waiting.size() < before);
            List<RowChange> small = new ArrayList<>();
            for (RowChange row : waiting) {
                if (isLarge(row, written)) {
                    untie(List.of(row), rest -> writeLargeOrReport(row, written, inserts));
                } else {
                    small.add(row);
                }
            }
            if (!small.isEmpty()) {
                untie(small, untying);
            }
        }

        private void writeLargeOrReport(RowChange row, List<Integer> written, boolean inserts) throws SQLException {
            if (!writeLarge(row, written, inserts)) {
                String reason = "the server puts no value of this length together, see max_allowed_packet";
                dirty.add(change, place, row, row.after(), UndoReport.Cause.CONSTRAINT, reason);
            }
        }

        /** Whether it was written; if not, the server does not take one of its values in any number of pieces. */
        private boolean writeLarge(RowChange row, List<Integer> written, boolean inserts) throws SQLException {
            List<String> expressions = new ArrayList<>();
            List<Integer> bound = new ArrayList<>();
            for (int i : written) {
                String expression = columns.get(i).codec().write();
                String variable = null;
                if (before(row).get(i) instanceof Value.Bytes value && value.bytes().length > INLINE) {
                    variable = large.variable(value.bytes());
                    if (variable == null) {
                        large.forget();
                        return false;
                    }
                } else {
                    bound.add(i);
                }
                expressions.add(variable == null ? expression : expression.replace("?", variable));
            }
            StringBuilder sql = new StringBuilder(inserts ? insertSql(written, expressions) : "");
            for (int i = 0; !inserts && i < written.size(); i++) {
                sql.append(i == 0 ? "UPDATE " + table.sqlName() + " SET " : ", ")
                        .append(columns.get(written.get(i)).sqlName())
                        .append(" = ")
                        .append(expressions.get(i));
            }
            sql.append(inserts ? "" : " WHERE " + keyCondition);
            Binder binder = (statement, first, one) -> {
                int parameter = bind(statement, first, bound, before(one));
                return inserts ? parameter : bindKey(statement, parameter, one);
            };
            try {
                writeEach(sql.toString(), List.of(row), binder);
            } finally {
                large.forget();
            }
            return true;
        }

        private static List<Value> before(RowChange row) {
            List<Value> before = row.before();
            if (before == null) {
                throw new AssertionError("an inserted row is deleted, not restored");
            }
            return before;
        }

        private int bindKey(PreparedStatement statement, int first, RowChange row) throws SQLException {
            return bind(statement, first, key, row.existing());
        }

        private int bind(PreparedStatement statement, int first, List<Integer> indexes, List<Value> values)
                throws SQLException {
            int parameter = first;
            for (int index : indexes) {
                columns.get(index).codec().set(statement, parameter, values.get(index));
                parameter++;
            }
            return parameter;
        }

        /**
         * Deleting a row would take rows of others with it, if they point to it by a foreign key that cascades. The row is locked, so none can
         * come once this was checked.
         */
        private @Nullable String hindranceToDelete(RowChange row) throws SQLException, CannotUndoException {
            for (ForeignKey reference : table.referencedBy()) {
                if (reference.followsDelete() && isReferenced(reference, row)) {
                    return "rows of " + reference.child() + " refer to it and would be changed with it";
                }
            }
            return null;
        }

        private boolean isReferenced(ForeignKey reference, RowChange row) throws SQLException, CannotUndoException {
            List<Integer> parents = new ArrayList<>();
            for (String name : reference.parentColumns()) {
                parents.add(change.columns().stream()
                        .map(ImageColumn::name)
                        .toList()
                        .indexOf(name));
            }
            boolean generated = reference.parentColumns().stream().anyMatch(name -> table.named(name) == null);
            if (parents.contains(-1) && !generated) {
                throw CannotUndoException.unreadable(
                        table.lockName(), reference.child() + " refers to a column that is not in the image");
            }
            if (!generated
                    && parents.stream().anyMatch(i -> row.existing().get(i).equals(Value.NULL))) {
                return false;
            }
            StringBuilder condition = new StringBuilder(generated ? refersToRow(reference) : "");
            for (int i = 0; !generated && i < parents.size(); i++) {
                condition
                        .append(i == 0 ? "" : " AND ")
                        .append(dialect.quote(reference.childColumns().get(i)))
                        .append(" = ")
                        .append(columns.get(parents.get(i)).codec().write());
            }
            // Of the table itself, the rows of this very change go together.
            Set<List<Value>> ours = new HashSet<>();
            String select = "1";
            if (reference.ofItself()) {
                change.rows().forEach(r -> ours.add(change.keyOf(r.existing())));
                ours.removeIf(own -> dirty.stays(change.lockName(), own));
                select = key.stream()
                        .map(columns::get)
                        .map(c -> c.codec().readFrom(c.sqlName()))
                        .collect(Collectors.joining(", "));
            }
            try (PreparedStatement query = connection.prepareStatement(
                    "SELECT " + select + " FROM " + reference.child() + " WHERE " + condition)) {
                if (generated) {
                    bindRowReferredTo(query, reference, row);
                } else {
                    bind(query, 1, parents, row.existing());
                }
                query.setMaxRows(ours.size() + 1);
                try (ResultSet children = query.executeQuery()) {
                    while (children.next()) {
                        if (!reference.ofItself() || !ours.contains(keyFrom(children))) {
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
        private @Nullable String hindranceToUpdate(RowChange row) throws SQLException, CannotUndoException {
            Set<String> names = new HashSet<>();
            written(change, table).forEach(column -> names.add(column.name()));
            for (ForeignKey reference : table.referencedBy()) {
                if (reference.followsUpdate()
                        && reference.parentColumns().stream()
                                .anyMatch(name -> names.contains(name) || table.named(name) == null)) {
                    Table child = dialect.table(connection, reference.childName());
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

        private boolean othersFollow(ForeignKey reference, Table child, RowChange row) throws SQLException {
            Set<List<Value>> ours = new HashSet<>();
            for (TableChange before : earlier) {
                if (before.following() && before.lockName().equals(child.lockName())) {
                    before.rows().forEach(r -> ours.add(before.keyOf(r.existing())));
                }
            }
            ours.removeIf(own -> dirty.stays(child.lockName(), own));
            List<Column> childKey = child.key();
            String select = childKey.isEmpty()
                    ? "1"
                    : childKey.stream()
                            .map(c -> c.codec().readFrom(c.sqlName()))
                            .collect(Collectors.joining(", "));
            try (PreparedStatement query = connection.prepareStatement(
                    "SELECT " + select + " FROM " + reference.child() + " WHERE " + refersToRow(reference))) {
                bindRowReferredTo(query, reference, row);
                query.setMaxRows(ours.size() + 1);
                try (ResultSet children = query.executeQuery()) {
                    while (children.next()) {
                        List<Value> id = new ArrayList<>();
                        for (int i = 0; i < childKey.size(); i++) {
                            id.add(childKey.get(i).codec().get(children, i + 1));
                        }
                        if (childKey.isEmpty() || !ours.contains(id)) {
                            return true;
                        }
                    }
                }
            }
            return false;
        }

        /** The condition that is true of rows that refer to a row as it is, of which the key is bound. */
        private String refersToRow(ForeignKey reference) {
            StringBuilder condition = new StringBuilder();
            for (int i = 0; i < reference.childColumns().size(); i++) {
                condition
                        .append(i == 0 ? "" : " AND ")
                        .append(dialect.quote(reference.childColumns().get(i)))
                        .append(" = (SELECT ")
                        .append(dialect.quote(reference.parentColumns().get(i)))
                        .append(" FROM ")
                        .append(table.sqlName())
                        .append(" WHERE ")
                        .append(keyCondition)
                        .append(')');
            }
            return condition.toString();
        }

        private void bindRowReferredTo(PreparedStatement query, ForeignKey reference, RowChange row)
                throws SQLException {
            int parameter = 1;
            for (int i = 0; i < reference.childColumns().size(); i++) {
                parameter = bindKey(query, parameter, row);
            }
        }

        private List<Value> keyFrom(ResultSet row) throws SQLException {
            List<Value> values = new ArrayList<>();
            for (int i = 0; i < key.size(); i++) {
                values.add(columns.get(key.get(i)).codec().get(row, i + 1));
            }
            return values;
        }

        /**
         * Writes all rows in one batch; when a constraint objects, one by one, in as many passes as it takes while each pass gets at least one
         * through; and when none gets through any more, in the way that unties the rest.
         */
        private void writeAll(String sql, List<RowChange> rows, Binder binder, Untying untying) throws SQLException {
            if (rows.isEmpty()) {
                return;
            }
            Savepoint before = connection.setSavepoint();
            try {
                writeEach(sql, rows, binder);
            } catch (SQLException e) {
                if (dialect.refusesValue(e)) {
                    connection.rollback(before);
                    writeLoosely(rows, () -> writeInPasses(sql, rows, binder, untying));
                    return;
                }
                undoTo(before, e);
                writeInPasses(sql, rows, binder, untying);
            }
        }

        /**
         * Puts back what strict sessions refuse and others had let in, such as the empty value of an ENUM. Nobody would tell if a value were cut to
         * size, so the rows are read again.
         */
        private void writeLoosely(List<RowChange> rows, Writing writing) throws SQLException {
            dialect.strict(connection, false);
            try {
                writing.write();
            } finally {
                dialect.strict(connection, true);
            }
            Map<List<Value>, List<Value>> now = currentRows();
            for (RowChange row : rows) {
                if (!equal(now.get(change.keyOf(row.original())), row.before())) {
                    String reason = "the database does not take its values back as they were";
                    dirty.add(change, place, row, row.after(), UndoReport.Cause.CONSTRAINT, reason);
                }
            }
        }

        private void writeEach(String sql, List<RowChange> rows, Binder binder) throws SQLException {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                for (RowChange row : rows) {
                    binder.bind(statement, 1, row);
                    statement.addBatch();
                }
                for (int count : statement.executeBatch()) {
                    requireOne(count);
                }
            }
        }

        private void writeInPasses(String sql, List<RowChange> rows, Binder binder, Untying untying)
                throws SQLException {
            List<RowChange> waiting = rows;
            while (!waiting.isEmpty()) {
                List<RowChange> next = new ArrayList<>();
                for (RowChange row : waiting) {
                    Savepoint before = connection.setSavepoint();
                    try {
                        writeEach(sql, List.of(row), binder);
                    } catch (SQLException e) {
                        undoTo(before, e);
                        next.add(row);
                    }
                }
                if (next.size() == waiting.size()) {
                    untie(next, untying);
                    return;
                }
                waiting = next;
            }
        }

        private void untie(List<RowChange> rows, Untying untying) throws SQLException {
            Savepoint before = connection.setSavepoint();
            try {
                untying.write(rows);
            } catch (SQLException e) {
                if (!dialect.isIntegrityViolation(e)) {
                    throw e;
                }
                connection.rollback(before);
                Objection objection = Objection.of(dialect, e);
                for (RowChange row : rows) {
                    dirty.add(change, place, row, row.after(), objection.cause(), objection.detail());
                }
            }
        }

        /** After a constraint's objection, what was written since the savepoint is taken back; any other error of the database goes on. */
        private void undoTo(Savepoint before, SQLException e) throws SQLException {
            if (!dialect.isIntegrityViolation(e) && !dialect.isDriversOwn(e)) {
                throw e;
            }
            connection.rollback(before);
        }

        private void requireOne(int count) throws SQLException {
            if (count != 1 && count != Statement.SUCCESS_NO_INFO) {
                throw new SQLException("undoing a row of " + table.lockName() + " changed " + count + " rows");
            }
        }
    }

    private interface Writing {
        void write() throws SQLException;
    }

    /** Writes rows that hinder each other. */
    private interface Untying {
        void write(List<RowChange> rows) throws SQLException;
    }

    /** Says why a row is not to be written, or null. */
    private interface Check {
        @Nullable
        String hindrance(RowChange row) throws SQLException, CannotUndoException;
    }

    private interface Binder {
        /** Binds the row from parameter {@code first} on; returns the next free one. */
        int bind(PreparedStatement statement, int first, RowChange row) throws SQLException;
    }
}
