package io.txn.client.jdbc.undo;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.extension.UndoReport;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An undo that would overwrite others' work, or cannot be known to be right; nothing was changed, and trying again is of no use. */
public final class CannotUndoException extends Exception {

    private static final long serialVersionUID = 1L;

    /** How many keys are named. */
    private static final int LISTED = 20;

    private final ErrorCode code;
    private final String table;
    private final transient List<String> keys;

    private final transient @Nullable UndoReport report;

    private CannotUndoException(
            ErrorCode code,
            String table,
            List<String> keys,
            String reason,
            @Nullable Throwable cause,
            @Nullable UndoReport report) {
        super(reason, cause);
        this.code = code;
        this.table = table;
        this.keys = keys.stream().limit(LISTED).toList();
        this.report = report;
    }

    /** Rows are not as the transaction left them, or something of others' making stands in the way. */
    static CannotUndoException dirty(List<DirtyRow> rows, UndoReport report) {
        DirtyRow first = rows.get(0);
        List<String> keys = rows.stream()
                .filter(row -> row.table().equals(first.table()))
                .map(row -> LockKeys.row(row.key()))
                .toList();
        String reason =
                switch (first.cause()) {
                    case CHANGED, GONE, THERE -> "the rows are not as the transaction left them";
                    case REFERENCED -> "rows of others refer to it: " + first.detail();
                    case TAKEN, CONSTRAINT -> "a constraint forbids to put the rows back: " + first.detail();
                };
        String others = rows.size() == keys.size() ? "" : "; rows in the way in all tables: " + rows.size();
        return new CannotUndoException(ErrorCode.DIRTY_WRITE, first.table(), keys, reason + others, null, report);
    }

    /** The record and the table do not fit together. */
    public static CannotUndoException unreadable(String table, String reason) {
        return new CannotUndoException(ErrorCode.UNDO_UNREADABLE, table, List.of(), reason, null, null);
    }

    /** A constraint that is checked at the end objects to the rows as they were. */
    public static CannotUndoException atCommit(SQLException e) {
        return new CannotUndoException(
                ErrorCode.DIRTY_WRITE,
                "tables of the transaction",
                List.of(),
                "a constraint forbids to put the rows back: SQL state " + e.getSQLState(),
                e,
                null);
    }

    /** The database does not take a value back, however often it is tried. */
    public static CannotUndoException refused(SQLException e) {
        return new CannotUndoException(
                ErrorCode.UNDO_UNREADABLE,
                "tables of the transaction",
                List.of(),
                "the database does not take a value back: SQL state " + e.getSQLState() + ", error " + e.getErrorCode(),
                e,
                null);
    }

    public ErrorCode code() {
        return code;
    }

    /** The rows in the way, or null when it is not about rows. */
    public @Nullable UndoReport report() {
        return report;
    }

    public String table() {
        return table;
    }

    /** The keys of rows in the way, as in lock keys; never all of very many. */
    public List<String> keys() {
        return keys;
    }
}
