package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Capture;
import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.InsertValue;
import io.txn.client.jdbc.sql.Plan;
import java.sql.BatchUpdateException;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A batch inside a global transaction. One-row INSERTs of one text go together as one INSERT; an UPDATE or DELETE whose elements name their rows' keys goes as
 * the application made it, between two readings ({@link KeyedBatch}); all else goes one by one. When an element fails, what becomes of the others and what
 * is counted is as without the proxy: an INSERT that failed with its neighbours is run again as the application's own batch. For one run.
 */
final class BatchRun {

    /** How many rows of a batch become one statement. */
    private static final int ROWS_PER_INSERT = 1_000;

    /** From here on a form that only a driver has is worth two round trips. */
    private static final int LARGE = 200;

    private static final int MOST_PARAMETERS = 30_000;
    /** Together with what escaping adds, far below what servers accept. */
    private static final long BYTES_PER_INSERT = 512 << 10;

    private final ConnectionHandler connection;
    private final Statement physical;
    private final KeyRequest keyRequest;
    private final StatementScope scope;
    private final WorkContext context;
    private final List<Element> elements;
    private final List<Plan.Write> plans;
    private final LocalTransaction transaction;
    private final long[] counts;
    private GeneratedKeys keys = GeneratedKeys.NONE;

    /** One element of a batch: its text and, for a prepared statement, its parameters. */
    record Element(String sql, Parameters parameters) {}

    /**
     * What came of it.
     *
     * @param keys null when the application's own statement has them
     * @param failure what the application gets to see when an element failed; what others did stays done
     */
    record Result(
            long[] counts,
            @Nullable GeneratedKeys keys,
            @Nullable BatchUpdateException failure) {}

    /** @param plans of the elements, one each; those of one text have one in common */
    BatchRun(
            ConnectionHandler connection,
            Statement physical,
            KeyRequest keyRequest,
            StatementScope scope,
            WorkContext context,
            List<Element> elements,
            List<Plan.Write> plans,
            LocalTransaction transaction) {
        this.connection = connection;
        this.physical = physical;
        this.keyRequest = keyRequest;
        this.scope = scope;
        this.context = context;
        this.elements = elements;
        this.plans = plans;
        this.transaction = transaction;
        this.counts = new long[elements.size()];
    }

    /**
     * Runs it.
     *
     * @throws SQLException when the local transaction cannot go on
     */
    Result run() throws SQLException {
        Set<Plan.Write> different = Collections.newSetFromMap(new IdentityHashMap<>());
        different.addAll(plans);
        for (Plan.Write plan : different) {
            connection.check(context, plan, keyRequest, scope);
        }
        if (elements.size() > 1 && plans.get(0) instanceof Plan.Insert insert && goTogether(insert)) {
            return insert(insert);
        }
        if (physical instanceof PreparedStatement prepared && elements.size() > 1) {
            if (goTogether(plans.get(0))) {
                Result together = together(plans.get(0));
                return together == null ? oneByOne() : together;
            }
            DriverBatch batch = driverBatch(prepared);
            Dialect.DriverHabits habits = dialect().habits();
            if (mayHideTheEnd() && (!habits.stopsAtDeadlocks() || dialect().product() == Dialect.Product.MARIADB)) {
                batch.markFirst();
            }
            boolean done = connection.batch(context, plans.get(0), batch, scope, transaction) != null;
            if (done && mayHideTheEnd() && mayHaveEnded(batch)) {
                if (!batch.marked()) {
                    transaction.incomplete("several elements of a batch failed, of which the driver tells one,"
                            + " and another may have come too late");
                } else if (!connection.isMarked()) {
                    transaction.incomplete("a savepoint is gone: the database rolled back what came before");
                    throw Objects.requireNonNull(batch.failure());
                }
            }
            if (done) {
                return result(batch);
            }
        }
        return oneByOne();
    }

    private Dialect dialect() {
        return connection.resource().dialect();
    }

    /**
     * Whether the driver may go on behind a failure that has taken all back, and say nothing of it. MariaDB's tells the first one of several; MySQL's the last one, and
     * ends with a deadlock.
     */
    private boolean mayHideTheEnd() {
        Dialect.DriverHabits habits = dialect().habits();
        return dialect().product().isMySqlFamily() && (habits.goesOn() || habits.hidesCounts());
    }

    /** Whether one of the failing elements of which such a driver said nothing may have taken all back. */
    private boolean mayHaveEnded(DriverBatch batch) {
        boolean several = Arrays.stream(batch.counts())
                        .filter(count -> count == Statement.EXECUTE_FAILED)
                        .count()
                > 1;
        return batch.failure() != null
                && (several || dialect().habits().hidesCounts())
                && (batch.marked()
                        || !dialect().habits().stopsAtDeadlocks()
                        || dialect().endsUnasked(connection.physical()));
    }

    /** The batch ran behind this savepoint, if there is one: with that, all that came before may be gone, whatever the driver tells. */
    private void forget(@Nullable Savepoint before, DriverBatch batch) throws SQLException {
        BatchUpdateException failure = batch.failure();
        if (before != null && failure != null) {
            connection.forget(transaction, before, failure);
        } else if (before != null) {
            connection.forget(transaction, before);
        }
    }

    /** The failure, behind which no savepoint stays; a retry in the same transaction would set another. */
    private SQLException dropped(@Nullable Savepoint before, SQLException failure) {
        if (before != null) {
            connection.drop(transaction, before);
        }
        return failure;
    }

    private DriverBatch driverBatch(PreparedStatement prepared) {
        return DriverBatch.of(
                prepared, elements.stream().map(Element::parameters).toList(), scope);
    }

    private Result result(DriverBatch batch) throws SQLException {
        BatchUpdateException failure = batch.failure();
        if (failure != null && connection.takesAllBack(failure)) {
            transaction.incomplete("the database rolled back what came before");
            throw failure;
        }
        return new Result(batch.counts(), null, failure);
    }

    // INSERT

    /** Whether all are INSERTs of one row that say the same but for their values. */
    private boolean goTogether(Plan.Insert first) throws SQLException {
        if (defaultsRead(first)) {
            return false;
        }
        Plan.Write seen = null;
        for (Plan.Write plan : plans) {
            if (plan != seen && !(plan instanceof Plan.Insert insert && isAlike(first, insert))) {
                return false;
            }
            seen = plan;
        }
        return true;
    }

    /** Whether a default may be another one when the row before it was written by a statement of its own. */
    private boolean defaultsRead(Plan.Write insert) throws SQLException {
        return connection.table(insert.table()).columns().stream()
                .anyMatch(column -> column.is(Column.Trait.READING_DEFAULT));
    }

    private static boolean isAlike(Plan.Insert first, Plan.Insert insert) {
        return insert.rows().size() == 1
                && insert.head().parameterCount() == 0
                && insert.head().text().equals(first.head().text())
                && insert.rows().get(0).stream().allMatch(InsertValue::independent);
    }

    private Result insert(Plan.Insert insert) throws SQLException {
        if (physical instanceof PreparedStatement prepared && mayGoAsMade()) {
            DriverBatch batch = driverBatch(prepared);
            if (connection.insertAsMade(context, insert, batch, scope, transaction) != null) {
                Arrays.fill(counts, 1);
                return batch.counts().length == 0 ? new Result(counts, keys, null) : result(batch);
            }
        }
        List<List<InsertCapture.InsertRow>> groups = groups(insert);
        Dialect dialect = connection.resource().dialect();
        boolean over = dialect.product() == Dialect.Product.POSTGRESQL;
        Savepoint before = groups.size() > 1 && !over ? connection.mark(transaction) : null;
        int done = 0;
        try {
            for (List<InsertCapture.InsertRow> group : groups) {
                Outcome together = connection.insert(context, insert, group, keyRequest, scope, transaction);
                keys = keys.and(together.keys());
                Arrays.fill(counts, done, done + group.size(), 1);
                done += group.size();
            }
        } catch (SQLException e) {
            if (over || isOurs(e) || connection.takesAllBack(e)) {
                throw stopped(dropped(before, e), done);
            }
            // The statement took back all that it did.
            if (before != null) {
                connection.back(transaction, before, e);
            }
            return physical instanceof PreparedStatement prepared ? insertAgain(insert, prepared, e) : oneByOne();
        }
        if (before != null) {
            connection.forget(transaction, before);
        }
        return new Result(counts, keys, null);
    }

    /** Whether what the driver makes of the batch may be worked off faster than one statement of all its rows. */
    private boolean mayGoAsMade() {
        Dialect dialect = connection.resource().dialect();
        boolean inBulk = dialect.product() == Dialect.Product.MARIADB
                && dialect.insert() == Capture.RETURNING
                && dialect.driver().startsWith("MariaDB");
        return elements.size() >= LARGE
                && !keyRequest.wanted()
                && (inBulk || dialect.insert() == Capture.GENERATED_KEYS);
    }

    private List<List<InsertCapture.InsertRow>> groups(Plan.Insert insert) {
        int parameters = Math.max(1, insert.statement().parameterCount());
        int most = Math.max(1, Math.min(ROWS_PER_INSERT, MOST_PARAMETERS / parameters));
        boolean widen =
                !keyRequest.wanted() && connection.resource().dialect().habits().sendsBits();
        List<List<InsertCapture.InsertRow>> groups = new ArrayList<>();
        List<InsertCapture.InsertRow> group = new ArrayList<>();
        long bytes = 0;
        for (int i = 0; i < elements.size(); i++) {
            Element element = elements.get(i);
            Parameters values = widen ? element.parameters().widened() : element.parameters();
            long size = values.size()
                    + (physical instanceof PreparedStatement
                            ? 0
                            : 3L * element.sql().length());
            if (!group.isEmpty() && (group.size() == most || bytes + size > BYTES_PER_INSERT)) {
                groups.add(group);
                group = new ArrayList<>();
                bytes = 0;
            }
            group.addAll(InsertCapture.rowsOf((Plan.Insert) plans.get(i), values));
            bytes += size;
        }
        groups.add(group);
        return groups;
    }

    /** An element failed, and all with it: now as the application made it. */
    private Result insertAgain(Plan.Insert insert, PreparedStatement prepared, SQLException reason)
            throws SQLException {
        keys = GeneratedKeys.NONE;
        DriverBatch batch = driverBatch(prepared);
        Savepoint before = dialect().product().isMySqlFamily() ? connection.mark(transaction) : null;
        boolean done;
        try {
            done = connection.insert(context, insert, batch, scope, transaction) != null;
        } catch (SQLException e) {
            throw dropped(before, e);
        }
        forget(before, batch);
        if (done) {
            return result(batch);
        }
        if (connection.resource().dialect().habits().insertsFailTogether()) {
            Arrays.fill(counts, Statement.EXECUTE_FAILED);
            return new Result(counts, keys, failure(reason, counts));
        }
        return oneByOne();
    }

    // Other INSERTs

    /** Whether the outcome of many of them in one statement is that of each after the other, and nothing is asked that only each could tell. */
    private boolean goTogether(Plan.Write plan) throws SQLException {
        if (plan instanceof Plan.RichInsert insert) {
            return insert.single() != null && !insert.replace() && !keyRequest.wanted() && !defaultsRead(insert);
        }
        Plan.KeyedMerge keyed = plan instanceof Plan.Merge merge ? merge.keyed() : null;
        return keyed != null && keyed.rows().size() == 1 && !keyRequest.wanted();
    }

    /**
     * As few statements as possible. When one fails, or does not tell which row is of which element, all that was done is taken back, and null is returned:
     * rows that were skipped do not come back.
     */
    private @Nullable Result together(Plan.Write insert) throws SQLException {
        List<List<InsertValue>> unique = unique(insert);
        Savepoint before = connection.mark(transaction);
        try {
            int done = 0;
            while (done < elements.size()) {
                int end = groupEnd(insert, done, unique);
                List<Parameters> group = elements.subList(done, end).stream()
                        .map(Element::parameters)
                        .toList();
                long[] some = new long[group.size()];
                if (connection.together(context, insert, group, some, scope, transaction) == null) {
                    connection.forget(transaction, before);
                    return null;
                }
                System.arraycopy(some, 0, counts, done, some.length);
                done = end;
            }
        } catch (SQLException e) {
            if (isOurs(e) || connection.takesAllBack(e)) {
                throw dropped(before, e);
            }
            connection.back(transaction, before, e);
            // What is ours has no state: then none failed.
            boolean all = connection.resource().dialect().habits().upsertsFailTogether() && e.getSQLState() != null;
            Arrays.fill(counts, all ? Statement.EXECUTE_FAILED : 0);
            return all ? new Result(counts, keys, failure(e, counts)) : null;
        }
        connection.forget(transaction, before);
        return new Result(counts, keys, null);
    }

    private int groupEnd(Plan.Write insert, int from, List<List<InsertValue>> unique) {
        int parameters = Math.max(1, insert.statement().parameterCount());
        int most = Math.max(1, Math.min(ROWS_PER_INSERT, MOST_PARAMETERS / parameters));
        long bytes = 0;
        int end = from;
        List<Set<List<String>>> met =
                unique.stream().<Set<List<String>>>map(key -> new HashSet<>()).toList();
        while (end < elements.size() && end - from < most && (end == from || bytes <= BYTES_PER_INSERT)) {
            Parameters element = elements.get(end).parameters();
            boolean again = false;
            for (int key = 0; key < unique.size(); key++) {
                List<String> values = values(unique.get(key), element);
                again |= values != null && !met.get(key).add(values);
            }
            if (again) {
                break;
            }
            bytes += element.size();
            end++;
        }
        return end;
    }

    /** By what elements are seen to mean one row, which PostgreSQL does not change twice in one statement: what they give all columns of a unique key. */
    private List<List<InsertValue>> unique(Plan.Write plan) throws SQLException {
        boolean once = dialect().product() == Dialect.Product.POSTGRESQL;
        if (!once || !(plan instanceof Plan.RichInsert insert) || insert.conflict() != Plan.Conflict.CHANGE) {
            return List.of();
        }
        Table table = connection.table(insert.table());
        List<Column> columns = new ArrayList<>(insert.columns().isEmpty() ? table.shown() : List.of());
        for (Identifier written : insert.columns()) {
            Column column = table.shown(written);
            if (column == null) {
                return List.of();
            }
            columns.add(column);
        }
        List<InsertValue> row = insert.rows().get(0);
        return table.uniqueKeys().stream()
                .filter(columns.subList(0, Math.min(columns.size(), row.size()))::containsAll)
                .map(key -> key.stream()
                        .map(column -> row.get(columns.indexOf(column)))
                        .toList())
                .toList();
    }

    /** What an element gives the columns of a key, as far as that is seen; null when it is not, or there is a NULL. */
    private static @Nullable List<String> values(List<InsertValue> key, Parameters element) {
        List<String> values = new ArrayList<>();
        for (InsertValue given : key) {
            Fragment source = given.source();
            Object value = given.kind() == InsertValue.Kind.PARAMETER
                    ? element.plainValueOf(source.firstParameter() + 1)
                    : given.kind() == InsertValue.Kind.LITERAL ? source.text() : null;
            if (value == null) {
                return null;
            }
            values.add(value.toString());
        }
        return values;
    }

    // One by one

    private Result oneByOne() throws SQLException {
        SQLException first = null;
        for (int i = 0; i < elements.size(); i++) {
            try {
                Outcome one = connection.write(
                        context, plans.get(i), elements.get(i).parameters(), keyRequest, scope, transaction);
                keys = keys.and(one.keys());
                counts[i] = one.count();
            } catch (SQLException e) {
                Dialect dialect = connection.resource().dialect();
                if (dialect.product() == Dialect.Product.POSTGRESQL || isOurs(e) || connection.takesAllBack(e)) {
                    throw stopped(e, i);
                }
                if (!dialect.habits().goesOn()) {
                    return new Result(counts, keys, failure(e, Arrays.copyOf(counts, i)));
                }
                counts[i] = Statement.EXECUTE_FAILED;
                first = first == null ? e : first;
            }
        }
        return new Result(counts, keys, first == null ? null : failure(first, counts));
    }

    /** Whether it is a refusal, or one of the other failures that are not the database's. */
    private static boolean isOurs(SQLException e) {
        return LocalCommit.codeOf(e) != null;
    }

    /** What is thrown when nothing can follow. PostgreSQL has taken back all elements then. */
    private BatchUpdateException stopped(SQLException e, int done) {
        if (connection.resource().dialect().product() == Dialect.Product.POSTGRESQL && !isOurs(e)) {
            Arrays.fill(counts, Statement.EXECUTE_FAILED);
            return failure(e, counts);
        }
        return failure(e, Arrays.copyOf(counts, done));
    }

    private static BatchUpdateException failure(SQLException e, long[] counts) {
        return new BatchUpdateException(e.getMessage(), e.getSQLState(), e.getErrorCode(), counts, e);
    }
}
