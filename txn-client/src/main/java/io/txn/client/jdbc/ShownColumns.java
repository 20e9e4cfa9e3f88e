package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.SelectList;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which columns of a table a result shows, where its query lists nothing but columns of that table. Immutable.
 *
 * @param columns those that images hold, by their numbers in the result
 * @param renamed the numbers of those that the query gave another name
 */
record ShownColumns(Map<Integer, Column> columns, Set<Integer> renamed) {

    /** Null when a column cannot be told, or is shown under the name of another one, for which a driver may take it. */
    static @Nullable ShownColumns of(List<SelectList.Item> items, Table table, ResultSetMetaData about)
            throws SQLException {
        int stars = (int) items.stream().filter(item -> item.column() == null).count();
        int ofStar = about.getColumnCount() - (items.size() - stars);
        if (stars > 1 || stars == 0 && ofStar != 0) {
            return null;
        }
        Map<Integer, Column> columns = new LinkedHashMap<>();
        Set<Integer> renamed = new HashSet<>();
        int number = 1;
        for (SelectList.Item item : items) {
            Identifier name = item.column();
            int end = number + (name == null ? ofStar : 1);
            for (; number < end; number++) {
                Column column = table.column(name == null ? new Identifier(about.getColumnLabel(number), true) : name);
                Column called = item.label() == null ? column : table.column(item.label());
                if (column != null) {
                    columns.put(number, column);
                }
                if (called != column) {
                    if (called != null) {
                        return null;
                    }
                    renamed.add(number);
                }
            }
        }
        return new ShownColumns(columns, renamed);
    }

    /** Where the result shows a column; 0 when it does not. */
    int number(Column column) {
        return columns.entrySet().stream()
                .filter(e -> e.getValue().equals(column))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse(0);
    }

    /** The key of the row on which the cursor stands, a parameter a column; null where the result does not show all of it. */
    @Nullable
    Parameters key(Table table, ResultSet rows) throws SQLException {
        Parameters key = new Parameters();
        int parameter = 0;
        for (Column column : table.key()) {
            int number = number(column);
            Object value = number == 0 ? null : rows.getObject(number);
            if (value == null) {
                return null;
            }
            parameter++;
            try {
                key.kept(
                        PreparedStatement.class.getMethod("setObject", int.class, Object.class),
                        new Object[] {parameter, value});
            } catch (NoSuchMethodException e) {
                throw new AssertionError(e);
            }
        }
        return key;
    }
}
