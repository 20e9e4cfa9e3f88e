package io.txn.coordinator.lock;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one branch, as clients write them: {@code table:row,row;table:row}, with or without a semicolon at the end, where a row is
 * the text of its primary key. Clients escape nothing, so a row is opaque text; what does not have this form is refused, because a row that is not
 * understood is a row that is not locked.
 * Equal when the text is equal. Immutable.
 */
public final class LockKeys {

    private final String text;
    private final List<Row> rows;

    /** A row of a table. */
    public record Row(String table, String key) {
        @Override
        public String toString() {
            return table + ':' + key;
        }
    }

    private LockKeys(String text, List<Row> rows) {
        this.text = text;
        this.rows = rows;
    }

    /**
     * Reads the text of a request.
     *
     * @param maxRows the most rows it may name
     * @throws TxnException BAD_REQUEST when it names no table or no row where one is due, or too many rows
     */
    public static LockKeys parse(String text, int maxRows) {
        List<Row> rows = read(text, maxRows + 1L);
        if (rows.size() > maxRows) {
            throw new TxnException(ErrorCode.BAD_REQUEST, null, "field", "lockKey", "maxRows", maxRows);
        }
        return new LockKeys(text, rows);
    }

    /** The first rows of a text that was accepted before, at most so many; what comes after them is not looked at. */
    public static List<Row> first(String text, int most) {
        return read(text, most);
    }

    private static List<Row> read(String text, long most) {
        Rows rows = new Rows();
        // Clients written in Go end every group with a semicolon, also the last one.
        int length = text.endsWith(";") ? text.length() - 1 : text.length();
        int start = 0;
        while (start <= length && rows.size() < most) {
            int end = find(text, ';', start, length);
            int colon = find(text, ':', start, end);
            if (colon == start || colon == end) {
                throw new TxnException(
                        ErrorCode.BAD_REQUEST, null, "field", "lockKey", "missing", "table", "at", start);
            }
            addRows(text, text.substring(start, colon), colon + 1, end, rows, most);
            start = end + 1;
        }
        return Collections.unmodifiableList(rows.list);
    }

    private static void addRows(String text, String table, int from, int to, Rows rows, long most) {
        int start = from;
        while (start <= to && rows.size() < most) {
            int end = find(text, ',', start, to);
            if (end == start) {
                throw new TxnException(ErrorCode.BAD_REQUEST, null, "field", "lockKey", "missing", "row", "at", start);
            }
            rows.add(new Row(table, text.substring(start, end)));
            start = end + 1;
        }
    }

    /** Every row once, in the order in which they come. Our clients sort them, so most often the one before tells that a row is new. */
    private static final class Rows {

        private final List<Row> list = new ArrayList<>();

        /** Null while they come in order. */
        private @Nullable Set<Row> seen;

        int size() {
            return list.size();
        }

        void add(Row row) {
            if (seen == null && !followsLast(row)) {
                seen = new HashSet<>(list);
            }
            if (seen == null || seen.add(row)) {
                list.add(row);
            }
        }

        private boolean followsLast(Row row) {
            if (list.isEmpty()) {
                return true;
            }
            Row last = list.get(list.size() - 1);
            // Most often they are one and the same text, which only the first of these two sees without reading it.
            int tables = row.table().equals(last.table()) ? 0 : row.table().compareTo(last.table());
            return tables > 0 || (tables == 0 && row.key().compareTo(last.key()) > 0);
        }
    }

    /** The first place of {@code wanted} before {@code to}, or {@code to}: never looks further, so that reading takes one pass. */
    private static int find(String text, char wanted, int from, int to) {
        int i = from;
        while (i < to && text.charAt(i) != wanted) {
            i++;
        }
        return i;
    }

    /** The text as the client wrote it. */
    public String text() {
        return text;
    }

    /** Every row once, in the order of the text. */
    public List<Row> rows() {
        return rows;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LockKeys that && that.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return text;
    }
}
