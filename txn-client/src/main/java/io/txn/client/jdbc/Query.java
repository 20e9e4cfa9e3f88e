package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Fragment;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A statement being put together from pieces of the application's text, with their parameters, and pieces of our own. */
final class Query {

    private final StringBuilder sql = new StringBuilder();
    private final List<Binding> bindings = new ArrayList<>();
    private int parameters;

    private interface Binding {
        int bind(PreparedStatement statement, int first) throws SQLException;
    }

    Query add(String text) {
        sql.append(text);
        return this;
    }

    /** @param values of the question marks in the text, which stays the same for all of them */
    Query add(String text, List<String> values) {
        sql.append(text);
        bindings.add((statement, first) -> {
            for (int i = 0; i < values.size(); i++) {
                statement.setString(first + i, values.get(i));
            }
            return first + values.size();
        });
        parameters += values.size();
        return this;
    }

    /** @param array of the only question mark in the text */
    Query add(String text, @Nullable Object[] array) {
        sql.append(text);
        bindings.add((statement, first) -> {
            statement.setObject(first, array);
            return first + 1;
        });
        parameters++;
        return this;
    }

    /** A question mark, to be bound by {@code setObject}. */
    Query addBound(@Nullable Object value) {
        sql.append('?');
        bindings.add((statement, first) -> {
            statement.setObject(first, value);
            return first + 1;
        });
        parameters++;
        return this;
    }

    Query add(Fragment fragment, Parameters values) {
        sql.append(fragment.text());
        if (fragment.parameterCount() > 0) {
            bindings.add((statement, first) -> values.bind(statement, fragment, first));
            parameters += fragment.parameterCount();
        }
        return this;
    }

    Query add(Column column, Value value) {
        sql.append(column.codec().write());
        bindings.add((statement, first) -> {
            column.codec().set(statement, first, value);
            return first + 1;
        });
        parameters++;
        return this;
    }

    /** {@code (k = ?) OR …} or {@code k IN (…)}: the rows with these keys; never true when there are none. */
    Query addKeys(List<Column> key, List<List<Value>> rows) {
        return addKeys(key, rows, "");
    }

    /** @param qualifier what stands before each column, with its dot */
    Query addKeys(List<Column> key, List<List<Value>> rows, String qualifier) {
        if (rows.isEmpty()) {
            return add("1 = 0");
        }
        if (key.size() == 1) {
            add(qualifier + key.get(0).sqlName()).add(" IN (");
            for (int i = 0; i < rows.size(); i++) {
                add(i == 0 ? "" : ", ").add(key.get(0), rows.get(i).get(0));
            }
            return add(")");
        }
        for (int i = 0; i < rows.size(); i++) {
            add(i == 0 ? "(" : " OR (");
            for (int k = 0; k < key.size(); k++) {
                add(k == 0 ? "" : " AND ")
                        .add(qualifier + key.get(k).sqlName())
                        .add(" = ")
                        .add(key.get(k), rows.get(i).get(k));
            }
            add(")");
        }
        return this;
    }

    /** The same in a form that the database sorts or hashes where it goes by other indexes: the keys are not compared one by one with each row. */
    Query addSearchedKeys(List<Column> key, List<List<Value>> rows, String qualifier, Dialect dialect) {
        if (rows.isEmpty() || key.size() == 1) {
            return addKeys(key, rows, qualifier);
        }
        String separator = "(";
        for (Column column : key) {
            add(separator + qualifier + column.sqlName());
            separator = ", ";
        }
        separator = dialect.product() == Dialect.Product.POSTGRESQL ? ") IN (VALUES (" : ") IN ((";
        for (List<Value> row : rows) {
            for (int i = 0; i < key.size(); i++) {
                add(i == 0 ? separator : ", ").add(key.get(i), row.get(i));
            }
            separator = "), (";
        }
        return add("))");
    }

    /** {@code (VALUES (…), …) AS name (column0, column1, …)}, of typed values. */
    Query addValues(List<Column> columns, List<List<Value>> rows, String name, String column) {
        String separator = "(VALUES (";
        for (List<Value> row : rows) {
            for (int i = 0; i < columns.size(); i++) {
                add(i == 0 ? separator : ", ").add(columns.get(i), row.get(i));
            }
            separator = "), (";
        }
        add(")) AS " + name + " (");
        for (int i = 0; i < columns.size(); i++) {
            add((i == 0 ? "" : ", ") + column + i);
        }
        return add(")");
    }

    int parameters() {
        return parameters;
    }

    /** What is done with the statement once it is bound. */
    interface Use<T> {
        T apply(Statement statement, String sql) throws SQLException;
    }

    /** Prepares, binds and uses the statement. */
    <T> T use(Connection connection, StatementScope scope, Use<T> use) throws SQLException {
        return use(connection, scope, connection::prepareStatement, use);
    }

    /**
     * Prepares, binds and uses the statement. Without parameters it is not prepared, so that a question mark which is an operator stays one.
     *
     * @param preparing how, where it is prepared
     */
    @SuppressWarnings("try") // the scope is entered for its leaving
    <T> T use(Connection connection, StatementScope scope, Preparing preparing, Use<T> use) throws SQLException {
        String text = sql.toString();
        if (bindings.isEmpty()) {
            try (Statement statement = connection.createStatement();
                    var running = scope.enter(statement)) {
                return use.apply(statement, text);
            }
        }
        try (PreparedStatement statement = preparing.prepare(text);
                var running = scope.enter(statement)) {
            int next = 1;
            for (Binding binding : bindings) {
                next = binding.bind(statement, next);
            }
            return use.apply(statement, text);
        }
    }

    /** As {@link #use}, with a statement whose rows can be read twice and which stays open when {@code use} succeeds. */
    <T> T keep(Connection connection, StatementScope scope, Use<T> use) throws SQLException {
        Statement statement = bindings.isEmpty()
                ? connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY)
                : connection.prepareStatement(
                        sql.toString(), ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY);
        boolean done = false;
        try {
            if (statement instanceof PreparedStatement prepared) {
                int next = 1;
                for (Binding binding : bindings) {
                    next = binding.bind(prepared, next);
                }
            }
            T result = scope.running(statement, () -> use.apply(statement, sql.toString()));
            done = true;
            return result;
        } finally {
            if (!done) {
                statement.close();
            }
        }
    }

    /** One of the ways to prepare a statement. */
    interface Preparing {
        PreparedStatement prepare(String sql) throws SQLException;
    }

    /** Reads rows; {@code each} is called on every one. */
    void read(Connection connection, StatementScope scope, RowReader each) throws SQLException {
        read(connection, scope, () -> {}, each);
    }

    /**
     * Reads the rows of a query, or of a write that returns rows (some drivers refuse executeQuery for such).
     *
     * @param executed called when the statement has run
     * @param each called on every row
     * @return the database's warnings
     */
    @Nullable
    SQLWarning read(Connection connection, StatementScope scope, Runnable executed, RowReader each)
            throws SQLException {
        SQLWarning[] warnings = new SQLWarning[1];
        use(connection, scope, (statement, text) -> {
            boolean returnsRows =
                    statement instanceof PreparedStatement prepared ? prepared.execute() : statement.execute(text);
            executed.run();
            if (returnsRows) {
                try (ResultSet rows = statement.getResultSet()) {
                    while (rows.next()) {
                        each.row(rows);
                    }
                }
            } else {
                requireNothingDone(statement);
            }
            warnings[0] = statement.getWarnings();
            return Boolean.TRUE;
        });
        return warnings[0];
    }

    /** MariaDB answers a RETURNING without rows when it finds by the condition alone that there can be none. */
    static void requireNothingDone(Statement statement) throws SQLException {
        if (statement.getUpdateCount() != 0) {
            throw new SQLException("the driver brought no rows");
        }
    }

    int update(Connection connection, StatementScope scope) throws SQLException {
        return update(connection, scope, statement -> {});
    }

    /** @param done is shown the statement when it has run */
    int update(Connection connection, StatementScope scope, Done done) throws SQLException {
        return use(connection, scope, (statement, text) -> {
            int count = statement instanceof PreparedStatement prepared
                    ? prepared.executeUpdate()
                    : statement.executeUpdate(text);
            done.look(statement);
            return count;
        });
    }

    interface Done {
        void look(Statement statement) throws SQLException;
    }

    interface RowReader {
        void row(ResultSet rows) throws SQLException;
    }
}
