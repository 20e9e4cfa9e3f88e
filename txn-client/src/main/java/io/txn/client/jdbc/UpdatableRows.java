package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.sql.SelectList;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.sql.BatchUpdateException;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A result that leads back to the application's statement, and through which rows may be changed. Inside a global transaction a row that is changed through
 * it is read and locked by its key, the driver changes it in its own way, and it is read again; what is checked of a statement is checked of the
 * UPDATE, INSERT or DELETE that says the same. The result has to list columns of one table, the primary key among them, so that the driver's row and the one
 * that is read are the same.
 */
final class UpdatableRows implements InvocationHandler {

    private static final Set<String> MOVES = Set.of(
            "next",
            "previous",
            "first",
            "last",
            "absolute",
            "relative",
            "beforeFirst",
            "afterLast",
            "refreshRow",
            "cancelRowUpdates",
            "moveToInsertRow",
            "moveToCurrentRow");

    private static final String REWRITE = "send UPDATE, INSERT or DELETE";

    private final ConnectionHandler connection;
    private final Object statement;
    private final ResultSet rows;
    private final String sql;
    private final StatementScope scope;
    /** What was set since the cursor came to its row, by the columns' numbers: a name may be spelt in many ways. */
    private final Map<Integer, Call> set = new LinkedHashMap<>();

    /** What stood in columns of the key that were set, before that: some drivers show the new value at once. */
    private final Map<Integer, @Nullable Object> original = new HashMap<>();

    private boolean inserting;

    private @Nullable Target target;

    private record Call(Method method, @Nullable Object[] arguments) {}

    /**
     * Where the rows are.
     *
     * @param written the table as the query wrote it
     * @param columns those of the result that can be written, by their numbers
     */
    private record Target(String written, Table table, Map<Integer, Column> columns) {

        int number(Column column) throws SQLException {
            return columns.entrySet().stream()
                    .filter(e -> e.getValue().equals(column))
                    .map(Map.Entry::getKey)
                    .findFirst()
                    .orElseThrow(() -> notTold("it does not show the key column " + column.name()));
        }
    }

    /** @param sql the query that the rows came from */
    UpdatableRows(ConnectionHandler connection, Object statement, ResultSet rows, String sql, StatementScope scope) {
        this.connection = connection;
        this.statement = statement;
        this.rows = rows;
        this.sql = sql;
        this.scope = scope;
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] arguments)
            throws SQLException {
        @Nullable Object[] given = arguments == null ? new Object[0] : arguments;
        String name = method.getName();
        switch (name) {
            case "updateRow", "insertRow", "deleteRow" -> {
                WorkContext context = connection.context();
                if (context == null) {
                    connection.pinPlain();
                    Proxies.call(rows, method, arguments);
                } else {
                    change(context, method);
                }
                forget();
                return null;
            }
            case "getStatement" -> {
                return statement;
            }
            case "equals" -> {
                return proxy == given[0];
            }
            case "hashCode" -> {
                return System.identityHashCode(proxy);
            }
            case "unwrap", "isWrapperFor" -> {
                return Proxies.unwrap(proxy, rows, name, (Class<?>) Objects.requireNonNull(given[0]));
            }
            default -> {
                if (MOVES.contains(name)) {
                    Object result = Proxies.call(rows, method, arguments);
                    forget();
                    inserting = name.equals("moveToInsertRow");
                    return result;
                }
                if (!name.startsWith("update") || given.length == 0) {
                    return Proxies.call(rows, method, arguments);
                }
                int number = given[0] instanceof Integer column ? column : rows.findColumn(String.valueOf(given[0]));
                if (!inserting && !set.containsKey(number) && isOfKey(number)) {
                    original.put(number, rows.getObject(number));
                }
                Object result = Proxies.call(rows, method, arguments);
                set.put(number, new Call(method, given));
                return result;
            }
        }
    }

    /** Whether a column has to be known as it was; of a result through which no row may be changed none has. */
    private boolean isOfKey(int number) throws SQLException {
        if (connection.context() == null) {
            return false;
        }
        try {
            Target of = target();
            Column column = of.columns.get(number);
            return column != null && of.table.isKey(column);
        } catch (SQLException e) {
            return false; // said when a row is to be changed
        }
    }

    private void forget() {
        set.clear();
        original.clear();
    }

    private void change(WorkContext context, Method method) throws SQLException {
        connection.touch();
        scope.limit(connection.secondsLeft(context));
        Target of = target();
        Parameters parameters = new Parameters();
        String text =
                switch (method.getName()) {
                    case "updateRow" -> update(of, parameters);
                    case "deleteRow" -> delete(of, parameters);
                    default -> insert(of, parameters);
                };
        Plan plan = connection.resource().plans().plan(text);
        if (plan instanceof Plan.Refused refused) {
            throw Refusals.notSupported(refused.reason(), REWRITE);
        }
        connection.requireNoWritingFunction(text, plan);
        DriverBatch row = DriverBatch.ofRow(parameters, () -> Proxies.call(rows, method, null));
        if (!captured(context, plan, row, plan instanceof Plan.Update ? newKey(of) : parameters)) {
            throw notTold("the key of the new row is made by the database");
        }
    }

    /** False, and nothing was done, where there is no way to capture it. */
    private boolean captured(WorkContext context, Plan plan, DriverBatch row, Parameters newKey) throws SQLException {
        try {
            return connection.inTransactionOnce(context, transaction -> {
                boolean done = plan instanceof Plan.Insert insert
                        ? connection.insert(context, insert, row, scope, transaction) != null
                        : connection.batch(context, (Plan.Write) plan, row, scope, transaction) != null
                                || row.failure() == null
                                        && connection.row(context, (Plan.Write) plan, row, newKey, scope, transaction)
                                                != null;
                if (row.failure() != null) {
                    throw row.failure();
                }
                return done;
            });
        } catch (BatchUpdateException e) {
            throw e == row.failure() && e.getCause() instanceof SQLException cause ? cause : e;
        }
    }

    private static SQLException notTold(String reason) {
        return Refusals.notSupported("rows are changed through a ResultSet, and " + reason, REWRITE);
    }

    // The statements that say the same

    /** All columns that the result shows, because some drivers write them all. */
    private String update(Target of, Parameters parameters) throws SQLException {
        Set<Column> written = new HashSet<>(of.columns.values());
        List<String> assignments = new ArrayList<>();
        for (Column column : of.table.columns()) {
            boolean asked = set.keySet().stream().anyMatch(number -> column.equals(of.columns.get(number)));
            if (asked || written.contains(column) && !of.table.isKey(column)) {
                assignments.add(column.sqlName() + " = NULL");
            }
        }
        if (assignments.isEmpty()) {
            throw notTold("it shows nothing but the key");
        }
        return "UPDATE " + of.written + " SET " + String.join(", ", assignments) + where(of, parameters);
    }

    /** The key that the row has when it was updated. */
    private Parameters newKey(Target of) throws SQLException {
        Parameters key = new Parameters();
        int number = 0;
        for (Column column : of.table.key()) {
            int shown = of.number(column);
            number++;
            Call call = call(of, column);
            if (call == null) {
                key.kept(setter("Object", Object.class), new Object[] {number, rows.getObject(shown)});
            } else if (call.arguments().length < 2) {
                throw notTold("its key is set to NULL");
            } else {
                @Nullable Object[] arguments = call.arguments().clone();
                arguments[0] = number;
                key.kept(setter(call.method()), arguments);
            }
        }
        return key;
    }

    /** What set a column last; null when nothing did. */
    private @Nullable Call call(Target of, Column column) {
        Call last = null;
        for (Map.Entry<Integer, Call> one : set.entrySet()) {
            last = column.equals(of.columns.get(one.getKey())) ? one.getValue() : last;
        }
        return last;
    }

    private String delete(Target of, Parameters parameters) throws SQLException {
        return "DELETE FROM " + of.written + where(of, parameters);
    }

    private String where(Target of, Parameters parameters) throws SQLException {
        List<String> conditions = new ArrayList<>();
        for (Column column : of.table.key()) {
            int number = of.number(column);
            Object value = original.containsKey(number) ? original.get(number) : rows.getObject(number);
            conditions.add(column.sqlName() + " = ?");
            parameters.kept(setter("Object", Object.class), new Object[] {conditions.size(), value});
        }
        return " WHERE " + String.join(" AND ", conditions);
    }

    /** Only the key is said: the driver inserts. */
    private String insert(Target of, Parameters parameters) throws SQLException {
        List<String> names = new ArrayList<>();
        for (Column column : of.table.key()) {
            Call call = call(of, column);
            if (call == null || call.arguments().length < 2) {
                throw notTold("the new row is given no key");
            }
            @Nullable Object[] arguments = call.arguments().clone();
            names.add(column.sqlName());
            arguments[0] = names.size();
            parameters.kept(setter(call.method()), arguments);
        }
        return "INSERT INTO " + of.written + " (" + String.join(", ", names) + ") VALUES ("
                + names.stream().map(n -> "?").collect(Collectors.joining(", ")) + ')';
    }

    /** What binds to a statement what this method sets in a row. */
    private static Method setter(Method updater) throws SQLException {
        Class<?>[] types = updater.getParameterTypes();
        if (types.length != 2) {
            throw notTold("its key is set by a method that is not understood: " + updater.getName());
        }
        return setter(updater.getName().substring("update".length()), types[1]);
    }

    private static Method setter(String kind, Class<?> type) throws SQLException {
        try {
            return PreparedStatement.class.getMethod("set" + kind, int.class, type);
        } catch (NoSuchMethodException e) {
            throw notTold("its key is set by a method that is not understood: update" + kind);
        }
    }

    // Where the rows are

    private Target target() throws SQLException {
        Target known = target;
        if (known != null) {
            return known;
        }
        if (!(connection.resource().plans().committedRead(sql) instanceof Plan.LockingRead read)
                || !read.keyed()
                || read.sources().size() != 1
                || !SelectList.isPlain(
                        read.head(), connection.resource().dialect().syntax())) {
            throw notTold("its query is more than columns of one table");
        }
        Plan.Source source = read.sources().get(0);
        Table table = connection.table(source.table());
        ResultSetMetaData about = rows.getMetaData();
        Map<Integer, Column> columns = new LinkedHashMap<>();
        for (int i = 1; i <= about.getColumnCount(); i++) {
            Column column = column(table, about.getColumnLabel(i));
            if (column != null) {
                columns.put(i, column);
            }
        }
        if (!connection.isPrimary(table)) {
            throw notTold("the key of its table is no primary key");
        }
        Target found = new Target(source.table().written(), table, columns);
        target = found;
        return found;
    }

    private static @Nullable Column column(Table table, String label) {
        return table.column(new Identifier(label, true));
    }
}
