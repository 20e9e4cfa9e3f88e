package io.txn.client.jdbc.dialect;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Whether tables are still what the catalog said of them when it was asked: of each a short text that is another one after any change of its columns, unique keys, triggers,
 * rules and foreign keys. It is asked for where another statement is sent anyway, while the transaction's own writes keep others from changing the tables. Immutable.
 */
public final class Stamps {

    private static final int MOST_RELATIONS = 50;

    /**
     * What PostgreSQL's catalog says of one relation, {@code c}: {@code oid;class;columns;triggers;rules}, each a list of the transactions that wrote the rows of
     * it. A table that had no trigger (no rule) gets a row of its own written anew when the first one comes, and need not be asked for them; nor for its unique
     * keys but by their own rows, which are gone when they are.
     */
    private static final String RELATION = "c.oid || ';'"
            + " || (SELECT string_agg(k.oid || ':' || k.xmin, ',' ORDER BY k.oid) FROM pg_catalog.pg_class k WHERE k.oid = c.oid"
            + " OR k.oid IN (SELECT i.indexrelid FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisunique))"
            + " || ';' || coalesce((SELECT string_agg(a.xmin || '', ',' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a"
            + " WHERE a.attrelid = c.oid AND a.attnum > 0), '')"
            + " || ';' || CASE WHEN c.relhastriggers THEN '+' || coalesce((SELECT string_agg(t.xmin || '', ',' ORDER BY t.oid)"
            + " FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid), '') ELSE '' END"
            + " || ';' || CASE WHEN c.relhasrules THEN '+' || coalesce((SELECT string_agg(r.xmin || '', ',' ORDER BY r.oid)"
            + " FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid), '') ELSE '' END";

    private static final int RELATION_PARTS = 5;
    /** Characters; of what is longer, a sum travels. */
    private static final int MOST_RETURNED = 1_000;

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

    /** Few scans of the catalog for all of them together: starting a scan is what costs. */
    private static @Nullable Stamps ofRelations(Collection<Table> tables) {
        TreeMap<Long, String> byRelation = new TreeMap<>();
        List<String> contradicting = new ArrayList<>();
        for (Table table : tables) {
            for (String stamp : table.stamps()) {
                String other = byRelation.put(Long.valueOf(stamp.substring(0, stamp.indexOf(';'))), stamp);
                if (other != null && !other.equals(stamp)) {
                    contradicting.add(other);
                }
            }
        }
        if (byRelation.isEmpty()) {
            return null;
        }
        TreeMap<Long, String> classes = new TreeMap<>();
        Scan columns = new Scan("pg_attribute", "attrelid", "attnum", " AND x.attnum > 0");
        Scan triggers = new Scan("pg_trigger", "tgrelid", "oid", "");
        Scan rules = new Scan("pg_rewrite", "ev_class", "oid", "");
        byRelation.forEach((relation, stamp) -> {
            String[] parts = stamp.split(";", RELATION_PARTS);
            for (String row : parts[1].split(",")) {
                int colon = row.indexOf(':');
                classes.put(Long.valueOf(row.substring(0, colon)), row.substring(colon + 1));
            }
            columns.add(relation, parts[2]);
            if (!parts[3].isEmpty()) {
                triggers.add(relation, parts[3].substring(1));
            }
            if (!parts[4].isEmpty()) {
                rules.add(relation, parts[4].substring(1));
            }
        });
        Scan rows = new Scan("pg_class", "oid", "oid", "");
        classes.forEach((relation, xmin) -> rows.add(relation, xmin));
        List<Scan> scans =
                Stream.of(rows, columns, triggers, rules).filter(Scan::asks).toList();
        String expected = scans.stream().map(Scan::expected).collect(Collectors.joining());
        String now = scans.stream().map(Scan::sql).collect(Collectors.joining(" || "));
        boolean isLong = expected.length() > MOST_RETURNED;
        return new Stamps(
                isLong ? "encode(sha256(convert_to(" + now + ", 'UTF8')), 'hex')" : '(' + now + ')',
                (isLong ? sha256(expected) : expected) + String.join(" ", contradicting));
    }

    /** Reads the transactions that wrote rows of one catalog, as an array in text form. */
    private static final class Scan {

        private final String catalog;
        private final String relation;
        private final String order;
        private final String condition;
        private final List<String> relations = new ArrayList<>();
        private final List<String> transactions = new ArrayList<>();

        Scan(String catalog, String relation, String order, String condition) {
            this.catalog = catalog;
            this.relation = relation;
            this.order = order;
            this.condition = condition;
        }

        /** In the order of the relations. */
        void add(Long oid, String wrote) {
            relations.add("'" + oid + "'"); // as a number, one above 2^31 would not be an oid
            if (!wrote.isEmpty()) {
                transactions.add(wrote);
            }
        }

        boolean asks() {
            return !relations.isEmpty();
        }

        String sql() {
            String by = relation.equals(order) ? "x." + order : "x." + relation + ", x." + order;
            return "CAST(ARRAY(SELECT x.xmin FROM pg_catalog." + catalog + " x WHERE x." + relation + " IN ("
                    + String.join(", ", relations) + ")" + condition + " ORDER BY " + by + ") AS text)";
        }

        String expected() {
            return '{' + String.join(",", transactions) + '}';
        }
    }

    private static String sha256(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.US_ASCII)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }

    /** An SQL expression that says what the stamps are now. */
    public String sql() {
        return sql;
    }

    /** A query of the stamps of tables, one a row. */
    static String query(Collection<String> oids) {
        return "SELECT " + RELATION + " AS stamp FROM pg_catalog.pg_class c WHERE c.oid IN ("
                + String.join(", ", oids.stream().limit(MOST_RELATIONS).toList()) + ")";
    }

    /** Whether the tables are what they were. */
    public boolean same(@Nullable String now) {
        return expected.equals(now);
    }
}
