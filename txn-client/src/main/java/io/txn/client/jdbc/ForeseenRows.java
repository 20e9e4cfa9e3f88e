package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.MySqlStored;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Trigger;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.NewValue;
import io.txn.client.jdbc.sql.Plan;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an UPDATE of one table will make of its rows on MySQL and MariaDB, so that they need not be read again: the query that reads and locks them has the database
 * compute what the columns are about to be set to, by the statement's own expressions. That is done for exact numbers and for texts only, and counts only where the
 * value is stored as it is; with one row of which that is not sure, nothing is foreseen. For one statement execution.
 */
final class ForeseenRows {

    private record Setting(Column column, Fragment value, boolean number) {

        @Nullable
        Value stored(ResultSet row, int index) throws SQLException {
            if (number) {
                String text = row.getString(index);
                return text == null ? null : MySqlStored.number(column, text);
            }
            byte @Nullable [] bytes = row.getBytes(index);
            return bytes == null ? null : MySqlStored.text(column, bytes);
        }
    }

    private final Target target;
    private final List<Column> columns;
    private final List<Setting> sets;
    private final Map<List<Value>, List<Value>> rows = new HashMap<>();
    private boolean sure = true;

    private ForeseenRows(Target target, List<Setting> sets) {
        this.target = target;
        this.columns = target.changing();
        this.sets = sets;
    }

    /** Null when it is not to be foreseen. */
    static @Nullable ForeseenRows of(Plan.Update plan, Target target, Parameters parameters) throws SQLException {
        Plan.Selection selection = plan.selection();
        Table table = target.table();
        List<NewValue> values = plan.values();
        // With a LIMIT the query might compute, and stumble, where the statement does not.
        boolean plain = !values.isEmpty()
                && !selection.several()
                && !selection.ignores()
                && selection.with().isEmpty()
                && selection.tail().isEmpty()
                && !target.changesKey()
                && table.triggerOn(Trigger.Event.UPDATE, null) == null
                && target.changing().stream()
                        .allMatch(c -> table.isKey(c) || target.assigned().contains(c));
        if (!plain) {
            return null;
        }
        List<Setting> sets = new ArrayList<>();
        Set<Column> set = new HashSet<>();
        for (int i = 0; i < values.size(); i++) {
            Column column = TableImages.column(table, plan.assigned().get(i).column());
            Setting one = foreseen(table, column, values.get(i), parameters, set);
            // One by one, from left to right, unless sql_mode says otherwise: of a column that was set, either value
            // may
            // be meant.
            if (one == null || !set.add(column)) {
                return null;
            }
            sets.add(one);
        }
        return new ForeseenRows(target, sets);
    }

    private static @Nullable Setting foreseen(
            Table table, Column column, NewValue value, Parameters parameters, Set<Column> set) {
        Fragment text = value.text();
        if (value.form() == NewValue.Form.STRING) {
            return MySqlStored.isText(column) ? new Setting(column, text, false) : null;
        } else if (value.form() == NewValue.Form.OTHER) {
            return null;
        }
        boolean parameterOnly =
                text.parameterCount() == 1 && text.text().strip().equals("?");
        if (parameterOnly && MySqlStored.isText(column)) {
            boolean bound = parameters.plainValueOf(text.firstParameter() + 1) instanceof String;
            return bound ? new Setting(column, text, false) : null;
        }
        if (!MySqlStored.isNumber(column)) {
            return null;
        }
        for (Identifier name : value.columns()) {
            Column read = table.column(name);
            if (read == null || !MySqlStored.isNumber(read) || set.contains(read)) {
                return null;
            }
        }
        for (int i = 1; i <= text.parameterCount(); i++) {
            if (!isExact(parameters.plainValueOf(text.firstParameter() + i))) {
                return null;
            }
        }
        return new Setting(column, text, true);
    }

    private static boolean isExact(@Nullable Object value) {
        return value instanceof Integer
                || value instanceof Long
                || value instanceof Short
                || value instanceof Byte
                || value instanceof BigDecimal
                || value instanceof BigInteger;
    }

    /** Has them read, behind the other columns of the query. */
    void addTo(Query query, Parameters parameters) {
        for (Setting one : sets) {
            String[] around = (one.number() ? MySqlStored.numberFrom("\0") : MySqlStored.textFrom("\0")).split("\0");
            query.add(", " + around[0]).add(one.value(), parameters).add(around[1]);
        }
    }

    /**
     * Takes them from a row.
     *
     * @param first the number of the first of them
     * @param before the row's image before
     */
    void keep(ResultSet row, int first, List<Value> before) throws SQLException {
        List<Value> after = new ArrayList<>(before);
        for (int i = 0; i < sets.size(); i++) {
            Value stored = sets.get(i).stored(row, first + i);
            if (stored == null) {
                sure = false;
                return;
            }
            after.set(columns.indexOf(sets.get(i).column()), stored);
        }
        rows.put(target.images().keyOf(columns, before), after);
    }

    /** The rows as they will be, by their keys; null when that is not sure. */
    @Nullable
    Map<List<Value>, List<Value>> rows() {
        return sure ? rows : null;
    }
}
