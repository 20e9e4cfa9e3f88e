package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Stored;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Trigger;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.sql.NewValue;
import io.txn.client.jdbc.sql.Plan;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the executions of one UPDATE by key made of the rows that were read and locked before, so that they need not be read again: columns are set to what was bound, or to themselves and a
 * whole number more or less. It counts only where each execution says that it changed its row, if there is one, and nothing else; in doubt nothing is foreseen. Immutable.
 */
final class ForeseenBatch {

    /** A column and a number more or less. */
    private static final Pattern SUM = Pattern.compile("(?:\\w+|\"[^\"]+\"|`[^`]+`)\\s*([+-])\\s*(\\?|\\d{1,18})");

    private final List<Setting> settings;
    private final List<Column> columns;
    private final List<Stored> key;

    /**
     * What a column is set to.
     *
     * @param place of the column in the images
     * @param from the place of the column to whose number {@code value} is added; -1 for none
     * @param minus whether it is taken away
     * @param value a parameter or a literal
     */
    private record Setting(int place, Stored stored, int from, boolean minus, Fragment value) {}

    private ForeseenBatch(List<Setting> settings, List<Column> columns, List<Stored> key) {
        this.settings = settings;
        this.columns = columns;
        this.key = key;
    }

    /** Null when it is not to be foreseen. */
    static @Nullable ForeseenBatch of(WriteRun run, Plan.Update plan, Target target) throws SQLException {
        Dialect.Product product = run.dialect().product();
        Table table = target.table();
        List<Column> columns = target.changing();
        boolean plain = !plan.values().isEmpty()
                && !run.dialect().countsOnlyChanged()
                && table.triggerOn(Trigger.Event.UPDATE, null) == null
                && columns.stream()
                        .allMatch(c -> table.isKey(c) || target.assigned().contains(c));
        List<Stored> key = new ArrayList<>();
        for (Column column : table.key()) {
            Stored stored = plain ? Stored.of(product, column) : null;
            if (stored == null) {
                return null;
            }
            key.add(stored);
        }
        List<Setting> settings = new ArrayList<>();
        Set<Column> set = new HashSet<>();
        for (int i = 0; i < plan.values().size(); i++) {
            Column column = TableImages.column(table, plan.assigned().get(i).column());
            Setting one = setting(product, table, columns, column, plan.values().get(i), set);
            if (one == null || !set.add(column)) {
                return null;
            }
            settings.add(one);
        }
        return new ForeseenBatch(settings, columns, key);
    }

    /** @param set what MySQL may have set by then, and others not */
    private static @Nullable Setting setting(
            Dialect.Product product,
            Table table,
            List<Column> columns,
            Column column,
            NewValue value,
            Set<Column> set) {
        Stored stored = Stored.of(product, column);
        String text = value.text().text().strip();
        int place = columns.indexOf(column);
        if (stored == null) {
            return null;
        }
        if (text.equals("?") || value.columns().isEmpty() && GivenValues.literal(text) != null) {
            return new Setting(place, stored, -1, false, value.text());
        }
        Matcher sum = SUM.matcher(text);
        if (value.form() != NewValue.Form.ARITHMETIC || value.columns().size() != 1 || !sum.matches()) {
            return null;
        }
        Column read = table.column(value.columns().get(0));
        Stored number = read == null || set.contains(read) ? null : Stored.of(product, read);
        int from = columns.indexOf(read);
        if (number == null || from < 0 || !number.isInteger() || !stored.isInteger()) {
            return null;
        }
        Fragment operand = sum.group(2).equals("?")
                ? new Fragment("?", value.text().firstParameter(), 1)
                : new Fragment(sum.group(2), 0, 0);
        return new Setting(place, stored, from, sum.group(1).equals("-"), operand);
    }

    /**
     * Those of the rows that were changed as they are now, by their keys; null when that is not sure.
     *
     * @param named what each element says of the key's columns
     * @param onlyKeys whether it says nothing else of its row
     * @param counts of the elements
     */
    @Nullable
    Map<List<Value>, List<Value>> rows(
            Map<List<Value>, List<Value>> before,
            List<Parameters> elements,
            List<KeyedRows.Part> named,
            boolean onlyKeys,
            long[] counts) {
        if (counts.length != elements.size()) {
            return null;
        }
        Map<List<Value>, List<Value>> rows = new HashMap<>(2 * before.size());
        for (int i = 0; i < counts.length; i++) {
            List<Value> row = keyOf(elements.get(i), named);
            List<Value> now = row == null ? null : rows.getOrDefault(row, before.get(row));
            if (row == null || counts[i] != (now == null ? 0 : 1) && (onlyKeys || counts[i] != 0)) {
                return null;
            }
            if (now != null && counts[i] == 1) {
                List<Value> next = changed(now, elements.get(i));
                if (next == null) {
                    return null;
                }
                rows.put(row, next);
            }
        }
        return rows;
    }

    private @Nullable List<Value> keyOf(Parameters element, List<KeyedRows.Part> named) {
        Value[] row = new Value[key.size()];
        for (int i = 0; i < row.length; i++) {
            Value value = key.get(i).of(given(named.get(i).value(), element));
            if (value == null) {
                return null;
            }
            row[i] = value;
        }
        return List.of(row);
    }

    private @Nullable List<Value> changed(List<Value> row, Parameters element) {
        Value[] next = row.toArray(new Value[0]);
        for (Setting setting : settings) {
            Object given = given(setting.value(), element);
            Value value =
                    setting.from() < 0 ? setting.stored().of(given) : sum(setting, row.get(setting.from()), given);
            if (value == null) {
                return null;
            }
            next[setting.place()] = value;
        }
        return List.of(next);
    }

    private static @Nullable Value sum(Setting setting, Value value, @Nullable Object given) {
        if (!(given instanceof Integer || given instanceof Long) || !(value instanceof Value.Text text)) {
            return null;
        }
        try {
            long number = Long.parseLong(text.text());
            long more = given instanceof Integer some ? some : (Long) given;
            return setting.stored()
                    .integer(setting.minus() ? Math.subtractExact(number, more) : Math.addExact(number, more));
        } catch (ArithmeticException | NumberFormatException e) {
            return null;
        }
    }

    private static @Nullable Object given(Fragment value, Parameters element) {
        return value.parameterCount() == 1
                ? element.plainValueOf(value.firstParameter() + 1)
                : GivenValues.literal(value.text().strip());
    }
}
