package io.txn.client.jdbc.dialect;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Whether tables are still what the catalog said of them when it was asked: of each a short text that is another one after any change of its columns, unique keys, triggers,
 * rules and foreign keys. It is asked for where another statement is sent anyway, while the transaction's own writes keep others from changing the tables. Immutable.
 */
public final class Stamps {

    private static final int MOST_RELATIONS = 50;

    /** Parts of the catalog that say what a table is; {@code c} is the table's row. */
    private static final String STAMP = "c.oid || '/' || c.xmin"
            + " || '/' || (SELECT coalesce(sum(hashtext(a.attnum || ' ' || a.xmin)), 0) FROM pg_catalog.pg_attribute a"
            + " WHERE a.attrelid = c.oid AND a.attnum > 0)"
            + " || '/' || (SELECT coalesce(sum(hashtext(i.indexrelid || ' ' || i.xmin)), 0) FROM pg_catalog.pg_index i"
            + " WHERE i.indrelid = c.oid AND i.indisunique)"
            + " || '/' || (SELECT coalesce(sum(hashtext(t.oid || ' ' || t.xmin)), 0) FROM pg_catalog.pg_trigger t"
            + " WHERE t.tgrelid = c.oid)"
            + " || '/' || (SELECT coalesce(sum(hashtext(r.oid || ' ' || r.xmin)), 0) FROM pg_catalog.pg_rewrite r"
            + " WHERE r.ev_class = c.oid)";

    /** Of one table, by its schema and name as literals. */
    private static final String MARIADB_STAMP =
            "(SELECT CONCAT_WS('/', COUNT(*), BIT_XOR(CRC32(CONCAT_WS(' ', ORDINAL_POSITION,"
                    + " COLUMN_NAME, COLUMN_TYPE, EXTRA))), (SELECT CONCAT_WS('/', COUNT(*), COALESCE(BIT_XOR(CRC32(CONCAT_WS(' ',"
                    + " TRIGGER_NAME, ACTION_TIMING, EVENT_MANIPULATION, CREATED))), 0)) FROM information_schema.TRIGGERS"
                    + " WHERE EVENT_OBJECT_SCHEMA = %1$s AND EVENT_OBJECT_TABLE = %2$s))"
                    + " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %1$s AND TABLE_NAME = %2$s)";

    private static final String H2_STAMP = "(SELECT COUNT(*) || '/' || LISTAGG(COLUMN_NAME || ' ' || DATA_TYPE, ',')"
            + " WITHIN GROUP (ORDER BY ORDINAL_POSITION) || '/' || (SELECT COALESCE(LISTAGG(TRIGGER_NAME || ' '"
            + " || EVENT_MANIPULATION, ',') WITHIN GROUP (ORDER BY TRIGGER_NAME), '') FROM INFORMATION_SCHEMA.TRIGGERS"
            + " WHERE EVENT_OBJECT_SCHEMA = %1$s AND EVENT_OBJECT_TABLE = %2$s) || '/' || (SELECT"
            + " COALESCE(LISTAGG(R.CONSTRAINT_SCHEMA || ' ' || R.CONSTRAINT_NAME || ' ' || R.DELETE_RULE || ' '"
            + " || R.UPDATE_RULE, ',') WITHIN GROUP (ORDER BY R.CONSTRAINT_SCHEMA, R.CONSTRAINT_NAME), '')"
            + " FROM INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS R JOIN INFORMATION_SCHEMA.TABLE_CONSTRAINTS P"
            + " ON P.CONSTRAINT_SCHEMA = R.UNIQUE_CONSTRAINT_SCHEMA AND P.CONSTRAINT_NAME = R.UNIQUE_CONSTRAINT_NAME"
            + " WHERE P.TABLE_SCHEMA = %1$s AND P.TABLE_NAME = %2$s)"
            + " FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = %1$s AND TABLE_NAME = %2$s)";

    private final String sql;
    private final String expected;

    private Stamps(String sql, String expected) {
        this.sql = sql;
        this.expected = expected;
    }

    /**
     * Those of tables, as they were when the tables were read.
     *
     * @param tables of which rows were captured
     * @param asked of which tables the stamp is asked for, where it costs something
     * @return null where there is no cheap way, or no need
     */
    public static @Nullable Stamps of(Dialect dialect, Collection<Table> tables, Predicate<Table> asked) {
        return switch (dialect.product()) {
            case POSTGRESQL -> ofRelations(tables);
            case MARIADB ->
                dialect.insert() == Capture.RETURNING
                        ? ofNames(MARIADB_STAMP, "CONCAT_WS(' ', %s)", tables, asked)
                        : null;
            case H2 -> ofNames(H2_STAMP, "CONCAT_WS(' ', %s, CAST(NULL AS VARCHAR))", tables, asked);
            case MYSQL -> null;
        };
    }

    private static @Nullable Stamps ofNames(
            String stamp, String all, Collection<Table> tables, Predicate<Table> asked) {
        Set<String> expressions = new LinkedHashSet<>();
        List<String> expected = new ArrayList<>();
        for (Table table : tables) {
            if (!table.stamps().isEmpty() && asked.test(table)) {
                boolean first = expressions.add(of(stamp, table.schema(), table.name()));
                if (first || !expected.contains(table.stamps().get(0))) {
                    expected.add(table.stamps().get(0));
                }
            }
        }
        return expressions.isEmpty()
                ? null
                : new Stamps(String.format(all, String.join(", ", expressions)), String.join(" ", expected));
    }

    private static String of(String stamp, String schema, String table) {
        return String.format(stamp, literal(schema), literal(table));
    }

    private static String literal(String name) {
        return '\'' + name + '\'';
    }

    /** A query of the stamp of a table; null where its name would not be safe in a literal. */
    static @Nullable String query(boolean h2, String schema, String table) {
        String names = schema + table;
        return names.indexOf('\'') >= 0 || names.indexOf('\\') >= 0 || names.indexOf('%') >= 0
                ? null
                : "SELECT " + of(h2 ? H2_STAMP : MARIADB_STAMP, schema, table) + " AS STAMP";
    }

    private static @Nullable Stamps ofRelations(Collection<Table> tables) {
        TreeMap<Long, String> byRelation = new TreeMap<>();
        List<String> contradicting = new ArrayList<>();
        for (Table table : tables) {
            for (String stamp : table.stamps()) {
                String other = byRelation.put(Long.valueOf(stamp.substring(0, stamp.indexOf('/'))), stamp);
                if (other != null && !other.equals(stamp)) {
                    contradicting.add(other);
                }
            }
        }
        if (byRelation.isEmpty()) {
            return null;
        }
        String relations = byRelation.keySet().stream().map(String::valueOf).collect(Collectors.joining(", "));
        return new Stamps(
                "(SELECT string_agg(" + STAMP + ", ' ' ORDER BY c.oid) FROM pg_catalog.pg_class c WHERE c.oid IN ("
                        + relations + "))",
                String.join(" ", byRelation.values()) + String.join(" ", contradicting));
    }

    /** An SQL expression that says what the stamps are now. */
    public String sql() {
        return sql;
    }

    /** A query of the stamps of tables, one a row. */
    static String query(Collection<String> oids) {
        return "SELECT " + STAMP + " AS stamp FROM pg_catalog.pg_class c WHERE c.oid IN ("
                + String.join(", ", oids.stream().limit(MOST_RELATIONS).toList()) + ")";
    }

    /** Whether the tables are what they were. */
    public boolean same(@Nullable String now) {
        return expected.equals(now);
    }
}
