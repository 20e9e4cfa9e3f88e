package io.txn.client.jdbc.dialect;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What MySQL and MariaDB show to an account. They hide triggers, and foreign keys of tables that it may not use at all; InnoDB's own list shows those
 * to whoever has PROCESS.
 */
final class MySqlGrants {

    /** Where a MariaDB server lists the foreign keys of InnoDB. */
    static final String MARIADB_LISTING = "INNODB_SYS_FOREIGN";

    /** The account in the form in which the information schema writes it. */
    static final String GRANTEE = "CONCAT('''', SUBSTRING_INDEX(CURRENT_USER(), '@', LENGTH(CURRENT_USER())"
            + " - LENGTH(REPLACE(CURRENT_USER(), '@', ''))), '''@''', SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')";

    private static final String EVERYWHERE =
            "SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES" + " WHERE GRANTEE = " + GRANTEE;

    private static final String IN_SCHEMA = "SELECT PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES"
            + " WHERE GRANTEE = " + GRANTEE + " AND DATABASE() LIKE TABLE_SCHEMA";

    private static final String ACCOUNT = "SELECT DATABASE() AS S, " + GRANTEE + " AS G";

    /** Plain names only: others are encoded there. Of the bits, 1, 2, 4 and 8 say that the key acts. */
    private static final String INNODB = " WHERE REF_NAME = ? AND TYPE & 15 <> 0";

    /** InnoDB writes names in the character set of file names. */
    private static final String FILE_NAME = "CAST(CAST(CONVERT(? USING filename) AS BINARY) AS CHAR)";

    private static final String CHILDREN = "SELECT DISTINCT " + ofFileName("1") + " AS S, " + ofFileName("-1")
            + " AS T FROM information_schema.%s WHERE REF_NAME = CONCAT(" + FILE_NAME + ", '/', " + FILE_NAME
            + ") ORDER BY S, T";

    private MySqlGrants() {}

    /** The session lacks a privilege that is asked of the account as a whole. */
    private static final int DENIED = 1227;

    /** A table with a foreign key. */
    record Child(String schema, String table) {}

    private static String ofFileName(String part) {
        return "CAST(CONVERT(CAST(SUBSTRING_INDEX(FOR_NAME, '/', " + part
                + ") AS BINARY) USING filename) AS CHAR CHARACTER SET utf8mb4)";
    }

    /**
     * Tables with foreign keys that refer to a table of InnoDB, by InnoDB's own list: the information schema would open every table of the server to find them.
     *
     * @return null where this account may not see the list, or the information schema is quick about it
     */
    static @Nullable List<Child> children(Connection connection, String listing, String schema, String table)
            throws SQLException {
        if (!listing.equals(MARIADB_LISTING)
                || !privileges(connection, EVERYWHERE).contains("PROCESS")) {
            return null;
        }
        List<CatalogRow> rows = listed(connection, String.format(CHILDREN, listing), schema, table);
        if (rows == null) {
            return null;
        }
        List<Child> children = new ArrayList<>();
        for (CatalogRow row : rows) {
            children.add(new Child(row.text("S"), row.text("T")));
        }
        return children;
    }

    /**
     * Has a session go by what its account may do in its own schema now. The server looks that up when the schema is chosen, and hides by it from then on, while the information schema lists what was
     * granted since: a session of before GRANT TRIGGER would be shown the privilege, and no trigger.
     *
     * @param schema the session's own, quoted
     */
    static void applyHere(Connection connection, String schema) throws SQLException {
        try (Statement choosing = connection.createStatement()) {
            choosing.execute("USE " + schema);
        }
    }

    /** InnoDB's own list; null where the account was granted PROCESS after this session began, which goes by what there was then. */
    private static @Nullable List<CatalogRow> listed(Connection connection, String sql, String... parameters)
            throws SQLException {
        try {
            return CatalogRow.mySql(connection, sql, (Object[]) parameters);
        } catch (SQLException e) {
            if (e.getErrorCode() == DENIED) {
                return null;
            }
            throw e;
        }
    }

    private static Set<String> privileges(Connection connection, String sql) throws SQLException {
        Set<String> privileges = new HashSet<>();
        CatalogRow.mySql(connection, sql).forEach(row -> privileges.add(row.text("PRIVILEGE_TYPE")));
        return privileges;
    }

    private static boolean seesAllTables(Set<String> everywhere) {
        return everywhere.contains("SELECT") || everywhere.contains("REFERENCES");
    }

    /** What the account cannot see that may act behind its statements, each with the statement that mends it. */
    static List<String> missing(Connection connection) throws SQLException {
        Set<String> everywhere = privileges(connection, EVERYWHERE);
        Set<String> here = privileges(connection, IN_SCHEMA);
        CatalogRow account = CatalogRow.oneOfMySql(connection, ACCOUNT);
        String schema = '`' + account.text("S").replace("`", "``") + "`.*";
        String to = " TO " + account.text("G");
        List<String> missing = new ArrayList<>();
        if (!everywhere.contains("TRIGGER") && !here.contains("TRIGGER")) {
            missing.add("triggers of its schema, so that writes are refused: GRANT TRIGGER ON " + schema + to);
        }
        if (!seesAllTables(everywhere) && !everywhere.contains("PROCESS")) {
            missing.add("tables of other schemas whose foreign keys act on deletes here: GRANT PROCESS ON *.*" + to);
            if (here.isEmpty()) {
                missing.add("tables of its own schema that it was not granted, and their foreign keys: GRANT SELECT ON "
                        + schema + to);
            }
        }
        return missing;
    }

    /**
     * Tables that refer to one by foreign keys which act, and which this account may not see.
     *
     * @param listing InnoDB's own list of foreign keys
     * @param known those that it sees, as {@code schema/table}
     * @return one of them, or null
     */
    static @Nullable String hiddenChild(
            Connection connection, String listing, String schema, String table, Set<String> known) throws SQLException {
        Set<String> everywhere = privileges(connection, EVERYWHERE);
        if (seesAllTables(everywhere) || !everywhere.contains("PROCESS")) {
            return null;
        }
        String sql = "SELECT FOR_NAME AS CHILD FROM information_schema." + listing + INNODB;
        List<CatalogRow> rows = listed(connection, sql, schema + '/' + table);
        for (CatalogRow row : rows == null ? List.<CatalogRow>of() : rows) {
            if (!known.contains(row.text("CHILD"))) {
                return row.text("CHILD").replace('/', '.');
            }
        }
        return null;
    }
}
