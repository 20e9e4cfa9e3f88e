package io.txn.client.jdbc.sql;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Plans by SQL text, each made once; the least recently used leaves when there are too many. Thread-safe. */
public final class Plans {

    /** Longer texts are planned anew each time: they are generated, and would push everything else out. */
    private static final int LONGEST_CACHED = 16_384;

    private final SqlSyntax syntax;
    private final int capacity;
    private final Map<String, Plan> cache = new LinkedHashMap<>(64, 0.75f, true);

    public Plans(SqlSyntax syntax, int capacity) {
        this.syntax = syntax;
        this.capacity = capacity;
    }

    public Plan plan(String sql) {
        if (sql.length() > LONGEST_CACHED) {
            return Planner.plan(sql, syntax);
        }
        Plan known = cached(sql);
        if (known != null) {
            return known;
        }
        Plan plan = Planner.plan(sql, syntax);
        synchronized (cache) {
            cache.put(sql, plan);
            if (cache.size() > capacity) {
                cache.remove(cache.keySet().iterator().next());
            }
        }
        return plan;
    }

    private @Nullable Plan cached(String sql) {
        synchronized (cache) {
            return cache.get(sql);
        }
    }

    /** What is known of a statement that runs outside any global transaction; see {@link PlainStatement}. */
    public PlainStatement plain(String sql) {
        return PlainStatement.of(sql, syntax);
    }
}
