package io.txn.client.jdbc.undo;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.ForeignKey;
import io.txn.client.jdbc.dialect.Trigger;
import io.txn.client.jdbc.dialect.Value;
import io.txn.protocol.extension.UndoReport;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLIntegrityConstraintViolationException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Writes rows back: in one batch where that goes, else by what hinders them. A row that a constraint of the database keeps from being written is in the way. For one thread.
 */
final class RowWriter {

    /** Drivers send the number of parameters as 16 bits. */
    private static final int MOST_PARAMETERS = 30_000;
    /** Values of a large row that stay in its statement. */
    private static final int INLINE = 1 << 10;

    private final ChangedTable of;
    private final int place;
    private final DirtyRows dirty;
    private final LargeValues large;
    /** Rows that were not written, and why is known. */
    private final Set<RowChange> objected = new HashSet<>();

    private final Predicate<List<RowChange>> wait;

    /** @param place of the change in its record */
    RowWriter(ChangedTable of, int place, DirtyRows dirty, LargeValues large, Predicate<List<RowChange>> wait) {
        this.of = of;
        this.place = place;
        this.dirty = dirty;
        this.wait = wait;
        this.large = large;
    }

    private interface Writing {
        void write() throws SQLException;
    }

    /** Writes rows that hinder each other. */
    private interface Untying {
        void write(List<RowChange> rows) throws SQLException;
    }

    private interface Binder {
        /** Binds the row from parameter {@code first} on; returns the next free one. */
        int bind(PreparedStatement statement, int first, RowChange row) throws SQLException;
    }

    /** Takes away rows that are there. */
    void delete(List<RowChange> rows) throws SQLException {
        writeAll(
                "DELETE FROM " + of.table().sqlName() + " WHERE " + of.keyCondition(),
                rows,
                of::bindKey,
                this::unhookAndDelete);
    }

    /** Sets back rows that are there. */
    void update(List<RowChange> rows) throws SQLException {
        List<Integer> written = of.written();
        if (rows.isEmpty() || written.isEmpty()) {
            return;
        }
        String assignments = written.stream()
                .map(of.columns()::get)
                .map(c -> c.sqlName() + " = " + c.codec().write())
                .collect(Collectors.joining(", "));
        String sql = "UPDATE " + of.table().sqlName() + " SET " + assignments + " WHERE " + of.keyCondition();
        Binder binder = (statement, first, row) -> {
            int parameter = of.bind(statement, first, written, ChangedTable.before(row));
            return of.bindKey(statement, parameter, row);
        };
        // MySQL checks each row by itself, and would look for the second column of a key by its new first one.
        boolean each = of.dialect().product().isMySqlFamily() && written.containsAll(of.key());
        Untying untying = each ? rest -> writeEach(sql, rest, binder) : this::updateAtOnce;
        if (anyLarge(rows, written)) {
            writeWithLarge(rows, written, false, sql, binder, untying);
            return;
        }
        List<List<Integer>> moved = referredChangingPlaces(rows);
        if (!moved.isEmpty()) {
            Savepoint before = of.connection().setSavepoint();
            try {
                moveBack(moved, sql, rows, binder);
                of.connection().releaseSavepoint(before);
                return;
            } catch (SQLException e) {
                undoTo(before, e);
            }
        }
        if (!each && keysChangePlaces(rows) && parametersAtOnce(rows, written) <= MOST_PARAMETERS) {
            // One by one, two rows could have one key for a while, where its constraint is checked at the end.
            Savepoint before = of.connection().setSavepoint();
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
        rows.forEach(row -> now.add(of.change().keyOf(row.existing())));
        return rows.stream()
                .anyMatch(row ->
                        of.change().changesKey(row) && now.contains(of.change().keyOf(row.original())));
    }

    /**
     * What others refer to and follow, where a row has the place that another one is to get. H2 lets them follow row by row when all rows of a statement are
     * written, and takes those of one for those of the next; the other databases come to each row at once.
     *
     * @return the columns of each key that is referred to
     */
    private List<List<Integer>> referredChangingPlaces(List<RowChange> rows) {
        Set<List<Integer>> referred = new LinkedHashSet<>();
        if (of.dialect().product() == Dialect.Product.H2) {
            List<String> names = of.columns().stream().map(Column::name).toList();
            for (ForeignKey reference : of.table().referencedBy()) {
                if (reference.onUpdate() == ForeignKey.Action.CASCADE && names.containsAll(reference.parentColumns())) {
                    referred.add(reference.parentColumns().stream()
                            .map(names::indexOf)
                            .toList());
                }
            }
        }
        return referred.stream().filter(key -> changePlaces(key, rows)).toList();
    }

    private boolean changePlaces(List<Integer> key, List<RowChange> rows) {
        Set<List<Value>> now = new HashSet<>();
        rows.forEach(row -> now.add(place(key, row.existing())));
        return rows.stream().anyMatch(row -> {
            List<Value> to = place(key, row.original());
            return !to.equals(place(key, row.existing())) && now.contains(to);
        });
    }

    private List<Value> place(List<Integer> key, List<Value> row) {
        return key.stream().map(i -> of.columns().get(i).inKeys(row.get(i))).toList();
    }

    private static List<Value> values(List<Integer> key, List<Value> row) {
        return key.stream().map(row::get).toList();
    }

    /**
     * Each row by a statement of its own, once its place is free, so that those who refer to it find nobody else's there.
     *
     * @param keys that others refer to; what else is set back is so afterwards
     */
    private void moveBack(List<List<Integer>> keys, String sql, List<RowChange> rows, Binder binder)
            throws SQLException {
        List<RowChange> moved = rows;
        for (List<Integer> key : keys) {
            moved = moveBack(key, moved);
        }
        Savepoint before = of.connection().setSavepoint();
        try {
            writeEach(sql, moved, binder);
        } catch (SQLException e) {
            undoTo(before, e);
            updateAtOnce(moved);
        }
        of.connection().releaseSavepoint(before);
    }

    private List<RowChange> moveBack(List<Integer> key, List<RowChange> rows) throws SQLException {
        List<List<Value>> now = new ArrayList<>();
        Map<List<Value>, Integer> waiting = new LinkedHashMap<>();
        for (int i = 0; i < rows.size(); i++) {
            List<Value> image = rows.get(i).existing();
            now.add(image);
            List<Value> place = place(key, image);
            if (!place.contains(Value.NULL)
                    && !place.equals(place(key, rows.get(i).original()))) {
                waiting.put(place, i);
            }
        }
        while (!waiting.isEmpty()) {
            Deque<Integer> behind = new ArrayDeque<>();
            Set<Integer> met = new HashSet<>();
            Integer next = waiting.values().iterator().next();
            while (next != null && met.add(next)) {
                behind.push(next);
                next = waiting.get(place(key, rows.get(next).original()));
            }
            if (next != null && next.equals(behind.peekLast())) {
                now.set(next, moveAside(key, now.get(next))); // they wait for each other in a circle
            }
            for (int i : behind) {
                List<Value> image =
                        moved(key, now.get(i), values(key, rows.get(i).original()));
                waiting.remove(place(key, rows.get(i).existing()));
                write(key, now.get(i), image);
                now.set(i, image);
            }
        }
        List<RowChange> moved = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            moved.add(new RowChange(rows.get(i).before(), now.get(i)));
        }
        return moved;
    }

    private static List<Value> moved(List<Integer> key, List<Value> row, List<Value> to) {
        List<Value> image = new ArrayList<>(row);
        for (int i = 0; i < key.size(); i++) {
            image.set(key.get(i), to.get(i));
        }
        return image;
    }

    private void write(List<Integer> key, List<Value> now, List<Value> image) throws SQLException {
        String sql = "UPDATE " + of.table().sqlName() + " SET "
                + key.stream()
                        .map(of.columns()::get)
                        .map(c -> c.sqlName() + " = " + c.codec().write())
                        .collect(Collectors.joining(", "))
                + " WHERE " + of.keyCondition();
        writeEach(sql, List.of(new RowChange(image, now)), (statement, first, row) -> {
            int parameter = of.bind(statement, first, key, ChangedTable.before(row));
            return of.bindKey(statement, parameter, row);
        });
    }

    /** Gives a row a key for a while that no other one has, nor gets; returns the row as it is then. */
    private List<Value> moveAside(List<Integer> key, List<Value> row) throws SQLException {
        SQLException failure = null;
        for (int i = 0; i < key.size(); i++) {
            Column column = of.columns().get(key.get(i));
            for (String free : freeValues(column)) {
                Savepoint before = of.connection().setSavepoint();
                try (PreparedStatement query = of.connection()
                                .prepareStatement("SELECT " + column.codec().readFrom(free));
                        ResultSet found = query.executeQuery()) {
                    found.next();
                    List<Value> place = new ArrayList<>(values(key, row));
                    place.set(i, column.codec().get(found, 1));
                    List<Value> image = moved(key, row, place);
                    write(key, row, image);
                    of.connection().releaseSavepoint(before);
                    return image;
                } catch (SQLException e) {
                    if (!of.dialect().isIntegrityViolation(e) && !of.dialect().refusesValue(e)) {
                        throw e;
                    }
                    of.connection().rollback(before);
                    of.connection().releaseSavepoint(before);
                    failure = e;
                }
            }
        }
        throw new SQLIntegrityConstraintViolationException(
                "rows of " + of.table().lockName() + " have each other's keys, and no other key is free",
                "23000",
                failure);
    }

    /** Values of H2 that are likely to be in no row, nor to have been. */
    private List<String> freeValues(Column column) {
        String type = column.type().toUpperCase(Locale.ROOT);
        String c = column.sqlName();
        String from = " FROM " + of.table().sqlName();
        if (type.startsWith("CHAR") || type.startsWith("VARCHAR")) {
            return List.of("CAST(RANDOM_UUID() AS VARCHAR)", "'\u2603'", "'~'");
        }
        if (type.startsWith("BINARY") || type.startsWith("VARBINARY")) {
            return List.of("CAST(X'E29883' AS VARBINARY)", "CAST(X'7E' AS VARBINARY)");
        }
        if (type.equals("UUID")) {
            return List.of("RANDOM_UUID()");
        }
        if (type.startsWith("DATE") || type.startsWith("TIMESTAMP")) {
            return List.of(
                    "(SELECT DATEADD(DAY, 1, MAX(" + c + "))" + from + ")",
                    "(SELECT DATEADD(DAY, -1, MIN(" + c + "))" + from + ")");
        }
        if (type.startsWith("TIME")) {
            return List.of("TIME '12:34:57'", "TIME '21:43:56'");
        }
        boolean number = !type.startsWith("INTERVAL")
                && Stream.of("TINYINT", "SMALLINT", "INT", "BIGINT", "NUMERIC", "DEC", "REAL", "DOUBLE", "FLOAT")
                        .anyMatch(type::startsWith);
        if (!number) {
            return List.of();
        }
        return List.of(
                "(SELECT MAX(" + c + ") + 1" + from + ")",
                "(SELECT MIN(" + c + ") - 1" + from + ")",
                "(SELECT MIN(txn_a." + c + " + 1)" + from + " txn_a WHERE txn_a." + c + " < (SELECT MAX(" + c + ")"
                        + from + ") AND NOT EXISTS (SELECT 1" + from + " txn_b WHERE txn_b." + c + " = txn_a." + c
                        + " + 1))");
    }

    private int parametersAtOnce(List<RowChange> rows, List<Integer> written) {
        return rows.size() * (written.size() * (of.key().size() + 1) + of.key().size());
    }

    /** All rows by one statement: databases that check unique keys at its end let values change places. */
    private void updateAtOnce(List<RowChange> rows) throws SQLException {
        List<Integer> written = of.written();
        StringBuilder sql = new StringBuilder("UPDATE " + of.table().sqlName() + " SET ");
        for (int i = 0; i < written.size(); i++) {
            Column column = of.columns().get(written.get(i));
            sql.append(i == 0 ? "" : ", ").append(column.sqlName()).append(" = CASE");
            sql.append((" WHEN " + of.keyCondition() + " THEN " + column.codec().write()).repeat(rows.size()));
            sql.append(" ELSE ").append(column.sqlName()).append(" END");
        }
        sql.append(" WHERE ")
                .append(String.join(" OR ", Collections.nCopies(rows.size(), '(' + of.keyCondition() + ')')));
        try (PreparedStatement update = of.connection().prepareStatement(sql.toString())) {
            int parameter = 1;
            for (int column : written) {
                for (RowChange row : rows) {
                    parameter = of.bindKey(update, parameter, row);
                    parameter = of.bind(update, parameter, List.of(column), ChangedTable.before(row));
                }
            }
            for (RowChange row : rows) {
                parameter = of.bindKey(update, parameter, row);
            }
            requireCount(update.executeUpdate(), rows.size());
        }
    }

    /** The columns by which rows of the table point to rows of the table. */
    private List<Integer> hooks() {
        Set<String> names = new HashSet<>();
        for (ForeignKey reference : of.table().referencedBy()) {
            if (reference.ofItself() && of.table().triggerOn(Trigger.Event.UPDATE, null) == null) {
                names.addAll(reference.childColumns());
            }
        }
        List<Integer> hooks = new ArrayList<>();
        for (int i = 0; i < of.columns().size(); i++) {
            if (names.contains(of.columns().get(i).name()) && !of.key().contains(i)) {
                hooks.add(i);
            }
        }
        return hooks;
    }

    private String hookSql(String value) {
        return "UPDATE " + of.table().sqlName() + " SET "
                + hooks().stream()
                        .map(of.columns()::get)
                        .map(c -> c.sqlName() + " = "
                                + (value.isEmpty() ? c.codec().write() : value))
                        .collect(Collectors.joining(", "))
                + " WHERE " + of.keyCondition();
    }

    /** Rows that point to each other or to themselves: they let go first, then they are deleted. */
    private void unhookAndDelete(List<RowChange> rows) throws SQLException {
        if (!hooks().isEmpty()) {
            writeEach(hookSql("NULL"), rows, of::bindKey);
        }
        writeEach("DELETE FROM " + of.table().sqlName() + " WHERE " + of.keyCondition(), rows, of::bindKey);
    }

    /** Rows that point to each other: they come without, and point once all are there. */
    private void insertAndHook(List<RowChange> rows) throws SQLException {
        List<Integer> hooks = hooks();
        List<Integer> plain = new ArrayList<>();
        for (int i = 0; i < of.columns().size(); i++) {
            if (!hooks.contains(i)) {
                plain.add(i);
            }
        }
        writeEach(
                insertSql(plain),
                rows,
                (statement, first, row) -> of.bind(statement, first, plain, ChangedTable.before(row)));
        if (!hooks.isEmpty()) {
            writeEach(hookSql(""), rows, (statement, first, row) -> {
                int parameter = of.bind(statement, first, hooks, ChangedTable.before(row));
                return of.bindKey(statement, parameter, row);
            });
        }
    }

    /** Brings back rows that are gone. */
    void insert(List<RowChange> rows) throws SQLException {
        List<Integer> all = new ArrayList<>();
        for (int i = 0; i < of.columns().size(); i++) {
            all.add(i);
        }
        Binder binder = (statement, first, row) -> of.bind(statement, first, all, ChangedTable.before(row));
        if (anyLarge(rows, all)) {
            writeWithLarge(rows, all, true, insertSql(all), binder, this::insertAndHook);
        } else {
            writeAll(insertSql(all), rows, binder, this::insertAndHook);
        }
    }

    private String insertSql(List<Integer> indexes) {
        return insertSql(
                indexes,
                indexes.stream().map(i -> of.columns().get(i).codec().write()).toList());
    }

    private String insertSql(List<Integer> indexes, List<String> expressions) {
        String names =
                indexes.stream().map(of.columns()::get).map(Column::sqlName).collect(Collectors.joining(", "));
        String values = String.join(", ", expressions);
        return "INSERT INTO " + of.table().sqlName() + " (" + names + ")"
                + of.dialect().overridingIdentity(of.table()) + " VALUES (" + values + ")";
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
            bytes += ChangedTable.before(row).get(i) instanceof Value.Bytes value ? value.bytes().length : 0;
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
            List<RowChange> rows, List<Integer> written, boolean inserts, String sql, Binder binder, Untying untying)
            throws SQLException {
        List<RowChange> some = new ArrayList<>();
        List<RowChange> small = new ArrayList<>();
        for (RowChange row : rows) {
            (isLarge(row, written) ? some : small).add(row);
        }
        Savepoint before = of.connection().setSavepoint();
        try {
            List<RowChange> waiting = some;
            try {
                if (!small.isEmpty()) {
                    writeEach(sql, small, binder);
                }
            } catch (SQLException e) {
                if (of.dialect().refusesValue(e)) {
                    throw e;
                }
                undoTo(before, e);
                waiting = rows;
            }
            writeInPassesWithLarge(waiting, written, inserts, sql, binder, untying);
        } catch (SQLException e) {
            if (!of.dialect().refusesValue(e)) {
                throw e;
            }
            of.connection().rollback(before);
            writeLoosely(rows, () -> writeInPassesWithLarge(rows, written, inserts, sql, binder, untying));
        }
    }

    private void writeInPassesWithLarge(
            List<RowChange> rows, List<Integer> written, boolean inserts, String sql, Binder binder, Untying untying)
            throws SQLException {
        List<RowChange> waiting = rows;
        int before;
        do {
            before = waiting.size();
            List<RowChange> next = new ArrayList<>();
            for (RowChange row : waiting) {
                Savepoint savepoint = of.connection().setSavepoint();
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
            dirty.add(of.change(), place, row, row.after(), UndoReport.Cause.CONSTRAINT, reason);
        }
    }

    /** Whether it was written; if not, the server does not take one of its values in any number of pieces. */
    private boolean writeLarge(RowChange row, List<Integer> written, boolean inserts) throws SQLException {
        List<String> expressions = new ArrayList<>();
        List<Integer> bound = new ArrayList<>();
        for (int i : written) {
            String expression = of.columns().get(i).codec().write();
            String variable = null;
            if (ChangedTable.before(row).get(i) instanceof Value.Bytes value && value.bytes().length > INLINE) {
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
            sql.append(i == 0 ? "UPDATE " + of.table().sqlName() + " SET " : ", ")
                    .append(of.columns().get(written.get(i)).sqlName())
                    .append(" = ")
                    .append(expressions.get(i));
        }
        sql.append(inserts ? "" : " WHERE " + of.keyCondition());
        Binder binder = (statement, first, one) -> {
            int parameter = of.bind(statement, first, bound, ChangedTable.before(one));
            return inserts ? parameter : of.bindKey(statement, parameter, one);
        };
        try {
            writeEach(sql.toString(), List.of(row), binder);
        } finally {
            large.forget();
        }
        return true;
    }

    /**
     * Writes all rows in one batch; when a constraint objects, one by one, in as many passes as it takes while each pass gets at least one
     * through; and when none gets through any more, in the way that unties the rest.
     */
    private void writeAll(String sql, List<RowChange> rows, Binder binder, Untying untying) throws SQLException {
        if (rows.isEmpty()) {
            return;
        }
        rows.forEach(objected::remove); // they may have waited
        Savepoint before = of.connection().setSavepoint();
        try {
            writeEach(sql, rows, binder);
        } catch (SQLException e) {
            if (of.dialect().refusesValue(e)) {
                of.connection().rollback(before);
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
        of.dialect().strict(of.connection(), false);
        try {
            writing.write();
        } finally {
            of.dialect().strict(of.connection(), true);
        }
        Map<List<Value>, List<Value>> now = of.currentRows();
        for (RowChange row : rows) {
            if (!objected.contains(row) && !of.equal(now.get(of.change().keyOf(row.original())), row.before())) {
                String reason = "the database does not take its values back as they were";
                dirty.add(of.change(), place, row, row.after(), UndoReport.Cause.CONSTRAINT, reason);
            }
        }
    }

    private void writeEach(String sql, List<RowChange> rows, Binder binder) throws SQLException {
        try (PreparedStatement statement = of.connection().prepareStatement(sql)) {
            for (RowChange row : rows) {
                binder.bind(statement, 1, row);
                statement.addBatch();
            }
            for (int count : statement.executeBatch()) {
                if (count != Statement.SUCCESS_NO_INFO) {
                    requireCount(count, 1);
                }
            }
        }
    }

    private void writeInPasses(String sql, List<RowChange> rows, Binder binder, Untying untying) throws SQLException {
        List<RowChange> waiting = rows;
        while (!waiting.isEmpty()) {
            List<RowChange> next = new ArrayList<>();
            for (RowChange row : waiting) {
                Savepoint before = of.connection().setSavepoint();
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
        Savepoint before = of.connection().setSavepoint();
        try {
            untying.write(rows);
        } catch (SQLException e) {
            if (!isObjection(e)) {
                throw e;
            }
            of.connection().rollback(before);
            objected.addAll(rows);
            if (wait.test(rows)) {
                return;
            }
            Objection objection = Objection.of(of.dialect(), e);
            for (RowChange row : rows) {
                dirty.add(of.change(), place, row, row.after(), objection.cause(), objection.detail());
            }
        }
    }

    /** Whether a row is not to be written as it is: a constraint forbids it, or a trigger fails at what it makes of it. */
    private boolean isObjection(SQLException e) {
        return of.dialect().isIntegrityViolation(e)
                || of.dialect().refusesValue(e) && !of.table().triggers().isEmpty();
    }

    /** After an objection, what was written since the savepoint is taken back; any other error of the database goes on. */
    private void undoTo(Savepoint before, SQLException e) throws SQLException {
        if (!isObjection(e) && !of.dialect().isDriversOwn(e)) {
            throw e;
        }
        of.connection().rollback(before);
    }

    /** Where only changed rows are counted, a trigger may keep one as it is, by what it sets anew; what it did is looked at afterwards. */
    private void requireCount(int count, int rows) throws SQLException {
        boolean fewer = of.dialect().countsOnlyChanged()
                && of.change().kind() != TableChange.Kind.INSERT
                && !of.table().triggers().isEmpty();
        fewer |= of.change().kind() == TableChange.Kind.INSERT
                && of.table().referencedBy().stream()
                        .anyMatch(k -> k.ofItself() && k.onDelete() == ForeignKey.Action.CASCADE);
        if (fewer ? count > rows : count != rows) {
            throw new SQLException("undoing " + rows + " rows of " + of.table().lockName() + " changed " + count);
        }
    }
}
