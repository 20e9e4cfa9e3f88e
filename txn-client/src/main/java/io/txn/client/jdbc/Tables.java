package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Procedures;
import io.txn.client.jdbc.dialect.Routines;
import io.txn.client.jdbc.dialect.Stamps;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.sql.Mentions;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.sql.TableName;
import io.txn.protocol.ErrorCode;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLSyntaxErrorException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What is known of a data source's tables, each for a bounded time. Thread-safe. */
final class Tables {

    private static final int MOST = 10_000;
    private static final int MOST_STAMPS = 1_000;

    /** Words before a parenthesis that are known without a look: they call nothing, or what every database has of its own. */
    private static final Set<String> STANDARD = Set.of(
            "values",
            "in",
            "and",
            "or",
            "not",
            "on",
            "as",
            "any",
            "all",
            "exists",
            "key",
            "using",
            "over",
            "cast",
            "coalesce",
            "count",
            "sum",
            "min",
            "max",
            "avg");

    /** How often a commit looks, by the way, whether a table is what it was. */
    private static final Duration LOOK_EVERY = Duration.ofSeconds(1);

    private final Dialect dialect;
    private final Duration maxAge;
    private final InstantSource clock;
    private final Map<Name, Entry> known = new ConcurrentHashMap<>();
    private final Set<String> reading;
    private volatile @Nullable Known routines;
    private final Set<String> temporary = ConcurrentHashMap.newKeySet();
    /** When tables were last seen to be what they were, or somebody began to look, by their names and stamps. */
    private final Map<SeenAs, Instant> seen = new ConcurrentHashMap<>();
    /** When the latest look began that found a table to be what it was, for all who were writing to it then. */
    private final Map<SeenAs, Long> looks = new ConcurrentHashMap<>();
    /** What tables were when a statement on them was analysed. */
    private final Map<AnalysedAs, List<String>> analyses = new ConcurrentHashMap<>();
    /** What was asked about tables that are written to together. */
    private final Map<Set<Table>, Optional<Stamps>> stamps = new ConcurrentHashMap<>();
    /** Whether what texts read has columns that are something else each time. */
    private final Map<Mentions, Columns> columns = new ConcurrentHashMap<>();
    /** Names that statements called while the functions were known as they are. */
    private final Set<String> calledBefore = ConcurrentHashMap.newKeySet();

    /** @param reading names of functions that are said only to read */
    Tables(Dialect dialect, Duration maxAge, Set<String> reading, InstantSource clock) {
        this.dialect = dialect;
        this.reading = reading;
        this.maxAge = maxAge;
        this.clock = clock;
    }

    private record Columns(@Nullable String unsteady, Instant readAt) {}

    /** A table as statements write it, on connections that were switched to {@code namespace}. */
    private record Name(String namespace, String written) {}

    private record Entry(Table table, Instant readAt) {}

    /** @param now what the database said about them when they were read */
    private record Known(Routines routines, String now, Instant checkedAt) {}

    /**
     * The table that a statement writes to, after all that can be said against writing to it was considered.
     *
     * @throws SQLException when there is no such table, or writes to it cannot be captured
     */
    Table writable(Connection connection, TableName name, String namespace) throws SQLException {
        Table table = table(connection, name, namespace);
        if (table.refusal() != null) {
            throw Refusals.refused(
                    ErrorCode.STATEMENT_NOT_SUPPORTED,
                    "table",
                    table.lockName(),
                    "reason",
                    table.refusal(),
                    "rewrite",
                    "write to it outside the global transaction, or by TCC");
        }
        if (table.key().isEmpty()) {
            throw Refusals.refused(ErrorCode.TABLE_WITHOUT_KEY, "table", table.lockName());
        }
        return table;
    }

    /** The table that a statement names. */
    Table table(Connection connection, TableName name, String namespace) throws SQLException {
        if (!name.qualified() && temporary.contains(name.table().text().toLowerCase(Locale.ROOT))) {
            throw Refusals.notSupported(
                    "a temporary table of this name was made, which no other connection can see",
                    "give temporary tables names of their own, or qualify the table");
        }
        Name key = new Name(namespace, name.written());
        Instant now = clock.instant();
        Entry entry = known.get(key);
        if (entry != null && now.isBefore(entry.readAt().plus(maxAge))) {
            return entry.table();
        }
        Table table = dialect.table(connection, name);
        if (table == null) {
            throw new SQLSyntaxErrorException(
                    "table " + name.written() + " does not exist, or this account cannot see it",
                    dialect.product() == Dialect.Product.POSTGRESQL ? "42P01" : "42S02");
        }
        if (known.size() >= MOST) {
            known.clear();
            seen.clear();
        }
        known.put(key, new Entry(table, now));
        seen.put(seenAs(table), now);
        return table;
    }

    /**
     * What a local commit asks about the tables that it wrote to, beside another statement.
     *
     * @param whole of which tables rows are to be restored in all their columns: those are asked about each time
     * @return null when there is nothing to ask
     */
    @Nullable
    Stamps stamps(Set<Table> tables, Predicate<Table> whole) {
        if (dialect.product() != Dialect.Product.POSTGRESQL) {
            return Stamps.of(dialect, tables, table -> whole.test(table) || takesTurn(table));
        }
        // Asked for all tables each time, so most transactions ask what others asked.
        Optional<Stamps> asked = stamps.get(tables);
        if (asked == null) {
            asked = Optional.ofNullable(Stamps.of(dialect, tables, table -> true));
            if (stamps.size() >= MOST_STAMPS) {
                stamps.clear();
            }
            stamps.put(Set.copyOf(tables), asked);
        }
        return asked.orElse(null);
    }

    /** Whether it is time to look at a table again, where another statement is sent anyway; of those who ask at a time, one is told so. */
    private boolean takesTurn(Table table) {
        if (seen.size() >= MOST) {
            seen.clear();
        }
        SeenAs as = seenAs(table);
        Instant last = seen.get(as);
        Instant now = clock.instant();
        if (last == null) {
            return seen.putIfAbsent(as, now) == null;
        }
        return !now.isBefore(last.plus(LOOK_EVERY)) && seen.replace(as, last, now);
    }

    /** They were not looked at after all, or not found to be what they were. */
    void notSeen(Collection<Table> tables) {
        tables.forEach(table -> seen.remove(seenAs(table)));
    }

    /**
     * Whether somebody looked at these tables since then, and found them to be what they were. What was written to them before keeps everybody from changing them in a
     * way that matters until it is committed: one look tells all whose writes are older.
     *
     * @param nanos of the clock that goes on whatever somebody does to the other
     */
    boolean lookedAtSince(Set<Table> tables, long nanos) {
        for (Table table : tables) {
            Long looked = looks.get(seenAs(table));
            if (looked == null || looked - nanos < 0) {
                return false;
            }
        }
        return true;
    }

    /** A look at them that began then found them to be what they were, for all who were writing to them. */
    void lookedAt(Set<Table> tables, long nanos) {
        if (looks.size() >= MOST) {
            looks.clear();
        }
        for (Table table : tables) {
            looks.merge(seenAs(table), nanos, (one, other) -> one - other > 0 ? one : other);
        }
    }

    /** Whether the tables are what they were, because it was seen of each analysis that these statements ran by. */
    boolean analysedSame(LocalTransaction local) {
        Set<LocalTransaction.Analysed> analysed = local.analysed();
        if (analysed == null || analysed.isEmpty()) {
            return false;
        }
        for (LocalTransaction.Analysed one : analysed) {
            List<String> stamps = analyses.get(new AnalysedAs(one.table().sqlName(), one.analysis()));
            if (stamps == null || !stamps.equals(one.table().stamps())) {
                return false;
            }
        }
        return true;
    }

    /** A look behind these statements found their tables to be what they were. */
    void analysedSameIs(LocalTransaction local) {
        Set<LocalTransaction.Analysed> analysed = local.analysed();
        if (analysed != null) {
            if (analyses.size() >= MOST) {
                analyses.clear();
            }
            for (LocalTransaction.Analysed one : analysed) {
                analyses.put(
                        new AnalysedAs(one.table().sqlName(), one.analysis()),
                        one.table().stamps());
            }
        }
    }

    private record AnalysedAs(String sqlName, Analysis analysis) {}

    private record SeenAs(String sqlName, List<String> stamps) {}

    private static SeenAs seenAs(Table table) {
        return new SeenAs(table.sqlName(), table.stamps());
    }

    /**
     * What may write or give something else each time, as it is now or was a short time ago.
     *
     * @param called names of functions; one that nobody called before may have been made this moment
     */
    Routines routines(Connection connection, Set<String> called) throws SQLException {
        Instant time = clock.instant();
        Known last = routines;
        if (last != null && time.isBefore(last.checkedAt().plus(maxAge)) && areKnown(called)) {
            return last.routines();
        }
        if (calledBefore.size() >= MOST) {
            calledBefore.clear();
        }
        String now = dialect.routinesNow(connection);
        Routines current =
                last != null && now.equals(last.now()) ? last.routines() : dialect.routines(connection, now, reading);
        routines = new Known(current, now, time);
        calledBefore.addAll(called);
        return current;
    }

    /** Why what a text reads may be something else when it runs again, with nothing changed in between; null when it is the same. */
    @Nullable
    String mayBeOther(Connection connection, Mentions text) throws SQLException {
        Routines routines = routines(connection, text.called());
        String other = routines.mayBeOther(text);
        if (other != null || dialect.product() != Dialect.Product.MARIADB) {
            return other;
        }
        Mentions behind = routines.behind(text);
        Instant now = clock.instant();
        Columns last = columns.get(behind);
        if (last == null || !now.isBefore(last.readAt().plus(maxAge))) {
            last = new Columns(dialect.unsteadyColumn(connection, behind), now);
            if (columns.size() >= MOST_STAMPS) {
                columns.clear();
            }
            columns.put(behind, last);
        }
        return last.unsteady();
    }

    private boolean areKnown(Set<String> called) {
        for (String name : called) {
            if (!STANDARD.contains(name) && !calledBefore.contains(name)) {
                return false;
            }
        }
        return true;
    }

    /**
     * Why a call may write, or do what it does not show.
     *
     * @param body what stands behind CALL
     * @return null when it only reads
     */
    @Nullable
    String mayWrite(Connection connection, Plan.Call call, Mentions body) throws SQLException {
        if (body.writes()) {
            return "it holds a write";
        }
        String why = routines(connection, body.called()).mayWrite(body, false);
        TableName routine = call.routine();
        if (why != null || call.result()) {
            return why;
        }
        if (routine == null) {
            return switch (dialect.product()) {
                case MARIADB, MYSQL -> "its name is not a plain or quoted one";
                case H2, POSTGRESQL -> null;
            };
        }
        Procedures procedures = dialect.procedures(connection, routine.table().text(), reading);
        if (procedures == null || procedures.refusal() != null) {
            return procedures == null ? null : procedures.refusal();
        }
        for (Mentions text : procedures.texts()) {
            String through = routines(connection, text.called()).mayWrite(text, false);
            if (through != null) {
                return "procedure " + routine.written() + " calls what may write: " + through;
            }
        }
        return null;
    }

    /** What was known may be wrong. */
    void forget() {
        known.clear();
        stamps.clear();
        columns.clear();
        routines = null;
    }

    /** A temporary table was made; it may hide a real one. */
    void temporary(String name) {
        if (temporary.size() < MOST) {
            temporary.add(name.toLowerCase(Locale.ROOT));
        }
    }
}
