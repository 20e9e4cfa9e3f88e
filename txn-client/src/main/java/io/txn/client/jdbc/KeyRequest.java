package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.sql.Identifier;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** What an application wants to see by getGeneratedKeys: one of the variants that JDBC offers. */
record KeyRequest(boolean wanted, List<String> names, List<Integer> positions) {

    static final KeyRequest NONE = new KeyRequest(false, List.of(), List.of());
    static final KeyRequest DRIVERS_CHOICE = new KeyRequest(true, List.of(), List.of());

    KeyRequest {
        names = List.copyOf(names);
        positions = List.copyOf(positions);
    }

    /** From the second argument of an execute or prepare method: a flag, an array of indexes or an array of names. */
    static KeyRequest of(Object argument) {
        if (argument instanceof Integer flag) {
            return flag == Statement.RETURN_GENERATED_KEYS ? DRIVERS_CHOICE : NONE;
        }
        if (argument instanceof int[] indexes) {
            return new KeyRequest(
                    indexes.length > 0,
                    List.of(),
                    java.util.Arrays.stream(indexes).boxed().toList());
        }
        if (argument instanceof String[] names) {
            return new KeyRequest(names.length > 0, List.of(names), List.of());
        }
        return NONE;
    }

    /** The columns, as this database's driver would choose them where the application left it to the driver. */
    List<Column> columns(Table table, Dialect dialect) throws SQLException {
        if (!wanted) {
            return List.of();
        }
        boolean mySql = dialect.product().isMySqlFamily();
        if (mySql || names.isEmpty() && positions.isEmpty()) {
            return switch (dialect.product()) {
                case POSTGRESQL -> table.shown();
                case H2 ->
                    table.shown().stream().filter(c -> isKeyToH2(table, c)).toList();
                case MYSQL, MARIADB ->
                    table.columns().stream()
                            .filter(c -> c.is(Column.Trait.IDENTITY))
                            .toList();
            };
        }
        List<Column> columns = new ArrayList<>();
        for (String name : names) {
            Column column = table.shown(new Identifier(name, false));
            if (column == null) {
                throw new SQLException("there is no column " + name + " in " + table.lockName(), "42S22");
            }
            columns.add(column);
        }
        for (int position : positions) {
            if (position < 1 || position > table.shown().size()) {
                throw new SQLException("there is no column " + position + " in " + table.lockName(), "42S22");
            }
            columns.add(table.shown().get(position - 1));
        }
        return columns;
    }

    private static boolean isKeyToH2(Table table, Column column) {
        return table.isKey(column)
                || column.is(Column.Trait.IDENTITY)
                || column.is(Column.Trait.COMPUTED_DEFAULT)
                || column.is(Column.Trait.GENERATED);
    }
}
