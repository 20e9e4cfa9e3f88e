package io.txn.client.jdbc.dialect;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
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

    private final List<String> relations;
    private final String expected;

    private Stamps(List<String> relations, String expected) {
        this.relations = relations;
        this.expected = expected;
    }

    /** Those of tables, as they were when the tables were read; null where the database has no cheap way to say so. */
    public static @Nullable Stamps of(Collection<Table> tables) {
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
        return new Stamps(
                byRelation.keySet().stream().map(String::valueOf).toList(),
                String.join(" ", byRelation.values()) + String.join(" ", contradicting));
    }

    /** An SQL expression that says what the stamps are now. */
    public String sql() {
        return "(SELECT string_agg(" + STAMP + ", ' ' ORDER BY c.oid) FROM pg_catalog.pg_class c WHERE c.oid IN ("
                + String.join(", ", relations) + "))";
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
