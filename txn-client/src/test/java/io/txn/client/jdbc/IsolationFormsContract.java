package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalLockTemplate;
import io.txn.client.Isolation;
import io.txn.client.LockGuard;
import io.txn.client.TransactionContext;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.protocol.message.BranchStatus;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * What each form of reading and writing does when it meets a row that another global transaction has changed, committed locally and not decided:
 * compared with the table of docs/at-isolation.md, which it writes itself when {@code txn.docs.update} is true.
 */
abstract class IsolationFormsContract extends AtContract {

    private static final String BEGIN = "<!-- generated: forms -->";
    private static final String END = "<!-- end -->";
    private static final List<String> COLUMNS = List.of("H2", "PostgreSQL", "MariaDB");

    /** Under what a statement runs. */
    private enum Under {
        XID("global transaction"),
        COMMITTED("global transaction, `READ_COMMITTED`"),
        GUARD("`@GlobalLock`"),
        IMPATIENT_GUARD("`@GlobalLock(lockWait = \"0\")`"),
        NOTHING("neither");

        private final String title;

        Under(String title) {
            this.title = title;
        }
    }

    /** Runs a form; brings what it shows, nothing for a write. */
    private interface Run {
        List<String> on(Connection connection) throws SQLException;
    }

    /** @param run null where the database has no such form */
    private record Form(Under under, String name, boolean autoCommit, boolean writes, Run run) {}

    private final List<Form> forms = new ArrayList<>();
    private final AtomicInteger registrations = new AtomicInteger();

    private String column() {
        return switch (kind()) {
            case H2 -> "H2";
            case POSTGRESQL -> "PostgreSQL";
            case MARIADB -> "MariaDB";
        };
    }

    @Override
    AtOptions options() {
        return super.options().withLockRetry(2, Duration.ofMillis(3)).withLockWait(Duration.ofSeconds(60));
    }

    // The forms

    private void read(Under under, String name, String sql, Object... parameters) {
        forms.add(new Form(under, name, false, false, connection -> query(connection, sql, parameters)));
    }

    private void readAlone(Under under, String name, String sql) {
        forms.add(new Form(under, name, true, false, connection -> query(connection, sql)));
    }

    private void write(Under under, String name, boolean autoCommit, Run run) {
        forms.add(new Form(under, name, autoCommit, true, run));
    }

    private void missing(Under under, String name) {
        forms.add(new Form(under, name, false, false, null));
    }

    private static List<String> query(Connection connection, String sql, Object... parameters) throws SQLException {
        try (PreparedStatement prepared = parameters.length == 0 ? null : connection.prepareStatement(sql);
                Statement plain = parameters.length == 0 ? connection.createStatement() : null) {
            if (prepared == null) {
                plain.execute(sql);
                return shown(plain.getResultSet());
            }
            for (int i = 0; i < parameters.length; i++) {
                prepared.setObject(i + 1, parameters[i]);
            }
            return shown(prepared.executeQuery());
        }
    }

    private static List<String> shown(ResultSet rows) throws SQLException {
        List<String> values = new ArrayList<>();
        while (rows != null && rows.next()) {
            values.add(new BigDecimal(rows.getString(1)).stripTrailingZeros().toPlainString());
        }
        return values;
    }

    private static List<String> update(Connection connection, String sql) throws SQLException {
        execute(connection, sql);
        return List.of();
    }

    private static List<String> batch(Connection connection) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement("UPDATE account SET amount = 3 WHERE id = ?")) {
            for (long id = 1; id < 3; id++) {
                update.setLong(1, id);
                update.addBatch();
            }
            update.executeBatch();
        }
        return List.of();
    }

    private static List<String> byCursor(Connection connection) throws SQLException {
        try (Statement statement =
                connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE)) {
            return shown(statement.executeQuery("SELECT amount, id FROM account WHERE id = 1 FOR UPDATE"));
        }
    }

    private static List<String> changeByCursor(Connection connection, String sql) throws SQLException {
        try (Statement statement =
                        connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            rows.updateBigDecimal("amount", BigDecimal.ONE);
            rows.updateRow();
            return List.of();
        }
    }

    private static List<String> streamed(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.setFetchSize(1);
            return shown(statement.executeQuery("SELECT amount FROM account ORDER BY id FOR UPDATE"));
        }
    }

    private static final String ONE = "SELECT amount FROM account WHERE id = 1";
    private static final String JOIN = "SELECT a.amount FROM account a JOIN seat s ON s.train = a.id + 6";
    private static final String LEFT = "SELECT a.amount FROM account a LEFT JOIN seat s ON s.train = a.id + 6";

    private void collect() {
        boolean mySql = mariaDb();
        Under xid = Under.XID;
        String lock = "SELECT … FOR UPDATE";
        read(xid, "SELECT", ONE);
        read(xid, lock, ONE + " FOR UPDATE");
        readAlone(xid, lock + ", auto-commit", ONE + " FOR UPDATE");
        read(xid, lock + ", prepared, `LIMIT ?`", "SELECT amount FROM account ORDER BY id LIMIT ? FOR UPDATE", 1);
        read(
                xid,
                lock + ", a `LIMIT ? OFFSET ?` without the held row",
                "SELECT amount FROM account ORDER BY id LIMIT ? OFFSET ? FOR UPDATE",
                1,
                1);
        forms.add(new Form(xid, lock + ", by fetch size", false, false, IsolationFormsContract::streamed));
        forms.add(new Form(xid, lock + ", by an updatable cursor", false, false, IsolationFormsContract::byCursor));
        read(xid, lock + " of a JOIN", JOIN + " FOR UPDATE");
        read(xid, lock + " of a LEFT JOIN", LEFT + " FOR UPDATE");
        if (mySql) {
            missing(xid, lock + " OF the table of a LEFT JOIN");
            missing(xid, lock + " OF another table of a JOIN");
        } else {
            read(xid, lock + " OF the table of a LEFT JOIN", LEFT + " FOR UPDATE OF a");
            read(xid, lock + " OF another table of a JOIN", JOIN + " FOR UPDATE OF s");
        }
        read(
                xid,
                lock + ", a sub-query in WHERE",
                "SELECT amount FROM account WHERE id IN (SELECT train - 6 FROM seat) FOR UPDATE");
        read(xid, lock + " NOWAIT", ONE + " FOR UPDATE NOWAIT");
        read(xid, lock + " WAIT n", ONE + " FOR UPDATE WAIT 1");
        read(xid, lock + " SKIP LOCKED", ONE + " FOR UPDATE SKIP LOCKED");
        read(xid, "SELECT … FOR SHARE", ONE + " FOR SHARE");
        read(xid, "SELECT … LOCK IN SHARE MODE", ONE + " LOCK IN SHARE MODE");
        read(xid, "SELECT … FOR NO KEY UPDATE", ONE + " FOR NO KEY UPDATE");
        read(xid, "SELECT … FOR KEY SHARE", ONE + " FOR KEY SHARE");
        read(xid, "SELECT COUNT(*) … FOR UPDATE", "SELECT COUNT(*) FROM account FOR UPDATE");
        read(xid, "SELECT DISTINCT … FOR UPDATE", "SELECT DISTINCT amount FROM account FOR UPDATE");
        read(xid, "SELECT … GROUP BY … FOR UPDATE", "SELECT amount FROM account GROUP BY amount FOR UPDATE");
        read(xid, "SELECT … UNION … FOR UPDATE", ONE + " UNION " + ONE + " FOR UPDATE");
        read(xid, "WITH … SELECT … FOR UPDATE", "WITH w AS (" + ONE + ") SELECT amount FROM w FOR UPDATE");
        read(xid, lock + " beside another statement", ONE + " FOR UPDATE; SELECT 1");
        read(xid, lock + " of a table without key", "SELECT a FROM keyless FOR UPDATE");
        read(xid, lock + " of a view", "SELECT amount FROM rich FOR UPDATE");
        read(xid, "DECLARE … CURSOR FOR SELECT … FOR UPDATE", "DECLARE c CURSOR FOR " + ONE + " FOR UPDATE");
        write(
                xid,
                "updateRow by a cursor",
                false,
                connection -> changeByCursor(connection, "SELECT id, amount FROM account WHERE id = 1"));
        write(
                xid,
                "updateRow by a cursor that locks",
                false,
                connection -> changeByCursor(connection, "SELECT id, amount FROM account WHERE id = 1 FOR UPDATE"));
        writes(xid);

        Under committed = Under.COMMITTED;
        read(committed, "SELECT", ONE);
        readAlone(committed, "SELECT, auto-commit", ONE);
        read(committed, "SELECT, prepared, `LIMIT ?`", "SELECT amount FROM account ORDER BY id LIMIT ?", 1);
        read(
                committed,
                "SELECT, a `LIMIT ? OFFSET ?` without the held row",
                "SELECT amount FROM account ORDER BY id LIMIT ? OFFSET ?",
                1,
                1);
        read(committed, "SELECT of a JOIN", JOIN);
        read(committed, "SELECT of a LEFT JOIN", LEFT);
        read(committed, lock, ONE + " FOR UPDATE");
        read(
                committed,
                "SELECT, a sub-query in WHERE",
                "SELECT amount FROM account WHERE id IN (SELECT train - 6 FROM seat)");
        read(committed, "SELECT COUNT(*)", "SELECT COUNT(*) FROM account");
        read(committed, "SELECT DISTINCT", "SELECT DISTINCT amount FROM account");
        read(committed, "SELECT … UNION", ONE + " UNION " + ONE);
        read(committed, "WITH … SELECT", "WITH w AS (" + ONE + ") SELECT amount FROM w");
        read(committed, "SELECT of a view", "SELECT amount FROM rich");
        read(committed, "SELECT of a table without key", "SELECT a FROM keyless");

        Under guard = Under.GUARD;
        read(guard, "SELECT", ONE);
        read(guard, lock, ONE + " FOR UPDATE");
        readAlone(guard, lock + ", auto-commit", ONE + " FOR UPDATE");
        read(guard, lock + " NOWAIT", ONE + " FOR UPDATE NOWAIT");
        writes(guard);
        read(Under.IMPATIENT_GUARD, lock, ONE + " FOR UPDATE");
        write(
                Under.IMPATIENT_GUARD,
                "UPDATE",
                false,
                connection -> update(connection, "UPDATE account SET amount = 3 WHERE id = 1"));

        Under nothing = Under.NOTHING;
        read(nothing, "SELECT", ONE);
        read(nothing, lock, ONE + " FOR UPDATE");
        readAlone(nothing, lock + ", auto-commit", ONE + " FOR UPDATE");
        writes(nothing);
    }

    private void writes(Under under) {
        String update = "UPDATE account SET amount = 3 WHERE id = 1";
        write(under, "UPDATE", false, connection -> update(connection, update));
        write(under, "UPDATE, auto-commit", true, connection -> update(connection, update));
        write(
                under,
                "UPDATE that changes nothing",
                false,
                connection -> update(connection, "UPDATE account SET amount = 1000 WHERE id = 1"));
        write(under, "DELETE", false, connection -> update(connection, "DELETE FROM account WHERE id = 1"));
        write(under, "batch of UPDATEs", false, IsolationFormsContract::batch);
    }

    // What happens

    @Test
    void thePageSaysWhatHappens() throws IOException {
        behindTheBack(
                "CREATE VIEW rich AS SELECT * FROM account WHERE amount > 150",
                "CREATE TABLE keyless (a INT)",
                "INSERT INTO keyless VALUES (1000)");
        manager.beforeRegister(registrations::incrementAndGet);
        collect();
        Map<String, String> found = new LinkedHashMap<>();
        for (Form form : forms) {
            String before = found.put(form.under().title + " | " + form.name(), outcome(form));
            assertThat(before).as("%s is there twice", form.name()).isNull();
        }
        if (Boolean.getBoolean("txn.docs.update")) {
            write(found);
        }
        assertThat(stated(column())).isEqualTo(found);
    }

    private String outcome(Form form) {
        if (form.run() == null) {
            return "–";
        }
        Xid holder = begin();
        committed(holder, "UPDATE account SET amount = 1000 WHERE id = 1");
        manager.lockQueries();
        registrations.set(0);
        String outcome;
        try {
            List<String> shown = under(form);
            outcome = form.writes() ? "overwrites it" : shown.contains("1000") ? "shows it" : "shows the others";
        } catch (SQLException e) {
            outcome = refusal(form, e);
        }
        if (outcome.equals("overwrites it")) {
            String now = rows("SELECT COUNT(*) FROM account WHERE id = 1 AND amount = 1000")
                    .get(0);
            if (now.equals("0")) {
                assertThat(manager.rollback(holder).status())
                        .as("%s", form)
                        .isEqualTo(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE);
            } else {
                outcome = "leaves it";
            }
            behindTheBack(
                    "DELETE FROM account",
                    "INSERT INTO account (id, owner, amount) VALUES (1, 'ann', 1000),"
                            + " (2, 'bob', 200), (3, 'cy', 300)");
        }
        assertRolledBack(holder);
        assertThat(accounts()).as("%s", form).containsExactly(ROW_1, ROW_2, ROW_3);
        return outcome;
    }

    private String refusal(Form form, SQLException e) {
        ErrorCode code = codeOf(e);
        if (code == null) {
            // Then the database does not know the form, whoever sends it.
            try (Connection plain = database.dataSource().getConnection()) {
                plain.setAutoCommit(false);
                form.run().on(plain);
                plain.rollback();
            } catch (SQLException same) {
                return "–";
            }
            throw new AssertionError(form + " fails without a reason", e);
        }
        return switch (code) {
            case LOCK_CONFLICT -> manager.lockQueries() + registrations.get() > 1 ? "waits" : "is turned away";
            case STATEMENT_NOT_SUPPORTED, READ_NOT_CHECKABLE, TABLE_WITHOUT_KEY -> "refused";
            default -> throw new AssertionError(form.toString(), e);
        };
    }

    private List<String> under(Form form) throws SQLException {
        return switch (form.under()) {
            case XID -> in(TransactionContext.participant(begin()), form);
            case COMMITTED -> in(TransactionContext.participant(begin()).withIsolation(Isolation.READ_COMMITTED), form);
            case GUARD -> guarded(LockGuard.DEFAULT, form);
            case IMPATIENT_GUARD -> guarded(new LockGuard(Duration.ZERO), form);
            case NOTHING -> run(form);
        };
    }

    @SuppressWarnings("try")
    private List<String> in(TransactionContext context, Form form) throws SQLException {
        try (ContextCarrier.Scope scope = contexts.bind(context)) {
            return run(form);
        }
    }

    private List<String> guarded(LockGuard guard, Form form) throws SQLException {
        try {
            return new GlobalLockTemplate(contexts).execute(guard, () -> run(form));
        } catch (SQLException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private List<String> run(Form form) throws SQLException {
        try (Connection connection = at.getConnection()) {
            connection.setAutoCommit(form.autoCommit());
            List<String> shown = form.run().on(connection);
            if (!form.autoCommit()) {
                connection.commit();
            }
            return shown;
        }
    }

    // The page

    private static Path page() {
        Path root = Path.of("").toAbsolutePath();
        for (Path up = root.getParent(); up != null && Files.exists(up.resolve("pom.xml")); up = up.getParent()) {
            root = up;
        }
        return root.resolve("docs").resolve("at-isolation.md");
    }

    private static Map<String, String> stated(String column) throws IOException {
        String text = Files.readString(page());
        String table = text.substring(text.indexOf(BEGIN), text.indexOf(END));
        Map<String, String> stated = new LinkedHashMap<>();
        for (String line : table.lines().filter(l -> l.startsWith("| ")).skip(1).toList()) {
            List<String> cells = List.of(
                            line.substring(1, line.lastIndexOf('|')).split("\\|"))
                    .stream()
                    .map(String::trim)
                    .toList();
            stated.put(cells.get(0) + " | " + cells.get(1), cells.get(2 + COLUMNS.indexOf(column)));
        }
        return stated;
    }

    private void write(Map<String, String> found) throws IOException {
        Map<String, Map<String, String>> columns = new LinkedHashMap<>();
        for (String column : COLUMNS) {
            columns.put(column, column.equals(column()) ? found : stated(column));
        }
        StringBuilder table = new StringBuilder(
                BEGIN + "\n| under | statement | " + String.join(" | ", COLUMNS) + " |\n|---|---|---|---|---|\n");
        for (String form : found.keySet()) {
            table.append("| ").append(form).append(" |");
            columns.values()
                    .forEach(of ->
                            table.append(' ').append(of.getOrDefault(form, "?")).append(" |"));
            table.append('\n');
        }
        String text = Files.readString(page());
        Files.writeString(page(), text.substring(0, text.indexOf(BEGIN)) + table + text.substring(text.indexOf(END)));
    }
}
