package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.MySqlStored;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.InsertValue;
import io.txn.client.jdbc.sql.Plan;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What rows that an INSERT or REPLACE lists will have in some of their columns on MySQL and MariaDB, as far as the statement itself says it: exact numbers, and texts of ASCII, which
 * no character set of a session changes. For one statement execution.
 */
final class GivenKeys {

    private static final Pattern PLAIN_TEXT = Pattern.compile("'[\\x20-\\x7e&&[^'\\\\]]*'");
    private static final Pattern NUMBER = Pattern.compile("-?\\d{1,30}");

    private final Plan.RichInsert plan;
    private final Table table;
    private final Parameters parameters;

    GivenKeys(Plan.RichInsert plan, Table table, Parameters parameters) {
        this.plan = plan;
        this.table = table;
        this.parameters = parameters;
    }

    /** The values of these columns, by row; empty when one of them is not beyond doubt. */
    Set<List<Value>> rows(List<Column> columns) {
        // A trigger may set a column of the new row.
        boolean listed = table.triggers().isEmpty() && !plan.columns().isEmpty() && !plan.rows().isEmpty();
        Set<List<Value>> rows = new LinkedHashSet<>();
        for (List<InsertValue> given : listed ? plan.rows() : List.<List<InsertValue>>of()) {
            List<Value> row = new ArrayList<>();
            for (Column column : columns) {
                Value value = value(column, given);
                if (value == null) {
                    return Set.of();
                }
                row.add(value);
            }
            rows.add(row);
        }
        return rows;
    }

    private @Nullable Value value(Column column, List<InsertValue> row) {
        InsertValue given = null;
        for (int i = 0; i < plan.columns().size() && i < row.size(); i++) {
            if (column.equals(table.column(plan.columns().get(i)))) {
                given = row.get(i);
            }
        }
        if (given == null) {
            return null;
        }
        return switch (given.kind()) {
            case PARAMETER ->
                stored(column, parameters.valueOf(given.source().firstParameter() + 1));
            case LITERAL -> stored(column, literal(given.source().text().strip()));
            case NULL, DEFAULT, EXPRESSION -> null;
        };
    }

    private static @Nullable Object literal(String text) {
        if (NUMBER.matcher(text).matches()) {
            return new BigDecimal(text);
        }
        return PLAIN_TEXT.matcher(text).matches() ? text.substring(1, text.length() - 1) : null;
    }

    private static @Nullable Value stored(Column column, @Nullable Object value) {
        if (value instanceof String text && MySqlStored.isText(column)) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            return bytes.length == text.length() ? MySqlStored.text(column, bytes) : null;
        }
        boolean exact = value instanceof Integer
                || value instanceof Long
                || value instanceof Short
                || value instanceof Byte
                || value instanceof BigInteger
                || value instanceof BigDecimal;
        if (value == null || !exact || !MySqlStored.isNumber(column)) {
            return null;
        }
        BigDecimal number = new BigDecimal(value.toString());
        // A counter takes zero for a wish.
        boolean made = column.is(Column.Trait.IDENTITY) && number.signum() == 0;
        return made ? null : MySqlStored.number(column, number.toPlainString());
    }
}
