package io.txn.client.jdbc.dialect;

import io.txn.client.jdbc.sql.Mentions;
import io.txn.client.jdbc.sql.SqlSyntax;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The functions that users of a database made and that may write, those that may give something else each time that they are called, and what calls them without
 * their name being seen: views, defaults, constraints, operators. A function counts as reading only where its text proves it, or the configuration says so; as
 * unsteady where its text calls what is, or nothing but its own word could say it is not. Names are compared without case and schema: in doubt a statement is taken to call
 * the one that writes. Immutable.
 */
public final class Routines {

    /** What databases have of their own and gives something else each time that it is called: of chance, of a sequence, the time as it goes by. */
    private static final Set<String> UNSTEADY = Set.of(
            "clock_timestamp",
            "gen_random_uuid",
            "lastval",
            "newid",
            "nextval",
            "rand",
            "random",
            "random_bytes",
            "random_normal",
            "random_uuid",
            "secure_rand",
            "setval",
            "sys_guid",
            "sysdate",
            "timeofday",
            "uuid",
            "uuid_short",
            "uuid_v4",
            "uuid_v7",
            "uuidv4",
            "uuidv7");

    /** What is known of a routine's work before its text was looked at. */
    enum Effect {
        /** It was said, or is known, to change nothing. */
        READS,
        /** The database lets it change nothing itself; what it calls may. */
        CALLS,
        /** Its text decides. */
        TEXT,
        /** Nothing shows what it does, or it says that it writes. */
        UNKNOWN
    }

    /** What is known of what a routine gives when it is called twice, before its text was looked at. */
    enum Result {
        /** The same, as it says of itself; what it calls need not. */
        SAME,
        /** Its text decides. */
        TEXT,
        /** Nothing shows it, or it is known to be something else each time. */
        OTHER
    }

    /**
     * A routine.
     *
     * @param id by which others refer to it
     * @param ofRow whether {@code row.name} may call it
     * @param calls ids of routines that it is known to call
     * @param why what makes it unknown
     */
    record Routine(
            String id,
            String schema,
            String name,
            Effect effect,
            Result result,
            String text,
            boolean ofRow,
            Set<String> calls,
            String why) {

        boolean isOneOf(Set<String> names) {
            return names.contains(name.toLowerCase(Locale.ROOT))
                    || names.contains((schema + '.' + name).toLowerCase(Locale.ROOT));
        }
    }

    /** What a user of routines is. */
    enum Via {
        /** Named, it runs: a view, a type. */
        READ,
        /** Written to, it runs: the default of a column, a check. */
        WRITE,
        OPERATOR
    }

    /**
     * What calls routines without their name being seen.
     *
     * @param calls ids of routines
     * @param text its definition, where that says what it calls
     * @param unknown why it may call anything; null when what it calls is known
     */
    record Use(
            Via via,
            String name,
            Set<String> calls,
            String text,
            @Nullable String unknown) {}

    /** No routine that users made. */
    static final Routines NONE = new Routines(new Callers(), new Callers(), Map.of(), name -> Mentions.NOTHING);

    private final Callers writing;
    private final Callers unsteady;
    /** By name, in lower case, the texts of functions and views. */
    private final Map<String, String> texts;

    private final Function<String, Mentions> mentions;

    private Routines(
            Callers writing, Callers unsteady, Map<String, String> texts, Function<String, Mentions> mentions) {
        this.writing = writing;
        this.unsteady = unsteady;
        this.texts = texts;
        this.mentions = mentions;
    }

    /** @param reading names of routines, or views, that are said to change nothing, in lower case, with or without schema */
    static Routines of(List<Routine> routines, List<Use> uses, Set<String> reading, SqlSyntax syntax) {
        Map<Object, Mentions> texts = new HashMap<>();
        Function<Routine, Mentions> text =
                routine -> texts.computeIfAbsent(routine, r -> Mentions.of(routine.text(), syntax));
        Function<Use, Mentions> definition = use -> texts.computeIfAbsent(use, u -> Mentions.of(use.text(), syntax));
        List<Routine> mayWrite = new ArrayList<>(routines);
        mayWrite.removeIf(routine -> routine.isOneOf(reading) || routine.effect() == Effect.READS);
        List<Use> mayCallOne = new ArrayList<>(uses);
        mayCallOne.removeIf(use -> reading.contains(use.name().toLowerCase(Locale.ROOT)));
        Callers writing = new Callers();
        writing.add(
                mayWrite,
                mayCallOne,
                routine -> writing.whyItWrites(routine, text),
                use -> use.unknown() != null
                        ? use.unknown()
                        : writing.through(use, definition, " calls what may write: "));
        Callers unsteady = new Callers();
        unsteady.add(routines, uses, routine -> unsteady.whyItIsUnsteady(routine, text, syntax), use -> {
            if (use.unknown() != null) {
                return use.unknown(); // that it only reads may have been said of it, but not that it reads the same
            }
            String own = use.text().isEmpty() ? null : unsteady(definition.apply(use));
            return own != null ? use.name() + ": " + own : unsteady.through(use, definition, ": ");
        });
        Map<String, String> byName = new HashMap<>();
        routines.forEach(r -> byName.merge(r.name().toLowerCase(Locale.ROOT), r.text(), Routines::both));
        uses.stream()
                .filter(use -> use.via() == Via.READ)
                .forEach(use -> byName.merge(use.name().toLowerCase(Locale.ROOT), use.text(), Routines::both));
        byName.values().removeIf(String::isEmpty);
        return new Routines(writing, unsteady, byName, sql -> Mentions.of(sql, syntax));
    }

    private static String both(String one, String other) {
        return one + '\n' + other;
    }

    /** Those with a property that passes from what is called to what calls it, each with the reason. */
    private static final class Callers {

        private final Map<String, String> byId = new HashMap<>();
        private final Map<String, String> called = new HashMap<>();
        private final Map<String, String> ofRows = new HashMap<>();
        private final Map<String, String> read = new HashMap<>();
        private final Map<String, String> written = new HashMap<>();
        private final Map<String, String> operators = new HashMap<>();

        /** Adds those of which the functions say why, with what was added before, until they say no more. */
        void add(
                List<Routine> routines,
                List<Use> uses,
                Function<Routine, @Nullable String> ofRoutine,
                Function<Use, @Nullable String> ofUse) {
            List<Routine> open = new ArrayList<>(routines);
            List<Use> openUses = new ArrayList<>(uses);
            boolean more = true;
            while (more) {
                int before = open.size() + openUses.size();
                open.removeIf(routine -> {
                    String why = ofRoutine.apply(routine);
                    if (why != null) {
                        add(routine, why);
                    }
                    return why != null;
                });
                openUses.removeIf(use -> {
                    String why = ofUse.apply(use);
                    if (why != null) {
                        add(use, why);
                    }
                    return why != null;
                });
                more = open.size() + openUses.size() < before;
            }
        }

        @Nullable
        String whyItWrites(Routine routine, Function<Routine, Mentions> texts) {
            String name = "function " + routine.schema() + '.' + routine.name();
            if (routine.effect() == Effect.UNKNOWN) {
                return name + ' ' + routine.why();
            }
            Mentions text = texts.apply(routine);
            if (routine.effect() == Effect.TEXT && text.writes()) {
                return name + " writes, or runs what its text does not show";
            }
            if (text.writes() && !isEmpty()) {
                // The database stops it from writing itself, not from calling by way of EXECUTE what writes.
                return name + " runs what its text does not show";
            }
            String through = through(routine, text);
            return through == null ? null : name + " calls what may write: " + through;
        }

        @Nullable
        String whyItIsUnsteady(Routine routine, Function<Routine, Mentions> texts, SqlSyntax syntax) {
            String name = "function " + routine.schema() + '.' + routine.name();
            if (routine.result() == Result.OTHER) {
                return name + " may give something else each time";
            }
            if (routine.result() == Result.SAME) {
                String through = through(routine, Mentions.NOTHING);
                return through == null ? null : name + ": " + through;
            }
            Mentions text = texts.apply(routine);
            if (!text.understood()) {
                return name + " may give something else each time: its text is not understood";
            }
            // PostgreSQL has an operator of that sign.
            if (syntax.backticks() && text.symbols().contains("@")) {
                return name + " has to do with a variable of the session";
            }
            String own = unsteady(text);
            String through = own != null ? own : through(routine, text);
            return through == null ? null : name + ": " + through;
        }

        private @Nullable String through(Routine routine, Mentions text) {
            String through = through(text, false);
            for (String id : routine.calls()) {
                through = through == null ? byId.get(id) : through;
            }
            return through;
        }

        @Nullable
        String through(Use use, Function<Use, Mentions> definition, String how) {
            String through = use.calls().stream()
                    .map(byId::get)
                    .filter(Objects::nonNull)
                    .findFirst()
                    .orElse(null);
            if (through == null && !use.text().isEmpty()) {
                through = through(definition.apply(use), false);
            }
            return through == null ? null : use.name() + how + through;
        }

        /** Why a text has the property by what it calls; null when it has not. */
        @Nullable
        String through(Mentions text, boolean writes) {
            if (isEmpty()) {
                return null;
            }
            String found = first(called, text.called());
            found = found == null ? first(ofRows, text.parts()) : found;
            found = found == null ? first(read, text.names()) : found;
            if (writes && found == null) {
                found = first(written, text.names());
            }
            for (Map.Entry<String, String> operator : operators.entrySet()) {
                for (String run : text.symbols()) {
                    found = found == null && run.contains(operator.getKey()) ? operator.getValue() : found;
                }
            }
            return found;
        }

        private void add(Routine routine, String why) {
            String name = routine.name().toLowerCase(Locale.ROOT);
            byId.put(routine.id(), why);
            called.putIfAbsent(name, why);
            if (routine.ofRow()) {
                ofRows.putIfAbsent(name, why);
            }
        }

        private void add(Use use, String why) {
            Map<String, String> into =
                    switch (use.via()) {
                        case READ -> read;
                        case WRITE -> written;
                        case OPERATOR -> operators;
                    };
            into.putIfAbsent(use.name().toLowerCase(Locale.ROOT), why);
        }

        boolean isEmpty() {
            return called.isEmpty() && read.isEmpty() && written.isEmpty() && operators.isEmpty();
        }
    }

    /**
     * Why a text may write by what it calls.
     *
     * @param writes whether the text is a write, in which defaults and checks of what it names are at work
     * @return null when it does not
     */
    public @Nullable String mayWrite(Mentions text, boolean writes) {
        if (!text.understood() && !writing.isEmpty()) {
            return "its text is not understood, and there are functions that write";
        }
        return writing.through(text, writes);
    }

    /** Why a write to a table that no statement names, such as a child's that is deleted with its parent, may call what writes; null when it does not. */
    public @Nullable String mayWrite(Table table) {
        return first(writing.written, Set.of(table.name().toLowerCase(Locale.ROOT)));
    }

    /** Why what a text reads may be something else when it runs again, with nothing changed in between; null when it is the same. */
    public @Nullable String mayBeOther(Mentions text) {
        if (!text.understood() && !unsteady.isEmpty()) {
            return "its text is not understood";
        }
        String own = unsteady(text);
        return own != null ? own : unsteady.through(text, false);
    }

    /** What a text speaks of, together with what the functions and views speak of that it names. */
    public Mentions behind(Mentions text) {
        Set<String> names = new HashSet<>(text.names());
        Set<String> symbols = new HashSet<>(text.symbols());
        Deque<String> open = new ArrayDeque<>(names);
        while (!open.isEmpty()) {
            String definition = texts.get(open.pop());
            if (definition != null) {
                Mentions behind = mentions.apply(definition);
                symbols.addAll(behind.symbols());
                behind.names().stream().filter(names::add).forEach(open::push);
            }
        }
        return new Mentions(names, text.called(), text.parts(), symbols, text.writes(), text.understood());
    }

    /** Why an expression of the database's own functions comes to something else each time; null when it does not. */
    static @Nullable String unsteady(Mentions text) {
        String found =
                text.called().stream().filter(UNSTEADY::contains).findFirst().orElse(null);
        if (found == null
                && (text.names().containsAll(Set.of("next", "value", "for"))
                        || text.parts().contains("nextval"))) {
            found = "a sequence";
        }
        if (found == null && text.names().contains("tablesample")) {
            found = "TABLESAMPLE";
        }
        return found == null ? null : found + " gives something else each time";
    }

    /** The names of the functions of a database's own that are unsteady, as a list of literals. */
    static String unsteadyNames() {
        return UNSTEADY.stream().sorted().collect(Collectors.joining("', '", "'", "'"));
    }

    private static @Nullable String first(Map<String, String> writing, Set<String> names) {
        if (writing.isEmpty()) {
            return null;
        }
        Set<String> smaller = names.size() < writing.size() ? names : writing.keySet();
        for (String name : new HashSet<>(smaller)) {
            if (names.contains(name) && writing.containsKey(name)) {
                return writing.get(name);
            }
        }
        return null;
    }
}
