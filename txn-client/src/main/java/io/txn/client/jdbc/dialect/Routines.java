package io.txn.client.jdbc.dialect;

import io.txn.client.jdbc.sql.Mentions;
import io.txn.client.jdbc.sql.SqlSyntax;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The functions that users of a database made and that may write, and what calls them without their name being seen: views, defaults, constraints,
 * operators. A function counts as reading only where its text proves it, or the configuration says so. Names are compared without case and schema: in
 * doubt a statement is taken to call the one that writes. Immutable.
 */
public final class Routines {

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

    /** No routine that writes. */
    static final Routines NONE = new Routines();

    private final Map<String, String> called = new HashMap<>();
    private final Map<String, String> ofRows = new HashMap<>();
    private final Map<String, String> read = new HashMap<>();
    private final Map<String, String> written = new HashMap<>();
    private final Map<String, String> operators = new HashMap<>();

    private Routines() {}

    /** @param reading names of routines, or views, that are said to change nothing, in lower case, with or without schema */
    static Routines of(List<Routine> routines, List<Use> uses, Set<String> reading, SqlSyntax syntax) {
        Routines found = new Routines();
        Map<String, String> byId = new HashMap<>();
        Map<Object, Mentions> texts = new HashMap<>();
        List<Routine> open = new ArrayList<>();
        for (Routine routine : routines) {
            if (!routine.isOneOf(reading) && routine.effect() != Effect.READS) {
                open.add(routine);
            }
        }
        List<Use> openUses = new ArrayList<>(uses);
        openUses.removeIf(use -> reading.contains(use.name().toLowerCase(Locale.ROOT)));
        boolean more = true;
        while (more) {
            int before = open.size() + openUses.size();
            open.removeIf(routine -> {
                String why = found.whyItWrites(routine, byId, texts, syntax);
                if (why != null) {
                    found.add(routine, why);
                    byId.put(routine.id(), why);
                }
                return why != null;
            });
            openUses.removeIf(use -> {
                String why = found.whyItWrites(use, byId, texts, syntax);
                if (why != null) {
                    found.add(use, why);
                }
                return why != null;
            });
            more = open.size() + openUses.size() < before;
        }
        return found;
    }

    private @Nullable String whyItWrites(
            Routine routine, Map<String, String> byId, Map<Object, Mentions> texts, SqlSyntax syntax) {
        String name = "function " + routine.schema() + '.' + routine.name();
        if (routine.effect() == Effect.UNKNOWN) {
            return name + ' ' + routine.why();
        }
        Mentions text = texts.computeIfAbsent(routine, r -> Mentions.of(routine.text(), syntax));
        if (routine.effect() == Effect.TEXT && text.writes()) {
            return name + " writes, or runs what its text does not show";
        }
        if (text.writes() && !isEmpty()) {
            // The database stops it from writing itself, not from calling by way of EXECUTE what writes.
            return name + " runs what its text does not show";
        }
        String through = mayWrite(text, false);
        for (String id : routine.calls()) {
            through = through == null ? byId.get(id) : through;
        }
        return through == null ? null : name + " calls what may write: " + through;
    }

    private @Nullable String whyItWrites(
            Use use, Map<String, String> byId, Map<Object, Mentions> texts, SqlSyntax syntax) {
        String unknown = use.unknown();
        if (unknown != null) {
            return unknown;
        }
        for (String id : use.calls()) {
            String through = byId.get(id);
            if (through != null) {
                return use.name() + " calls what may write: " + through;
            }
        }
        if (use.text().isEmpty()) {
            return null;
        }
        String through = mayWrite(texts.computeIfAbsent(use, u -> Mentions.of(use.text(), syntax)), false);
        return through == null ? null : use.name() + " calls what may write: " + through;
    }

    private void add(Routine routine, String why) {
        String name = routine.name().toLowerCase(Locale.ROOT);
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

    private boolean isEmpty() {
        return called.isEmpty() && read.isEmpty() && written.isEmpty() && operators.isEmpty();
    }

    /**
     * Why a text may write by what it calls.
     *
     * @param writes whether the text is a write, in which defaults and checks of what it names are at work
     * @return null when it does not
     */
    public @Nullable String mayWrite(Mentions text, boolean writes) {
        if (isEmpty()) {
            return null;
        }
        if (!text.understood()) {
            return "its text is not understood, and there are functions that write";
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

    /** Why a write to a table that no statement names, such as a child's that is deleted with its parent, may call what writes; null when it does not. */
    public @Nullable String mayWrite(Table table) {
        return first(written, Set.of(table.name().toLowerCase(Locale.ROOT)));
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
