package io.txn.client.jdbc.dialect;

import io.txn.client.jdbc.sql.SqlSyntax;
import io.txn.client.jdbc.sql.TableName;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** H2's information schema. A name is resolved by asking H2 for the (empty) rows of the table, because its case rules can be configured. */
final class H2Catalog implements Catalog {

    private static final String COLUMNS = """
            SELECT COLUMN_NAME, DATA_TYPE, IS_GENERATED, IS_IDENTITY, IDENTITY_GENERATION, COLUMN_ON_UPDATE, COLUMN_DEFAULT,
                NUMERIC_PRECISION, NUMERIC_SCALE, (SELECT E.DATA_TYPE FROM INFORMATION_SCHEMA.ELEMENT_TYPES E
                    WHERE E.OBJECT_SCHEMA = C.TABLE_SCHEMA AND E.OBJECT_NAME = C.TABLE_NAME AND E.OBJECT_TYPE = 'TABLE'
                    AND E.COLLECTION_TYPE_IDENTIFIER = C.DTD_IDENTIFIER) AS ELEMENT_TYPE,
                (SELECT LISTAGG(CASE
                    WHEN UPPER(F.DATA_TYPE) IN ('CHARACTER VARYING', 'VARCHAR_IGNORECASE')
                        THEN F.DATA_TYPE || '(' || F.CHARACTER_MAXIMUM_LENGTH || ')'
                    WHEN UPPER(F.DATA_TYPE) = 'NUMERIC' THEN 'NUMERIC(' || F.NUMERIC_PRECISION || ', ' || F.NUMERIC_SCALE || ')'
                    WHEN UPPER(F.DATA_TYPE) = 'DECFLOAT' THEN 'DECFLOAT(' || F.NUMERIC_PRECISION || ')'
                    WHEN UPPER(F.DATA_TYPE) LIKE 'TIME%'
                        THEN REGEXP_REPLACE(F.DATA_TYPE, '^(\\w+)', '$1(' || F.DATETIME_PRECISION || ')')
                    ELSE F.DATA_TYPE END, '|') WITHIN GROUP (ORDER BY F.ORDINAL_POSITION)
                    FROM INFORMATION_SCHEMA.FIELDS F
                    WHERE F.OBJECT_SCHEMA = C.TABLE_SCHEMA AND F.OBJECT_NAME = C.TABLE_NAME AND F.OBJECT_TYPE = 'TABLE'
                    AND F.ROW_IDENTIFIER = C.DTD_IDENTIFIER) AS FIELD_TYPES
            FROM INFORMATION_SCHEMA.COLUMNS C WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION""";

    private static final Set<String> ELEMENTS = Set.of(
            "CHARACTER",
            "CHARACTER VARYING",
            "VARCHAR_IGNORECASE",
            "BOOLEAN",
            "TINYINT",
            "SMALLINT",
            "INTEGER",
            "BIGINT",
            "REAL",
            "DOUBLE PRECISION",
            "NUMERIC",
            "DECIMAL",
            "DECFLOAT",
            "DATE",
            "TIME",
            "TIMESTAMP",
            "TIME WITH TIME ZONE",
            "TIMESTAMP WITH TIME ZONE",
            "UUID",
            "INTERVAL");

    /** Of rows: without those of which H2 takes no value for one of the type already. */
    private static final Set<String> FIELDS = ELEMENTS.stream()
            .filter(type -> !type.equals("CHARACTER") && !type.equals("INTERVAL"))
            .collect(Collectors.toUnmodifiableSet());

    /** The columns of the primary key, and those of unique keys without NULLs; the primary key first. */
    private static final String KEYS = """
            SELECT I.INDEX_NAME, I.INDEX_TYPE_NAME, K.COLUMN_NAME FROM INFORMATION_SCHEMA.INDEXES I
            JOIN INFORMATION_SCHEMA.INDEX_COLUMNS K ON K.INDEX_SCHEMA = I.INDEX_SCHEMA AND K.INDEX_NAME = I.INDEX_NAME
                AND K.TABLE_SCHEMA = I.TABLE_SCHEMA AND K.TABLE_NAME = I.TABLE_NAME
            WHERE I.TABLE_SCHEMA = ? AND I.TABLE_NAME = ? AND K.IS_UNIQUE AND NOT EXISTS (
                SELECT 1 FROM INFORMATION_SCHEMA.INDEX_COLUMNS N JOIN INFORMATION_SCHEMA.COLUMNS C
                    ON C.TABLE_SCHEMA = N.TABLE_SCHEMA AND C.TABLE_NAME = N.TABLE_NAME AND C.COLUMN_NAME = N.COLUMN_NAME
                WHERE N.INDEX_SCHEMA = I.INDEX_SCHEMA AND N.INDEX_NAME = I.INDEX_NAME AND UPPER(C.IS_NULLABLE) = 'YES')
            ORDER BY CASE UPPER(I.INDEX_TYPE_NAME) WHEN 'PRIMARY KEY' THEN 0 ELSE 1 END, I.INDEX_NAME, K.ORDINAL_POSITION""";

    private static final String TABLE = """
            SELECT TABLE_TYPE, STORAGE_TYPE,
                CURRENT_SCHEMA AS IN_SCHEMA
            FROM INFORMATION_SCHEMA.TABLES T WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?""";

    private static final String TRIGGERS = """
            SELECT TRIGGER_NAME, EVENT_MANIPULATION FROM INFORMATION_SCHEMA.TRIGGERS
            WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ? ORDER BY TRIGGER_NAME""";

    private static final String REFERENCED_BY = """
            SELECT R.CONSTRAINT_SCHEMA, R.CONSTRAINT_NAME, K.TABLE_SCHEMA, K.TABLE_NAME, K.COLUMN_NAME,
                P.COLUMN_NAME AS PARENT_COLUMN, R.DELETE_RULE, R.UPDATE_RULE
            FROM INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS R
            JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE K
                ON K.CONSTRAINT_SCHEMA = R.CONSTRAINT_SCHEMA AND K.CONSTRAINT_NAME = R.CONSTRAINT_NAME
            JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE P
                ON P.CONSTRAINT_SCHEMA = R.UNIQUE_CONSTRAINT_SCHEMA AND P.CONSTRAINT_NAME = R.UNIQUE_CONSTRAINT_NAME
                AND P.ORDINAL_POSITION = K.POSITION_IN_UNIQUE_CONSTRAINT
            WHERE P.TABLE_SCHEMA = ? AND P.TABLE_NAME = ? ORDER BY R.CONSTRAINT_NAME, K.ORDINAL_POSITION""";

    @Override
    public @Nullable Table table(Connection connection, TableName name, String ownSchema) throws SQLException {
        String schema;
        String table;
        try (PreparedStatement probe = connection.prepareStatement("SELECT * FROM " + name.written() + " WHERE FALSE");
                var none = probe.executeQuery()) {
            ResultSetMetaData found = none.getMetaData();
            schema = found.getSchemaName(1);
            table = found.getTableName(1);
        } catch (SQLException e) {
            if (isUnknownTable(e)) {
                return null;
            }
            throw e;
        }
        List<CatalogRow> found = CatalogRow.query(connection, TABLE, schema, table);
        if (found.isEmpty()) {
            return null;
        }
        CatalogRow row = found.get(0);
        // First of all: what changes from here on is noticed.
        String query = Stamps.query(true, schema, table);
        List<String> stamps = query == null
                ? List.of()
                : List.of(CatalogRow.one(connection, query).text("STAMP"));
        List<Column> shown = columns(connection, schema, table);
        List<Column> columns = Column.written(shown);
        List<Column> key = key(connection, schema, table, columns);
        String refusal = refusal(row);
        return new Table(
                schema,
                table,
                quote(schema) + '.' + quote(table),
                schema.equals(ownSchema) ? table : schema + '.' + table,
                columns,
                shown,
                key == null ? List.of() : key,
                List.of(),
                false,
                false,
                referencedBy(connection, schema, table),
                triggers(connection, schema, table),
                refusal == null && key == null ? Table.GENERATED_KEY : refusal,
                null,
                null,
                Map.of(),
                name.qualified() ? Set.of() : Set.of(row.text("IN_SCHEMA")),
                stamps);
    }

    /** H2 says so while it prepares the query, and pools that keep statements put an exception of their own around that. */
    private static boolean isUnknownTable(SQLException failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql
                    && Set.of("42S02", "42S03", "42S04").contains(String.valueOf(sql.getSQLState()))) {
                return true;
            }
        }
        return false;
    }

    @Override
    public String routinesNow(Connection connection) throws SQLException {
        return H2Routines.now(connection);
    }

    @Override
    public Routines routines(Connection connection, Set<String> reading, SqlSyntax syntax) throws SQLException {
        return H2Routines.read(connection, reading, syntax);
    }

    private static @Nullable String refusal(CatalogRow row) {
        if (!"BASE TABLE".equals(upper(row, "TABLE_TYPE"))) {
            return "it is a " + row.text("TABLE_TYPE").toLowerCase(Locale.ROOT) + ", not a base table";
        }
        String storage = upper(row, "STORAGE_TYPE");
        if (storage.contains("TEMPORARY") || storage.contains("LINK")) {
            return "it is a " + storage.toLowerCase(Locale.ROOT) + " table";
        }
        return null;
    }

    /** They are Java: nothing shows what they do. One that fires at SELECT would fire at each image. */
    private static List<Trigger> triggers(Connection connection, String schema, String table) throws SQLException {
        List<Trigger> triggers = new ArrayList<>();
        for (CatalogRow row : CatalogRow.query(connection, TRIGGERS, schema, table)) {
            String fires = upper(row, "EVENT_MANIPULATION");
            Set<Trigger.Event> events = EnumSet.noneOf(Trigger.Event.class);
            for (Trigger.Event event : Trigger.Event.values()) {
                if (fires.contains(event.name()) || fires.contains("SELECT")) {
                    events.add(event);
                }
            }
            triggers.add(new Trigger("trigger " + row.text("TRIGGER_NAME"), events, Set.of(), "", "", "", null));
        }
        return triggers;
    }

    /** Null when there are keys, and none without generated columns. */
    private static @Nullable List<Column> key(Connection connection, String schema, String table, List<Column> columns)
            throws SQLException {
        Map<String, List<Column>> keys = new LinkedHashMap<>();
        Set<String> odd = new HashSet<>();
        for (CatalogRow part : CatalogRow.query(connection, KEYS, schema, table)) {
            String index = part.text("INDEX_NAME");
            List<Column> key = keys.computeIfAbsent(index, name -> new ArrayList<>());
            columns.stream()
                    .filter(c -> c.name().equals(part.get("COLUMN_NAME")))
                    .findFirst()
                    .ifPresentOrElse(key::add, () -> odd.add(index));
        }
        keys.keySet().removeAll(odd);
        return keys.isEmpty()
                ? odd.isEmpty() ? List.of() : null
                : keys.values().iterator().next();
    }

    private static List<Column> columns(Connection connection, String schema, String table) throws SQLException {
        List<Column> columns = new ArrayList<>();
        for (CatalogRow row : CatalogRow.query(connection, COLUMNS, schema, table)) {
            Set<Column.Trait> traits = EnumSet.noneOf(Column.Trait.class);
            if ("ALWAYS".equals(upper(row, "IS_GENERATED"))) {
                traits.add(Column.Trait.GENERATED);
            }
            if ("YES".equals(upper(row, "IS_IDENTITY"))) {
                traits.add(Column.Trait.IDENTITY);
                if ("ALWAYS".equals(upper(row, "IDENTITY_GENERATION"))) {
                    traits.add(Column.Trait.IDENTITY_ALWAYS);
                }
            }
            if (row.get("COLUMN_ON_UPDATE") != null) {
                traits.add(Column.Trait.MAINTAINED);
            }
            String standard = row.get("COLUMN_DEFAULT");
            if (standard != null
                    && (standard.contains("(")
                            || standard.toUpperCase(Locale.ROOT).startsWith("NEXT VALUE"))) {
                traits.add(Column.Trait.COMPUTED_DEFAULT);
            }
            String name = row.text("COLUMN_NAME");
            columns.add(new Column(name, quote(name), upper(row, "DATA_TYPE"), codec(row), traits));
        }
        return columns;
    }

    private static Codec codec(CatalogRow row) {
        String type = upper(row, "DATA_TYPE");
        String asText = "CAST(%s AS VARCHAR)";
        return switch (type) {
            case "CHARACTER", "CHARACTER VARYING", "VARCHAR_IGNORECASE", "CHARACTER LARGE OBJECT" ->
                Codec.text(type, "%s", "?");
            case "BINARY", "BINARY VARYING", "BINARY LARGE OBJECT" -> Codec.bytes(type, "%s", "?");
            case "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "REAL", "DOUBLE PRECISION", "DATE", "UUID" ->
                Codec.text(type, asText, "CAST(? AS " + type + ")");
            case "NUMERIC", "DECIMAL" ->
                Codec.text(
                        type,
                        asText,
                        "CAST(? AS NUMERIC(" + row.get("NUMERIC_PRECISION") + ", " + row.get("NUMERIC_SCALE") + "))");
            case "DECFLOAT" -> Codec.text(type, asText, "CAST(? AS DECFLOAT(" + row.get("NUMERIC_PRECISION") + "))");
            case "TIME" -> Codec.text(type, asText, "CAST(? AS TIME(9))");
            case "TIMESTAMP" -> Codec.text(type, asText, "CAST(? AS TIMESTAMP(9))");
            case "TIME WITH TIME ZONE" -> Codec.text(type, asText, "CAST(? AS TIME(9) WITH TIME ZONE)");
            case "TIMESTAMP WITH TIME ZONE" -> Codec.text(type, asText, "CAST(? AS TIMESTAMP(9) WITH TIME ZONE)");
            case "ENUM" -> Codec.text(type, asText, "?");
            case "INTERVAL" -> Codec.text(type, asText, "?");
            case "GEOMETRY" -> Codec.bytes(type, "CAST(%s AS VARBINARY)", "CAST(? AS GEOMETRY)");
            // By its elements' text, which elements of bytes and elements of several values do not have.
            case "ARRAY" ->
                ELEMENTS.contains(upper(row, "ELEMENT_TYPE"))
                        ? new Codec(type, Codec.Form.ARRAY, "%s", "CAST(? AS VARCHAR ARRAY)")
                        : Codec.unsupported(type);
            case "ROW" -> row(row.text("FIELD_TYPES").toUpperCase(Locale.ROOT).split("\\|"));
            case "JSON" -> Codec.text(type, asText, "? FORMAT JSON");
            default -> Codec.unsupported(type);
        };
    }

    /**
     * By its fields' text; there is one parameter for all of them, which is an array. Each value gets exactly the type of its field: once H2 has had to convert one, it takes
     * those behind it for that one's type, too.
     */
    private static Codec row(String[] fields) {
        List<String> values = new ArrayList<>();
        for (String field : fields) {
            if (!FIELDS.contains(field.replaceAll("\\(.*?\\)", ""))) {
                return Codec.unsupported("ROW");
            }
            values.add("CAST(TXN_FIELDS.A[" + (values.size() + 1) + "] AS " + field + ")");
        }
        return new Codec(
                "ROW",
                Codec.Form.ROW,
                "%s",
                "(SELECT CASE WHEN TXN_FIELDS.A IS NULL THEN NULL ELSE ROW(" + String.join(", ", values)
                        + ") END FROM (VALUES (CAST(? AS VARCHAR ARRAY))) AS TXN_FIELDS(A))");
    }

    private static List<ForeignKey> referencedBy(Connection connection, String schema, String table)
            throws SQLException {
        List<ForeignKey.Part> parts = new ArrayList<>();
        for (CatalogRow row : CatalogRow.query(connection, REFERENCED_BY, schema, table)) {
            String childSchema = row.text("TABLE_SCHEMA");
            String childTable = row.text("TABLE_NAME");
            parts.add(new ForeignKey.Part(
                    String.join(".", row.text("CONSTRAINT_SCHEMA"), childTable, row.text("CONSTRAINT_NAME")),
                    childSchema,
                    childTable,
                    quote(childSchema) + '.' + quote(childTable),
                    childSchema.equals(schema) && childTable.equals(table),
                    row.text("COLUMN_NAME"),
                    row.text("PARENT_COLUMN"),
                    ForeignKey.Action.ofRule(upper(row, "DELETE_RULE")),
                    ForeignKey.Action.ofRule(upper(row, "UPDATE_RULE"))));
        }
        return ForeignKey.of(parts);
    }

    /** A word of the information schema: it is in lower case where H2 was told to keep all names so. */
    private static String upper(CatalogRow row, String column) {
        return row.text(column).toUpperCase(Locale.ROOT);
    }

    private static String quote(String name) {
        return Quotes.DOUBLE.quote(name);
    }
}
