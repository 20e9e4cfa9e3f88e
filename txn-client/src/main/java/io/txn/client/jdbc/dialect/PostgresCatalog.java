package io.txn.client.jdbc.dialect;

import io.txn.client.jdbc.sql.SqlSyntax;
import io.txn.client.jdbc.sql.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** PostgreSQL's system catalog. A name is resolved by the server ({@code to_regclass}), with the session's search path. */
final class PostgresCatalog implements Catalog {

    private static final String TABLE = """
            SELECT c.oid::bigint AS oid, n.nspname, c.relname, c.relkind::text AS kind, c.relpersistence::text AS persistence,
                quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS sql_name,
                EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid) AS has_children
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = to_regclass(?)""";

    private static final String COLUMNS = """
            SELECT a.attname, quote_ident(a.attname) AS sql_name, a.attidentity::text AS identity,
                a.attgenerated::text AS generated, a.atthasdef,
                quote_ident(tn.nspname) || '.' || quote_ident(t.typname) AS sql_type,
                coalesce(b.typname, t.typname) AS base_type, t.typtype::text AS type_kind
            FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
            LEFT JOIN pg_catalog.pg_type b ON b.oid = nullif(t.typbasetype, 0)
            WHERE a.attrelid = ?::bigint::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum""";

    /** The primary key, or where there is none the first unique key without NULLs that holds for all rows whenever a statement has ended. */
    private static final String KEY = """
            SELECT a.attname FROM pg_catalog.pg_index i
            CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
            WHERE k.place <= i.indnkeyatts AND i.indexrelid = (
                SELECT u.indexrelid FROM pg_catalog.pg_index u
                WHERE u.indrelid = ?::bigint::oid AND u.indisunique AND u.indisvalid
                    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint c WHERE c.conindid = u.indexrelid AND c.condeferred)
                    AND u.indpred IS NULL AND u.indexprs IS NULL
                    AND (u.indisprimary OR NOT EXISTS (
                        SELECT 1 FROM pg_catalog.pg_attribute n
                        WHERE n.attrelid = u.indrelid AND n.attnum = ANY (u.indkey::int2[]) AND NOT n.attnotnull))
                ORDER BY u.indisprimary DESC, u.indnkeyatts, u.indexrelid LIMIT 1)
            ORDER BY k.place""";

    private static final String LEAVES =
            "SELECT relid::oid::bigint AS oid FROM pg_partition_tree(?::bigint::oid::regclass) WHERE isleaf";

    private static final String TRIGGERS_AND_RULES = """
            SELECT 'trigger ' || tgname AS name FROM pg_catalog.pg_trigger
            WHERE tgrelid = ?::bigint::oid AND NOT tgisinternal AND tgenabled <> 'D'
            UNION ALL
            SELECT 'rule ' || rulename FROM pg_catalog.pg_rewrite WHERE ev_class = ?::bigint::oid AND rulename <> '_RETURN'""";

    private static final String REFERENCED_BY = """
            SELECT con.oid::bigint AS oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS child,
                con.conrelid = con.confrelid AS of_itself, con.confdeltype::text AS on_delete, con.confupdtype::text AS on_update,
                quote_ident(ca.attname) AS child_column, pa.attname AS parent_column
            FROM pg_catalog.pg_constraint con
            JOIN pg_catalog.pg_class c ON c.oid = con.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            CROSS JOIN LATERAL unnest(con.conkey, con.confkey) WITH ORDINALITY AS k(child, parent, place)
            JOIN pg_catalog.pg_attribute ca ON ca.attrelid = con.conrelid AND ca.attnum = k.child
            JOIN pg_catalog.pg_attribute pa ON pa.attrelid = con.confrelid AND pa.attnum = k.parent
            WHERE con.contype = 'f' AND con.confrelid = ?::bigint::oid ORDER BY con.oid, k.place""";

    @Override
    public @Nullable Table table(Connection connection, TableName name, String ownSchema) throws SQLException {
        List<CatalogRow> found = CatalogRow.query(connection, TABLE, name.written());
        if (found.isEmpty()) {
            return null;
        }
        CatalogRow row = found.get(0);
        String oid = row.text("oid");
        Set<String> relations = new LinkedHashSet<>();
        if (row.is("kind", "p")) {
            CatalogRow.query(connection, LEAVES, oid).forEach(leaf -> relations.add(leaf.text("oid")));
        }
        relations.add(oid);
        List<Column> columns = columns(connection, oid);
        List<Column> key = new ArrayList<>();
        for (CatalogRow part : CatalogRow.query(connection, KEY, oid)) {
            columns.stream().filter(c -> c.name().equals(part.get("attname"))).forEach(key::add);
        }
        String schema = row.text("nspname");
        String table = row.text("relname");
        return new Table(
                schema,
                table,
                row.text("sql_name"),
                schema.equals(ownSchema) ? table : schema + '.' + table,
                columns,
                key,
                List.of(),
                referencedBy(connection, oid),
                refusal(connection, row, relations),
                relations);
    }

    @Override
    public String routinesNow(Connection connection) throws SQLException {
        return PostgresRoutines.now(connection);
    }

    @Override
    public Routines routines(Connection connection, Set<String> reading, SqlSyntax syntax) throws SQLException {
        return PostgresRoutines.read(connection, reading, syntax);
    }

    private static @Nullable String refusal(Connection connection, CatalogRow row, Set<String> relations)
            throws SQLException {
        String kind = row.text("kind");
        if (!kind.equals("r") && !kind.equals("p")) {
            return "it is a view or another kind of relation (" + kind + "), not a table";
        }
        if (row.is("persistence", "t")) {
            return "it is a temporary table, which no other connection can undo";
        }
        if (kind.equals("r") && row.is("has_children", "t")) {
            return "other tables inherit from it, and its key is not unique over them";
        }
        for (String relation : relations) {
            List<CatalogRow> found = CatalogRow.query(connection, TRIGGERS_AND_RULES, relation, relation);
            if (!found.isEmpty()) {
                return found.get(0).text("name") + " may write where no image is taken";
            }
        }
        return null;
    }

    private static List<Column> columns(Connection connection, String oid) throws SQLException {
        List<Column> columns = new ArrayList<>();
        for (CatalogRow row : CatalogRow.query(connection, COLUMNS, oid)) {
            if (!row.text("generated").isEmpty()) {
                continue;
            }
            Set<Column.Trait> traits = EnumSet.noneOf(Column.Trait.class);
            String identity = row.text("identity");
            if (!identity.isEmpty()) {
                traits.add(Column.Trait.IDENTITY);
            }
            if (identity.equals("a")) {
                traits.add(Column.Trait.IDENTITY_ALWAYS);
            }
            String type = row.text("sql_type");
            columns.add(new Column(
                    row.text("attname"),
                    row.text("sql_name"),
                    type,
                    codec(type, row.text("base_type"), row.text("type_kind")),
                    traits));
        }
        return columns;
    }

    private static Codec codec(String type, String base, String kind) {
        if (kind.equals("p")) {
            return Codec.unsupported(type);
        }
        String cast = "CAST(? AS " + type + ")";
        return switch (base) {
            case "bytea" -> Codec.bytes(type, "%s", cast);
            case "float4" -> new Codec(type, Codec.Form.FLOAT_BITS, "encode(float4send(%s), 'hex')", cast);
            case "float8" -> new Codec(type, Codec.Form.DOUBLE_BITS, "encode(float8send(%s), 'hex')", cast);
            case "timestamptz" ->
                Codec.text(type, "CAST(%s AT TIME ZONE 'UTC' AS text)", "(CAST(? AS timestamp) AT TIME ZONE 'UTC')");
            default -> Codec.text(type, "CAST(%s AS text)", cast);
        };
    }

    private static List<ForeignKey> referencedBy(Connection connection, String oid) throws SQLException {
        List<ForeignKey.Part> parts = new ArrayList<>();
        for (CatalogRow row : CatalogRow.query(connection, REFERENCED_BY, oid)) {
            parts.add(new ForeignKey.Part(
                    row.text("oid"),
                    row.text("child"),
                    row.is("of_itself", "t"),
                    row.text("child_column"),
                    row.text("parent_column"),
                    follows(row.text("on_delete")),
                    follows(row.text("on_update"))));
        }
        return ForeignKey.of(parts);
    }

    /** {@code a} is NO ACTION and {@code r} is RESTRICT. */
    private static boolean follows(String action) {
        return !action.equals("a") && !action.equals("r");
    }
}
