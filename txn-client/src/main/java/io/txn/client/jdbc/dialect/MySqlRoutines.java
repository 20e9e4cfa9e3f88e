package io.txn.client.jdbc.dialect;

import io.txn.client.jdbc.sql.Mentions;
import io.txn.client.jdbc.sql.SetTargets;
import io.txn.client.jdbc.sql.SqlSyntax;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Stored functions of MySQL and MariaDB. What a function says of itself ({@code READS SQL DATA}, {@code DETERMINISTIC}) nobody checks, and most say nothing, so its text decides. Beside
 * statements, only views can call them; the server writes the functions of a view in quotes, so that one which this account may not see is noticed.
 */
final class MySqlRoutines {

    private static final String OF_USERS = "NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')";

    private static final String NOW = "SELECT CONCAT_WS('/', (SELECT CONCAT_WS('/', COUNT(*), COALESCE(BIT_XOR(CRC32("
            + "CONCAT_WS(' ', ROUTINE_SCHEMA, ROUTINE_NAME, SQL_DATA_ACCESS, IS_DETERMINISTIC, ROUTINE_DEFINITION IS NULL, ROUTINE_DEFINITION))), 0))"
            + " FROM information_schema.ROUTINES WHERE ROUTINE_TYPE <> 'PROCEDURE' AND ROUTINE_SCHEMA " + OF_USERS
            + "), (SELECT CONCAT_WS('/', COUNT(*), COALESCE(BIT_XOR(CRC32(CONCAT_WS(' ', TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION))), 0))"
            + " FROM information_schema.VIEWS WHERE TABLE_SCHEMA " + OF_USERS + ")) AS NOW";

    private static final String ROUTINES =
            "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, SQL_DATA_ACCESS, IS_DETERMINISTIC, ROUTINE_DEFINITION"
                    + " FROM information_schema.ROUTINES WHERE ROUTINE_TYPE <> 'PROCEDURE' AND ROUTINE_SCHEMA "
                    + OF_USERS;

    private static final String VIEWS = "SELECT TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION"
            + " FROM information_schema.VIEWS WHERE TABLE_SCHEMA " + OF_USERS;

    private static final String PROCEDURES = "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, SQL_DATA_ACCESS, ROUTINE_DEFINITION"
            + " FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'PROCEDURE' AND ROUTINE_NAME = ?";

    private static final String PARAMETERS =
            "SELECT PARAMETER_NAME FROM information_schema.PARAMETERS WHERE ROUTINE_TYPE = 'PROCEDURE'"
                    + " AND SPECIFIC_SCHEMA = ? AND SPECIFIC_NAME = ? AND PARAMETER_NAME IS NOT NULL";

    /** Asked for by several names at least: of a single one, its case would matter where files tell cases apart. Of any schema: what is found is kept for sessions of all. */
    private static final String COMPUTED = "SELECT TABLE_NAME, COLUMN_NAME, GENERATION_EXPRESSION"
            + " FROM information_schema.COLUMNS WHERE TABLE_NAME IN (?, ''%s) AND EXTRA LIKE 'VIRTUAL%%'";

    /** What a procedure may hold, and a function not: it would end the transaction, lock rows unasked, or change the session. */
    private static final List<String> MORE_THAN_READING = List.of(
            "commit",
            "rollback",
            "start",
            "savepoint",
            "release",
            "autocommit",
            "xa",
            "lock",
            "unlock",
            "flush",
            "kill",
            "reset",
            "analyze",
            "optimize",
            "repair",
            "install",
            "uninstall",
            "update",
            "share",
            "row_count",
            "found_rows",
            "outfile",
            "dumpfile");

    private static final Pattern QUOTED_CALL = Pattern.compile("`((?:[^`]|``)+)`\\(");

    private MySqlRoutines() {}

    static String now(Connection connection) throws SQLException {
        String now = CatalogRow.oneOfMySql(connection, NOW).text("NOW");
        return now.equals("0/0/0/0") ? "" : now;
    }

    static Routines read(Connection connection, Set<String> reading, SqlSyntax syntax) throws SQLException {
        List<Routines.Routine> routines = new ArrayList<>();
        Set<String> known = new HashSet<>();
        for (CatalogRow row : CatalogRow.mySql(connection, ROUTINES)) {
            String schema = row.text("ROUTINE_SCHEMA");
            String name = row.text("ROUTINE_NAME");
            boolean hidden = row.get("ROUTINE_DEFINITION") == null;
            boolean writes = row.is("SQL_DATA_ACCESS", "MODIFIES SQL DATA");
            known.add(name.toLowerCase(Locale.ROOT));
            routines.add(new Routines.Routine(
                    schema + '.' + name,
                    schema,
                    name,
                    hidden || writes ? Routines.Effect.UNKNOWN : Routines.Effect.TEXT,
                    !hidden
                            ? Routines.Result.TEXT
                            : row.is("IS_DETERMINISTIC", "YES") ? Routines.Result.SAME : Routines.Result.OTHER,
                    row.text("ROUTINE_DEFINITION"),
                    false,
                    Set.of(),
                    hidden
                            ? "hides its text from this account: GRANT SHOW CREATE ROUTINE ON " + schema + ".* to it"
                            : "says MODIFIES SQL DATA"));
        }
        List<Routines.Use> uses = new ArrayList<>();
        for (CatalogRow row : CatalogRow.mySql(connection, VIEWS)) {
            String name = row.text("TABLE_NAME");
            String text = row.text("VIEW_DEFINITION");
            uses.add(new Routines.Use(
                    Routines.Via.READ, name, Set.of(), text, unknown(row.text("TABLE_SCHEMA"), name, text, known)));
        }
        return Routines.of(routines, uses, reading, syntax);
    }

    /** MariaDB computes a virtual column anew whenever it is read, and lets it call what gives something else then; MySQL does not let it. */
    static @Nullable String unsteadyColumn(Connection connection, Mentions text, SqlSyntax syntax) throws SQLException {
        List<String> names = List.copyOf(text.names());
        boolean all = text.names().contains("natural") || text.symbols().contains("*");
        if (names.isEmpty()) {
            return null;
        }
        String sql = String.format(COMPUTED, ", ?".repeat(names.size() - 1));
        List<CatalogRow> columns = new ArrayList<>(CatalogRow.mySql(connection, sql, names.toArray()));
        Set<String> wanted = new HashSet<>(names);
        boolean more = true;
        while (more) { // one may be computed of others
            more = false;
            for (CatalogRow row : List.copyOf(columns)) {
                String column = row.text("COLUMN_NAME");
                if (all || wanted.contains(column.toLowerCase(Locale.ROOT))) {
                    Mentions expression = Mentions.of(row.text("GENERATION_EXPRESSION"), syntax);
                    String unsteady = unsteady(expression);
                    if (unsteady != null) {
                        return "column " + row.text("TABLE_NAME") + '.' + column + ": " + unsteady;
                    }
                    columns.remove(row);
                    more |= wanted.addAll(expression.names());
                }
            }
        }
        return null;
    }

    private static @Nullable String unsteady(Mentions expression) {
        if (!expression.understood()) {
            return "its expression is not understood";
        }
        String unsteady = Routines.unsteady(expression);
        boolean variable = expression.symbols().stream().anyMatch(s -> s.contains("@"));
        return unsteady == null && variable ? "it has to do with a variable of the session" : unsteady;
    }

    /** Procedures stand beside the functions: no statement but CALL runs them, so they are looked up when one does, by their name. */
    static Procedures procedures(Connection connection, String name, Set<String> reading, SqlSyntax syntax)
            throws SQLException {
        List<Mentions> texts = new ArrayList<>();
        boolean found = false;
        for (CatalogRow row : CatalogRow.mySql(connection, PROCEDURES, name)) {
            found = true;
            String schema = row.text("ROUTINE_SCHEMA");
            String procedure = "procedure " + schema + '.' + row.text("ROUTINE_NAME");
            if (reading.contains(name.toLowerCase(Locale.ROOT))
                    || reading.contains((schema + '.' + name).toLowerCase(Locale.ROOT))) {
                continue;
            }
            String body = row.get("ROUTINE_DEFINITION");
            if (body == null) {
                return new Procedures(
                        procedure + " hides its text from this account: GRANT SHOW CREATE ROUTINE ON " + schema
                                + ".* to it",
                        List.of());
            }
            Mentions text = Mentions.of(body, syntax);
            if (text.writes() || row.is("SQL_DATA_ACCESS", "MODIFIES SQL DATA")) {
                return new Procedures(procedure + " writes, or runs what its text does not show", List.of());
            }
            for (String word : MORE_THAN_READING) {
                if (text.names().contains(word)) {
                    return new Procedures(procedure + " does more than reading: " + word, List.of());
                }
            }
            String setting = setting(connection, schema, row.text("ROUTINE_NAME"), body, syntax);
            if (setting != null) {
                return new Procedures(procedure + " does more than reading: SET " + setting, List.of());
            }
            texts.add(text);
        }
        return new Procedures(found ? null : "procedure " + name + " is not seen by this account", texts);
    }

    /** What it sets that lasts longer than the call. Variables of the user do too, and hold nothing that is to be undone. */
    private static @Nullable String setting(
            Connection connection, String schema, String name, String body, SqlSyntax syntax) throws SQLException {
        Set<String> targets = new LinkedHashSet<>(SetTargets.of(body, syntax));
        if (!targets.isEmpty()) {
            for (CatalogRow parameter : CatalogRow.mySql(connection, PARAMETERS, schema, name)) {
                targets.remove(parameter.text("PARAMETER_NAME").toLowerCase(Locale.ROOT));
            }
        }
        return targets.stream().findFirst().orElse(null);
    }

    private static @Nullable String unknown(String schema, String name, String text, Set<String> known) {
        if (text.isEmpty()) {
            return "view " + schema + '.' + name + " hides its definition from this account: GRANT SHOW VIEW ON "
                    + schema + ".* to it";
        }
        Matcher calls = QUOTED_CALL.matcher(text);
        while (calls.find()) {
            if (!known.contains(calls.group(1).replace("``", "`").toLowerCase(Locale.ROOT))) {
                return "view " + schema + '.' + name + " calls function " + calls.group(1)
                        + ", which this account cannot see";
            }
        }
        return null;
    }
}
