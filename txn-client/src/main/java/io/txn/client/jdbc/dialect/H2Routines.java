package io.txn.client.jdbc.dialect;

import io.txn.client.jdbc.sql.SqlSyntax;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * H2's aliases and aggregates. They are Java, so nothing shows what they do: all may write. The texts of views, defaults, generated columns and checks
 * say which call them.
 */
final class H2Routines {

    private static final String NOW =
            "SELECT LISTAGG(ROUTINE_SCHEMA || '.' || ROUTINE_NAME, ' ') WITHIN GROUP (ORDER BY SPECIFIC_NAME) AS NOW,"
                    + " (SELECT LISTAGG(TABLE_SCHEMA || '.' || TABLE_NAME || ' ' || COALESCE(VIEW_DEFINITION, ''), ' ')"
                    + " WITHIN GROUP (ORDER BY TABLE_SCHEMA, TABLE_NAME) FROM INFORMATION_SCHEMA.VIEWS"
                    + " WHERE UPPER(TABLE_SCHEMA) <> 'INFORMATION_SCHEMA') AS VIEWS"
                    + " FROM INFORMATION_SCHEMA.ROUTINES WHERE UPPER(ROUTINE_SCHEMA) <> 'INFORMATION_SCHEMA'";

    private static final String ROUTINES =
            "SELECT SPECIFIC_NAME, ROUTINE_SCHEMA, ROUTINE_NAME, IS_DETERMINISTIC FROM INFORMATION_SCHEMA.ROUTINES"
                    + " WHERE UPPER(ROUTINE_SCHEMA) <> 'INFORMATION_SCHEMA'";

    private static final String USES = """
            SELECT 'READ' AS VIA, TABLE_NAME AS NAME, VIEW_DEFINITION AS TEXT, 'view' AS KIND FROM INFORMATION_SCHEMA.VIEWS
            WHERE UPPER(TABLE_SCHEMA) <> 'INFORMATION_SCHEMA'
            UNION ALL
            SELECT 'WRITE', TABLE_NAME, COALESCE(COLUMN_DEFAULT, '') || ' ' || COALESCE(GENERATION_EXPRESSION, '') || ' '
                || COALESCE(COLUMN_ON_UPDATE, ''), 'column' FROM INFORMATION_SCHEMA.COLUMNS
            WHERE COALESCE(COLUMN_DEFAULT, GENERATION_EXPRESSION, COLUMN_ON_UPDATE) IS NOT NULL
                AND UPPER(TABLE_SCHEMA) <> 'INFORMATION_SCHEMA'
            UNION ALL
            SELECT 'WRITE', T.TABLE_NAME, C.CHECK_CLAUSE, 'check' FROM INFORMATION_SCHEMA.CHECK_CONSTRAINTS C
                JOIN INFORMATION_SCHEMA.TABLE_CONSTRAINTS T
                ON T.CONSTRAINT_SCHEMA = C.CONSTRAINT_SCHEMA AND T.CONSTRAINT_NAME = C.CONSTRAINT_NAME
            UNION ALL
            SELECT 'READ', D.DOMAIN_NAME, C.CHECK_CLAUSE, 'check' FROM INFORMATION_SCHEMA.CHECK_CONSTRAINTS C
                JOIN INFORMATION_SCHEMA.DOMAIN_CONSTRAINTS D
                ON D.CONSTRAINT_SCHEMA = C.CONSTRAINT_SCHEMA AND D.CONSTRAINT_NAME = C.CONSTRAINT_NAME
            UNION ALL
            SELECT 'WRITE', L.TABLE_NAME, COALESCE(D.DOMAIN_DEFAULT, '') || ' ' || COALESCE(C.CHECK_CLAUSE, ''), 'check'
                FROM INFORMATION_SCHEMA.COLUMNS L
                JOIN INFORMATION_SCHEMA.DOMAINS D ON D.DOMAIN_SCHEMA = L.DOMAIN_SCHEMA AND D.DOMAIN_NAME = L.DOMAIN_NAME
                LEFT JOIN INFORMATION_SCHEMA.DOMAIN_CONSTRAINTS K ON K.DOMAIN_SCHEMA = D.DOMAIN_SCHEMA AND K.DOMAIN_NAME = D.DOMAIN_NAME
                LEFT JOIN INFORMATION_SCHEMA.CHECK_CONSTRAINTS C
                ON C.CONSTRAINT_SCHEMA = K.CONSTRAINT_SCHEMA AND C.CONSTRAINT_NAME = K.CONSTRAINT_NAME""";

    private H2Routines() {}

    /**
     * Without aliases nothing can call any, but a view may ask H2's own for chance or a sequence: of what else changes, only the views matter. With aliases, every look
     * is a new one.
     */
    static String now(Connection connection) throws SQLException {
        CatalogRow now = CatalogRow.one(connection, NOW);
        String names = now.text("NOW");
        return names.isEmpty()
                ? now.text("VIEWS")
                : names
                        + ' '
                        + CatalogRow.query(connection, USES).stream()
                                .map(row -> row.text("NAME") + row.text("TEXT"))
                                .toList()
                                .hashCode();
    }

    static Routines read(Connection connection, Set<String> reading, SqlSyntax syntax) throws SQLException {
        List<Routines.Routine> routines = new ArrayList<>();
        for (CatalogRow row : CatalogRow.query(connection, ROUTINES)) {
            routines.add(new Routines.Routine(
                    row.text("SPECIFIC_NAME"),
                    row.text("ROUTINE_SCHEMA"),
                    row.text("ROUTINE_NAME"),
                    Routines.Effect.UNKNOWN,
                    row.is("IS_DETERMINISTIC", "YES") ? Routines.Result.SAME : Routines.Result.OTHER,
                    "",
                    false,
                    Set.of(),
                    "is written in Java"));
        }
        List<Routines.Use> uses = new ArrayList<>();
        for (CatalogRow row : CatalogRow.query(connection, USES)) {
            boolean hidden = row.is("KIND", "view") && row.text("TEXT").isEmpty();
            uses.add(new Routines.Use(
                    Routines.Via.valueOf(row.text("VIA")),
                    row.text("NAME"),
                    Set.of(),
                    row.text("TEXT"),
                    hidden ? "view " + row.text("NAME") + " hides its definition from this account" : null));
        }
        return Routines.of(routines, uses, reading, syntax);
    }
}
