package io.txn.protocol.extension;

import io.txn.protocol.TxnException;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The rows that keep an AT branch from being undone: they are not as the transaction left them, or something of others' making stands in the way. Travels as
 * a head field of the answer to the rollback. Bounded: long values are cut, and of many rows the first are named.
 *
 * @param id a digest of what all of these rows hold now, also those that are not named: the same rows with the same values have the same id
 * @param more how many rows are not named
 */
public record UndoReport(String id, List<Row> rows, int more) {

    /** No more rows are named. */
    public static final int MOST_ROWS = 100;

    private static final String FIELD = "undo-report";
    private static final int MOST_COLUMNS = 100;
    private static final int VERSION = 1;

    /** How long values may be, from the most generous on; the first with which all fits is taken. */
    private static final int[] VALUE_LENGTHS = {1_000, 200, 50};

    public UndoReport {
        if (!id.matches("[0-9a-f]{16}")) {
            throw new IllegalArgumentException("no id of a report");
        }
        rows = List.copyOf(rows);
    }

    /** Why a row is in the way. The ordinal is on the wire: append only. */
    public enum Cause {
        /** Somebody changed it. */
        CHANGED,
        /** Somebody deleted it. */
        GONE,
        /** The transaction deleted it, and somebody inserted one of this key. */
        THERE,
        /** Rows of others refer to it. */
        REFERENCED,
        /** Another row has a value that has to be unique. */
        TAKEN,
        /** Another constraint objects to the row as it was. */
        CONSTRAINT
    }

    /**
     * One row.
     *
     * @param table as in lock keys
     * @param key as in lock keys; where that says the same of several rows, they are told apart by {@code #2} and so on
     * @param detail the constraint, and the table of the rows that refer to it; null when the cause says all
     * @param restorable whether it can be set back: of a row that is gone, only the columns that were changed are known
     * @param columns what the transaction changed, and what is different now
     * @param moreColumns how many further columns are not shown
     */
    public record Row(
            String table,
            String key,
            Cause cause,
            @Nullable String detail,
            boolean restorable,
            boolean existedBefore,
            boolean existedAfter,
            boolean existsNow,
            List<Column> columns,
            int moreColumns) {

        public Row {
            columns = List.copyOf(columns);
        }

        private Row shortened(int longest) {
            List<Column> shown = new ArrayList<>();
            for (Column column : columns.subList(0, Math.min(MOST_COLUMNS, columns.size()))) {
                shown.add(column.shortened(longest));
            }
            return new Row(
                    table,
                    key,
                    cause,
                    detail,
                    restorable,
                    existedBefore,
                    existedAfter,
                    existsNow,
                    shown,
                    moreColumns + columns.size() - shown.size());
        }
    }

    /**
     * One column before the transaction, after it, and now: as the database writes the value, bytes as {@code 0x…}. Null is SQL's NULL, or stands for a row that is not
     * there.
     */
    public record Column(
            String name,
            @Nullable String before,
            @Nullable String after,
            @Nullable String current) {

        private Column shortened(int longest) {
            return new Column(name, cut(before, longest), cut(after, longest), cut(current, longest));
        }

        private static @Nullable String cut(@Nullable String value, int longest) {
            if (value == null || value.length() <= longest) {
                return value;
            }
            int end = Character.isHighSurrogate(value.charAt(longest - 1)) ? longest - 1 : longest;
            return value.substring(0, end) + "… (cut, " + value.length() + " characters, sha256 "
                    + Digests.sha256(value).substring(0, 16) + ")";
        }
    }

    /** The report as text: the id, a dot, and the rest packed. Names fewer rows where they do not fit. */
    public RowData encoded() {
        for (int longest : VALUE_LENGTHS) {
            RowData all = encoded(longest, Math.min(MOST_ROWS, rows.size()));
            if (all != null) {
                return all;
            }
        }
        int shortest = VALUE_LENGTHS[VALUE_LENGTHS.length - 1];
        for (int most = Math.min(MOST_ROWS, rows.size()) - 1; most > 0; most = most * 4 / 5) {
            RowData some = encoded(shortest, most);
            if (some != null) {
                return some;
            }
        }
        RowData none = encoded(shortest, 0);
        if (none == null) {
            throw new AssertionError("a report without rows fits");
        }
        return none;
    }

    private @Nullable RowData encoded(int longestValue, int most) {
        List<Row> shown = rows.subList(0, most).stream()
                .map(r -> r.shortened(longestValue))
                .toList();
        String packed = Packed.text(out -> {
            out.writeByte(VERSION);
            out.writeInt(more + rows.size() - shown.size());
            out.writeShort(shown.size());
            for (Row row : shown) {
                write(out, row);
            }
        });
        return packed == null ? null : new RowData(id + "." + packed);
    }

    private static void write(DataOutputStream out, Row row) throws IOException {
        Packed.string(out, row.table);
        Packed.string(out, row.key);
        out.writeByte(row.cause.ordinal());
        Packed.string(out, row.detail);
        out.writeBoolean(row.restorable);
        out.writeBoolean(row.existedBefore);
        out.writeBoolean(row.existedAfter);
        out.writeBoolean(row.existsNow);
        out.writeShort(row.columns.size());
        for (Column column : row.columns) {
            Packed.string(out, column.name);
            Packed.string(out, column.before);
            Packed.string(out, column.after);
            Packed.string(out, column.current);
        }
        out.writeInt(row.moreColumns);
    }

    /** @throws TxnException BAD_REQUEST when the text is no report */
    public static UndoReport decode(RowData data) {
        String text = data.text();
        int dot = text.indexOf('.');
        String id = dot < 0 ? "" : text.substring(0, dot);
        return Packed.read(FIELD, text.substring(dot + 1), in -> {
            if (in.readUnsignedByte() != VERSION) {
                throw new IOException("another version");
            }
            int more = in.readInt();
            int count = Packed.count(in);
            List<Row> rows = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                rows.add(row(in));
            }
            return new UndoReport(id, rows, more);
        });
    }

    private static Row row(DataInputStream in) throws IOException {
        String table = Packed.text(in);
        String key = Packed.text(in);
        Cause cause = Packed.constant(in, Cause.values());
        String detail = Packed.string(in);
        boolean restorable = in.readBoolean();
        boolean existedBefore = in.readBoolean();
        boolean existedAfter = in.readBoolean();
        boolean existsNow = in.readBoolean();
        int count = Packed.count(in);
        List<Column> columns = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            columns.add(new Column(Packed.text(in), Packed.string(in), Packed.string(in), Packed.string(in)));
        }
        return new Row(
                table, key, cause, detail, restorable, existedBefore, existedAfter, existsNow, columns, in.readInt());
    }

    /** The head field. */
    public static Map<String, @Nullable String> head(RowData report) {
        return Map.of(FIELD, report.text());
    }

    /** The report in the head of an answer, whatever it says, or null; {@link #decode} tells whether it is one. */
    public static @Nullable RowData read(Map<String, @Nullable String> head) {
        String text = head.get(FIELD);
        return text == null ? null : new RowData(text);
    }
}
