package io.txn.protocol.extension;

import io.txn.protocol.TxnException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a person wants done with the rows of an {@link UndoReport}. Travels as a head field of a rollback; good only as long as the rows hold what they held
 * for the report.
 *
 * @param report the id of the report
 * @param rest for the rows that are not named; null: none is left
 */
public record UndoDecision(
        String report, List<Row> rows, @Nullable Action rest) {

    private static final String FIELD = "undo-decision";
    private static final int VERSION = 1;

    public UndoDecision {
        if (!report.matches("[0-9a-f]{16}")) {
            throw new IllegalArgumentException("no id of a report");
        }
        rows = List.copyOf(rows);
    }

    /** What is done with a row or a column. The ordinal is on the wire: append only. */
    public enum Action {
        /** It stays as it is now. */
        KEEP,
        /** It becomes what it was before the transaction. */
        RESTORE
    }

    /**
     * One row, named as in the report.
     *
     * @param columns the columns with which something else is done than {@code action} says
     */
    public record Row(String table, String key, Action action, Map<String, Action> columns) {
        public Row {
            columns = Map.copyOf(columns);
        }
    }

    private record Name(String table, String key) {}

    /** Why it cannot be an answer to {@code given}, in words for whoever gave it, or null when it is one. */
    public @Nullable String problem(UndoReport given) {
        if (!report.equals(given.id())) {
            return "it was given for report " + report + "; the rows have changed, the report is now " + given.id();
        }
        Map<Name, UndoReport.Row> known = new HashMap<>();
        given.rows().forEach(row -> known.put(new Name(row.table(), row.key()), row));
        Set<Name> decided = new HashSet<>();
        for (Row row : rows) {
            Name name = new Name(row.table(), row.key());
            UndoReport.Row reported = known.get(name);
            String where = "row " + row.key() + " of " + row.table();
            if (reported == null) {
                return "the report has no " + where;
            }
            if (!decided.add(name)) {
                return where + " is named twice";
            }
            String problem = problem(row, reported);
            if (problem != null) {
                return where + ": " + problem;
            }
        }
        for (UndoReport.Row row : given.rows()) {
            if (!decided.contains(new Name(row.table(), row.key()))) {
                if (rest == null) {
                    return "row " + row.key() + " of " + row.table() + " is not decided, and there is no \"rest\"";
                }
                String problem = problem(new Row(row.table(), row.key(), rest, Map.of()), row);
                if (problem != null) {
                    return "row " + row.key() + " of " + row.table() + ": " + problem;
                }
            }
        }
        return given.more() > 0 && rest == null
                ? given.more() + " rows are not shown, and there is no \"rest\" for them"
                : null;
    }

    private static @Nullable String problem(Row row, UndoReport.Row reported) {
        boolean restores = row.action == Action.RESTORE || row.columns.containsValue(Action.RESTORE);
        if (restores && !reported.restorable()) {
            return "it is gone, and of the whole row there is no image: it can only be kept";
        }
        Set<String> names =
                reported.columns().stream().map(UndoReport.Column::name).collect(Collectors.toSet());
        for (Map.Entry<String, Action> column : row.columns.entrySet()) {
            if (!names.contains(column.getKey())) {
                return "the report has no column " + column.getKey() + " of it";
            }
            boolean mixed = column.getValue() != row.action;
            if (mixed && !(reported.existedBefore() && reported.existsNow())) {
                return "it did not exist before, or does not now: its columns cannot be decided one by one";
            }
        }
        return null;
    }

    /** What was decided in a few words, without any row: for the records of who decided what. */
    public String summary() {
        long byColumn = rows.stream().filter(row -> !row.columns.isEmpty()).count();
        return "report " + report + ", kept " + count(Action.KEEP) + ", restored " + count(Action.RESTORE)
                + (byColumn == 0 ? "" : ", by column " + byColumn) + (rest == null ? "" : ", rest " + rest);
    }

    private long count(Action action) {
        return rows.stream()
                .filter(row -> row.action == action && row.columns.isEmpty())
                .count();
    }

    /** The decision as text, always the same for the same decision; null when it is too long for a head. */
    public @Nullable RowData encoded() {
        String packed = Packed.text(out -> {
            out.writeByte(VERSION);
            Packed.string(out, report);
            out.writeByte(rest == null ? 0 : 1 + rest.ordinal());
            out.writeShort(rows.size());
            for (Row row : rows) {
                Packed.string(out, row.table);
                Packed.string(out, row.key);
                out.writeByte(row.action.ordinal());
                out.writeShort(row.columns.size());
                for (Map.Entry<String, Action> column : new TreeMap<>(row.columns).entrySet()) {
                    Packed.string(out, column.getKey());
                    out.writeByte(column.getValue().ordinal());
                }
            }
        });
        return packed == null || rows.size() > UndoReport.MOST_ROWS ? null : new RowData(packed);
    }

    /** @throws TxnException BAD_REQUEST when the text is no decision */
    public static UndoDecision decode(RowData data) {
        return Packed.read(FIELD, data.text(), in -> {
            if (in.readUnsignedByte() != VERSION) {
                throw new IOException("another version");
            }
            String report = Packed.text(in);
            int rest = in.readUnsignedByte();
            if (rest > Action.values().length) {
                throw new IOException("no action " + rest);
            }
            int count = Packed.count(in);
            List<Row> rows = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                String table = Packed.text(in);
                String key = Packed.text(in);
                Action action = Packed.constant(in, Action.values());
                int columns = Packed.count(in);
                Map<String, Action> byName = new HashMap<>();
                for (int j = 0; j < columns; j++) {
                    byName.put(Packed.text(in), Packed.constant(in, Action.values()));
                }
                rows.add(new Row(table, key, action, byName));
            }
            return new UndoDecision(report, rows, rest == 0 ? null : Action.values()[rest - 1]);
        });
    }

    /** The head field. */
    public static Map<String, @Nullable String> head(RowData decision) {
        return Map.of(FIELD, decision.text());
    }

    /**
     * The decision in the head of a rollback, or null.
     *
     * @throws TxnException BAD_REQUEST when the field holds something else
     */
    public static @Nullable UndoDecision read(Map<String, @Nullable String> head) {
        String text = head.get(FIELD);
        return text == null ? null : decode(new RowData(text));
    }
}
