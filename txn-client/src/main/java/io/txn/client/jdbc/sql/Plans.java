package io.txn.client.jdbc.sql;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Plans by SQL text, each made once; the least recently used leaves when there are too many. Thread-safe. */
public final class Plans {

    /** Longer texts are planned anew each time: they are generated, and would push everything else out. */
    private static final int LONGEST_CACHED = 16_384;

    private final Cache<Plan> plans;
    private final Cache<Plan> committed;
    private final Cache<PlainStatement> plain;
    private final Cache<Mentions> mentions;
    private final Cache<SeveralStatements> several;

    public Plans(SqlSyntax syntax, int capacity) {
        this.plans = new Cache<>(capacity, sql -> Planner.plan(sql, syntax));
        this.committed = new Cache<>(capacity, sql -> Planner.committedRead(sql, syntax));
        this.plain = new Cache<>(capacity, sql -> PlainStatement.of(sql, syntax));
        this.several = new Cache<>(capacity, sql -> SeveralStatements.of(sql, syntax));
        this.mentions = new Cache<>(capacity, sql -> Mentions.of(sql, syntax));
    }

    /** What the statement is inside a global transaction. */
    public Plan plan(String sql) {
        return plans.get(sql);
    }

    /** How a statement that only reads shows committed rows: as it is, by checking its rows, or not at all. */
    public Plan committedRead(String sql) {
        return committed.get(sql);
    }

    /** What matters of it outside one. */
    public PlainStatement plain(String sql) {
        return plain.get(sql);
    }

    /** What it speaks of. */
    public Mentions mentions(String sql) {
        return mentions.get(sql);
    }

    /** The statements that it holds. */
    public SeveralStatements statements(String sql) {
        return several.get(sql);
    }

    private static final class Cache<T> {

        private final int capacity;
        private final Function<String, T> maker;
        private final Map<String, T> entries = new LinkedHashMap<>(64, 0.75f, true);

        Cache(int capacity, Function<String, T> maker) {
            this.capacity = capacity;
            this.maker = maker;
        }

        T get(String sql) {
            if (sql.length() > LONGEST_CACHED) {
                return maker.apply(sql);
            }
            T known = known(sql);
            if (known != null) {
                return known;
            }
            T made = maker.apply(sql);
            synchronized (entries) {
                entries.put(sql, made);
                if (entries.size() > capacity) {
                    entries.remove(entries.keySet().iterator().next());
                }
            }
            return made;
        }

        private @Nullable T known(String sql) {
            synchronized (entries) {
                return entries.get(sql);
            }
        }
    }
}
