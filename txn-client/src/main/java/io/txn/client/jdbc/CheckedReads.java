package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.sql.Mentions;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.sql.SelectList;
import io.txn.client.jdbc.undo.LockKeys;
import io.txn.protocol.ErrorCode;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Savepoint;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads rows that no other global transaction holds. The rows are locked in the database and then asked for at the coordinator, in this order: whoever
 * would undo them needs the same row locks, so the answer still holds for what was read. When a row is held, the local locks are let go, as far as the
 * database can do that, the row is waited for, and all is read again.
 *
 * <p>For one connection, and so for one thread at a time.
 */
final class CheckedReads {

    /** Catalogs hold no rows of anybody's transaction. */
    private static final Set<String> CATALOGS =
            Set.of("information_schema", "pg_catalog", "mysql", "performance_schema", "sys");

    private final AtResource resource;
    private final Connection physical;
    private final LocalTransaction local;
    private final GlobalLocks locks;

    CheckedReads(AtResource resource, Connection physical, LocalTransaction local, GlobalLocks locks) {
        this.resource = resource;
        this.physical = physical;
        this.local = local;
        this.locks = locks;
    }

    /**
     * What the application sees.
     *
     * @param rows its rows with our columns behind; null when the statement ran as it is
     * @param result what the driver's method returned; null when there are {@code rows}
     */
    record Shown(
            @Nullable ReturnedRows rows,
            @Nullable Object result,
            @Nullable SQLWarning warnings) {

        private void close() throws SQLException {
            if (rows != null) {
                rows.close();
            } else if (result instanceof ResultSet open) {
                open.close();
            }
        }
    }

    /** Runs the application's statement as it is. */
    interface AsItIs {
        Object run() throws SQLException;
    }

    /**
     * One execution of one statement.
     *
     * @param mostRows what the application limited its statement to; 0 for none
     * @param asItIs runs the application's own statement
     * @param whole whether that has to be what the application sees: rows may be changed through it
     * @param scrolls whether it is asked for rows that can be read twice
     */
    record Reading(
            WorkContext context,
            Plan.LockingRead plan,
            String namespace,
            Parameters parameters,
            StatementScope scope,
            int mostRows,
            AsItIs asItIs,
            boolean whole,
            boolean scrolls) {}

    /** A table whose rows are checked, and what was read of them. */
    private record Checked(Plan.Source source, Table table, Set<List<Value>> keys) {

        String qualifier() {
            return source.row() + '.';
        }
    }

    /** Reads once, in the local transaction that is open, which the caller ends; held rows are not waited for. */
    Shown once(Reading reading) throws SQLException {
        List<Checked> tables = tables(reading);
        Shown shown = read(reading, tables);
        try {
            locks.require(reading.context(), lockKeys(tables));
            return shown;
        } catch (RowsHeldException e) {
            shown.close();
            throw waits(reading) ? e : Refusals.noWait(e);
        } catch (SQLException e) {
            shown.close();
            throw e;
        }
    }

    /** Reads in the application's own local transaction. */
    Shown inOpenTransaction(Reading reading) throws SQLException {
        Instant end = locks.end(reading.context());
        for (int runs = 1; ; runs++) {
            boolean untouched = !local.touched();
            // MySQL and MariaDB keep the row locks that a savepoint's rollback leaves behind.
            Savepoint savepoint =
                    untouched || resource.dialect().product().isMySqlFamily() ? null : physical.setSavepoint();
            Shown shown;
            try {
                shown = once(reading);
            } catch (RowsHeldException e) {
                if (untouched) {
                    physical.rollback();
                } else if (savepoint != null) {
                    physical.rollback(savepoint);
                    physical.releaseSavepoint(savepoint);
                }
                locks.await(reading.context(), e.lockKeys(), end, !untouched && savepoint == null);
                if (runs == ConnectionHandler.MOST_RUNS) {
                    throw e;
                }
                continue;
            } catch (SQLException e) {
                if (savepoint != null) {
                    ConnectionHandler.forget(physical, savepoint);
                }
                throw e;
            }
            if (savepoint != null) {
                physical.releaseSavepoint(savepoint);
            }
            local.touch();
            return shown;
        }
    }

    private static boolean waits(Reading reading) {
        return reading.plan().waits() && !reading.context().lockWait().isZero();
    }

    private List<Checked> tables(Reading reading) throws SQLException {
        Plan.LockingRead plan = reading.plan();
        boolean locksByItself = !plan.lock().isEmpty();
        boolean mySql = resource.dialect().product().isMySqlFamily();
        // PostgreSQL refuses to lock what an outer join may not find, H2 does not lock it.
        boolean named = locksByItself && resource.dialect().product() == Dialect.Product.POSTGRESQL;
        if (plan.outer() && !mySql && !named) {
            String reason = "the database does not lock the rows that an outer join finds";
            String rewrite = "read each table by a SELECT of its own";
            throw locksByItself ? Refusals.notSupported(reason, rewrite) : Refusals.notCheckable(reason, rewrite);
        }
        List<Checked> tables = new ArrayList<>();
        for (Plan.Source source : plan.sources()) {
            Table table = resource.tables().table(physical, source.table(), reading.namespace());
            if (!table.key().isEmpty()) {
                tables.add(new Checked(source, table, new LinkedHashSet<>()));
            } else if (locksByItself) {
                throw Refusals.refused(ErrorCode.TABLE_WITHOUT_KEY, "table", table.lockName());
            } else if (table.refusal() != null
                    && !CATALOGS.contains(table.schema().toLowerCase(Locale.ROOT))) {
                throw Refusals.notCheckable(
                        "its rows have no key: " + table.lockName() + ": " + table.refusal(),
                        "read the tables behind it");
            }
        }
        return tables;
    }

    private Shown read(Reading reading, List<Checked> tables) throws SQLException {
        Plan.LockingRead plan = reading.plan();
        if (tables.isEmpty()) {
            return new Shown(null, reading.asItIs().run(), null); // no global transaction can hold rows of these
        }
        if (plan.keyed() && !(reading.whole() && all(plan))) {
            Shown whole = reading.whole() && tables.size() == 1 && !plan.lock().isEmpty()
                    ? withKeysShown(reading, tables.get(0))
                    : null;
            return whole == null ? withKeys(reading, tables) : whole;
        }
        requireSameTwice(plan);
        Object result = reading.asItIs().run();
        try {
            keysOfAll(reading, tables);
            return new Shown(null, result, null);
        } catch (SQLException e) {
            if (result instanceof ResultSet open) {
                open.close();
            }
            throw e;
        }
    }

    /** The condition is looked at by the application's statement, and again to see the keys of its rows. */
    private void requireSameTwice(Plan.LockingRead plan) throws SQLException {
        Mentions text = resource.plans()
                .mentions(plan.tables().text() + ' ' + plan.where().text());
        String other = resource.tables().mayBeOther(physical, text);
        if (other != null) {
            String reason = "it has to choose its rows twice, and " + other;
            String rewrite = "select that first, and bind it";
            throw plan.lock().isEmpty()
                    ? Refusals.notCheckable(reason, rewrite)
                    : Refusals.notSupported(reason, rewrite);
        }
    }

    /** The application's own statement, whose rows are read once to see their keys: they are locked by it. Null, and nothing was done, where it does not show them. */
    private @Nullable Shown withKeysShown(Reading reading, Checked table) throws SQLException {
        Plan.LockingRead plan = reading.plan();
        List<SelectList.Item> items =
                SelectList.columns(plan.head(), resource.dialect().syntax());
        if (items.isEmpty() || !reading.scrolls()) {
            return null;
        }
        Object result = reading.asItIs().run();
        if (!(result instanceof ResultSet rows)) {
            throw ReturnedRows.unchangeable();
        }
        try {
            List<Parameters> keys = new ArrayList<>();
            ShownColumns shown = ShownColumns.of(items, table.table(), rows.getMetaData());
            while (shown != null && rows.next()) {
                Parameters key = shown.key(table.table(), rows);
                if (key == null || keys.size() == resource.options().maxRowsPerStatement()) {
                    shown = null;
                } else {
                    keys.add(key);
                }
            }
            rows.beforeFirst();
            if (shown == null) {
                throw ReturnedRows.unchangeable();
            }
            for (int from = 0; from < keys.size(); from += TableImages.KEYS_PER_QUERY) {
                readKeys(reading, table, keys.subList(from, Math.min(from + TableImages.KEYS_PER_QUERY, keys.size())));
            }
            if (table.keys().size() != keys.size()) {
                throw ReturnedRows.unchangeable();
            }
            return new Shown(null, rows, null);
        } catch (SQLException e) {
            rows.close();
            throw e;
        }
    }

    private void readKeys(Reading reading, Checked table, List<Parameters> keys) throws SQLException {
        Plan.LockingRead plan = reading.plan();
        List<Column> key = table.table().key();
        Query query = new Query()
                .add("SELECT " + resource.dialect().identity(table.qualifier(), table.table())
                        + TableImages.reads(key, table.qualifier()) + " FROM ")
                .add(plan.tables(), reading.parameters())
                .add(" WHERE ");
        for (int i = 0; i < keys.size(); i++) {
            for (int k = 0; k < key.size(); k++) {
                query.add(k > 0 ? " AND " : i == 0 ? "(" : ") OR (")
                        .add(table.qualifier() + key.get(k).sqlName() + " = ")
                        .add(new Fragment("?", k, 1), keys.get(i));
            }
        }
        query.add(") ")
                .add(plan.lock(), reading.parameters())
                .read(physical, reading.scope(), row -> keep(row, 1, List.of(table)));
    }

    /** Whether the keys of all rows of the condition are those of the rows that it returns. */
    private static boolean all(Plan.LockingRead plan) {
        String rest = plan.rest().text().toUpperCase(Locale.ROOT);
        return !plan.lock().isEmpty() && plan.waits() && !rest.contains("LIMIT") && !rest.contains("FETCH");
    }

    /** The application's own statement, with the keys of the rows behind its columns. */
    private Shown withKeys(Reading reading, List<Checked> tables) throws SQLException {
        Plan.LockingRead plan = reading.plan();
        StringBuilder ours = new StringBuilder();
        int[] number = new int[1];
        for (Checked table : tables) {
            // Without names of their own they would go by the columns' names, and ORDER BY would mean them.
            ours.append(", ")
                    .append(resource.dialect().identity(table.qualifier(), table.table()))
                    .append(" AS txn_")
                    .append(number[0]++);
            for (Column column : table.table().key()) {
                ours.append(", ")
                        .append(column.codec().readFrom(table.qualifier() + column.sqlName()))
                        .append(" AS txn_")
                        .append(number[0]++);
            }
        }
        Query query = new Query()
                .add(plan.head(), reading.parameters())
                .add(ours + " ")
                .add(plan.rest(), reading.parameters())
                .add(" ");
        if (plan.lock().isEmpty()) {
            query.add(resource.dialect().shareLock());
        } else {
            query.add(plan.lock(), reading.parameters());
        }
        return query.keep(physical, reading.scope(), (statement, text) -> {
            if (reading.mostRows() > 0) {
                statement.setMaxRows(reading.mostRows());
            }
            boolean returnsRows =
                    statement instanceof PreparedStatement prepared ? prepared.execute() : statement.execute(text);
            if (!returnsRows) {
                throw new SQLException("the driver brought no rows");
            }
            ResultSet rows = statement.getResultSet();
            int shown = rows.getMetaData().getColumnCount() - number[0];
            while (rows.next()) {
                keep(rows, shown + 1, tables);
            }
            rows.beforeFirst();
            ReturnedRows kept = new ReturnedRows(statement, rows, shown);
            reading.scope().keep(kept);
            return new Shown(kept, null, statement.getWarnings());
        });
    }

    /** The keys of all rows that the condition matches, locked as by the statement itself; those that it returned came of them. */
    private void keysOfAll(Reading reading, List<Checked> tables) throws SQLException {
        Plan.LockingRead plan = reading.plan();
        String list = tables.stream()
                .map(t -> resource.dialect().identity(t.qualifier(), t.table())
                        + TableImages.reads(t.table().key(), t.qualifier()))
                .collect(Collectors.joining(", "));
        Query query = new Query().add("SELECT " + list + " FROM ").add(plan.tables(), reading.parameters());
        if (!Fragment.EMPTY.equals(plan.where())) {
            query.add(" WHERE ").add(plan.where(), reading.parameters());
        }
        query.add(" ")
                .add(plan.lock(), reading.parameters())
                .read(physical, reading.scope(), row -> keep(row, 1, tables));
    }

    private void keep(ResultSet row, int first, List<Checked> tables) throws SQLException {
        int next = first;
        for (Checked checked : tables) {
            Table table = checked.table();
            List<Value> key = TableImages.values(row, table.key(), next + 1);
            if (!key.contains(Value.NULL)) { // an outer join has found a row
                requireRead(table, row.getString(next));
                checked.keys().add(key);
            }
            next += 1 + table.key().size();
            if (checked.keys().size() > resource.options().maxRowsPerStatement()) {
                throw Refusals.notSupported(
                        "it reads more than " + resource.options().maxRowsPerStatement()
                                + " rows, which are all asked for",
                        "read fewer rows at a time, or raise maxRowsPerStatement");
            }
        }
    }

    private static void requireRead(Table table, @Nullable String identity) throws SQLException {
        if (!table.identities().isEmpty() && !table.identities().contains(identity == null ? "" : identity)) {
            throw Refusals.misplaced(
                    ErrorCode.CAPTURE_FAILED,
                    "table",
                    table.lockName(),
                    "reason",
                    "the statement read another table than " + table.schema() + '.' + table.name()
                            + ": a table that inherits from it, a temporary one, or one in another schema");
        }
    }

    /** A table that is read under two names is one table. */
    private static String lockKeys(List<Checked> tables) {
        Map<String, Set<List<Value>>> keys = new TreeMap<>();
        Map<String, List<String>> columns = new HashMap<>();
        for (Checked checked : tables) {
            String name = checked.table().lockName();
            keys.computeIfAbsent(name, n -> new LinkedHashSet<>()).addAll(checked.keys());
            columns.put(name, checked.table().key().stream().map(Column::name).toList());
        }
        return keys.entrySet().stream()
                .filter(e -> !e.getValue().isEmpty())
                .map(e ->
                        LockKeys.of(e.getKey(), columns.getOrDefault(e.getKey(), List.of()), List.copyOf(e.getValue())))
                .collect(Collectors.joining(";"));
    }
}
