package io.txn.client.jdbc.dialect;

import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.Mentions;
import io.txn.client.jdbc.sql.SqlSyntax;
import io.txn.client.jdbc.sql.TableName;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A database as AT mode knows it. Immutable.
 *
 * @param insert how the rows of an INSERT become known; the same for {@code update} and {@code delete}
 * @param ownSchema the schema of a fresh connection
 * @param resourceId the id under which the coordinator knows the database
 * @param driver the driver's name; decides only what getGeneratedKeys calls its column
 * @param countsOnlyChanged whether update counts leave out rows that were found and not changed, as MySQL's drivers can be told
 * @param searchesLists whether it looks for lists of values of several columns in one pass over a key, whatever the order of its columns
 * @param habits what the driver does in its own way
 */
public record Dialect(
        Product product,
        SqlSyntax syntax,
        Capture insert,
        Capture update,
        Capture delete,
        String ownSchema,
        String resourceId,
        String driver,
        boolean countsOnlyChanged,
        boolean searchesLists,
        DriverHabits habits) {

    /** See {@link #identity}. */
    public static final String AMBIGUOUS = "~";

    /** See {@link #allRows}. */
    static final String MYSQL_ALL_ROWS = " LIMIT 18446744073709551615";

    /**
     * What the driver does in its own way, most of it with batches, as far as its URL tells.
     *
     * @param goesOn whether what follows a failing element is run; on PostgreSQL, in auto-commit mode
     * @param insertsFailTogether whether of an INSERT, when an element fails, none is done and all are said to have failed
     * @param upsertsFailTogether the same of other forms of INSERT
     * @param sendsBits whether elements of an INSERT are sent in binary form, a number of single precision by its bits
     * @param hidesCounts whether it may not tell how many rows an element changed
     * @param severalStatements whether a text may hold several statements
     * @param stopsAtDeadlocks whether it ends with a deadlock, goes on after other failures, and tells the last one
     */
    public record DriverHabits(
            boolean goesOn,
            boolean insertsFailTogether,
            boolean upsertsFailTogether,
            boolean sendsBits,
            boolean hidesCounts,
            boolean severalStatements,
            boolean stopsAtDeadlocks) {

        static final DriverHabits H2 = new DriverHabits(true, false, false, false, false, true, false);

        /** In simple mode each element is a statement of its own to the server: in auto-commit mode, a transaction. */
        static DriverHabits postgres(String url) {
            return new DriverHabits(said(url, "preferQueryMode", "simple"), true, false, false, false, true, false);
        }

        static DriverHabits mySql(String driver, String url) {
            boolean several = said(url, "allowMultiQueries", true);
            if (driver.startsWith("MariaDB")) {
                boolean bulk = !said(url, "useBulkStmtsForInserts", false);
                return new DriverHabits(
                        !said(url, "disablePipeline", true),
                        bulk,
                        false,
                        bulk,
                        said(url, "useBulkStmts", true),
                        several,
                        false);
            }
            return new DriverHabits(
                    !said(url, "continueBatchOnError", false),
                    said(url, "rewriteBatchedStatements", true),
                    said(url, "rewriteBatchedStatements", true),
                    false,
                    false,
                    several,
                    true);
        }

        private static boolean said(String url, String key, boolean value) {
            return said(url, key, String.valueOf(value));
        }

        private static boolean said(String url, String key, String value) {
            return url.matches("(?i).*[?&]" + key + "=" + value + "\\b.*");
        }
    }

    /** The databases that AT mode knows. */
    public enum Product {
        H2("h2"),
        MYSQL("mysql"),
        MARIADB("mysql"),
        POSTGRESQL("postgresql");

        private final String script;

        Product(String script) {
            this.script = script;
        }

        /** The name of the script that makes the undo table. */
        public String script() {
            return script;
        }

        public boolean isMySqlFamily() {
            return this == MYSQL || this == MARIADB;
        }
    }

    /**
     * Learns from a connection which database it leads to.
     *
     * @throws TxnException DATABASE_NOT_SUPPORTED
     */
    public static Dialect of(Connection connection) throws SQLException {
        DatabaseMetaData about = connection.getMetaData();
        String name = String.valueOf(about.getDatabaseProductName()).toLowerCase(Locale.ROOT);
        String version = String.valueOf(about.getDatabaseProductVersion());
        String url = String.valueOf(about.getURL());
        String driver = String.valueOf(about.getDriverName());
        if (name.equals("h2") && about.getDatabaseMajorVersion() >= 2) {
            return h2(connection, url, driver);
        }
        if (name.equals("postgresql") && about.getDatabaseMajorVersion() >= 12) {
            return postgres(connection, url, driver, about.getDatabaseMajorVersion());
        }
        if (name.equals("mysql") || name.equals("mariadb")) {
            return mySql(connection, url, driver);
        }
        throw new TxnException(ErrorCode.DATABASE_NOT_SUPPORTED, null, "database", name, "version", version);
    }

    private static Dialect h2(Connection connection, String url, String driver) throws SQLException {
        CatalogRow row = CatalogRow.one(connection, "SELECT CURRENT_SCHEMA AS S, DATABASE_PATH() AS P");
        String path = row.get("P");
        boolean remote = url.startsWith("jdbc:h2:tcp:") || url.startsWith("jdbc:h2:ssl:");
        String database = path == null || remote ? ResourceIds.upTo(url, ";?") : "jdbc:h2:file:" + path;
        // Each schema has an undo table of its own.
        String schema = row.text("S");
        String id = schema.equalsIgnoreCase("PUBLIC") ? database : database + ";SCHEMA=" + schema;
        return new Dialect(
                Product.H2,
                SqlSyntax.H2,
                Capture.GENERATED_KEYS,
                Capture.GENERATED_KEYS,
                Capture.QUERIES,
                row.text("S"),
                ResourceIds.withoutCommas(id),
                driver,
                false,
                false,
                DriverHabits.H2);
    }

    private static Dialect postgres(Connection connection, String url, String driver, int version) throws SQLException {
        CatalogRow row = CatalogRow.one(
                connection,
                "SELECT current_schema() AS s, current_setting('standard_conforming_strings', true) AS conforming");
        return new Dialect(
                Product.POSTGRESQL,
                SqlSyntax.postgreSql(!row.is("conforming", "off")),
                Capture.RETURNING,
                version >= 18 ? Capture.RETURNING_OLD_AND_NEW : Capture.QUERIES,
                Capture.RETURNING,
                row.text("s"),
                ResourceIds.postgres(url),
                driver,
                false,
                // Before, it would look for each value of the one under each of the other.
                version >= 17,
                DriverHabits.postgres(url));
    }

    private static Dialect mySql(Connection connection, String url, String driver) throws SQLException {
        CatalogRow row = CatalogRow.oneOfMySql(
                connection,
                "SELECT DATABASE() AS s, @@sql_mode AS m, VERSION() AS v, @@log_bin AND @@binlog_format <> 'ROW' AS l");
        String version = row.text("v");
        boolean mariaDb = version.toLowerCase(Locale.ROOT).contains("mariadb");
        boolean returns = mariaDb && ResourceIds.mariaDbAtLeast(version, 10, 5);
        return new Dialect(
                mariaDb ? Product.MARIADB : Product.MYSQL,
                SqlSyntax.mySql(row.text("m")),
                returns ? Capture.RETURNING : Capture.QUERIES,
                // A binary log of statements would hold, with each of them, all that is noted at the time.
                returns && row.is("l", "0") ? Capture.NOTES : Capture.QUERIES,
                returns ? Capture.RETURNING : Capture.QUERIES,
                row.text("s"),
                ResourceIds.mySql(url),
                driver,
                url.matches("(?i).*[?&]useAffectedRows=true\\b.*"),
                false,
                DriverHabits.mySql(driver, url));
    }

    /** The same database, captured by queries alone, as where it has no way to return what it changed. */
    public Dialect withQueriesOnly() {
        return new Dialect(
                product,
                syntax,
                Capture.QUERIES,
                Capture.QUERIES,
                Capture.QUERIES,
                ownSchema,
                resourceId,
                driver,
                countsOnlyChanged,
                searchesLists,
                habits);
    }

    /** The same database, with another way to capture an UPDATE: an older version's. */
    public Dialect withUpdate(Capture capture) {
        return new Dialect(
                product,
                syntax,
                insert,
                capture,
                delete,
                ownSchema,
                resourceId,
                driver,
                countsOnlyChanged,
                searchesLists,
                habits);
    }

    /** A table of ours in the connection's own schema. Unquoted, as in the script that makes it, so that the database folds the name as it did then. */
    public TableName own(String name) {
        Identifier written = new Identifier(name, false);
        return ownSchema.isEmpty()
                ? new TableName(List.of(written), name)
                : new TableName(List.of(new Identifier(ownSchema, true), written), quote(ownSchema) + '.' + name);
    }

    /** What the catalog says now about the table that {@code name} means on this connection; null when there is none. */
    public @Nullable Table table(Connection connection, TableName name) throws SQLException {
        return catalog().table(connection, name, ownSchema);
    }

    /** Tables of the connection's own schema that have no primary key; views and temporary tables are none. */
    private static final String WITHOUT_PRIMARY_KEY = """
            SELECT T.TABLE_NAME AS TABLE_NAME FROM INFORMATION_SCHEMA.TABLES T
            WHERE T.TABLE_SCHEMA = ? AND T.TABLE_TYPE = 'BASE TABLE' AND NOT EXISTS (
                SELECT 1 FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS C
                WHERE C.TABLE_SCHEMA = T.TABLE_SCHEMA AND C.TABLE_NAME = T.TABLE_NAME AND C.CONSTRAINT_TYPE = 'PRIMARY KEY')
            ORDER BY T.TABLE_NAME""";

    /** Where Liquibase writes down what it has run: a table without a key, in every schema that it looks after. */
    private static final String OF_LIQUIBASE = "databasechangelog";

    /**
     * Tables of the connection's own schema whose rows cannot be named, because they have neither a primary key nor a unique one without NULLs.
     *
     * @param most how many tables without a primary key are looked at
     */
    public List<String> tablesWithoutKey(Connection connection, int most) throws SQLException {
        List<String> found = new ArrayList<>();
        List<CatalogRow> candidates = CatalogRow.query(connection, WITHOUT_PRIMARY_KEY + allRows(), ownSchema);
        for (CatalogRow candidate : candidates.subList(0, Math.min(most, candidates.size()))) {
            String name = candidate.text("TABLE_NAME");
            if (name.equalsIgnoreCase(OF_LIQUIBASE)) {
                continue; // nobody else writes to it
            }
            Table table = table(
                    connection,
                    new TableName(
                            List.of(new Identifier(ownSchema, true), new Identifier(name, true)),
                            quote(ownSchema) + '.' + quote(name)));
            if (table != null && table.key().isEmpty()) {
                found.add(name);
            }
        }
        return found;
    }

    private Catalog catalog() {
        return switch (product) {
            case H2 -> new H2Catalog();
            case POSTGRESQL -> new PostgresCatalog();
            case MYSQL -> new MySqlCatalog("INNODB_FOREIGN");
            case MARIADB -> new MySqlCatalog(MySqlGrants.MARIADB_LISTING);
        };
    }

    /** What the account cannot see of all that may act behind its statements, each with the statement that mends it. */
    public List<String> missingGrants(Connection connection) throws SQLException {
        return catalog().missingGrants(connection);
    }

    /** A text that is another one whenever functions came, went or changed that may write or give something else each time; empty when there are none. */
    public String routinesNow(Connection connection) throws SQLException {
        return catalog().routinesNow(connection);
    }

    /**
     * Functions that may write, and what may give something else each time: functions, views, operators.
     *
     * @param now what {@link #routinesNow} said
     * @param reading names of those that are said not to, in lower case, with or without schema
     */
    public Routines routines(Connection connection, String now, Set<String> reading) throws SQLException {
        return now.isEmpty() ? Routines.NONE : catalog().routines(connection, reading, syntax);
    }

    /**
     * Why a column that a text reads may be something else each time that it is read; null where none is.
     *
     * @param text with what is behind the views that it names
     */
    public @Nullable String unsteadyColumn(Connection connection, Mentions text) throws SQLException {
        return product == Product.MARIADB ? MySqlRoutines.unsteadyColumn(connection, text, syntax) : null;
    }

    /**
     * What procedures do that a user of the database made; null where they are among {@link #routines}.
     *
     * @param reading names of those that are said to write nothing, in lower case, with or without schema
     */
    public @Nullable Procedures procedures(Connection connection, String name, Set<String> reading)
            throws SQLException {
        return catalog().procedures(connection, name, reading, syntax);
    }

    /**
     * A key whose check is deferred with these constraints; null when there is none.
     *
     * @param names of constraints; empty for all
     */
    public @Nullable String deferrableKey(Connection connection, List<String> names) throws SQLException {
        return catalog().deferrableKey(connection, names);
    }

    /** A name in this database's quotes. */
    public String quote(String name) {
        return (product.isMySqlFamily() ? Quotes.BACKTICK : Quotes.DOUBLE).quote(name);
    }

    /**
     * An expression that an image query adds to find out which table it really read. On PostgreSQL it is led by {@link #AMBIGUOUS} where the session
     * prints numbers of the tables with fewer digits than they have, or intervals so that other sessions read them differently.
     *
     * @param qualifier a row alias with its dot, or nothing
     * @param tables those that the query reads
     */
    public String identity(String qualifier, Table... tables) {
        return switch (product) {
            case H2 -> "CURRENT_SCHEMA";
            case POSTGRESQL -> {
                String relation = "CAST(" + qualifier + "tableoid AS bigint)";
                // What each execution has to set up counts: a question about settings costs as much as several columns.
                yield Arrays.stream(tables).noneMatch(Table::printedBySetting)
                        ? relation
                        : "CASE WHEN CAST(current_setting('extra_float_digits') AS int) > 0"
                                + " AND current_setting('IntervalStyle') <> 'sql_standard' THEN '' ELSE '" + AMBIGUOUS
                                + "' END || CAST(" + relation + " AS text)";
            }
            case MYSQL, MARIADB -> "DATABASE()";
        };
    }

    /**
     * What lets a reading find all its rows: a limit that a session sets for every SELECT ({@code sql_select_limit}) does not hold for one that has
     * its own.
     */
    public String allRows() {
        return product.isMySqlFamily() ? MYSQL_ALL_ROWS : "";
    }

    /** What ends a reading of rows that are about to be written, or were: it finds all of them, and locks them. */
    public String allForUpdate() {
        return allRows() + " FOR UPDATE";
    }

    /** The clause with which a read keeps everybody from changing its rows, and lets others read so too where the database can do that. */
    public String shareLock() {
        return switch (product) {
            case H2 -> "FOR UPDATE";
            case POSTGRESQL -> "FOR SHARE";
            case MYSQL, MARIADB -> "LOCK IN SHARE MODE";
        };
    }

    /** Whether a statement's time limit costs nothing, and ends with it. H2 makes it a setting of the session; its lock waits are short. */
    public boolean limitsStatements() {
        return product != Product.H2;
    }

    /** Whether this error says that the time limit of the statement was reached. */
    public boolean isTimeout(SQLException error) {
        int code = error.getErrorCode();
        return error instanceof SQLTimeoutException
                || "57014".equals(error.getSQLState())
                || product.isMySqlFamily() && (code == 1969 || code == 3024 || code == 1317);
    }

    /** Whether reading again what this transaction wrote has to lock, because a plain read may show an older version. */
    public boolean afterImageLocks() {
        return product != Product.POSTGRESQL;
    }

    /** Whether an INSERT may give explicit values to an identity column only with this clause; empty where it need not say so. */
    public String overridingIdentity(Table table) {
        boolean always = table.columns().stream().anyMatch(c -> c.is(Column.Trait.IDENTITY_ALWAYS));
        return always ? " OVERRIDING SYSTEM VALUE" : "";
    }

    /** Whether this error says that a constraint would be violated: unique, foreign key, check. */
    public boolean isIntegrityViolation(SQLException error) {
        String state = error.getSQLState();
        return state != null && state.startsWith("23");
    }

    /** Whether this error says that a value does not fit its column: it never will, however often it is tried. */
    public boolean refusesValue(SQLException error) {
        String state = String.valueOf(error.getSQLState());
        boolean cut = product.isMySqlFamily() && Set.of(1265, 1292, 1366, 1411).contains(error.getErrorCode());
        return cut || state.startsWith("22");
    }

    /** Whether the session refuses values that do not fit, where it could also cut them to size: MySQL's. */
    public void strict(Connection connection, boolean on) throws SQLException {
        if (product.isMySqlFamily()) {
            UndoSession.strict(connection, on);
        }
    }

    /** Whether this error is not the server's: a driver lost its way, as MariaDB's does with some batches. */
    public boolean isDriversOwn(SQLException error) {
        return product.isMySqlFamily() && error.getErrorCode() == 0 && "HY000".equals(error.getSQLState());
    }

    /** Whether with this error the database has rolled back all that the transaction did before, not only the statement. */
    public boolean takesAllBack(Connection connection, SQLException error) {
        if (String.valueOf(error.getSQLState()).startsWith("40")) {
            return true;
        }
        if (!product.isMySqlFamily()) {
            return false;
        }
        return switch (error.getErrorCode()) {
            // Another transaction came first (MariaDB's innodb_snapshot_isolation); no room for more locks.
            case 1020, 1206 -> true;
            case 1205 -> rollsBackOnTimeout(connection);
            default -> false;
        };
    }

    /** Whether a failure that no driver takes for the transaction's end may have been that here: MySQL's and MariaDB's settings say so. */
    public boolean endsUnasked(Connection connection) {
        try (Statement statement = connection.createStatement();
                ResultSet on = statement.executeQuery("SHOW VARIABLES WHERE Variable_name IN"
                        + " ('innodb_rollback_on_timeout', 'innodb_snapshot_isolation') AND Value = 'ON'")) {
            return on.next();
        } catch (SQLException e) {
            return true; // as far as is known
        }
    }

    /** Whether this error says that there is no such savepoint. */
    public boolean lostSavepoint(SQLException error) {
        return product.isMySqlFamily() && error.getErrorCode() == 1305;
    }

    private static boolean rollsBackOnTimeout(Connection connection) {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT @@innodb_rollback_on_timeout")) {
            return !row.next() || row.getBoolean(1);
        } catch (SQLException e) {
            return true; // as far as is known
        }
    }

    /** Whether this error says that a unique key is taken. */
    public boolean isDuplicate(SQLException error) {
        if (product.isMySqlFamily()) {
            return error.getErrorCode() == 1062;
        }
        return "23505".equals(error.getSQLState());
    }

    /** Whether an account may not do what it tried, or what it tried it with is not there for it. */
    public boolean isDenied(SQLException error) {
        return switch (product) {
            case MARIADB, MYSQL -> Set.of(1044, 1142, 1143, 1146).contains(error.getErrorCode());
            case POSTGRESQL, H2 ->
                Set.of("42501", "42P01", "90096", "42S02", "42S03", "42S04").contains(error.getSQLState());
        };
    }

    /** The session as phase two needs it, until it is closed. */
    public UndoSession undoSession(Connection connection, Duration lockWaitMax) throws SQLException {
        return UndoSession.open(connection, product, lockWaitMax);
    }

    /** A connection of phase two's own, set up for good. */
    public UndoSession lastingUndoSession(Connection connection, Duration lockWaitMax) throws SQLException {
        return UndoSession.lasting(connection, product, lockWaitMax);
    }

    /** Whether this H2 file database answers a commit before it is written. */
    public boolean losesAcknowledgedCommits(Connection connection) throws SQLException {
        // One in memory writes nothing; and the settings are a view, which takes H2 a while to make for the first time.
        if (product != Product.H2
                || !CatalogRow.one(connection, "SELECT DATABASE_PATH() AS P").has("P")) {
            return false;
        }
        // MAX: a setting that is named in the URL is listed twice, with the same value.
        CatalogRow row = CatalogRow.query(
                        connection,
                        "SELECT DATABASE_PATH() AS P, (SELECT MAX(SETTING_VALUE) FROM INFORMATION_SCHEMA.SETTINGS"
                                + " WHERE SETTING_NAME = 'WRITE_DELAY') AS D")
                .get(0);
        return row.get("P") != null && !Set.of("", "0").contains(row.text("D"));
    }
}
