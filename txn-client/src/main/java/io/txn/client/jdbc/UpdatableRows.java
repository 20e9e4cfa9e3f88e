package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.sql.SelectList;
import java.io.InputStream;
import java.io.Reader;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.sql.BatchUpdateException;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.StringTokenizer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A result that leads back to the application's statement, and through which rows may be changed. Inside a global transaction a row that is changed through
 * it is read and locked by its key, the driver changes it in its own way, and it is read again; what is checked of a statement is checked of the
 * UPDATE, INSERT or DELETE that says the same. The result has to list columns of one table, the primary key among them, so that the driver's row and the one
 * that is read are the same; what else the query reads, and what it calls them, does not matter.
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
     * @param shown those columns of the result that can be written
     */
    private record Target(String written, Table table, ShownColumns shown) {

        int number(Column column) throws SQLException {
            int number = shown.number(column);
            if (number == 0) {
                throw notTold("it does not show the key column " + column.name());
            }
            return number;
        }

        Map<Integer, Column> columns() {
            return shown.columns();
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
        try {
            return call(proxy, method, arguments);
        } catch (SQLException e) {
            connection.failed(e);
            throw e;
        }
    }

    private @Nullable Object call(Object proxy, Method method, @Nullable Object @Nullable [] arguments)
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
            Column column = of.columns().get(number);
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
        requireOwnNames(of);
        Parameters parameters = new Parameters();
        @Nullable
        String text =
                switch (method.getName()) {
                    case "updateRow" -> update(of, parameters);
                    case "deleteRow" -> delete(of, parameters);
                    default -> insert(of, parameters);
                };
        boolean captured = false;
        if (text != null) {
            Plan plan = planned(text);
            DriverBatch row = DriverBatch.ofRow(parameters, () -> Proxies.call(rows, method, null));
            captured = captured(context, plan, row, plan instanceof Plan.Update ? newKey(of) : parameters);
        }
        if (!captured) {
            insertWithMadeKey(context, of, method);
        }
    }

    private Plan planned(String text) throws SQLException {
        Plan plan = connection.resource().plans().plan(text);
        if (plan instanceof Plan.Refused refused) {
            throw Refusals.notSupported(refused.reason(), REWRITE);
        }
        connection.requireNoWritingFunction(text, plan);
        return plan;
    }

    /** PostgreSQL's driver writes what was set first, and then looks for the column under its own name. */
    private void requireOwnNames(Target of) throws SQLException {
        if (product() == Dialect.Product.POSTGRESQL
                && of.shown.renamed().stream().anyMatch(set::containsKey)) {
            throw notTold("a column is set that the query shows under another name, which this driver cannot do");
        }
    }

    private Dialect.Product product() {
        return connection.resource().dialect().product();
    }

    /** False, and nothing was done, where there is no way to capture it. */
    private boolean captured(WorkContext context, Plan plan, DriverBatch row, Parameters newKey) throws SQLException {
        return changing(
                context,
                row,
                transaction -> plan instanceof Plan.Insert insert
                        ? connection.insert(context, insert, row, scope, transaction) != null
                        : connection.batch(context, (Plan.Write) plan, row, scope, transaction) != null
                                || row.failure() == null
                                        && connection.row(context, (Plan.Write) plan, row, newKey, scope, transaction)
                                                != null);
    }

    private boolean changing(WorkContext context, DriverBatch row, ConnectionHandler.Work<Boolean> work)
            throws SQLException {
        try {
            return connection.inTransactionOnce(context, transaction -> {
                boolean done = work.run(transaction);
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
        Set<Column> written = new HashSet<>(of.columns().values());
        List<String> assignments = new ArrayList<>();
        for (Column column : of.table.columns()) {
            boolean asked = set.keySet().stream()
                    .anyMatch(number -> column.equals(of.columns().get(number)));
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
            last = column.equals(of.columns().get(one.getKey())) ? one.getValue() : last;
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

    /** Only the key is said: the driver inserts. Null when the new row is not given its whole key. */
    private @Nullable String insert(Target of, Parameters parameters) throws SQLException {
        List<String> names = new ArrayList<>();
        for (Column column : of.table.key()) {
            Call call = call(of, column);
            if (call == null || call.arguments().length < 2) {
                return null;
            }
            names.add(column.sqlName());
            bind(call, names.size(), parameters);
        }
        return insert(of, names);
    }

    private static String insert(Target of, List<String> names) {
        return "INSERT INTO " + of.written + " (" + String.join(", ", names) + ") VALUES ("
                + names.stream().map(n -> "?").collect(Collectors.joining(", ")) + ')';
    }

    /**
     * PostgreSQL's driver shows the new row with its key, MySQL and MariaDB tell the last number that was made. H2's shows nothing, and nothing
     * of a row that it inserted: there a statement is run that says the same.
     */
    private void insertWithMadeKey(WorkContext context, Target of, Method method) throws SQLException {
        boolean byStatement = product() == Dialect.Product.H2;
        List<String> names = new ArrayList<>();
        Parameters values = new Parameters();
        for (Map.Entry<Integer, Call> one : set.entrySet()) {
            Column column = of.columns().get(one.getKey());
            if (column == null) {
                throw notTold("a column of the new row is set that cannot be written");
            }
            names.add(column.sqlName());
            if (byStatement) {
                bind(one.getValue(), names.size(), values);
            }
        }
        if (names.isEmpty()) {
            throw notTold("no column of the new row was set");
        }
        if (!(planned(insert(of, names)) instanceof Plan.Insert plan)) {
            throw notTold("what it inserts is not understood");
        }
        if (byStatement) {
            connection.inTransactionOnce(
                    context,
                    transaction -> connection.write(context, plan, values, KeyRequest.NONE, scope, transaction));
            rows.moveToCurrentRow();
            return;
        }
        DriverBatch row = DriverBatch.ofRow(values, () -> Proxies.call(rows, method, null));
        changing(
                context,
                row,
                transaction ->
                        connection.made(context, plan, row, table -> of.shown.key(table, rows), scope, transaction)
                                != null);
    }

    private static void bind(Call call, int number, Parameters parameters) throws SQLException {
        if (call.arguments().length < 2) {
            parameters.kept(setter("Null", int.class), new Object[] {number, Types.NULL});
            return;
        }
        @Nullable Object[] arguments = call.arguments().clone();
        if (arguments[1] instanceof InputStream || arguments[1] instanceof Reader) {
            throw notTold("a column of the new row is given as a stream, which the driver has read");
        }
        arguments[0] = number;
        parameters.kept(setter(call.method()), arguments);
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
        if (!(connection.resource().plans().committedRead(sql) instanceof Plan.LockingRead read) || !read.keyed()) {
            throw notTold("its query is more than columns of tables");
        }
        List<SelectList.Item> items =
                SelectList.columns(read.head(), connection.resource().dialect().syntax());
        if (items.isEmpty()) {
            throw notTold("its query lists more than columns");
        }
        Plan.Source source = source(items, read.sources());
        if (product() == Dialect.Product.POSTGRESQL && !source.table().written().equals(tableOfDriver())) {
            throw notTold("this driver writes to the table that its query names first, behind FROM and a blank");
        }
        Table table = connection.table(source.table());
        if (!connection.isPrimary(table)) {
            throw notTold("the key of its table is no primary key");
        }
        ShownColumns shown = ShownColumns.of(items, table, rows.getMetaData());
        if (shown == null) {
            throw notTold("its query does not show each column once, and none under the name of another one");
        }
        Target found = new Target(source.table().written(), table, shown);
        target = found;
        return found;
    }

    /** PostgreSQL's driver takes the query for words between blanks; what stands behind the first FROM is the table to it. */
    private @Nullable String tableOfDriver() {
        StringTokenizer words = new StringTokenizer(sql, " \r\t\n");
        while (words.hasMoreTokens()) {
            if (words.nextToken().equalsIgnoreCase("from") && words.hasMoreTokens()) {
                String table = words.nextToken();
                return table.equalsIgnoreCase("only") && words.hasMoreTokens() ? words.nextToken() : table;
            }
        }
        return null;
    }

    /** The one that all columns are of. */
    private Plan.Source source(List<SelectList.Item> items, List<Plan.Source> sources) throws SQLException {
        Plan.Source all = null;
        for (SelectList.Item item : items) {
            Plan.Source one = source(item, sources);
            if (one == null || all != null && !all.equals(one)) {
                throw notTold("its query does not list columns of one table, each with its table before it");
            }
            all = one;
        }
        return Objects.requireNonNull(all);
    }

    private Plan.@Nullable Source source(SelectList.Item item, List<Plan.Source> sources) throws SQLException {
        if (item.row() != null) {
            return Plan.Source.find(sources, item.row());
        }
        if (sources.size() == 1) {
            return sources.get(0);
        }
        Plan.Source having = null;
        for (Plan.Source source : sources) {
            if (item.column() == null || connection.table(source.table()).column(item.column()) != null) {
                if (having != null) {
                    return null;
                }
                having = source;
            }
        }
        return having;
    }
}
