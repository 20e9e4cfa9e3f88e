package io.txn.client.jdbc.dialect;

import io.txn.client.jdbc.sql.SqlSyntax;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * PostgreSQL's functions that may write or are unsteady. What is part of the server is known; of the rest the server says which function, view, default, check, policy,
 * domain, cast and operator calls which function of users ({@code pg_depend}) or which unsteady one of its own (their trees), as far as a text does not hide it. STABLE and IMMUTABLE functions cannot write themselves,
 * but the VOLATILE ones that they call can.
 */
final class PostgresRoutines {

    /** Extensions whose functions change with every call what they return, and nothing else. */
    private static final Set<String> HARMLESS_EXTENSIONS = Set.of("pgcrypto", "uuid-ossp");

    /** Of the server itself: they change large objects, which no image holds. */
    private static final List<String> LARGE_OBJECTS = List.of(
            "lo_creat",
            "lo_create",
            "lo_from_bytea",
            "lo_import",
            "lo_put",
            "lo_truncate",
            "lo_truncate64",
            "lo_unlink",
            "lowrite");

    private static final String NOW = """
            SELECT (SELECT count(*) || '/' || coalesce(sum(hashtext(p.oid || ' ' || p.xmin)), 0)
                    FROM pg_catalog.pg_proc p WHERE p.oid >= 16384)
                || '/' || (SELECT coalesce(sum(hashtext(d.classid || ' ' || d.objid || ' ' || d.refobjid || ' ' || d.xmin)), 0)
                    FROM pg_catalog.pg_depend d WHERE d.refobjid >= 16384 AND d.refclassid IN (
                        'pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass))
                || '/' || (SELECT coalesce(sum(hashtext(r.oid || ' ' || r.xmin)), 0) FROM pg_catalog.pg_rewrite r WHERE r.oid >= 16384)
                || '/' || (SELECT coalesce(sum(hashtext(p.oid || ' ' || p.xmin)), 0) FROM pg_catalog.pg_policy p) AS now""";

    /** Of the server itself: what is unsteady, and what takes samples of tables. */
    private static final String OWN = "p.oid < 16384 AND (p.proname IN (" + Routines.unsteadyNames()
            + ") OR p.prorettype = 'pg_catalog.tsm_handler'::pg_catalog.regtype)";

    /** Those of the server's own languages that are not VOLATILE call nothing, so they are left out. */
    private static final String ROUTINES = """
            SELECT p.oid::bigint AS oid, p.oid < 16384 AS own, n.nspname,
                CASE WHEN p.prorettype = 'pg_catalog.tsm_handler'::pg_catalog.regtype THEN 'TABLESAMPLE ' ELSE '' END || p.proname AS proname,
                p.provolatile::text AS volatility, p.prokind::text AS kind, l.lanname,
                CASE WHEN l.lanname IN ('c', 'internal') THEN '' ELSE p.prosrc END AS text,
                (SELECT string_agg(d.refobjid::bigint::text, ' ') FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
                        AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass) AS calls,
                (SELECT max(e.extname) FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
                    WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e') AS extension,
                EXISTS (SELECT 1 FROM unnest(p.proargtypes) AS a(oid) JOIN pg_catalog.pg_type t ON t.oid = a.oid
                    WHERE t.typtype IN ('c', 'p')) AS of_row
            FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
            JOIN pg_catalog.pg_language l ON l.oid = p.prolang
            WHERE p.oid >= 16384 AND p.prorettype NOT IN (
                'pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype)
                AND (p.prokind = 'a' OR p.provolatile = 'v' OR l.lanname NOT IN ('c', 'internal'))
                OR\s""" + OWN;

    /** Who calls: the function itself, or the operator behind which it stands. Nothing depends on what is part of the server. */
    private static final String CALLERS = "own AS (SELECT p.oid FROM pg_catalog.pg_proc p WHERE " + OWN + """
            ), tree AS (
                SELECT ':(?:funcid|opfuncid|tsmhandler) (' || string_agg(oid::text, '|') || ')\\M' AS calls FROM own),
            callers AS (
                SELECT 'pg_catalog.pg_rewrite'::pg_catalog.regclass AS classid, r.oid AS objid,
                    (regexp_match(r.ev_action::text, t.calls))[1]::oid AS proc
                FROM pg_catalog.pg_rewrite r JOIN tree t ON r.ev_action::text ~ t.calls WHERE r.oid >= 16384
                UNION ALL
                SELECT 'pg_catalog.pg_policy'::pg_catalog.regclass, p.oid, (regexp_match(p.polqual::text, t.calls))[1]::oid
                FROM pg_catalog.pg_policy p JOIN tree t ON p.polqual::text ~ t.calls
                UNION ALL
                SELECT d.classid, d.objid, d.refobjid AS proc FROM pg_catalog.pg_depend d
                WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refobjid >= 16384
                UNION ALL
                SELECT d.classid, d.objid, o.oprcode::oid FROM pg_catalog.pg_depend d
                JOIN pg_catalog.pg_operator o ON o.oid = d.refobjid
                WHERE d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND d.refobjid >= 16384)""";

    private static final String USES = "WITH RECURSIVE " + CALLERS + """
            , types AS (
                SELECT k.contypid AS type, u.proc FROM callers u JOIN pg_catalog.pg_constraint k ON k.oid = u.objid
                WHERE u.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.contypid <> 0
                UNION ALL
                SELECT t.type, k.castfunc FROM pg_catalog.pg_cast k CROSS JOIN LATERAL (VALUES (k.castsource), (k.casttarget)) t (type)
                WHERE k.castfunc >= 16384 AND t.type >= 16384),
            shown AS (
                SELECT r.ev_class AS relation, u.proc FROM callers u JOIN pg_catalog.pg_rewrite r ON r.oid = u.objid
                WHERE u.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                UNION
                SELECT p.polrelid, u.proc FROM callers u JOIN pg_catalog.pg_policy p ON p.oid = u.objid
                WHERE u.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
                UNION
                SELECT a.attrelid, t.proc FROM types t JOIN pg_catalog.pg_attribute a ON a.atttypid = t.type
                UNION
                SELECT a.adrelid, u.proc FROM callers u JOIN pg_catalog.pg_attrdef a ON a.oid = u.objid
                    JOIN pg_catalog.pg_attribute g ON g.attrelid = a.adrelid AND g.attnum = a.adnum AND g.attgenerated = 'v'
                WHERE u.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
                UNION
                SELECT r.ev_class, s.proc FROM shown s JOIN pg_catalog.pg_depend d
                    ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = s.relation
                    AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid)
            SELECT 'READ' AS via, c.relname AS name, s.proc::bigint AS proc FROM shown s JOIN pg_catalog.pg_class c ON c.oid = s.relation
            UNION
            SELECT 'READ', t.typname, y.proc::bigint FROM types y JOIN pg_catalog.pg_type t ON t.oid = y.type
            UNION
            SELECT 'WRITE', c.relname, u.proc::bigint FROM callers u JOIN pg_catalog.pg_attrdef a ON a.oid = u.objid
                JOIN pg_catalog.pg_class c ON c.oid = a.adrelid
            WHERE u.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
            UNION
            SELECT 'WRITE', c.relname, u.proc::bigint FROM callers u JOIN pg_catalog.pg_type y ON y.oid = u.objid AND y.typtype = 'd'
                JOIN pg_catalog.pg_attribute a ON a.atttypid = y.oid JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
            WHERE u.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
            UNION
            SELECT 'WRITE', c.relname, u.proc::bigint FROM callers u JOIN pg_catalog.pg_constraint k ON k.oid = u.objid
                JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
            WHERE u.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
            UNION
            SELECT 'WRITE', c.relname, u.proc::bigint FROM callers u JOIN pg_catalog.pg_index i ON i.indexrelid = u.objid
                JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
            WHERE u.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
            UNION
            SELECT 'OPERATOR', o.oprname, o.oprcode::oid::bigint FROM pg_catalog.pg_operator o
            WHERE o.oprcode::oid >= 16384 OR o.oid >= 16384 AND o.oprcode::oid IN (SELECT oid FROM own)""";

    /** A parameter by its number, which a statement has not. */
    private static final Pattern NUMBERED = Pattern.compile("(?<![\\w$\\x{80}-\\x{10FFFF}])\\$(?=\\d)");

    private PostgresRoutines() {}

    static String now(Connection connection) throws SQLException {
        return CatalogRow.one(connection, NOW).text("now");
    }

    static Routines read(Connection connection, Set<String> reading, SqlSyntax syntax) throws SQLException {
        List<Routines.Routine> routines = new ArrayList<>();
        for (String name : LARGE_OBJECTS) {
            routines.add(new Routines.Routine(
                    name,
                    "pg_catalog",
                    name,
                    Routines.Effect.UNKNOWN,
                    Routines.Result.SAME,
                    "",
                    false,
                    Set.of(),
                    "changes large objects"));
        }
        for (CatalogRow row : CatalogRow.query(connection, ROUTINES)) {
            routines.add(new Routines.Routine(
                    row.text("oid"),
                    row.text("nspname"),
                    row.text("proname"),
                    effect(row),
                    result(row),
                    NUMBERED.matcher(row.text("text")).replaceAll("_"),
                    row.is("of_row", "t"),
                    row.has("calls") ? new HashSet<>(List.of(row.text("calls").split(" "))) : Set.of(),
                    "is VOLATILE, in language " + row.text("lanname")));
        }
        List<Routines.Use> uses = new ArrayList<>();
        for (CatalogRow row : CatalogRow.query(connection, USES)) {
            uses.add(new Routines.Use(
                    Routines.Via.valueOf(row.text("via")), row.text("name"), Set.of(row.text("proc")), "", null));
        }
        return Routines.of(routines, uses, reading, syntax);
    }

    private static Routines.Effect effect(CatalogRow row) {
        if (row.is("own", "t") || HARMLESS_EXTENSIONS.contains(row.text("extension"))) {
            return Routines.Effect.READS;
        }
        if (row.is("kind", "a") || !row.is("volatility", "v")) {
            return Routines.Effect.CALLS;
        }
        return isReadable(row) ? Routines.Effect.TEXT : Routines.Effect.UNKNOWN;
    }

    private static Routines.Result result(CatalogRow row) {
        if (isReadable(row)) {
            return Routines.Result.TEXT;
        }
        return row.is("kind", "a") || !row.is("volatility", "v") ? Routines.Result.SAME : Routines.Result.OTHER;
    }

    /** A body that the server keeps parsed, BEGIN ATOMIC, has no text. */
    private static boolean isReadable(CatalogRow row) {
        return (row.is("lanname", "sql") || row.is("lanname", "plpgsql"))
                && !row.text("text").isBlank();
    }
}
