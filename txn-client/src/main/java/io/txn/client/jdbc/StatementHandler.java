package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.sql.PlainStatement;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.sql.SeveralStatements;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.sql.BatchUpdateException;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A statement that is planned when it runs inside a global transaction, and passed through otherwise. Names the methods whose behaviour differs.
 * A captured write does not run on the physical statement of the application but on others made for it; what the application set on its own
 * (parameters, time limit, wish for generated keys) is carried over, and what it asks afterwards is answered from the outcome.
 */
final class StatementHandler implements InvocationHandler {

    private static final Pattern SETS_LAST_KEY = Pattern.compile("(?i)\\blast_insert_id\\s*\\(\\s*[^)\\s]");

    private static final Outcome NOTHING = new Outcome(0, List.of(), GeneratedKeys.NONE, null);
    private static final Set<String> EXECUTE = Set.of("execute", "executeQuery", "executeUpdate", "executeLargeUpdate");

    private final ConnectionHandler connection;
    private final Connection connectionProxy;
    private final Statement physical;
    private final @Nullable String preparedSql;
    private final KeyRequest preparedKeys;
    private final boolean updatable;
    private final StatementScope scope;
    private final Parameters parameters = new Parameters();
    /** Kept only where the physical statement has not got it. */
    private final List<BatchRun.Element> batch = new ArrayList<>();
    /** Texts of what was added outside any global transaction and went straight to the physical statement; one text if it is prepared. */
    private final Set<String> forwarded = new LinkedHashSet<>();

    private @Nullable Outcome outcome;
    /** What follows it, of a text with several statements. */
    private final Queue<Outcome> more = new ArrayDeque<>();

    /** What was executed last. */
    private String lastSql = "";
    /** A result whose rows are fetched one by one, in MySQL's way; null when there is none. */
    private @Nullable ResultSet streamed;

    private boolean outcomeShown;
    private boolean warningsCleared;
    private boolean keysWanted;
    /**
     * Whether what is bound is kept, and not given to the physical statement: found out once for all values of a batch. Should that change before something is executed, nothing is
     * lost: the physical statement is given then what it has not seen.
     */
    private boolean keeps;

    StatementHandler(
            ConnectionHandler connection,
            Connection connectionProxy,
            Statement physical,
            @Nullable String preparedSql,
            KeyRequest preparedKeys)
            throws SQLException {
        this.connection = connection;
        this.scope = new StatementScope(connection.resource().deadlines());
        this.connectionProxy = connectionProxy;
        this.physical = physical;
        this.preparedSql = preparedSql;
        this.preparedKeys = preparedKeys;
        this.updatable = physical.getResultSetConcurrency() == ResultSet.CONCUR_UPDATABLE;
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
        // First what is called for each value of a batch.
        if (Parameters.isSetter(method)) {
            return setParameter(method, given);
        }
        String name = method.getName();
        if (EXECUTE.contains(name)) {
            keeps = false;
            endStream();
            return execute(proxy, method, given);
        }
        if (name.startsWith("execute")) {
            keeps = false;
            endStream();
            connection.resume();
        }
        switch (name) {
            case "clearParameters" -> {
                keeps = false;
                parameters.clear();
                return Proxies.call(physical, method, arguments);
            }
            case "addBatch" -> {
                addBatch(method, given);
                return null;
            }
            case "clearBatch" -> {
                clearBatch();
                return null;
            }
            case "executeBatch" -> {
                return Arrays.stream(executeBatch(proxy))
                        .mapToInt(Math::toIntExact)
                        .toArray();
            }
            case "executeLargeBatch" -> {
                return executeBatch(proxy);
            }
            case "setQueryTimeout" -> {
                scope.queryTimeout((Integer) Objects.requireNonNull(given[0]));
                return Proxies.call(physical, method, arguments);
            }
            case "cancel" -> {
                if (!scope.cancel()) {
                    physical.cancel();
                }
                return null;
            }
            case "close" -> {
                scope.release();
                endStream();
                return Proxies.call(physical, method, arguments);
            }
            case "getConnection" -> {
                return connectionProxy;
            }
            case "unwrap", "isWrapperFor" -> {
                if (name.equals("unwrap")) {
                    connection.resume();
                    connection.bypassed();
                }
                return Proxies.unwrap(proxy, physical, name, (Class<?>) Objects.requireNonNull(given[0]));
            }
            case "equals" -> {
                return proxy == given[0];
            }
            case "hashCode" -> {
                return System.identityHashCode(proxy);
            }
            case "toString" -> {
                return "AT statement over " + physical;
            }
            default -> {
                if (outcome != null) {
                    return afterOutcome(proxy, method, arguments);
                }
                Object result = Proxies.call(physical, method, arguments);
                // Keys, too, are a result; the rows of the query are still on their way then.
                return name.equals("getResultSet") ? guarded(proxy, result) : leadingBack(proxy, result);
            }
        }
    }

    /** What the application asks after a captured write. */
    private @Nullable Object afterOutcome(Object proxy, Method method, @Nullable Object @Nullable [] arguments)
            throws SQLException {
        Outcome last = Objects.requireNonNull(outcome);
        return switch (method.getName()) {
            case "getUpdateCount" -> outcomeShown || showsRows(last) ? -1 : (Object) Math.toIntExact(last.count());
            case "getLargeUpdateCount" -> outcomeShown || showsRows(last) ? -1L : (Object) last.count();
            case "getResultSet" -> outcomeShown ? null : shownRows(proxy, last);
            case "getMoreResults" -> {
                Outcome next = more.poll();
                if (next != null) {
                    show(next);
                    yield showsRows(next);
                }
                outcomeShown = true;
                scope.release();
                yield false;
            }
            case "getGeneratedKeys" -> {
                ReturnedRows rows = last.rows();
                yield rows != null && !showsRows(last)
                        ? rows.open((Statement) proxy)
                        : last.keys().open((Statement) proxy);
            }
            case "getWarnings" -> warningsCleared ? null : last.warnings();
            case "clearWarnings" -> {
                warningsCleared = true;
                yield null;
            }
            default -> Proxies.call(physical, method, arguments);
        };
    }

    /** Whether the application sees the rows of its RETURNING as the result; PostgreSQL's driver makes them the keys, when keys were asked for. */
    private boolean showsRows(Outcome done) {
        return done.rows() != null
                && !(keysWanted && connection.resource().dialect().product() == Dialect.Product.POSTGRESQL);
    }

    private @Nullable ResultSet shownRows(Object proxy, Outcome done) throws SQLException {
        ReturnedRows rows = done.rows();
        return rows != null && showsRows(done) ? rows.open((Statement) proxy) : null;
    }

    private @Nullable Object setParameter(Method method, @Nullable Object[] given) throws SQLException {
        keeps = keeps || (connection.context() != null && !callsRoutine());
        if (keeps) {
            parameters.kept(method, given);
            return null;
        }
        Object result = Proxies.call(physical, method, given);
        parameters.forwarded(method, given);
        return result;
    }

    /** Whether the physical statement itself will run, and needs its parameters at once: their order among those that come out matters to drivers. */
    private boolean callsRoutine() {
        return physical instanceof CallableStatement
                && preparedSql != null
                && connection.resource().plans().plan(preparedSql) instanceof Plan.Call;
    }

    private @Nullable Object execute(Object proxy, Method method, @Nullable Object[] given) throws SQLException {
        outcome = null;
        more.clear();
        scope.release();
        boolean prepared = preparedSql != null && given.length == 0;
        String sql = prepared ? Objects.requireNonNull(preparedSql) : String.valueOf(given[0]);
        lastSql = sql;
        WorkContext context = connection.context();
        if (context == null) {
            connection.touch();
            scope.limit(0);
            return executePlain(proxy, method, given, sql);
        }
        requireOpen();
        scope.limit(connection.secondsLeft(context));
        SeveralStatements statements = connection.resource().plans().statements(sql);
        if (statements.several() && connection.resource().dialect().habits().severalStatements()) {
            return executeSeveral(proxy, method.getName(), context, statements, requestedKeys(prepared, given));
        }
        Plan plan = plan(sql, prepared);
        if (!(plan instanceof Plan.Update)) {
            connection.resume();
        }
        if (plan instanceof Plan.Control control) {
            requireNoRowsWanted(method.getName());
            connection.control(control);
            show(NOTHING);
            return result(proxy, method.getName(), NOTHING);
        }
        if (plan instanceof Plan.Call && context.readCommitted()) {
            throw Refusals.notCheckable("what a routine reads is not shown", "send its SELECT");
        }
        if (plan instanceof Plan.Read && context.readCommitted()) {
            plan = committedRead(sql);
        }
        if (plan instanceof Plan.LockingRead read) {
            return executeCheckedRead(proxy, context, read, method, given);
        }
        connection.touchFirst();
        if (plan instanceof Plan.Read || plan instanceof Plan.Call) {
            return guarded(proxy, callPhysical(method, given));
        }
        KeyRequest keys = requestedKeys(prepared, given);
        Plan.Write write = (Plan.Write) plan;
        keysWanted = keys.wanted();
        requireFitting(method.getName(), write);
        if (keysWanted
                && write instanceof Plan.Update
                && SETS_LAST_KEY.matcher(sql).find()) {
            throw Refusals.notSupported(
                    "what LAST_INSERT_ID makes of an UPDATE is not shown by getGeneratedKeys",
                    "ask for no keys, and SELECT LAST_INSERT_ID() afterwards");
        }
        Outcome done = connection.write(context, write, parameters, keys, scope);
        show(done);
        return result(proxy, method.getName(), done);
    }

    private KeyRequest requestedKeys(boolean prepared, @Nullable Object[] given) {
        return prepared
                ? preparedKeys
                : given.length == 2 ? KeyRequest.of(Objects.requireNonNull(given[1])) : KeyRequest.NONE;
    }

    private @Nullable Object result(Object proxy, String method, Outcome done) throws SQLException {
        return switch (method) {
            case "execute" -> showsRows(done);
            case "executeQuery" -> shownRows(proxy, done);
            case "executeUpdate" -> Math.toIntExact(done.count());
            default -> done.count();
        };
    }

    private static void requireNoRowsWanted(String method) throws SQLException {
        if (method.equals("executeQuery")) {
            throw Refusals.notSupported("executeQuery wants rows, and the statement returns none", "use executeUpdate");
        }
    }

    // Several statements in one text

    /** Runs them one by one; their results are shown one by one, of H2 only the first, as its driver does. */
    private @Nullable Object executeSeveral(
            Object proxy, String method, WorkContext context, SeveralStatements statements, KeyRequest keys)
            throws SQLException {
        List<Plan> plans = new ArrayList<>();
        for (SeveralStatements.Piece piece : statements.pieces()) {
            Plan plan = plan(piece.sql(), preparedSql != null);
            if (plan instanceof Plan.Read && context.readCommitted()) {
                plan = committedRead(piece.sql());
            }
            if (plan instanceof Plan.LockingRead || plan instanceof Plan.Call) {
                throw Refusals.notSupported(
                        "a call, or a SELECT whose rows are locked or checked, stands beside other statements",
                        "send it as a statement of its own");
            }
            plans.add(plan);
        }
        connection.touch();
        keysWanted = keys.wanted();
        Plan first = plans.get(0);
        if (first instanceof Plan.Write write) {
            requireFitting(method, write);
        } else if (first instanceof Plan.Read == method.endsWith("Update")) {
            throw Refusals.notSupported("its first statement has no result for " + method, "use execute");
        }
        Dialect.Product product = connection.resource().dialect().product();
        // To PostgreSQL, what comes in one text is one transaction, unless it says something else.
        boolean together =
                product == Dialect.Product.POSTGRESQL && plans.stream().noneMatch(Plan.Control.class::isInstance);
        List<Outcome> results = new ArrayList<>();
        if (together) {
            connection.inTransaction(context, transaction -> {
                results.clear();
                for (int i = 0; i < plans.size(); i++) {
                    results.add(one(context, statements.pieces().get(i), plans.get(i), keys, transaction));
                }
                return results;
            });
        } else {
            for (int i = 0; i < plans.size(); i++) {
                SeveralStatements.Piece piece = statements.pieces().get(i);
                Plan plan = plans.get(i);
                results.add(
                        plan instanceof Plan.Write
                                ? connection.inTransaction(
                                        context, transaction -> one(context, piece, plan, keys, transaction))
                                : one(context, piece, plan, keys, null));
            }
        }
        show(results.get(0));
        if (product != Dialect.Product.H2) {
            more.addAll(results.subList(1, results.size()));
        }
        return result(proxy, method, results.get(0));
    }

    private Outcome one(
            WorkContext context,
            SeveralStatements.Piece piece,
            Plan plan,
            KeyRequest keys,
            @Nullable LocalTransaction transaction)
            throws SQLException {
        Parameters values = parameters.of(piece.firstParameter(), piece.parameterCount());
        if (plan instanceof Plan.Write write && transaction != null) {
            return connection.write(context, write, values, keys, scope, transaction);
        }
        if (plan instanceof Plan.Control control) {
            connection.control(control);
            return NOTHING;
        }
        return new Query()
                .add(new Fragment(piece.sql(), 0, piece.parameterCount()), values)
                .keep(connection.physical(), scope, (statement, sql) -> {
                    boolean rows = statement instanceof PreparedStatement prepared
                            ? prepared.execute()
                            : statement.execute(sql);
                    if (!rows) {
                        int count = statement.getUpdateCount();
                        statement.close();
                        return new Outcome(count, List.of(), GeneratedKeys.NONE, null);
                    }
                    ResultSet result = statement.getResultSet();
                    ReturnedRows kept = new ReturnedRows(
                            statement, result, result.getMetaData().getColumnCount());
                    scope.keep(kept);
                    return new Outcome(-1, List.of(), GeneratedKeys.NONE, null, kept, null);
                });
    }

    /** Drivers find out after the change that it brought rows, or none, where the method has no place for them; here it is said before. */
    private void requireFitting(String method, Plan.Write write) throws SQLException {
        boolean rows = write.returning() != null
                && !(keysWanted && connection.resource().dialect().product() == Dialect.Product.POSTGRESQL);
        if (method.equals("executeQuery") && !rows) {
            throw Refusals.notSupported("executeQuery wants rows, and the statement returns none", "use executeUpdate");
        }
        if (method.endsWith("Update") && rows) {
            throw Refusals.notSupported(
                    "it returns rows, for which " + method + " has no place", "use executeQuery or execute");
        }
    }

    /** What is captured runs on other statements, which do not know that the application closed this one. */
    private void requireOpen() throws SQLException {
        if (physical.isClosed()) {
            throw new SQLException("the statement is closed", "HY010");
        }
    }

    private void show(Outcome done) {
        outcome = done;
        outcomeShown = false;
        warningsCleared = false;
    }

    /** The plan of a statement that may run; anything else is refused here. */
    private Plan plan(String sql, boolean prepared) throws SQLException {
        Plan plan = connection.resource().plans().plan(sql);
        if (plan instanceof Plan.Refused refused) {
            throw Refusals.notSupported(refused.reason(), refused.rewrite());
        }
        if (!prepared && plan instanceof Plan.Write write && write.statement().parameterCount() > 0) {
            throw Refusals.notSupported(
                    "it has a question mark outside literals, and is not prepared",
                    "use a PreparedStatement; write an operator with a question mark as ??");
        }
        if (plan instanceof Plan.Setting setting) {
            requireHarmless(setting, sql, prepared);
            plan = new Plan.Read();
        }
        WorkContext context = connection.context();
        if (plan instanceof Plan.Call call) {
            connection.requireReading(call);
        } else if (plan instanceof Plan.Deferring deferring) {
            connection.requireNoKeyDeferred(deferring);
            return new Plan.Read();
        } else if (plan instanceof Plan.OnceIsolated) {
            connection.requireOpenTransaction();
            return new Plan.Read();
        } else if (context != null && context.xid() != null || !(plan instanceof Plan.Read)) {
            connection.requireNoWritingFunction(sql, plan);
        }
        return plan;
    }

    /** Refuses what may change what names mean, and one of several statements, whose parameters have other numbers. */
    private void requireHarmless(Plan.Setting setting, String sql, boolean prepared) throws SQLException {
        for (int parameter : setting.names()) {
            String name = prepared && sql.equals(lastSql) ? parameters.text(parameter) : null;
            if (name == null || !Plan.Setting.isHarmless(name)) {
                throw Refusals.notSupported(
                        "set_config may change what the names of tables mean",
                        "name a setting of your own, or a time limit, or set it outside the global transaction");
            }
        }
    }

    private @Nullable Object executePlain(Object proxy, Method method, @Nullable Object[] given, String sql)
            throws SQLException {
        PlainStatement plain = connection.beforePlain(sql, method.getName().contains("Update"));
        Object result = callPhysical(method, given);
        connection.afterPlain(plain);
        return guarded(proxy, result);
    }

    private @Nullable Object callPhysical(Method method, @Nullable Object[] given) throws SQLException {
        if (physical instanceof PreparedStatement prepared) {
            parameters.flush(prepared);
        }
        return Proxies.call(physical, method, given);
    }

    /** Shows rows that no other global transaction holds. */
    private @Nullable Object executeCheckedRead(
            Object proxy, WorkContext context, Plan.LockingRead read, Method method, @Nullable Object[] given)
            throws SQLException {
        if (method.getName().endsWith("Update")) {
            throw Refusals.notSupported(
                    "it returns rows, for which " + method.getName() + " has no place", "use executeQuery or execute");
        }
        CheckedReads.Shown shown = connection.read(new CheckedReads.Reading(
                context,
                read,
                connection.namespace(),
                parameters,
                scope,
                physical.getMaxRows(),
                () -> callWhole(method, given),
                updatable,
                method.getName().equals("executeQuery") && physical.getResultSetType() != ResultSet.TYPE_FORWARD_ONLY));
        if (shown.rows() == null) {
            return guarded(proxy, shown.result());
        }
        keysWanted = false;
        Outcome done = new Outcome(-1, List.of(), GeneratedKeys.NONE, null, shown.rows(), shown.warnings());
        show(done);
        return result(proxy, method.getName(), done);
    }

    /** Runs the application's own statement, within the limits of this execution and with all its rows at once: the transaction may end before they are read. */
    private Object callWhole(Method method, @Nullable Object[] given) throws SQLException {
        int fetchSize = physical.getFetchSize();
        int timeout = physical.getQueryTimeout();
        boolean limited = scope.timeout() > 0 && scope.timeout() != timeout;
        if (fetchSize != 0) {
            physical.setFetchSize(0);
        }
        if (limited) {
            physical.setQueryTimeout(scope.timeout());
        }
        try {
            return Objects.requireNonNull(callPhysical(method, given));
        } finally {
            if (limited && !physical.isClosed()) {
                physical.setQueryTimeout(timeout);
            }
            if (fetchSize != 0 && !physical.isClosed()) {
                physical.setFetchSize(fetchSize);
            }
        }
    }

    /** The plan of a read that shows committed rows only. */
    private Plan committedRead(String sql) throws SQLException {
        Plan plan = connection.resource().plans().committedRead(sql);
        if (plan instanceof Plan.Refused refused) {
            throw Refusals.notCheckable(refused.reason(), refused.rewrite());
        }
        return plan;
    }

    // Batches

    private void addBatch(Method method, @Nullable Object[] given) throws SQLException {
        String sql = given.length == 0 ? Objects.requireNonNull(preparedSql) : String.valueOf(given[0]);
        if (connection.context() != null) {
            batch.add(new BatchRun.Element(sql, parameters.copy()));
        } else {
            callPhysical(method, given);
            forwarded.add(sql);
        }
    }

    private void clearBatch() throws SQLException {
        batch.clear();
        forwarded.clear();
        physical.clearBatch();
    }

    private long[] executeBatch(Object proxy) throws SQLException {
        outcome = null;
        more.clear();
        scope.release();
        List<BatchRun.Element> elements = List.copyOf(batch);
        WorkContext context = connection.context();
        connection.touch();
        if (context == null) {
            return executePlainBatch(elements);
        }
        requireOpen();
        scope.limit(connection.secondsLeft(context));
        boolean begunOutside = !forwarded.isEmpty();
        clearBatch();
        if (begunOutside) {
            throw Refusals.notSupported(
                    "the batch was begun outside the global transaction", "add and execute its elements inside");
        }
        if (elements.isEmpty()) {
            return new long[0];
        }
        List<Plan.Write> plans = batchPlans(elements);
        BatchRun.Result result = run(context, elements, plans);
        if (result.keys() != null) {
            show(new Outcome(-1, List.of(), result.keys(), null));
            outcomeShown = true;
        }
        if (result.failure() != null) {
            throw result.failure();
        }
        return result.counts();
    }

    private BatchRun.Result run(WorkContext context, List<BatchRun.Element> elements, List<Plan.Write> plans)
            throws SQLException {
        boolean apart = connection.inAutoCommit()
                && connection.resource().dialect().product() == Dialect.Product.POSTGRESQL
                && connection.resource().dialect().habits().goesOn();
        try {
            return connection.inTransaction(context, transaction -> new BatchRun(
                            connection, physical, preparedKeys, scope, context, elements, plans, transaction)
                    .run());
        } catch (BatchUpdateException e) {
            if (!apart || !ApartBatch.isFor(e)) {
                throw e;
            }
            return connection.inTransaction(
                    context, new ApartBatch(connection, context, preparedKeys, scope, elements, plans)::run);
        }
    }

    /** The plans of the elements, one each; elements of one text have one in common. */
    private List<Plan.Write> batchPlans(List<BatchRun.Element> elements) throws SQLException {
        Map<String, Plan.Write> known = new HashMap<>();
        List<Plan.Write> plans = new ArrayList<>(elements.size());
        for (BatchRun.Element element : elements) {
            Plan.Write write = known.get(element.sql());
            if (write == null) {
                write = batchPlan(element.sql());
                known.put(element.sql(), write);
            }
            plans.add(write);
        }
        return plans;
    }

    private Plan.Write batchPlan(String sql) throws SQLException {
        if (!(plan(sql, preparedSql != null) instanceof Plan.Write write)) {
            throw Refusals.notSupported("a batch consists of writes", "send the read by itself");
        }
        if (write.returning() != null) {
            throw Refusals.notSupported("a batch has no place for the rows of RETURNING", "send it by itself");
        }
        return write;
    }

    private long[] executePlainBatch(List<BatchRun.Element> kept) throws SQLException {
        for (BatchRun.Element element : kept) {
            if (physical instanceof PreparedStatement prepared && preparedSql != null) {
                element.parameters().bindAll(prepared);
                prepared.addBatch();
            } else {
                physical.addBatch(element.sql());
            }
            forwarded.add(element.sql());
        }
        List<PlainStatement> plain = new ArrayList<>();
        for (String sql : forwarded) {
            plain.add(connection.beforePlain(sql, true));
        }
        batch.clear();
        forwarded.clear();
        int[] counts = physical.executeBatch();
        plain.forEach(connection::afterPlain);
        return Arrays.stream(counts).asLongStream().toArray();
    }

    // Results

    /** A result of a query, which leads back to this statement, and whose end is waited for. */
    private @Nullable Object guarded(Object proxy, @Nullable Object result) throws SQLException {
        if (result instanceof ResultSet rows) {
            boolean inside = connection.resource().context() != null;
            streamed = inside && physical.getFetchSize() == Integer.MIN_VALUE ? rows : null;
        }
        return leadingBack(proxy, result);
    }

    /**
     * A result that leads back to this statement, not to the physical one. Read-only results of statements outside are left as they are: a call a value
     * costs something.
     */
    private @Nullable Object leadingBack(Object proxy, @Nullable Object result) throws SQLException {
        if (!(result instanceof ResultSet rows)) {
            return result;
        }
        boolean inside = connection.resource().context() != null;
        if (updatable) {
            String query = preparedSql != null ? preparedSql : lastSql;
            return Proxies.of(ResultSet.class, new UpdatableRows(connection, proxy, rows, query, scope));
        }
        if (!inside) {
            connection.bypassed(); // it leads to the physical statement and connection
            return result;
        }
        return Proxies.leadingBack(rows, proxy, connection::failed);
    }

    /** With what MySQL's driver ends the stream of rows when its statement is closed or used again, it tells nobody. */
    private void endStream() {
        ResultSet rows = streamed;
        streamed = null;
        if (rows != null) {
            try {
                rows.close();
            } catch (SQLException e) {
                connection.failed(e);
            }
        }
    }
}
