package io.txn.client.jdbc.dialect;

import io.txn.client.jdbc.sql.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The information schema of MySQL and MariaDB. It hides triggers from an account without the TRIGGER privilege, so the privilege is looked up
 * too, and without it no table is trusted to have none.
 */
final class MySqlCatalog implements Catalog {

    private static final String GRANTEE = "SELECT "
            + "CONCAT('''', SUBSTRING_INDEX(CURRENT_USER(), '@', LENGTH(CURRENT_USER()) - LENGTH(REPLACE(CURRENT_USER(), '@', '')))"
            + ", '''@''', SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''') AS GRANTEE";

    private static final String TABLE = """
            SELECT T.TABLE_SCHEMA AS TABLE_SCHEMA, T.TABLE_NAME AS TABLE_NAME, T.TABLE_TYPE AS TABLE_TYPE, T.ENGINE AS ENGINE,
                DATABASE() AS IN_SCHEMA, @@lower_case_table_names AS FOLDED,
                (SELECT E.TRANSACTIONS FROM information_schema.ENGINES E WHERE E.ENGINE = T.ENGINE) AS TRANSACTIONAL,
                (SELECT MIN(G.TRIGGER_NAME) FROM information_schema.TRIGGERS G
                    WHERE G.EVENT_OBJECT_SCHEMA = T.TABLE_SCHEMA AND G.EVENT_OBJECT_TABLE = T.TABLE_NAME) AS TRIGGER_NAME,
                (SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES U WHERE U.PRIVILEGE_TYPE = 'TRIGGER' AND U.GRANTEE = ?)
                + (SELECT COUNT(*) FROM information_schema.SCHEMA_PRIVILEGES S
                    WHERE S.PRIVILEGE_TYPE = 'TRIGGER' AND S.GRANTEE = ? AND T.TABLE_SCHEMA LIKE S.TABLE_SCHEMA)
                + (SELECT COUNT(*) FROM information_schema.TABLE_PRIVILEGES P
                    WHERE P.PRIVILEGE_TYPE = 'TRIGGER' AND P.GRANTEE = ? AND P.TABLE_SCHEMA = T.TABLE_SCHEMA AND P.TABLE_NAME = T.TABLE_NAME)
                AS SEES_TRIGGERS
            FROM information_schema.TABLES T
            WHERE T.TABLE_SCHEMA = COALESCE(?, DATABASE()) AND T.TABLE_NAME = ?""";

    private static final String COLUMNS = """
            SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_SET_NAME, COLLATION_NAME, EXTRA, NUMERIC_PRECISION, NUMERIC_SCALE,
                COLUMN_DEFAULT
            FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION""";

    private static final String KEY = """
            SELECT COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE
            WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND CONSTRAINT_NAME = 'PRIMARY' ORDER BY ORDINAL_POSITION""";

    private static final String REFERENCED_BY = """
            SELECT K.CONSTRAINT_SCHEMA AS CONSTRAINT_SCHEMA, K.CONSTRAINT_NAME AS CONSTRAINT_NAME, K.TABLE_SCHEMA AS TABLE_SCHEMA,
                K.TABLE_NAME AS TABLE_NAME, K.COLUMN_NAME AS COLUMN_NAME, K.REFERENCED_COLUMN_NAME AS PARENT_COLUMN,
                R.DELETE_RULE AS DELETE_RULE, R.UPDATE_RULE AS UPDATE_RULE
            FROM information_schema.KEY_COLUMN_USAGE K
            JOIN information_schema.REFERENTIAL_CONSTRAINTS R
                ON R.CONSTRAINT_SCHEMA = K.CONSTRAINT_SCHEMA AND R.CONSTRAINT_NAME = K.CONSTRAINT_NAME
                AND R.TABLE_NAME = K.TABLE_NAME
            WHERE K.REFERENCED_TABLE_SCHEMA = ? AND K.REFERENCED_TABLE_NAME = ?
            ORDER BY K.CONSTRAINT_SCHEMA, K.TABLE_NAME, K.CONSTRAINT_NAME, K.ORDINAL_POSITION""";

    @Override
    public @Nullable Table table(Connection connection, TableName name, String ownSchema) throws SQLException {
        int parts = name.parts().size();
        String writtenSchema = parts > 1 ? name.parts().get(parts - 2).text() : null;
        String written = name.table().text();
        CatalogRow row = null;
        String grantee = CatalogRow.one(connection, GRANTEE).text("GRANTEE");
        for (CatalogRow candidate :
                CatalogRow.query(connection, TABLE, grantee, grantee, grantee, writtenSchema, written)) {
            boolean caseCounts = candidate.is("FOLDED", "0");
            if (!caseCounts || written.equals(candidate.get("TABLE_NAME"))) {
                row = candidate;
            }
        }
        if (row == null) {
            return null;
        }
        String schema = row.text("TABLE_SCHEMA");
        String table = row.text("TABLE_NAME");
        List<Column> columns = columns(connection, schema, table);
        List<Column> key = new ArrayList<>();
        for (CatalogRow part : CatalogRow.query(connection, KEY, schema, table)) {
            columns.stream()
                    .filter(c -> c.name().equals(part.get("COLUMN_NAME")))
                    .forEach(key::add);
        }
        return new Table(
                schema,
                table,
                quote(schema) + '.' + quote(table),
                schema.equals(ownSchema) ? table : schema + '.' + table,
                columns,
                key,
                referencedBy(connection, schema, table),
                refusal(row),
                name.qualified() ? Set.of() : Set.of(row.text("IN_SCHEMA")));
    }

    private static @Nullable String refusal(CatalogRow row) {
        if (!"BASE TABLE".equals(row.get("TABLE_TYPE"))) {
            return "it is a " + row.text("TABLE_TYPE").toLowerCase(Locale.ROOT) + ", not a base table";
        }
        if (!row.is("TRANSACTIONAL", "YES")) {
            return "its engine " + row.get("ENGINE") + " has no transactions";
        }
        if (row.is("SEES_TRIGGERS", "0")) {
            return "this account cannot see whether the table has triggers: GRANT TRIGGER ON its schema to the account";
        }
        String trigger = row.get("TRIGGER_NAME");
        return trigger == null ? null : "trigger " + trigger + " may write where no image is taken";
    }

    private static List<Column> columns(Connection connection, String schema, String table) throws SQLException {
        List<Column> columns = new ArrayList<>();
        for (CatalogRow row : CatalogRow.query(connection, COLUMNS, schema, table)) {
            String extra = row.text("EXTRA").toLowerCase(Locale.ROOT);
            if (extra.contains("virtual generated")
                    || extra.contains("stored generated")
                    || extra.contains("persistent")) {
                continue;
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
            case "date", "time", "datetime", "year", "uuid", "inet4", "inet6" -> Codec.text(type, asText, "?");
            case "timestamp" ->
                new Codec(
                        type,
                        Codec.Form.EPOCH,
                        "CAST(UNIX_TIMESTAMP(%s) AS CHAR)",
                        "FROM_UNIXTIME(CAST(? AS DECIMAL(20, 6)))");
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
        return Codec.bytes(
                type + ' ' + charset, "CAST(%s AS BINARY)", "CONVERT(? USING " + charset + ") COLLATE " + collation);
    }

    private static List<ForeignKey> referencedBy(Connection connection, String schema, String table)
            throws SQLException {
        List<ForeignKey.Part> parts = new ArrayList<>();
        for (CatalogRow row : CatalogRow.query(connection, REFERENCED_BY, schema, table)) {
            String childSchema = row.text("TABLE_SCHEMA");
            String childTable = row.text("TABLE_NAME");
            parts.add(new ForeignKey.Part(
                    String.join(".", row.text("CONSTRAINT_SCHEMA"), childTable, row.text("CONSTRAINT_NAME")),
                    quote(childSchema) + '.' + quote(childTable),
                    childSchema.equals(schema) && childTable.equals(table),
                    quote(row.text("COLUMN_NAME")),
                    row.text("PARENT_COLUMN"),
                    follows(row.get("DELETE_RULE")),
                    follows(row.get("UPDATE_RULE"))));
        }
        return ForeignKey.of(parts);
    }

    private static boolean follows(@Nullable String rule) {
        return !"NO ACTION".equals(rule) && !"RESTRICT".equals(rule);
    }

    private static String quote(String name) {
        return Quotes.BACKTICK.quote(name);
    }
}
