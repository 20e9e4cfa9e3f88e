package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Capture;
import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.MySqlStored;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Rows that UPDATEs by key changed, which MariaDB wrote down on the way and nobody has read yet. Instead of a query that reads and locks the row before, two
 * assignments, one put before the application's and one behind them, note the row as it was and as it is ({@link RowNotes} says how and why that is exact); the row is
 * locked by the UPDATE itself. The notes are read with the next INSERT, or else before the commit: nothing needs them earlier. For one local transaction.
 */
final class NotedRows {

    /** The expression that reads the notes. */
    static final String READ = "CAST(" + RowNotes.UNREAD + " AS CHAR)";

    private static final String FORGET = "(" + RowNotes.UNREAD + " := NULL)";

    private static final Pattern LIMIT = Pattern.compile("(?is).*\\bLIMIT\\s+(\\d{1,5}|\\?)\\s*");

    /** So many statements' rows are noted at most before they are read. */
    private static final int MOST_STATEMENTS = 16;

    /** So long the notes get before they are read, in characters, and twice as long with one more row: far less than servers let a text be, which would lose it or refuse the statement. */
    private static final int MOST_LENGTH = 64 * 1024;

    /** Types whose values are short. */
    private static final Pattern SHORT = Pattern.compile(
            "(tiny|small|medium|big)?int\\b.*|(decimal|float|double|bit|date|time|datetime|timestamp|year|uuid|inet4|inet6)\\b.*"
                    + "|(?<texts>enum)\\b.*|(var)?(char|binary)\\((?<length>\\d{1,3})\\)");

    /** Of a value that is no text, a column of an enumeration, and a character in the longest encoding, all printed as hexadecimal digits. */
    private static final int SHORT_LENGTH = 150;

    private static final int ENUM_LENGTH = 255 * 8;
    private static final int CHARACTER_LENGTH = 8;

    private final List<Owed> owed = new ArrayList<>();
    private long length;
    private @Nullable String lost;

    /**
     * A statement that ran, and whose rows are noted.
     *
     * @param count how many rows it met, or, where the driver counts so, changed
     * @param length of what is noted of them, at most
     */
    record Owing(String number, Target target, WriteRun run, int count, int length) {}

    /** @param into takes what it did */
    private record Owed(Owing statement, List<TableChange> into) {}

    /**
     * An UPDATE with its notes, in pieces: what stands before the application's assignments and behind them. The number is a parameter, so that drivers and servers see one
     * text and can keep what they prepared.
     *
     * @param length of what it notes of a row, at most
     */
    record Noting(String number, String before, List<String> parameters, String after, int length) {}

    boolean any() {
        return !owed.isEmpty();
    }

    /** Whether they are to be read before another statement's are noted. */
    boolean full() {
        return owed.size() >= MOST_STATEMENTS || length > MOST_LENGTH;
    }

    /**
     * Why they did not tell everything; null while they did. No savepoint brings back what was lost of a statement before it, so that stays until the transaction is over.
     */
    @Nullable
    String lost() {
        return lost;
    }

    /** The assignments that note the rows of this UPDATE; null where that is no way to capture it. */
    @Nullable
    Noting noting(Plan.Update plan, Target target, WriteRun run, Parameters parameters) {
        Dialect dialect = run.dialect();
        Table table = target.table();
        Column carrier = carrier(target);
        if (carrier == null) {
            return null;
        }
        int most = 2 * target.changing().stream().mapToInt(NotedRows::length).sum();
        boolean fits = dialect.update() == Capture.NOTES
                && most <= MOST_LENGTH / Math.max(1, atMost(plan, table, parameters))
                && !plan.values().isEmpty()
                && !target.changesKey()
                && table.triggers().isEmpty()
                && target.changing().stream()
                        .allMatch(c -> !c.is(Column.Trait.MAINTAINED)
                                && SHORT.matcher(c.type()).matches()
                                && (table.isKey(c) || target.assigned().contains(c)));
        if (!fits) {
            return null;
        }
        String number = run.number();
        // Whatever stands before it, a half note too, ends there.
        String front = ';' + number + ':';
        return new Noting(
                number,
                RowNotes.before(
                        carrier, front.length(), any(), !table.identities().isEmpty(), target.changing()),
                any() ? List.of(front) : List.of(front, front, front),
                RowNotes.after(carrier, target.changing()),
                most);
    }

    /** How long a value of that column is at most where it is noted. */
    private static int length(Column column) {
        Matcher type = SHORT.matcher(column.type());
        if (!type.matches()) {
            return MOST_LENGTH;
        } else if (type.group("length") != null) {
            return Integer.parseInt(type.group("length")) * CHARACTER_LENGTH + 1;
        }
        return type.group("texts") != null ? ENUM_LENGTH : SHORT_LENGTH;
    }

    /** How many rows it may mean: one where WHERE names the whole key, or what LIMIT says. */
    private static int atMost(Plan.Update plan, Table table, Parameters parameters) {
        Fragment tail = plan.selection().tail();
        if (tail.isEmpty()) {
            return table.key().stream().allMatch(c -> demands(plan, table, c)) ? 1 : Integer.MAX_VALUE;
        }
        Matcher limit = LIMIT.matcher(tail.text());
        if (!limit.matches() || SelectedRows.holdsQuery(plan.statement().text())) {
            return Integer.MAX_VALUE;
        } else if (!limit.group(1).equals("?")) {
            return Integer.parseInt(limit.group(1));
        }
        Object bound = parameters.plainValueOf(tail.firstParameter() + tail.parameterCount());
        long number = bound instanceof Integer some ? some : bound instanceof Long some ? some : -1;
        return number >= 0 && number < MOST_LENGTH ? (int) number : Integer.MAX_VALUE;
    }

    private static boolean demands(Plan.Update plan, Table table, Column key) {
        return plan.demands().equalities().stream().anyMatch(e -> key.equals(table.column(e.column())));
    }

    /** A column that the statement sets anyway, and that can be set to itself whatever it holds and whatever the session's modes say; null when there is none. */
    private static @Nullable Column carrier(Target target) {
        return target.assigned().stream()
                .filter(c -> MySqlStored.isNumber(c) || MySqlStored.isText(c))
                .findFirst()
                .orElse(null);
    }

    /** The statement ran, and that stands for what it did. */
    void owe(Owing one, List<TableChange> into) {
        owed.add(new Owed(one, into));
        length += (long) one.count() * one.length();
    }

    /** Reads the notes by themselves. */
    void read(Connection connection, Dialect dialect) throws SQLException {
        String[] text = new String[1];
        new Query()
                .add("SELECT " + READ + ", " + FORGET + dialect.allRows())
                .read(connection, StatementScope.own(), row -> text[0] = row.getString(1));
        told(text[0]);
    }

    /** What the notes say; where something is missing in them, it is lost. */
    void told(@Nullable String text) {
        Map<String, List<String>> notes = new HashMap<>();
        for (String note : (text == null ? "" : text).split(";")) {
            int colon = note.indexOf(':');
            if (colon > 0) {
                notes.computeIfAbsent(note.substring(0, colon), n -> new ArrayList<>())
                        .add(note.substring(colon + 1));
            }
        }
        for (Owed one : owed) {
            Owing statement = one.statement();
            one.into().addAll(changes(statement, notes.getOrDefault(statement.number(), List.of())));
            if (statement.run().incomplete() != null) {
                lost = statement.run().incomplete();
            }
        }
        owed.clear();
        length = 0;
    }

    /** The transaction is over: nobody will ask for them. */
    void forget() {
        owed.clear();
        length = 0;
        lost = null;
    }

    private static List<TableChange> changes(Owing one, List<String> notes) {
        Target target = one.target();
        List<Column> columns = target.changing();
        List<RowChange> rows = new ArrayList<>();
        for (String note : notes) {
            String[] parts = note.split("[/>]", -1);
            if (parts.length == 3) {
                try {
                    target.images()
                            .checkIdentity(new String(HexFormat.of().parseHex(parts[0]), StandardCharsets.UTF_8));
                    rows.add(new RowChange(RowNotes.values(parts[1], columns), RowNotes.values(parts[2], columns)));
                } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
                    one.run().incomplete("a note of a changed row cannot be read: " + e.getMessage());
                }
            }
        }
        boolean all = one.run().dialect().countsOnlyChanged() ? rows.size() >= one.count() : rows.size() == one.count();
        if (!all || rows.size() != notes.size()) {
            one.run().incomplete("of " + one.count() + " changed rows, " + rows.size() + " were noted");
        }
        return target.images().change(TableChange.Kind.UPDATE, columns, rows);
    }
}
