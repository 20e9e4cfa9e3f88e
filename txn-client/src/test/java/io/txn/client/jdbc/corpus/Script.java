package io.txn.client.jdbc.corpus;

import io.txn.client.jdbc.corpus.CorpusCase.Mode;
import java.lang.reflect.UndeclaredThrowableException;
import java.sql.BatchUpdateException;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import javax.sql.DataSource;

/** One run of the steps of a case: through the proxy or past it. Used once. */
final class Script {

    /** What a statement of the runner's own does after a refusal, to see whether the local transaction is still usable. */
    static final String PROBE = "UPDATE corpus_probe SET n = n + 1 WHERE id = 1";

    private final CorpusCase what;
    private final DataSource dataSource;
    private final DataSource outside;
    private final Function<Throwable, String> refusal;
    private final int stopAt;
    private final List<String> log = new ArrayList<>();
    private final Map<String, Savepoint> savepoints = new HashMap<>();
    private Connection connection;
    private int step;
    private int refusedAt = -1;
    private String refused = "";
    private Throwable failure;

    /**
     * @param refusal what a failure says as a refusal; empty if it is none
     * @param stopAt the step before which the probe is run and the rest left out
     */
    Script(
            CorpusCase what,
            DataSource dataSource,
            DataSource outside,
            Function<Throwable, String> refusal,
            int stopAt) {
        this.what = what;
        this.dataSource = dataSource;
        this.outside = outside;
        this.refusal = refusal;
        this.stopAt = stopAt;
    }

    /** What the application got to see. */
    List<String> log() {
        return log;
    }

    /** The step that was refused, or -1. */
    int refusedAt() {
        return refusedAt;
    }

    String refused() {
        return refused;
    }

    /** What ended the run too early, or null. */
    Throwable failure() {
        return failure;
    }

    void run() {
        try {
            open();
            try {
                while (step < what.steps().size()) {
                    if (step == stopAt) {
                        probe();
                        break;
                    }
                    one(what.steps().get(step));
                    if (refusedAt >= 0) {
                        probe();
                        break;
                    }
                    step++;
                }
                finish();
            } finally {
                connection.close();
            }
        } catch (SQLException | RuntimeException e) {
            failure = e;
        }
    }

    private void open() throws SQLException {
        connection = dataSource.getConnection();
        connection.setAutoCommit(what.mode() == Mode.AUTO);
    }

    private void finish() throws SQLException {
        if (!connection.getAutoCommit()) {
            connection.commit();
        }
    }

    private void probe() throws SQLException {
        try (Statement statement = connection.createStatement()) {
            log.add("probe " + statement.executeUpdate(PROBE));
        }
    }

    private void one(Step next) throws SQLException {
        if (next instanceof Step.Call call) {
            try {
                log.add(call(call));
                if (what.mode() == Mode.SPLIT && !connection.getAutoCommit()) {
                    connection.commit();
                }
                if (call.fails()) {
                    throw new IllegalStateException("did not fail: " + call.sql());
                }
            } catch (SQLException | RuntimeException e) {
                failed(call, e);
            }
        } else if (next instanceof Step.Outside writer) {
            finish();
            connection.close();
            try (Connection other = outside.getConnection();
                    Statement statement = other.createStatement()) {
                statement.execute(writer.sql());
            }
            open();
        } else if (next instanceof Step.Other other) {
            control(other);
        }
    }

    private void failed(Step.Call call, Exception e) throws SQLException {
        String said = refusal.apply(e);
        if (!said.isEmpty()) {
            refusedAt = step;
            refused = said;
        } else if (call.fails() && e instanceof SQLException failed) {
            String counts =
                    e instanceof BatchUpdateException batch ? " of batch " + counts(batch.getUpdateCounts()) : "";
            log.add("fails " + failed.getSQLState() + counts);
            if (what.mode() == Mode.SPLIT) {
                connection.rollback();
            }
        } else if (e instanceof SQLException failed) {
            throw new SQLException(call.sql() + ": " + e.getMessage(), failed.getSQLState(), e);
        } else {
            throw new IllegalStateException(
                    call.sql() + ": " + (e instanceof UndeclaredThrowableException ? e.getCause() : e), e);
        }
    }

    private void control(Step.Other other) throws SQLException {
        switch (other.control()) {
            case SAVEPOINT -> savepoints.put(other.name(), connection.setSavepoint(other.name()));
            case BACK -> connection.rollback(savepoints.get(other.name()));
            case RELEASE -> connection.releaseSavepoint(savepoints.get(other.name()));
            case COMMIT -> connection.commit();
            case ROLLBACK -> connection.rollback();
            case AUTOCOMMIT_ON -> connection.setAutoCommit(true);
            case AUTOCOMMIT_OFF -> connection.setAutoCommit(false);
            case LOCAL -> {
                finish();
                connection.close();
                open();
            }
        }
    }

    private String call(Step.Call call) throws SQLException {
        switch (call.api()) {
            case CALL -> {
                try (CallableStatement statement = connection.prepareCall(call.sql())) {
                    bind(
                            statement,
                            call.bindings().isEmpty()
                                    ? List.of()
                                    : call.bindings().get(0));
                    return results(statement, statement.execute(), call);
                }
            }
            case CURSOR -> {
                return cursor(call);
            }
            default -> {}
        }
        if (call.bindings().isEmpty()) {
            try (Statement statement = connection.createStatement()) {
                if (call.api() == Step.Api.BATCH) {
                    statement.addBatch(call.sql());
                    for (String sql : call.more()) {
                        statement.addBatch(sql);
                    }
                    return counts(statement.executeBatch());
                }
                return plain(statement, call);
            }
        }
        try (PreparedStatement statement = prepared(call)) {
            if (call.api() == Step.Api.BATCH) {
                for (List<Binding> row : call.bindings()) {
                    bind(statement, row);
                    statement.addBatch();
                }
                String counts = counts(statement.executeBatch());
                return call.keys() == null ? counts : counts + keys(statement);
            }
            StringBuilder all = new StringBuilder();
            for (List<Binding> row : call.bindings()) {
                bind(statement, row);
                all.append(prepared(statement, call)).append(' ');
            }
            return all.toString().strip();
        }
    }

    private PreparedStatement prepared(Step.Call call) throws SQLException {
        if (call.keys() == null) {
            return connection.prepareStatement(call.sql());
        }
        return call.keys().equals("*")
                ? connection.prepareStatement(call.sql(), Statement.RETURN_GENERATED_KEYS)
                : connection.prepareStatement(call.sql(), call.keys().split(", *"));
    }

    private static void bind(PreparedStatement statement, List<Binding> row) throws SQLException {
        for (int i = 0; i < row.size(); i++) {
            row.get(i).set(statement, i + 1);
        }
    }

    private static String prepared(PreparedStatement statement, Step.Call call) throws SQLException {
        return switch (call.api()) {
            case EXECUTE -> results(statement, statement.execute(), call);
            case LARGE -> "count " + statement.executeLargeUpdate() + keys(statement, call);
            case QUERY -> "rows " + Values.rows(statement.executeQuery());
            default -> "count " + statement.executeUpdate() + keys(statement, call);
        };
    }

    private static String plain(Statement statement, Step.Call call) throws SQLException {
        String sql = call.sql();
        if (call.api() == Step.Api.QUERY) {
            return "rows " + Values.rows(statement.executeQuery(sql));
        }
        String[] names = call.keys() == null || call.keys().equals("*")
                ? null
                : call.keys().split(", *");
        if (call.api() == Step.Api.EXECUTE) {
            boolean rows = call.keys() == null
                    ? statement.execute(sql)
                    : names == null
                            ? statement.execute(sql, Statement.RETURN_GENERATED_KEYS)
                            : statement.execute(sql, names);
            return results(statement, rows, call);
        }
        if (call.api() == Step.Api.LARGE) {
            long count = call.keys() == null
                    ? statement.executeLargeUpdate(sql)
                    : names == null
                            ? statement.executeLargeUpdate(sql, Statement.RETURN_GENERATED_KEYS)
                            : statement.executeLargeUpdate(sql, names);
            return "count " + count + keys(statement, call);
        }
        int count = call.keys() == null
                ? statement.executeUpdate(sql)
                : names == null
                        ? statement.executeUpdate(sql, Statement.RETURN_GENERATED_KEYS)
                        : statement.executeUpdate(sql, names);
        return "count " + count + keys(statement, call);
    }

    private static String keys(Statement statement, Step.Call call) throws SQLException {
        return call.keys() == null ? "" : keys(statement);
    }

    private static String keys(Statement statement) throws SQLException {
        return " keys " + Values.rows(statement.getGeneratedKeys());
    }

    private static String results(Statement statement, boolean rowsFirst, Step.Call call) throws SQLException {
        if (call.keys() != null) {
            return "count " + statement.getUpdateCount() + keys(statement);
        }
        StringBuilder all = new StringBuilder();
        boolean rows = rowsFirst;
        int count = rows ? -1 : statement.getUpdateCount();
        for (int i = 0; (rows || count >= 0) && i < 20; i++) {
            all.append(i == 0 ? "" : " ")
                    .append(rows ? "rows " + Values.rows(statement.getResultSet()) : "count " + count);
            rows = statement.getMoreResults();
            count = rows ? -1 : statement.getUpdateCount();
        }
        return all.toString();
    }

    /** A question mark for what the driver does not count. */
    private static String counts(int[] counts) {
        return Arrays.stream(counts)
                .mapToObj(count -> count == Statement.SUCCESS_NO_INFO ? "?" : String.valueOf(count))
                .collect(Collectors.joining(", ", "counts [", "]"));
    }

    private String cursor(Step.Call call) throws SQLException {
        try (Statement statement =
                        connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
                ResultSet rows = statement.executeQuery(call.sql())) {
            StringBuilder shown = new StringBuilder("cursor");
            for (String action : call.more()) {
                String[] words = action.split(" +", 3);
                if (words[0].equals("insert")) {
                    rows.moveToInsertRow();
                } else {
                    rows.absolute(Integer.parseInt(words[1]));
                }
                if (words[0].equals("delete")) {
                    rows.deleteRow();
                    continue;
                }
                for (String set : words[2].split(", *")) {
                    int equals = set.indexOf('=');
                    rows.updateObject(
                            set.substring(0, equals),
                            Binding.of(set.substring(equals + 1)).plain());
                }
                if (words[0].equals("insert")) {
                    rows.insertRow();
                    rows.moveToCurrentRow();
                } else {
                    rows.updateRow();
                    for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                        shown.append(i == 1 ? " " : "|").append(rows.getString(i));
                    }
                }
            }
            return shown.toString();
        }
    }
}
