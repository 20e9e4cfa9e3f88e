package io.txn.client.jdbc.dialect;

import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.NewRowTrigger;
import io.txn.client.jdbc.sql.SqlSyntax;
import io.txn.client.jdbc.sql.TableName;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The information schema of MySQL and MariaDB. It hides triggers from an account without the TRIGGER privilege, so the privilege is looked up
 * too, and without it no table is trusted to have none.
 */
final class MySqlCatalog implements Catalog {

    private static final String SESSION = "SELECT DATABASE() AS IN_SCHEMA, @@lower_case_table_names AS FOLDED, "
            + MySqlGrants.GRANTEE + " AS GRANTEE";

    private static final String TABLE = """
            SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?""";

    private static final String ENGINE = "SELECT TRANSACTIONS FROM information_schema.ENGINES WHERE ENGINE = ?";

    private static final String TRIGGERS = """
            SELECT TRIGGER_NAME, EVENT_MANIPULATION, ACTION_TIMING, ACTION_STATEMENT FROM information_schema.TRIGGERS
            WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ? ORDER BY TRIGGER_NAME""";

    /** Where an account may hold privileges on a table as a whole; each with the grantee, the schema and the table as parameters. */
    private static final List<String> PRIVILEGES = List.of(
            "SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES"
                    + " WHERE GRANTEE = ? AND PRIVILEGE_TYPE IN ('TRIGGER', 'DELETE') AND ? IS NOT NULL AND ? IS NOT NULL",
            "SELECT PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES"
                    + " WHERE GRANTEE = ? AND PRIVILEGE_TYPE IN ('TRIGGER', 'DELETE') AND ? LIKE TABLE_SCHEMA AND ? IS NOT NULL",
            "SELECT PRIVILEGE_TYPE FROM information_schema.TABLE_PRIVILEGES"
                    + " WHERE GRANTEE = ? AND PRIVILEGE_TYPE IN ('TRIGGER', 'DELETE') AND TABLE_SCHEMA = ? AND TABLE_NAME = ?");

    /** Among what an account may do: to UPDATE all columns. */
    private static final String UPDATE_ALL = "UPDATE ALL";

    /** An account may not do that to a table. */
    private static final int DENIED = 1142;

    private static final String COLUMNS = """
            SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_SET_NAME, COLLATION_NAME, EXTRA, NUMERIC_PRECISION, NUMERIC_SCALE,
                COLUMN_DEFAULT, PRIVILEGES
            FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION""";

    /**
     * Asked for by the names of schema and table alone: a MariaDB server opens the tables of all schemas for each row of an outer query, or where it
     * is not told whose.
     */
    private static final String KEYS = """
            SELECT INDEX_NAME, COLUMN_NAME, SUB_PART, NULLABLE FROM information_schema.STATISTICS
            WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX""";

    private static final String REFERENCED_BY = """
            SELECT CONSTRAINT_SCHEMA, CONSTRAINT_NAME, TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, REFERENCED_COLUMN_NAME
            FROM information_schema.KEY_COLUMN_USAGE
            WHERE REFERENCED_TABLE_SCHEMA = ? AND REFERENCED_TABLE_NAME = ?""";

    private static final String OF_CHILD = " AND TABLE_SCHEMA = ? AND TABLE_NAME = ?";

    private static final String IN_ORDER = " ORDER BY CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION";

    private static final String RULES = """
            SELECT DELETE_RULE, UPDATE_RULE FROM information_schema.REFERENTIAL_CONSTRAINTS
            WHERE CONSTRAINT_SCHEMA = ? AND TABLE_NAME = ? AND CONSTRAINT_NAME = ?""";

    /** The table of the information schema that lists InnoDB's foreign keys. */
    private final String foreignKeys;

    MySqlCatalog(String foreignKeys) {
        this.foreignKeys = foreignKeys;
    }

    @Override
    public List<String> missingGrants(Connection connection) throws SQLException {
        return MySqlGrants.missing(connection);
    }

    @Override
    public @Nullable Table table(Connection connection, TableName name, String ownSchema) throws SQLException {
        CatalogRow session = CatalogRow.oneOfMySql(connection, SESSION);
        MySqlGrants.applyHere(connection, quote(session.text("IN_SCHEMA")));
        int parts = name.parts().size();
        String writtenSchema = parts > 1 ? name.parts().get(parts - 2).text() : session.text("IN_SCHEMA");
        String written = name.table().text();
        boolean caseCounts = session.is("FOLDED", "0");
        CatalogRow row = null;
        for (CatalogRow candidate : CatalogRow.mySql(connection, TABLE, writtenSchema, written)) {
            if (!caseCounts || written.equals(candidate.get("TABLE_NAME"))) {
                row = candidate;
            }
        }
        if (row == null) {
            return null;
        }
        String schema = row.text("TABLE_SCHEMA");
        String table = row.text("TABLE_NAME");
        // First of all: what changes from here on is noticed.
        String query = Stamps.query(false, schema, table);
        List<String> stamps = query == null
                ? List.of()
                : List.of(CatalogRow.oneOfMySql(connection, query).text("STAMP"));
        Set<String> privileges = new HashSet<>(Set.of("SELECT", "INSERT", UPDATE_ALL));
        List<Column> columns = columns(connection, schema, table, privileges);
        String grantee = session.text("GRANTEE");
        for (String held : PRIVILEGES) {
            if (!privileges.containsAll(Set.of("TRIGGER", "DELETE"))) {
                CatalogRow.mySql(connection, held, grantee, schema, table)
                        .forEach(one -> privileges.add(one.text("PRIVILEGE_TYPE")));
            }
        }
        if (!privileges.contains("DELETE") && mayDelete(connection, quote(schema) + '.' + quote(table))) {
            privileges.add("DELETE");
        }
        List<CatalogRow> ofKeys = CatalogRow.mySql(connection, KEYS, schema, table);
        Set<String> others = new HashSet<>();
        Map<List<Column>, Boolean> unique = uniqueKeys(ofKeys, columns, others);
        List<Column> key = unique.entrySet().stream()
                .filter(Map.Entry::getValue)
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse(List.of());
        List<ForeignKey> referencedBy = referencedBy(connection, row, schema, table);
        return new Table(
                schema,
                table,
                quote(schema) + '.' + quote(table),
                schema.equals(ownSchema) ? table : schema + '.' + table,
                columns,
                columns, // its drivers show counters only
                key,
                List.copyOf(unique.keySet()),
                ofKeys.stream().map(part -> part.text("INDEX_NAME")).distinct().count() == 1,
                !others.isEmpty(),
                referencedBy,
                triggers(connection, schema, table, privileges.contains(UPDATE_ALL) ? columns : List.of()),
                refusal(connection, row, grantee, referencedBy, privileges),
                null,
                null,
                lacking(privileges, quote(schema) + '.' + quote(table) + " TO " + grantee),
                name.qualified() ? Set.of() : Set.of(session.text("IN_SCHEMA")),
                stamps);
    }

    @Override
    public String routinesNow(Connection connection) throws SQLException {
        return MySqlRoutines.now(connection);
    }

    @Override
    public Procedures procedures(Connection connection, String name, Set<String> reading, SqlSyntax syntax)
            throws SQLException {
        return MySqlRoutines.procedures(connection, name, reading, syntax);
    }

    @Override
    public Routines routines(Connection connection, Set<String> reading, SqlSyntax syntax) throws SQLException {
        return MySqlRoutines.read(connection, reading, syntax);
    }

    private @Nullable String refusal(
            Connection connection,
            CatalogRow row,
            String grantee,
            List<ForeignKey> referencedBy,
            Set<String> privileges)
            throws SQLException {
        if (!row.is("TABLE_TYPE", "BASE TABLE") && !row.is("TABLE_TYPE", "SYSTEM VERSIONED")) {
            return "it is a " + row.text("TABLE_TYPE").toLowerCase(Locale.ROOT) + ", not a base table";
        }
        List<CatalogRow> engine = CatalogRow.mySql(connection, ENGINE, row.get("ENGINE"));
        if (engine.isEmpty() || !engine.get(0).is("TRANSACTIONS", "YES")) {
            return "its engine " + row.get("ENGINE") + Table.NO_TRANSACTIONS;
        }
        String schema = row.text("TABLE_SCHEMA");
        String table = row.text("TABLE_NAME");
        Set<String> known = new HashSet<>();
        referencedBy.forEach(key -> known.add(key.childSchema() + '/' + key.childTable()));
        String hidden = MySqlGrants.hiddenChild(connection, foreignKeys, schema, table, known);
        if (hidden != null) {
            return "a foreign key of " + hidden + " acts on what is done to it, and this account cannot see that table:"
                    + " GRANT SELECT, INSERT, UPDATE, DELETE ON " + hidden + " TO " + grantee;
        }
        if (privileges.contains("TRIGGER")) {
            return null;
        }
        return "this account cannot see whether the table has triggers: GRANT TRIGGER ON " + quote(schema) + ".* TO "
                + grantee;
    }

    /**
     * Whether the server lets this session delete by more than the account's own grants: by a role, or as one of the public, which the information schema does not list under the account's name. Nobody
     * else is asked, because drivers log the refusal; in doubt it does.
     */
    private static boolean mayDelete(Connection connection, String table) {
        try (Statement asking = connection.createStatement()) {
            boolean others = false;
            try (ResultSet grants = asking.executeQuery("SHOW GRANTS")) {
                while (grants.next()) {
                    String grant = grants.getString(1);
                    others |= !grant.contains(" ON ") || grant.contains(" TO PUBLIC");
                }
            }
            if (!others) {
                return false;
            }
            asking.execute("EXPLAIN DELETE FROM " + table + " WHERE 1 = 0");
            return true;
        } catch (SQLException e) {
            return e.getErrorCode() != DENIED;
        }
    }

    private static Map<Trigger.Event, String> lacking(Set<String> privileges, String grantee) {
        Map<Trigger.Event, String> lacking = new EnumMap<>(Trigger.Event.class);
        String select = privileges.contains("SELECT") ? "" : "SELECT";
        // MariaDB refuses the undo without it on any column, though not every SELECT … FOR UPDATE.
        String update = privileges.contains("UPDATE") ? "" : "UPDATE";
        Table.lack(
                lacking, Trigger.Event.INSERT, grantee, select, update, privileges.contains("DELETE") ? "" : "DELETE");
        Table.lack(
                lacking, Trigger.Event.DELETE, grantee, select, update, privileges.contains("INSERT") ? "" : "INSERT");
        return lacking;
    }

    /** @param columns those that this account may set */
    private static List<Trigger> triggers(Connection connection, String schema, String table, List<Column> columns)
            throws SQLException {
        List<Trigger> triggers = new ArrayList<>();
        for (CatalogRow row : CatalogRow.mySql(connection, TRIGGERS, schema, table)) {
            Set<Trigger.Event> events = EnumSet.noneOf(Trigger.Event.class);
            for (Trigger.Event event : Trigger.Event.values()) {
                if (row.text("EVENT_MANIPULATION").contains(event.name())) {
                    events.add(event);
                }
            }
            String text = row.is("ACTION_TIMING", "BEFORE") ? row.text("ACTION_STATEMENT") : "";
            triggers.add(new Trigger(
                    "trigger " + row.text("TRIGGER_NAME"), events, Set.of(), text, "", "", sets(text, columns)));
        }
        return triggers;
    }

    /** The columns that a trigger sets, where its text does nothing else. */
    private static @Nullable Set<String> sets(String text, List<Column> columns) {
        Map<String, Boolean> timestamps = new HashMap<>();
        columns.forEach(c -> timestamps.put(
                c.name().toLowerCase(Locale.ROOT),
                c.type().toLowerCase(Locale.ROOT).startsWith("timestamp")));
        Set<Identifier> names = NewRowTrigger.ofMySql(text, timestamps);
        Set<String> sets = new HashSet<>();
        for (Identifier name : names == null ? Set.<Identifier>of() : names) {
            Column column = columns.stream()
                    .filter(c -> c.name().equalsIgnoreCase(name.text()))
                    .findFirst()
                    .orElse(null);
            if (column == null) {
                return null;
            }
            sets.add(column.name());
        }
        return names == null ? null : sets;
    }

    /**
     * The columns of each unique key, and whether it holds no NULLs: the primary key first, then unique keys in the order in which the server looks at
     * them, those without NULLs before the others.
     *
     * @param odd gets the names of those that are on expressions, on generated columns, or on the beginning of a column
     */
    private static Map<List<Column>, Boolean> uniqueKeys(
            List<CatalogRow> parts, List<Column> columns, Set<String> odd) {
        Map<String, List<Column>> byName = new LinkedHashMap<>();
        Set<String> withNulls = new HashSet<>();
        for (CatalogRow part : parts) {
            String index = part.text("INDEX_NAME");
            List<Column> key = byName.computeIfAbsent(index, name -> new ArrayList<>());
            columns.stream()
                    .filter(c -> c.name().equals(part.get("COLUMN_NAME")))
                    .findFirst()
                    .ifPresentOrElse(key::add, () -> odd.add(index));
            if (part.get("SUB_PART") != null) {
                odd.add(index);
            }
            if (part.is("NULLABLE", "YES")) {
                withNulls.add(index);
            }
        }
        Map<List<Column>, Boolean> keys = new LinkedHashMap<>();
        byName.keySet().stream()
                .filter(name -> !odd.contains(name))
                .sorted(Comparator.comparing((String name) -> !name.equals("PRIMARY"))
                        .thenComparing(withNulls::contains))
                .forEach(name -> keys.merge(byName.get(name), !withNulls.contains(name), Boolean::logicalOr));
        return keys;
    }

    /** @param privileges loses those that the account has not got on all of the columns, and gets UPDATE if it has that on one */
    private static List<Column> columns(Connection connection, String schema, String table, Set<String> privileges)
            throws SQLException {
        List<Column> columns = new ArrayList<>();
        for (CatalogRow row : CatalogRow.mySql(connection, COLUMNS, schema, table)) {
            String extra = row.text("EXTRA").toLowerCase(Locale.ROOT);
            if (extra.contains("virtual generated")
                    || extra.contains("stored generated")
                    || extra.contains("persistent")) {
                continue;
            }
            List<String> held =
                    List.of(row.text("PRIVILEGES").toUpperCase(Locale.ROOT).split(","));
            privileges.removeIf(p -> !p.startsWith("UPDATE") && !held.contains(p));
            if (held.contains("UPDATE")) {
                privileges.add("UPDATE");
            } else {
                privileges.remove(UPDATE_ALL);
            }
            Set<Column.Trait> traits = EnumSet.noneOf(Column.Trait.class);
            if (extra.contains("auto_increment")) {
                traits.add(Column.Trait.IDENTITY);
            }
            if (extra.contains("on update")) {
                traits.add(Column.Trait.MAINTAINED);
            }
            String standard = row.text("COLUMN_DEFAULT");
            if (standard.contains("(") || extra.contains("default_generated")) {
                traits.add(Column.Trait.COMPUTED_DEFAULT);
            }
            String name = row.text("COLUMN_NAME");
            columns.add(new Column(name, quote(name), row.text("COLUMN_TYPE"), codec(row), traits));
        }
        return columns;
    }

    private static Codec codec(CatalogRow row) {
        String type = row.text("DATA_TYPE").toLowerCase(Locale.ROOT);
        boolean unsigned = row.text("COLUMN_TYPE").contains("unsigned");
        String asText = "CAST(%s AS CHAR)";
        String integer = unsigned ? "CAST(? AS UNSIGNED)" : "CAST(? AS SIGNED)";
        return switch (type) {
            case "tinyint", "smallint", "mediumint", "int", "bigint" -> Codec.text(type, asText, integer);
            case "decimal" ->
                Codec.text(
                        type,
                        asText,
                        "CAST(? AS DECIMAL(" + row.get("NUMERIC_PRECISION") + ", " + row.get("NUMERIC_SCALE") + "))");
            // A product with 1 is of double precision and prints all its digits; a FLOAT alone would print six.
            case "float", "double" -> Codec.text(type, "CAST(%s * 1e0 AS CHAR)", "(? * 1e0)");
            case "bit" -> Codec.text(type, "CAST(CAST(%s AS UNSIGNED) AS CHAR)", "CAST(? AS UNSIGNED)");
            case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set" ->
                characters(row, type);
            case "json" ->
                Codec.bytes(type, "CAST(CAST(%s AS CHAR CHARACTER SET utf8mb4) AS BINARY)", "CONVERT(? USING utf8mb4)");
            case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob" -> Codec.bytes(type, "%s", "?");
            // Its bytes as the server keeps them: the reference system and the standard's well-known form.
            case "geometry",
                    "point",
                    "linestring",
                    "polygon",
                    "multipoint",
                    "multilinestring",
                    "multipolygon",
                    "geometrycollection",
                    "geomcollection" -> Codec.bytes(type, "%s", "?");
            case "date", "time", "datetime", "year", "uuid", "inet4", "inet6" -> Codec.text(type, asText, "?");
            case "timestamp" ->
                new Codec(
                        type,
                        Codec.Form.EPOCH,
                        "CAST(UNIX_TIMESTAMP(%s) AS CHAR)",
                        "REPLACE(FROM_UNIXTIME(CAST(? AS DECIMAL(20, 6))), '1970-01-01 00:00:00', '0000-00-00 00:00:00')");
            default -> Codec.unsupported(type);
        };
    }

    /** The bytes of the column's own character set, so that the connection's cannot lose anything. */
    private static Codec characters(CatalogRow row, String type) {
        String charset = row.text("CHARACTER_SET_NAME");
        String collation = row.text("COLLATION_NAME");
        if (!charset.matches("\\w+") || !collation.matches("\\w+")) {
            return Codec.unsupported(type);
        }
        // Of an ENUM or SET: no name of a character set to the server where one has to stand.
        if (charset.equals("binary")) {
            return Codec.bytes(type + ' ' + charset, "CAST(%s AS BINARY)", "?");
        }
        // Whether a CHAR is shown with the blanks that fill it up depends on the session's mode.
        String read = type.equals("char") ? "CAST(RTRIM(%s) AS BINARY)" : "CAST(%s AS BINARY)";
        return Codec.bytes(type + ' ' + charset, read, "CONVERT(? USING " + charset + ") COLLATE " + collation);
    }

    /** Parts of the foreign keys that refer to a table, as far as this account sees their tables. */
    private List<CatalogRow> references(Connection connection, CatalogRow row, String schema, String table)
            throws SQLException {
        List<MySqlGrants.Child> children =
                row.is("ENGINE", "InnoDB") ? MySqlGrants.children(connection, foreignKeys, schema, table) : null;
        if (children == null) {
            return CatalogRow.mySql(connection, REFERENCED_BY + IN_ORDER, schema, table);
        }
        List<CatalogRow> references = new ArrayList<>();
        for (MySqlGrants.Child child : children) {
            references.addAll(CatalogRow.mySql(
                    connection, REFERENCED_BY + OF_CHILD + IN_ORDER, schema, table, child.schema(), child.table()));
        }
        return references;
    }

    private List<ForeignKey> referencedBy(Connection connection, CatalogRow found, String schema, String table)
            throws SQLException {
        List<ForeignKey.Part> parts = new ArrayList<>();
        Map<String, CatalogRow> rules = new HashMap<>();
        for (CatalogRow row : references(connection, found, schema, table)) {
            String childSchema = row.text("TABLE_SCHEMA");
            String childTable = row.text("TABLE_NAME");
            String constraint = row.text("CONSTRAINT_NAME");
            String id = String.join(".", childSchema, childTable, constraint);
            CatalogRow rule = rules.get(id);
            if (rule == null) {
                List<CatalogRow> known =
                        CatalogRow.mySql(connection, RULES, row.text("CONSTRAINT_SCHEMA"), childTable, constraint);
                if (known.isEmpty()) {
                    throw new SQLException("the catalog knows constraint " + id + " and not its rules");
                }
                rule = known.get(0);
                rules.put(id, rule);
            }
            parts.add(new ForeignKey.Part(
                    id,
                    childSchema,
                    childTable,
                    quote(childSchema) + '.' + quote(childTable),
                    childSchema.equals(schema) && childTable.equals(table),
                    row.text("COLUMN_NAME"),
                    row.text("REFERENCED_COLUMN_NAME"),
                    ForeignKey.Action.ofRule(rule.get("DELETE_RULE")),
                    ForeignKey.Action.ofRule(rule.get("UPDATE_RULE"))));
        }
        return ForeignKey.of(parts);
    }

    private static String quote(String name) {
        return Quotes.BACKTICK.quote(name);
    }
}
