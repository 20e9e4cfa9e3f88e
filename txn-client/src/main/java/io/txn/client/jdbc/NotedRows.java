package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Capture;
import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.MySqlStored;
import io.txn.client.jdbc.dialect.Table;
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
import java.util.function.Consumer;
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

    /** So many statements' rows are noted at most before they are read. */
    private static final int MOST_STATEMENTS = 16;

    /** Types whose values are short: a text that became longer than the server lets it be would be lost. */
    private static final Pattern SHORT = Pattern.compile(
            "(tiny|small|medium|big)?int\\b.*|(decimal|float|double|bit|date|time|datetime|timestamp|year|enum|uuid|inet4|inet6)\\b.*"
                    + "|(var)?(char|binary)\\(\\d{1,3}\\)");

    private final List<Owed> owed = new ArrayList<>();
    private final Consumer<String> incomplete;

    /**
     * A statement that ran, and whose rows are noted.
     *
     * @param count how many rows it met, or, where the driver counts so, changed
     */
    record Owing(String number, Target target, WriteRun run, int count) {}

    /** @param into takes what it did */
    private record Owed(Owing statement, List<TableChange> into) {}

    /** @param incomplete takes why the notes do not tell everything */
    NotedRows(Consumer<String> incomplete) {
        this.incomplete = incomplete;
    }

    /**
     * An UPDATE with its notes, in pieces: what stands before the application's assignments and behind them. The number is a parameter, so that drivers and servers see one
     * text and can keep what they prepared.
     */
    record Noting(String number, String before, List<String> parameters, String after) {}

    boolean any() {
        return !owed.isEmpty();
    }

    /** Whether they are to be read before another statement's are noted. */
    boolean full() {
        return owed.size() >= MOST_STATEMENTS;
    }

    /** The assignments that note the rows of this UPDATE; null where that is no way to capture it. */
    @Nullable
    Noting noting(Plan.Update plan, Target target, WriteRun run) {
        Dialect dialect = run.dialect();
        Table table = target.table();
        Column carrier = carrier(target);
        if (carrier == null) {
            return null;
        }
        boolean fits = dialect.product() == Dialect.Product.MARIADB
                && dialect.insert() == Capture.RETURNING
                && plan.selection().tail().isEmpty()
                && !plan.values().isEmpty()
                && !target.changesKey()
                && table.triggers().isEmpty()
                && table.key().stream().allMatch(c -> demands(plan, table, c))
                && target.changing().stream()
                        .allMatch(c -> !c.is(Column.Trait.MAINTAINED)
                                && SHORT.matcher(c.type()).matches()
                                && (table.isKey(c) || target.assigned().contains(c)));
        if (!fits) {
            return null;
        }
        String number = run.number();
        String front = number + ':';
        return new Noting(
                number,
                RowNotes.before(
                        carrier, front.length(), any(), !table.identities().isEmpty(), target.changing()),
                any() ? List.of(front) : List.of(front, front, front),
                RowNotes.after(carrier, target.changing()));
    }

    /** Where WHERE names the whole key, there are no more rows than a text has room for. */
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
    }

    /** Reads the notes by themselves. */
    void read(Connection connection) throws SQLException {
        new Query().add("SELECT " + READ).read(connection, StatementScope.own(), row -> told(row.getString(1)));
    }

    /** What the notes say; where something is missing in them, the transaction is incomplete. */
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
            String reason = statement.run().incomplete();
            if (reason != null) {
                incomplete.accept(reason);
            }
        }
        owed.clear();
    }

    /** Nobody will ask for them. */
    void forget() {
        owed.clear();
    }

    private static List<TableChange> changes(Owing one, List<String> notes) {
        Target target = one.target();
        List<Column> columns = target.changing();
        List<RowChange> rows = new ArrayList<>();
        for (String note : notes) {
            String[] parts = note.split("[/>]", -1);
            if (parts.length == 3) {
                target.images().checkIdentity(new String(HexFormat.of().parseHex(parts[0]), StandardCharsets.UTF_8));
                rows.add(new RowChange(RowNotes.values(parts[1], columns), RowNotes.values(parts[2], columns)));
            }
        }
        boolean all = one.run().dialect().countsOnlyChanged() ? rows.size() >= one.count() : rows.size() == one.count();
        if (!all || rows.size() != notes.size()) {
            one.run().incomplete("of " + one.count() + " changed rows, " + rows.size() + " were noted");
        }
        return target.images().change(TableChange.Kind.UPDATE, columns, rows);
    }
}
