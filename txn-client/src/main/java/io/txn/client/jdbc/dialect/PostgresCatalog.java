package io.txn.client.jdbc.dialect;

import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.NewRowTrigger;
import io.txn.client.jdbc.sql.SqlSyntax;
import io.txn.client.jdbc.sql.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** PostgreSQL's system catalog. A name is resolved by the server ({@code to_regclass}), with the session's search path. */
final class PostgresCatalog implements Catalog {

    private static final String TABLE = """
            SELECT c.oid::bigint AS oid, n.nspname, c.relname, c.relkind::text AS kind, c.relpersistence::text AS persistence,
                quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS sql_name,
                EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid) AS has_children,
                w.relname AS whole, wn.nspname AS whole_schema,
                (SELECT string_agg(CASE k.contype WHEN 'c' THEN '(' || pg_get_expr(k.conbin, k.conrelid) || ')'
                        ELSE (SELECT '(' || quote_ident(a.attname) || ' IS NOT NULL)' FROM pg_catalog.pg_attribute a
                            WHERE a.attrelid = c.oid AND a.attnum = k.conkey[1]) END, ' AND ') FROM pg_catalog.pg_constraint k
                    WHERE k.conrelid = c.oid AND k.contype IN ('c', 'n') AND NOT k.convalidated
                    AND coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'true') AS unvalidated,
                (SELECT string_agg('(SELECT ' || pg_get_expr(k.conbin, 0) || ' FROM (SELECT ' || quote_ident(a.attname) || ' AS value) AS d)',
                        ' AND ') FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_constraint k ON k.contypid = a.atttypid
                    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND k.contype = 'c' AND NOT k.convalidated)
                    AS unvalidated_values,
                CASE WHEN c.relkind = 'p' THEN (SELECT min(quote_ident(fc.relname)) FROM pg_catalog.pg_constraint f
                    JOIN pg_catalog.pg_class fc ON fc.oid = f.conrelid
                    WHERE f.contype = 'f' AND f.conparentid = 0 AND f.confrelid <> c.oid
                    AND f.confrelid IN (SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid::regclass) t)
                    AND (f.confdeltype NOT IN ('a', 'r') OR f.confupdtype NOT IN ('a', 'r'))) END AS child_of_partition
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_class w ON w.oid = CASE WHEN c.relispartition THEN pg_partition_root(c.oid)::oid ELSE c.oid END
            JOIN pg_catalog.pg_namespace wn ON wn.oid = w.relnamespace
            WHERE c.oid = to_regclass(?)""";

    private static final String COLUMNS = """
            SELECT a.attname, quote_ident(a.attname) AS sql_name, a.attidentity::text AS identity,
                a.attgenerated::text AS generated, a.atthasdef,
                a.atthasdef AND EXISTS (SELECT 1 FROM pg_catalog.pg_attrdef f
                    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = f.oid
                        AND d.refclassid = 'pg_catalog.pg_proc'::regclass
                    JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid AND p.provolatile <> 'v'
                    WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum) AS reading_default,
                quote_ident(tn.nspname) || '.' || quote_ident(t.typname) AS sql_type,
                coalesce(b.typname, t.typname) AS base_type, t.typtype::text AS type_kind,
                (coalesce(b, t)).typcategory IN ('C', 'G') OR (coalesce(b, t)).typtype IN ('d', 'c')
                    OR (coalesce(b, t)).typtype IN ('r', 'm') AND (coalesce(b, t)).oid >= 16384
                    OR coalesce(e.typtype IN ('d', 'c', 'r') OR e.typcategory = 'G' OR e.typname IN ('float4', 'float8', 'interval'), false)
                    AS printed_by_setting
            FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
            LEFT JOIN pg_catalog.pg_type b ON b.oid = nullif(t.typbasetype, 0)
            LEFT JOIN pg_catalog.pg_type e ON e.oid = nullif((coalesce(b, t)).typelem, 0)
            WHERE a.attrelid = ?::bigint::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum""";

    /** The primary key, or where there is none the first unique key without NULLs that holds for all rows whenever a statement has ended. */
    private static final String KEY = """
            SELECT a.attname FROM pg_catalog.pg_index i
            CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
            WHERE k.place <= i.indnkeyatts AND i.indexrelid = (
                SELECT u.indexrelid FROM pg_catalog.pg_index u
                WHERE u.indrelid = ?::bigint::oid AND u.indisunique AND u.indisvalid
                    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint c WHERE c.conindid = u.indexrelid
                        AND c.contype IN ('p', 'u') AND c.condeferred)
                    AND u.indpred IS NULL AND u.indexprs IS NULL
                    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute g
                        WHERE g.attrelid = u.indrelid AND g.attnum = ANY (u.indkey::int2[]) AND g.attgenerated <> '')
                    AND (u.indisprimary OR NOT EXISTS (
                        SELECT 1 FROM pg_catalog.pg_attribute n
                        WHERE n.attrelid = u.indrelid AND n.attnum = ANY (u.indkey::int2[]) AND NOT n.attnotnull))
                ORDER BY u.indisprimary DESC, u.indnkeyatts, u.indexrelid LIMIT 1)
            ORDER BY k.place""";

    private static final String GENERATED_KEY = """
            SELECT 1 AS found FROM pg_catalog.pg_index u JOIN pg_catalog.pg_attribute g ON g.attrelid = u.indrelid
            WHERE u.indrelid = ?::bigint::oid AND u.indisunique AND g.attnum = ANY (u.indkey::int2[])
                AND g.attgenerated <> '' LIMIT 1""";

    /**
     * The columns by which a row may stand in the way of another one, of the table and its partitions; without name those that are computed. What a partial index takes
     * in depends on other columns, too.
     */
    private static final String UNIQUE_KEYS = """
            SELECT i.indexrelid::bigint AS oid, a.attname, i.indpred IS NOT NULL OR i.indisexclusion AS odd FROM pg_catalog.pg_index i
            CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
            LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND a.attgenerated = ''
            WHERE i.indrelid = ANY (?::oid[]) AND (i.indisunique OR i.indisexclusion) AND k.place <= i.indnkeyatts
            ORDER BY i.indexrelid, k.place""";

    private static final String DEFERRABLE_KEYS =
            "SELECT conname FROM pg_catalog.pg_constraint WHERE condeferrable AND contype IN ('p', 'u', 'x') ORDER BY conname";

    private static final String LEAVES =
            "SELECT relid::oid::bigint AS oid FROM pg_partition_tree(?::bigint::oid::regclass) WHERE isleaf";

    /**
     * The bits of {@code tgtype}: 1 for each row, 2 before, 4 INSERT, 8 DELETE, 16 UPDATE. What stands behind WHEN is printed within the whole definition only, and
     * names are qualified there as the session's search path asks for it; as it is stored it has numbers instead.
     */
    private static final String TRIGGERS = """
            SELECT 'trigger ' || t.tgname AS name, t.tgtype & 4 <> 0 AS on_insert, t.tgtype & 16 <> 0 AS on_update,
                t.tgtype & 8 <> 0 AS on_delete,
                (SELECT string_agg(a.attname, chr(1)) FROM pg_catalog.pg_attribute a
                    WHERE a.attrelid = t.tgrelid AND a.attnum = ANY (t.tgattr::int2[])) AS columns,
                CASE WHEN t.tgtype & 3 = 3 AND l.lanname = 'plpgsql' THEN p.prosrc ELSE '' END AS text,
                CASE WHEN t.tgqual IS NULL THEN '' ELSE substring(pg_get_triggerdef(t.oid) FROM ' WHEN (.*) EXECUTE ') END AS condition,
                coalesce(t.tgqual::text, '') AS condition_mark
            FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
            JOIN pg_catalog.pg_language l ON l.oid = p.prolang
            WHERE t.tgrelid = ?::bigint::oid AND NOT t.tgisinternal AND t.tgenabled <> 'D'
                AND (t.tgenabled <> 'R' OR current_setting('session_replication_role') = 'replica')
            UNION ALL
            SELECT 'rule ' || rulename, ev_type = '3', ev_type = '2', ev_type = '4', NULL, '', '', ''
            FROM pg_catalog.pg_rewrite WHERE ev_class = ?::bigint::oid AND ev_type <> '1' AND ev_enabled <> 'D'
            ORDER BY 1""";

    /** What stands between this account and rows that a foreign key, which acts for the table's owner, changes. */
    private static final String UNSEEN = """
            SELECT CASE WHEN row_security_active(c.oid) THEN 'row-level security hides rows of it from this account'
                WHEN NOT has_table_privilege(c.oid, 'SELECT') OR NOT has_table_privilege(c.oid, 'INSERT')
                    OR NOT has_table_privilege(c.oid, 'UPDATE')
                    THEN 'this account may not read it and write it back: GRANT SELECT, INSERT, UPDATE, DELETE ON '
                        || quote_ident(n.nspname) || '.' || quote_ident(c.relname) || ' TO ' || quote_ident(current_user)
                WHEN NOT has_schema_privilege(n.oid, 'USAGE')
                    THEN 'this account may not read it: GRANT USAGE ON SCHEMA ' || quote_ident(n.nspname) || ' TO '
                        || quote_ident(current_user) END AS unseen
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ?::bigint::oid""";

    /**
     * What this account may do to a table, and whether row-level security leaves it all rows whatever a session has set: the undo has one of its own, and what it does not see it would take for gone.
     * Commands of policies are r for SELECT, a for INSERT, w for UPDATE, d for DELETE.
     */
    private static final String PERMITTED = """
            SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) || ' TO ' || quote_ident(current_user) AS grantee,
                has_table_privilege(c.oid, 'SELECT') AS reads,
                has_table_privilege(c.oid, 'INSERT') OR NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid
                    AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND NOT has_column_privilege(c.oid, a.attnum, 'INSERT'))
                    AS inserts,
                has_any_column_privilege(c.oid, 'UPDATE') AS updates,
                NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                    AND NOT has_column_privilege(c.oid, a.attnum, 'UPDATE')) AS updates_all, has_table_privilege(c.oid, 'DELETE') AS deletes,
                CASE WHEN row_security_active(c.oid) THEN (
                    WITH policy AS (
                        SELECT p.polpermissive AS permits, p.polcmd AS command, pg_get_expr(p.polqual, p.polrelid) AS seen,
                            coalesce(pg_get_expr(p.polwithcheck, p.polrelid), pg_get_expr(p.polqual, p.polrelid)) AS taken
                        FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid AND EXISTS (SELECT 1 FROM unnest(p.polroles) AS r(role)
                            WHERE CASE WHEN r.role = 0 THEN true ELSE pg_has_role(r.role, 'USAGE') END))
                    SELECT EXISTS (SELECT 1 FROM policy WHERE NOT permits AND (coalesce(seen, 'true') <> 'true' OR coalesce(taken, 'true') <> 'true'))
                        OR EXISTS (SELECT 1 FROM (VALUES ('r'), ('a'), ('w'), ('d')) AS k(command) WHERE NOT EXISTS (
                            SELECT 1 FROM policy WHERE permits AND policy.command::text IN ('*', k.command)
                            AND (k.command = 'a' OR seen = 'true') AND (k.command IN ('r', 'd') OR taken = 'true')))
                ) ELSE false END AS hides
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ?::bigint::oid""";

    private static final String REFERENCED_BY = """
            SELECT con.oid::bigint AS oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS child,
                con.conrelid = con.confrelid AS of_itself, con.confdeltype::text AS on_delete, con.confupdtype::text AS on_update,
                n.nspname AS child_schema, c.relname AS child_table, ca.attname AS child_column, pa.attname AS parent_column
            FROM pg_catalog.pg_constraint con
            JOIN pg_catalog.pg_class c ON c.oid = con.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            CROSS JOIN LATERAL unnest(con.conkey, con.confkey) WITH ORDINALITY AS k(child, parent, place)
            JOIN pg_catalog.pg_attribute ca ON ca.attrelid = con.conrelid AND ca.attnum = k.child
            JOIN pg_catalog.pg_attribute pa ON pa.attrelid = con.confrelid AND pa.attnum = k.parent
            WHERE con.contype = 'f' AND con.confrelid = ?::bigint::oid AND NOT EXISTS (
                SELECT 1 FROM pg_catalog.pg_constraint whole
                WHERE whole.oid = con.conparentid AND whole.confrelid = con.confrelid)
            ORDER BY con.oid, k.place""";

    @Override
    public @Nullable Table table(Connection connection, TableName name, String ownSchema) throws SQLException {
        List<CatalogRow> found = CatalogRow.query(connection, TABLE, name.written());
        if (found.isEmpty()) {
            return null;
        }
        CatalogRow row = found.get(0);
        String oid = row.text("oid");
        Set<String> relations = new LinkedHashSet<>();
        relations.add(oid);
        if (row.is("kind", "p")) {
            CatalogRow.query(connection, LEAVES, oid).forEach(leaf -> relations.add(leaf.text("oid")));
        }
        // First of all: what changes from here on is noticed.
        List<String> stamps = CatalogRow.query(connection, Stamps.query(relations)).stream()
                .map(stamp -> stamp.text("stamp"))
                .toList();
        List<Column> shown = columns(connection, oid);
        List<Column> columns = Column.written(shown);
        List<Column> key = new ArrayList<>();
        for (CatalogRow part : CatalogRow.query(connection, KEY, oid)) {
            columns.stream().filter(c -> c.name().equals(part.get("attname"))).forEach(key::add);
        }
        String refusal = refusal(row);
        if (refusal == null
                && key.isEmpty()
                && !CatalogRow.query(connection, GENERATED_KEY, oid).isEmpty()) {
            refusal = Table.GENERATED_KEY;
        }
        String schema = row.text("nspname");
        String table = row.text("relname");
        Map<String, List<Column>> unique = new LinkedHashMap<>();
        Set<String> odd = new HashSet<>();
        for (CatalogRow part : CatalogRow.query(connection, UNIQUE_KEYS, '{' + String.join(",", relations) + '}')) {
            String index = part.text("oid");
            List<Column> parts = unique.computeIfAbsent(index, i -> new ArrayList<>());
            columns.stream()
                    .filter(c -> c.name().equals(part.get("attname")) && !part.is("odd", "t"))
                    .findFirst()
                    .ifPresentOrElse(parts::add, () -> odd.add(index));
        }
        unique.keySet().removeAll(odd);
        CatalogRow permitted = still(connection, PERMITTED, oid, name);
        return new Table(
                schema,
                table,
                row.text("sql_name"),
                lockName(row, ownSchema),
                columns,
                shown,
                key,
                unique.values().stream().distinct().toList(),
                false,
                !odd.isEmpty(),
                referencedBy(connection, oid),
                triggers(
                        connection,
                        row.is("kind", "p"),
                        relations,
                        permitted.is("updates_all", "t") ? columns : List.of()),
                refusal,
                still(connection, UNSEEN, oid, name).get("unseen"),
                unvalidated(row.get("unvalidated"), row.get("unvalidated_values")),
                lacking(permitted),
                relations,
                stamps);
    }

    @Override
    public @Nullable String deferrableKey(Connection connection, List<String> names) throws SQLException {
        // Case and schemas do not count: in doubt it is one of those.
        for (CatalogRow row : CatalogRow.query(connection, DEFERRABLE_KEYS)) {
            String key = row.text("conname");
            if (names.isEmpty() || names.stream().anyMatch(key::equalsIgnoreCase)) {
                return key;
            }
        }
        return null;
    }

    @Override
    public String routinesNow(Connection connection) throws SQLException {
        return PostgresRoutines.now(connection);
    }

    @Override
    public Routines routines(Connection connection, Set<String> reading, SqlSyntax syntax) throws SQLException {
        return PostgresRoutines.read(connection, reading, syntax);
    }

    /** A row of a partition is one of the whole table, by which others may lock it. */
    private static String lockName(CatalogRow row, String ownSchema) {
        String schema = row.text("whole_schema");
        String table = row.text("whole");
        return schema.equals(ownSchema) ? table : schema + '.' + table;
    }

    /**
     * Those of the table and of its partitions. An UPDATE that moves a row to another partition deletes and inserts it there.
     *
     * @param written the columns that this account may set
     */
    private static List<Trigger> triggers(
            Connection connection, boolean partitioned, Set<String> relations, List<Column> written)
            throws SQLException {
        List<Trigger> triggers = new ArrayList<>();
        for (String relation : relations) {
            for (CatalogRow row : CatalogRow.query(connection, TRIGGERS, relation, relation)) {
                Set<Trigger.Event> events = EnumSet.noneOf(Trigger.Event.class);
                if (row.is("on_insert", "t")) {
                    events.add(Trigger.Event.INSERT);
                }
                if (row.is("on_update", "t") || partitioned) {
                    events.add(Trigger.Event.UPDATE);
                }
                if (row.is("on_delete", "t")) {
                    events.add(Trigger.Event.DELETE);
                }
                String columns = row.get("columns");
                triggers.add(new Trigger(
                        row.text("name"),
                        events,
                        columns == null || partitioned ? Set.of() : Set.of(columns.split("\u0001")),
                        row.text("text"),
                        row.text("condition"),
                        row.text("condition_mark"),
                        sets(row.text("text"), row.text("condition"), written)));
            }
        }
        return triggers;
    }

    private static @Nullable Set<String> sets(String text, String condition, List<Column> written) {
        Set<Identifier> names = NewRowTrigger.ofPlpgsql(text, condition);
        Set<String> sets = new HashSet<>();
        for (Identifier name : names == null ? Set.<Identifier>of() : names) {
            // Without quotes, names are in lower case.
            String column = name.quoted() ? name.text() : name.text().toLowerCase(Locale.ROOT);
            if (written.stream().noneMatch(c -> c.name().equals(column))) {
                return null;
            }
            sets.add(column);
        }
        return names == null ? null : sets;
    }

    /** What a query says of a table that was there a moment ago. */
    private static CatalogRow still(Connection connection, String query, String oid, TableName name)
            throws SQLException {
        List<CatalogRow> rows = CatalogRow.query(connection, query, oid);
        if (rows.isEmpty()) {
            throw new SQLException("table " + name.written() + " was dropped while it was looked at", "42P01");
        }
        return rows.get(0);
    }

    private static @Nullable String unvalidated(@Nullable String ofTable, @Nullable String ofDomains) {
        return ofTable == null || ofDomains == null
                ? ofTable == null ? ofDomains : ofTable
                : ofTable + " AND " + ofDomains;
    }

    /**
     * Rows are read and locked before they are taken back, for which the right to update any column is asked for. What tells which table a statement reached is no column that is granted by itself.
     */
    private static Map<Trigger.Event, String> lacking(CatalogRow permitted) {
        if (permitted.is("hides", "t")) {
            String reason =
                    "row-level security is in force for this account, and may hide rows from the session that takes it back:"
                            + " let a policy show it all rows, whatever a session has set, or let it bypass them";
            return Map.of(Trigger.Event.INSERT, reason, Trigger.Event.UPDATE, reason, Trigger.Event.DELETE, reason);
        }
        String select = permitted.is("reads", "t") ? "" : "SELECT";
        String update = permitted.is("updates", "t") ? "" : "UPDATE";
        Map<Trigger.Event, String> lacking = new EnumMap<>(Trigger.Event.class);
        Table.lack(lacking, Trigger.Event.UPDATE, permitted.text("grantee"), select);
        Table.lack(
                lacking,
                Trigger.Event.INSERT,
                permitted.text("grantee"),
                select,
                update,
                permitted.is("deletes", "t") ? "" : "DELETE");
        Table.lack(
                lacking,
                Trigger.Event.DELETE,
                permitted.text("grantee"),
                select,
                update,
                permitted.is("inserts", "t") ? "" : "INSERT");
        return lacking;
    }

    private static @Nullable String refusal(CatalogRow row) {
        String kind = row.text("kind");
        if (!kind.equals("r") && !kind.equals("p")) {
            return "it is a view or another kind of relation (" + kind + "), not a table";
        }
        if (row.is("persistence", "t")) {
            return "it is a temporary table, which no other connection can undo";
        }
        if (row.get("child_of_partition") != null) {
            return "a foreign key of " + row.get("child_of_partition")
                    + " refers to one of its partitions alone and carries changes on, which no statement on the whole shows";
        }
        if (kind.equals("r") && row.is("has_children", "t")) {
            return "other tables inherit from it, and its key is not unique over them";
        }
        return null;
    }

    private static List<Column> columns(Connection connection, String oid) throws SQLException {
        List<Column> columns = new ArrayList<>();
        for (CatalogRow row : CatalogRow.query(connection, COLUMNS, oid)) {
            Set<Column.Trait> traits = EnumSet.noneOf(Column.Trait.class);
            if (!row.text("generated").isEmpty()) {
                traits.add(Column.Trait.GENERATED);
            }
            String identity = row.text("identity");
            if (!identity.isEmpty()) {
                traits.add(Column.Trait.IDENTITY);
            }
            if (identity.equals("a")) {
                traits.add(Column.Trait.IDENTITY_ALWAYS);
            }
            if (row.is("reading_default", "t")) {
                traits.add(Column.Trait.READING_DEFAULT);
            }
            if (row.is("printed_by_setting", "t")) {
                traits.add(Column.Trait.PRINTED_BY_SETTING);
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
            // In the style of the SQL standard, one sign may mean one field or all.
            case "interval" ->
                Codec.text(
                        type,
                        "CASE WHEN isfinite(%s) THEN '+0 years ' || CAST(extract(year FROM %s) * 12 + extract(month FROM %s) AS numeric)"
                                + " || ' mons ' || CAST(extract(day FROM %s) AS numeric) || ' days '"
                                + " || CAST(extract(hour FROM %s) AS numeric) * 3600 + CAST(extract(minute FROM %s) AS numeric) * 60"
                                + " + CAST(extract(second FROM %s) AS numeric) || ' secs' ELSE CAST(%s AS text) END",
                        cast);
            case "timestamptz" ->
                Codec.text(type, "CAST(%s AT TIME ZONE 'UTC' AS text)", "(CAST(? AS timestamp) AT TIME ZONE 'UTC')");
            // Their names may be ambiguous, or mean something else where the search path is another one.
            case "regclass",
                    "regproc",
                    "regprocedure",
                    "regoper",
                    "regoperator",
                    "regtype",
                    "regrole",
                    "regnamespace",
                    "regconfig",
                    "regdictionary",
                    "regcollation" ->
                Codec.text(type, "CAST(CAST(%s AS oid) AS text)", "CAST(CAST(? AS oid) AS " + type + ")");
            // Drivers make the same text of them, and a cast would have to be set up at each execution.
            case "int2", "int4", "int8", "text", "varchar" -> Codec.text(type, "%s", cast);
            default -> Codec.text(type, "CAST(%s AS text)", cast);
        };
    }

    private static List<ForeignKey> referencedBy(Connection connection, String oid) throws SQLException {
        List<ForeignKey.Part> parts = new ArrayList<>();
        for (CatalogRow row : CatalogRow.query(connection, REFERENCED_BY, oid)) {
            parts.add(new ForeignKey.Part(
                    row.text("oid"),
                    row.text("child_schema"),
                    row.text("child_table"),
                    row.text("child"),
                    row.is("of_itself", "t"),
                    row.text("child_column"),
                    row.text("parent_column"),
                    action(row.text("on_delete")),
                    action(row.text("on_update"))));
        }
        return ForeignKey.of(parts);
    }

    /** {@code a} is NO ACTION, {@code r} is RESTRICT, {@code c} is CASCADE. */
    private static ForeignKey.Action action(String action) {
        return switch (action) {
            case "a", "r" -> ForeignKey.Action.NONE;
            case "c" -> ForeignKey.Action.CASCADE;
            default -> ForeignKey.Action.SET;
        };
    }
}
