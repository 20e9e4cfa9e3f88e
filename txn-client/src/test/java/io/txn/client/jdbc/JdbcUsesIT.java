package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.jdbc.corpus.Target;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.io.ByteArrayInputStream;
import java.io.StringReader;
import java.sql.Blob;
import java.sql.Clob;
import java.sql.Connection;
import java.sql.JDBCType;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What applications do by JDBC's means beside sending statements shows and leaves what it does without the proxy, and is taken back. */
class JdbcUsesIT {

    private interface Use {
        void run(Connection connection, List<String> log) throws SQLException;
    }

    private static final Map<String, Use> USES = new LinkedHashMap<>();

    private static boolean mySql(Connection connection) throws SQLException {
        return connection.getMetaData().getDatabaseProductName().contains("Maria");
    }

    /** Whether a query may be a DELETE or INSERT: H2 has no RETURNING, and MySQL's driver refuses it. */
    private static boolean returns(Connection connection) throws SQLException {
        return !h2(connection) && !connection.getMetaData().getDriverName().contains("MySQL");
    }

    private static boolean h2(Connection connection) throws SQLException {
        return connection.getMetaData().getDatabaseProductName().contains("H2");
    }

    private static String rows(ResultSet rows) throws SQLException {
        StringBuilder all = new StringBuilder();
        int columns = rows.getMetaData().getColumnCount();
        while (rows.next()) {
            for (int i = 1; i <= columns; i++) {
                all.append(i == 1 ? '(' : ',').append(rows.getString(i));
            }
            all.append(')');
        }
        return all.toString();
    }

    private static void state(Statement statement, List<String> log) throws SQLException {
        log.add("count " + statement.getUpdateCount() + " large " + large(statement) + " rows "
                + (statement.getResultSet() != null) + " more " + statement.getMoreResults() + " count "
                + statement.getUpdateCount() + " rows " + (statement.getResultSet() != null));
    }

    private static String large(Statement statement) throws SQLException {
        return String.valueOf(statement.getLargeUpdateCount());
    }

    private static void warnings(Statement statement, List<String> log) throws SQLException {
        for (SQLWarning one = statement.getWarnings(); one != null; one = one.getNextWarning()) {
            log.add("warning " + one.getSQLState() + ' ' + one.getErrorCode());
        }
    }

    private interface Act {
        void run() throws SQLException;
    }

    private static void tried(List<String> log, Act act) {
        try {
            act.run();
        } catch (SQLException e) {
            log.add("fails");
        }
    }

    static {
        USES.put("states of a statement", (c, log) -> {
            try (Statement s = c.createStatement()) {
                log.add("execute " + s.execute("UPDATE item SET n = n + 1 WHERE id = 1"));
                state(s, log);
                log.add("execute " + s.execute("DELETE FROM item WHERE id = 77"));
                state(s, log);
                log.add("update " + s.executeUpdate("INSERT INTO item (id, n) VALUES (9, 9)"));
                state(s, log);
                log.add("query " + rows(s.executeQuery("SELECT n FROM item WHERE id = 9")));
                s.addBatch("UPDATE item SET n = 1 WHERE id = 2");
                s.addBatch("UPDATE item SET n = 1 WHERE id = 77");
                log.add("batch " + Arrays.toString(s.executeLargeBatch()));
                log.add("batch again " + Arrays.toString(s.executeBatch()));
                s.addBatch("DELETE FROM item");
                s.clearBatch();
                log.add("empty " + Arrays.toString(s.executeBatch()));
                log.add("closed " + s.isClosed());
            }
        });
        USES.put("close on completion", (c, log) -> {
            Statement s = c.createStatement();
            s.closeOnCompletion();
            s.executeUpdate("UPDATE item SET n = 5 WHERE id = 1");
            log.add(s.isClosed() + " " + s.isCloseOnCompletion());
            ResultSet rows = s.executeQuery("SELECT id FROM item WHERE id = 1 FOR UPDATE");
            log.add(rows(rows));
            rows.close();
            log.add("closed " + s.isClosed());
        });
        USES.put("most rows", (c, log) -> {
            try (Statement s = c.createStatement()) {
                s.setMaxRows(1);
                log.add(rows(s.executeQuery("SELECT id FROM item ORDER BY id")));
                log.add(rows(s.executeQuery("SELECT id FROM item ORDER BY id FOR UPDATE")));
                log.add("" + s.executeUpdate("UPDATE item SET n = 7"));
                log.add("" + s.executeUpdate("DELETE FROM item WHERE id > 1"));
            }
        });
        USES.put("most rows of RETURNING", (c, log) -> {
            if (!returns(c)) {
                return;
            }
            try (Statement s = c.createStatement()) {
                s.setMaxRows(1);
                log.add(rows(s.executeQuery("DELETE FROM item WHERE id > 1 RETURNING id")));
                log.add(rows(s.executeQuery("INSERT INTO item (id, n) VALUES (8, 1), (9, 1) RETURNING id")));
            }
            try (PreparedStatement s =
                    c.prepareStatement("INSERT INTO item (id, n) VALUES (?, 1), (?, 1) RETURNING id")) {
                s.setMaxRows(1);
                s.setInt(1, 18);
                s.setInt(2, 19);
                log.add(rows(s.executeQuery()));
                s.setMaxRows(0);
                s.setInt(1, 28);
                s.setInt(2, 29);
                log.add(rows(s.executeQuery()));
            }
        });
        USES.put("rows of RETURNING closed behind their statement", (c, log) -> {
            if (!returns(c)) {
                return;
            }
            Statement s = c.createStatement();
            ResultSet rows = s.executeQuery("DELETE FROM item WHERE id > 1 RETURNING id");
            rows.next();
            s.close();
            rows.close();
            log.add("closed " + rows.isClosed());
        });
        USES.put("most rows of RETURNING, from the end", (c, log) -> {
            if (!returns(c)) {
                return;
            }
            try (Statement s = c.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY)) {
                s.setMaxRows(2);
                ResultSet rows = s.executeQuery("INSERT INTO item (id, n) VALUES (7, 1), (8, 1), (9, 1) RETURNING id");
                for (int i = 1; i < 5; i++) {
                    log.add(i + " " + rows.absolute(-i) + rows.getRow() + rows.isBeforeFirst());
                }
                s.setMaxRows(5);
                rows = s.executeQuery("DELETE FROM item WHERE id > 6 RETURNING id");
                log.add(rows.absolute(-1) + "" + rows.getRow() + rows.absolute(-3) + rows.getRow());
            }
        });
        USES.put("scrolling", (c, log) -> {
            try (Statement s = c.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY)) {
                ResultSet rows = s.executeQuery("SELECT id, n FROM item ORDER BY id FOR UPDATE");
                rows.last();
                log.add(rows.getRow() + " " + rows.getInt("id") + " "
                        + rows.getMetaData().getColumnCount());
                rows.beforeFirst();
                rows.next();
                log.add(rows.getInt(1) + " " + rows.isFirst() + rows.absolute(2) + rows.previous() + rows.relative(1));
                tried(log, () -> rows.getInt(3));
                s.executeUpdate("UPDATE item SET n = 3 WHERE id = 2");
            }
            if (returns(c)) {
                try (PreparedStatement s = c.prepareStatement(
                        "DELETE FROM item WHERE id > ? RETURNING id, n",
                        ResultSet.TYPE_SCROLL_INSENSITIVE,
                        ResultSet.CONCUR_READ_ONLY)) {
                    s.setInt(1, 1);
                    ResultSet rows = s.executeQuery();
                    log.add("last " + rows.last() + rows.getRow());
                    rows.beforeFirst();
                    log.add(rows(rows));
                }
            }
        });
        USES.put("fetched while others are written", (c, log) -> {
            try (Statement s = c.createStatement();
                    PreparedStatement update = c.prepareStatement("UPDATE item SET n = n + ? WHERE id = ?");
                    PreparedStatement insert = c.prepareStatement("INSERT INTO item (id, n) VALUES (?, ?)")) {
                s.setFetchSize(1);
                ResultSet rows = s.executeQuery("SELECT id, n FROM item ORDER BY id");
                while (rows.next()) {
                    int id = rows.getInt(1);
                    update.setInt(1, id);
                    update.setInt(2, id);
                    log.add(id + ":" + update.executeUpdate());
                    insert.setInt(1, id + 100);
                    insert.setObject(2, rows.getObject(2), Types.INTEGER);
                    log.add(id + ":" + insert.executeUpdate());
                }
            }
            try (Statement s = c.createStatement();
                    Statement w = c.createStatement()) {
                s.setFetchSize(2);
                ResultSet rows = s.executeQuery("SELECT id FROM item ORDER BY id FOR UPDATE");
                rows.next();
                w.executeUpdate("DELETE FROM item WHERE id = " + rows.getInt(1));
                log.add(rows(rows));
            }
        });
        USES.put("held over commits", (c, log) -> {
            try (Statement s = c.createStatement(
                            ResultSet.TYPE_FORWARD_ONLY,
                            ResultSet.CONCUR_READ_ONLY,
                            ResultSet.HOLD_CURSORS_OVER_COMMIT);
                    Statement w = c.createStatement()) {
                s.setFetchSize(1);
                ResultSet rows = s.executeQuery("SELECT id FROM item ORDER BY id");
                while (rows.next()) {
                    w.executeUpdate("UPDATE item SET n = n + 1 WHERE id = " + rows.getInt(1));
                    if (!c.getAutoCommit()) {
                        c.commit();
                    }
                    log.add("" + rows.getInt(1));
                }
            }
        });
        USES.put("savepoints", (c, log) -> {
            if (c.getAutoCommit()) {
                return;
            }
            try (Statement s = c.createStatement()) {
                Savepoint a = c.setSavepoint();
                s.executeUpdate("UPDATE item SET n = 1 WHERE id = 1");
                Savepoint b = c.setSavepoint("b");
                s.executeUpdate("UPDATE item SET n = 2 WHERE id = 1");
                Savepoint d = c.setSavepoint();
                s.executeUpdate("UPDATE item SET n = 3 WHERE id = 1");
                c.releaseSavepoint(b);
                tried(log, () -> c.rollback(a));
                s.executeUpdate("UPDATE item SET n = 4 WHERE id = 2");
                Savepoint e = c.setSavepoint("e");
                Savepoint f = c.setSavepoint("e");
                s.executeUpdate("DELETE FROM item WHERE id = 3");
                c.rollback(f);
                log.add("" + (d != null) + (e != null));
                s.executeUpdate("UPDATE item SET n = 5 WHERE id = 3");
            }
        });
        USES.put("settings of a connection", (c, log) -> {
            log.add(c.isReadOnly() + " " + c.getTransactionIsolation() + " " + c.getHoldability() + " "
                    + c.getNetworkTimeout());
            if (c.getAutoCommit()) {
                c.setReadOnly(true);
                try (Statement s = c.createStatement()) {
                    log.add(rows(s.executeQuery("SELECT COUNT(*) FROM item")));
                }
                c.setReadOnly(false);
                c.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
                try (Statement s = c.createStatement()) {
                    log.add("" + s.executeUpdate("UPDATE item SET n = n + 1 WHERE n > 1"));
                }
                c.setAutoCommit(false);
                try (Statement s = c.createStatement()) {
                    log.add("" + s.executeUpdate("UPDATE item SET n = n + 1 WHERE n > 1"));
                }
                c.setAutoCommit(true);
                c.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
            }
            try (Statement s = c.createStatement()) {
                log.add("" + s.executeUpdate("UPDATE item SET n = n + 1 WHERE n > 1"));
            }
        });
        USES.put("schemas", (c, log) -> {
            String own = mySql(c) ? c.getCatalog() : c.getSchema();
            if (mySql(c)) {
                c.setCatalog(own);
            } else {
                c.setSchema(own);
            }
            try (Statement s = c.createStatement()) {
                s.executeUpdate("UPDATE item SET n = 11 WHERE id = 1");
                log.add((mySql(c) ? c.getCatalog() : c.getSchema()).equals(own) + "");
            }
        });
        USES.put("time limits", (c, log) -> {
            if (h2(c)) {
                return;
            }
            String slow = mySql(c)
                    ? "UPDATE item SET n = 5 WHERE id = 1 AND SLEEP(3) = 0"
                    : "UPDATE item SET n = 5 WHERE id = 1 AND pg_sleep(3) IS NOT NULL";
            try (Statement s = c.createStatement()) {
                s.executeUpdate("UPDATE item SET n = 6 WHERE id = 2");
                Savepoint before = c.getAutoCommit() ? null : c.setSavepoint();
                s.setQueryTimeout(1);
                tried(log, () -> s.executeUpdate(slow));
                if (before != null) {
                    c.rollback(before);
                }
                s.setQueryTimeout(0);
                log.add("" + s.executeUpdate("UPDATE item SET n = 7 WHERE id = 3"));
            }
            try (PreparedStatement s = c.prepareStatement("UPDATE item SET n = ? WHERE id = ?")) {
                s.setQueryTimeout(5);
                s.setInt(1, 8);
                s.setInt(2, 1);
                s.addBatch();
                s.setInt(2, 2);
                s.addBatch();
                log.add(Arrays.toString(s.executeBatch()) + s.getQueryTimeout());
            }
        });
        USES.put("values used again", (c, log) -> {
            Timestamp moment = Timestamp.valueOf("2024-01-01 00:00:00");
            byte[] bytes = {1, 2, 3};
            try (PreparedStatement s =
                    c.prepareStatement("UPDATE item SET n = ?, at = ?, b = ?, txt = ? WHERE id = ?")) {
                s.setInt(1, 5);
                s.setTimestamp(2, moment);
                s.setBytes(3, bytes);
                s.setString(4, "x");
                for (int id = 1; id < 4; id++) {
                    s.setInt(5, id);
                    log.add("" + s.executeUpdate());
                }
                s.setNull(2, Types.TIMESTAMP);
                s.setObject(3, null, Types.VARBINARY);
                s.setObject(1, "12", JDBCType.INTEGER);
                s.setObject(4, 5.5, Types.VARCHAR);
                log.add("" + s.executeUpdate());
                s.clearParameters();
                tried(log, s::executeUpdate);
            }
        });
        USES.put("large objects", (c, log) -> {
            try (PreparedStatement s = c.prepareStatement("UPDATE item SET txt = ?, b = ? WHERE id = ?")) {
                if (!c.getMetaData().getDatabaseProductName().contains("Postgre")) {
                    Clob clob = c.createClob();
                    clob.setString(1, "from a clob");
                    Blob blob = c.createBlob();
                    blob.setBytes(1, new byte[] {7, 8});
                    s.setClob(1, clob);
                    s.setBlob(2, blob);
                    for (int id = 1; id < 3; id++) {
                        s.setInt(3, id);
                        log.add("" + s.executeUpdate());
                    }
                }
                s.setCharacterStream(1, new StringReader("read twice"));
                s.setBinaryStream(2, new ByteArrayInputStream(new byte[] {1, 2, 3, 4}), 3);
                s.setInt(3, 2);
                log.add("" + s.executeUpdate());
                s.setNString(1, "n");
                s.setBytes(2, new byte[0]);
                s.setInt(3, 4);
                log.add("" + s.executeUpdate());
            }
        });
        USES.put("metadata", (c, log) -> {
            try (PreparedStatement s = c.prepareStatement("UPDATE item SET n = ? WHERE id = ?")) {
                tried(
                        log,
                        () -> log.add("parameters " + s.getParameterMetaData().getParameterCount()));
                tried(log, () -> log.add("metadata " + (s.getMetaData() == null)));
                s.setInt(1, 5);
                s.setInt(2, 1);
                log.add("" + s.executeUpdate());
                tried(log, () -> log.add("metadata " + (s.getMetaData() == null)));
            }
            try (PreparedStatement s = c.prepareStatement("SELECT id, n FROM item WHERE id = ? FOR UPDATE")) {
                tried(log, () -> log.add("columns " + s.getMetaData().getColumnCount()));
                s.setInt(1, 1);
                ResultSet rows = s.executeQuery();
                log.add(rows.getMetaData().getColumnLabel(2) + " "
                        + rows.getMetaData().getColumnCount() + " " + rows.findColumn("N"));
                log.add(rows(rows));
                tried(log, () -> log.add("columns " + s.getMetaData().getColumnCount()));
            }
        });
        USES.put("warnings", (c, log) -> {
            try (Statement s = c.createStatement()) {
                if (mySql(c)) {
                    log.add("" + s.executeUpdate("INSERT IGNORE INTO item (id, n) VALUES (1, 1), (9, 9)"));
                    warnings(s, log);
                    log.add("" + s.executeUpdate("UPDATE IGNORE item SET n = 'x' WHERE id = 9"));
                    warnings(s, log);
                    s.executeUpdate("UPDATE item SET n = 5 WHERE id = 1");
                    warnings(s, log);
                    log.add("" + s.executeUpdate("DELETE IGNORE FROM item WHERE id = 9"));
                    warnings(s, log);
                    s.executeUpdate("INSERT INTO item (id, n) VALUES (9, 1) ON DUPLICATE KEY UPDATE n = VALUES(n)");
                    warnings(s, log);
                    tried(log, () -> s.executeUpdate("UPDATE item SET n = n + 1 WHERE id < 3 AND txt <> 1"));
                    warnings(s, log);
                    s.executeUpdate("UPDATE item SET n = n + 1 ORDER BY id LIMIT 2");
                    warnings(s, log);
                }
                log.add("connection " + (c.getWarnings() == null));
            }
        });
        USES.put("notices", (c, log) -> {
            try (Statement s = c.createStatement()) {
                tried(log, () -> s.executeUpdate("UPDATE item SET n = 1 / 0 WHERE id = 1"));
                if (!c.getAutoCommit()) {
                    c.rollback();
                }
                tried(log, () -> s.executeUpdate("UPDATE item SET nosuch = 1 WHERE id = 1"));
                if (!c.getAutoCommit()) {
                    c.rollback();
                }
                tried(log, () -> s.executeUpdate("UPDATE nosuch SET n = 1 WHERE id = 1"));
                if (!c.getAutoCommit()) {
                    c.rollback();
                }
                tried(log, () -> s.executeUpdate("INSERT INTO item (id, n) VALUES (1, 1)"));
                if (!c.getAutoCommit()) {
                    c.rollback();
                }
                tried(log, () -> s.executeUpdate("INSERT INTO item (id, n) VALUES (NULL, 1)"));
                if (!c.getAutoCommit()) {
                    c.rollback();
                }
                tried(log, () -> s.executeUpdate("UPDATE item SET n = 99999999999 WHERE id = 1"));
                if (!c.getAutoCommit()) {
                    c.rollback();
                }
                tried(log, () -> s.executeUpdate("UPDATE item SET txt = 'x', at = 'not a time' WHERE id = 1"));
                if (!c.getAutoCommit()) {
                    c.rollback();
                }
                log.add("" + s.executeUpdate("UPDATE item SET n = 2 WHERE id = 2"));
            }
        });
        USES.put("rows changed on the way", (c, log) -> {
            try (Statement s = c.createStatement(ResultSet.TYPE_SCROLL_SENSITIVE, ResultSet.CONCUR_UPDATABLE)) {
                ResultSet rows = s.executeQuery("SELECT id, n, txt FROM item ORDER BY id");
                while (rows.next()) {
                    rows.updateInt("n", rows.getInt("n") * 10);
                    if (rows.getInt("id") == 2) {
                        rows.updateNull("txt");
                    }
                    rows.updateRow();
                    if (rows.getInt("id") == 3) {
                        rows.deleteRow();
                    }
                }
            }
        });
        USES.put("a statement in both worlds", (c, log) -> {
            try (PreparedStatement s =
                    c.prepareStatement("INSERT INTO item (id, n) VALUES (?, ?)", new String[] {"id"})) {
                for (int i = 10; i < 14; i++) {
                    s.setInt(1, i);
                    s.setLong(2, i);
                    log.add("" + s.execute() + s.getUpdateCount() + rows(s.getGeneratedKeys()) + s.getMoreResults());
                }
                s.setInt(1, 10);
                if (c.getAutoCommit()) {
                    tried(log, s::executeUpdate);
                }
                s.setInt(1, 20);
                log.add("" + s.executeLargeUpdate());
            }
        });
        USES.put("aborted", (c, log) -> {
            try (Statement s = c.createStatement()) {
                s.executeUpdate("UPDATE item SET n = 2 WHERE id = 2");
            }
            if (!c.getAutoCommit()) {
                c.abort(Runnable::run);
            }
            log.add("" + c.isClosed());
        });
        USES.put("closed without commit", (c, log) -> {
            try (Statement s = c.createStatement()) {
                s.executeUpdate("UPDATE item SET n = 2 WHERE id = 2");
            }
            if (!c.getAutoCommit()) {
                c.rollback();
            }
            c.close();
            log.add("" + c.isClosed());
        });
    }

    @ParameterizedTest
    @EnumSource
    void showsAndLeavesWhatItDoesWithoutTheProxy(Target target) throws SQLException {
        TestDatabase database =
                switch (target) {
                    case H2 -> TestDatabases.h2();
                    case MARIADB -> TestDatabases.mariaDb();
                    case MYSQL -> TestDatabases.mariaDb().withMySqlDriver();
                    case POSTGRES -> TestDatabases.postgres();
                    case POSTGRES15 -> TestDatabases.oldestPostgres();
                };
        DataSource plain = database.dataSource();
        try (Connection c = plain.getConnection();
                Statement s = c.createStatement()) {
            String bytes = target.name().startsWith("POST") ? "BYTEA" : "VARBINARY(50)";
            s.execute("CREATE TABLE item (id INT NOT NULL PRIMARY KEY, n INT, txt VARCHAR(50), at TIMESTAMP NULL, b "
                    + bytes + ")");
        }
        AtSubject at = new AtSubject(plain);
        List<String> wrong = new ArrayList<>();
        for (Map.Entry<String, Use> use : USES.entrySet()) {
            for (boolean auto : new boolean[] {false, true}) {
                String name = use.getKey() + (auto ? ", auto-commit" : "");
                reset(plain);
                List<String> before = content(plain);
                List<String> wanted = run(plain, use.getValue(), auto);
                wanted.addAll(content(plain));
                reset(plain);
                at.begin();
                List<String> is = run(at.dataSource(), use.getValue(), auto);
                at.unbind();
                String end = at.commit();
                is.addAll(content(plain));
                if (!is.equals(wanted) || !end.isEmpty()) {
                    wrong.add(name + ": should be\n  " + wanted + "\nis\n  " + is + ' ' + end + '\n');
                }
                reset(plain);
                at.begin();
                run(at.dataSource(), use.getValue(), auto);
                at.unbind();
                end = at.rollback();
                if (!end.isEmpty() || !content(plain).equals(before)) {
                    wrong.add(name + ", rolled back: " + end + content(plain) + '\n');
                }
            }
        }
        assertThat(String.join("\n", wrong)).isEmpty();
    }

    private static List<String> run(DataSource dataSource, Use use, boolean auto) {
        List<String> log = new ArrayList<>();
        try (Connection c = dataSource.getConnection()) {
            c.setAutoCommit(auto);
            use.run(c, log);
            if (!auto && !c.isClosed()) {
                c.commit();
            }
        } catch (SQLException | RuntimeException e) {
            log.add("ends " + e);
        }
        return log;
    }

    private static void reset(DataSource plain) throws SQLException {
        try (Connection c = plain.getConnection();
                Statement s = c.createStatement()) {
            s.execute("DELETE FROM item");
            s.execute("INSERT INTO item (id, n, txt) VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c'), (4, NULL, NULL)");
        }
    }

    private static List<String> content(DataSource plain) throws SQLException {
        try (Connection c = plain.getConnection();
                Statement s = c.createStatement()) {
            return new ArrayList<>(List.of(rows(s.executeQuery("SELECT * FROM item ORDER BY id"))));
        }
    }
}
