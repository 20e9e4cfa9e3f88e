package io.txn.client.jdbc.undo;

import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.protocol.extension.UndoDecision;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Undoes a record on one connection, within its transaction: change by change, last one first; rows on which hangs what an earlier change made wait for that. Each row is locked and compared before
 * anything is written; what happens in each case stands in {@code docs/at.md}. For one thread.
 */
public final class Undo {

    private final Connection connection;
    private final Dialect dialect;
    /** By row, the columns that were found to be as before a later change: somebody else had set them back. */
    private final Map<ChangeUndo.Row, Set<String>> setBackByOthers = new HashMap<>();
    /** By row, of the columns that are left to triggers which somebody else had written, and which were found as the transaction left them. */
    private final Map<ChangeUndo.Row, Map<String, Boolean>> writtenByOthers = new HashMap<>();

    /** By table and key as they are afterwards, the place of the first change that wrote the row; of the tables that were asked for. */
    private final Map<String, Map<List<Value>, Integer>> writtenFirst = new HashMap<>();

    /** Whether the local commit saw that nothing came behind the tables unseen. */
    private final boolean seen;

    private final DirtyRows dirty;
    private final LargeValues large;

    /** @param seen whether the local commit saw that the tables were what they were taken for; else it is found out here */
    public Undo(Connection connection, Dialect dialect, boolean seen) {
        this(connection, dialect, seen, new DirtyRows());
    }

    private Undo(Connection connection, Dialect dialect, boolean seen, DirtyRows dirty) {
        this.connection = connection;
        this.dialect = dialect;
        this.seen = seen;
        this.dirty = dirty;
        this.large = new LargeValues(connection, dialect);
    }

    /**
     * @param decision what to do with rows that are in the way, if they are those that it was given for and hold what they held then; else it counts for
     *     nothing
     * @throws CannotUndoException when a person has to decide; the caller rolls back
     * @throws SQLException when the database failed; the caller rolls back and tries again later
     */
    public void apply(UndoRecord undo, @Nullable UndoDecision decision) throws SQLException, CannotUndoException {
        if (!seen) {
            requireNothingUnknown(undo);
        }
        if (decision == null) {
            apply(undo.changes());
            return;
        }
        // Locked before the savepoint: what is looked at stays so when the trial is taken back.
        for (int i = undo.changes().size() - 1; i >= 0; i--) {
            change(undo.changes(), i).lock();
        }
        Savepoint before = connection.setSavepoint();
        try {
            apply(undo.changes());
        } catch (CannotUndoException e) {
            if (e.report() == null || !e.report().id().equals(decision.report())) {
                throw e;
            }
            connection.rollback(before);
            new Undo(connection, dialect, seen, new DirtyRows(dirty, decision)).apply(undo.changes());
        }
    }

    /** What came behind a table after it was looked at may have acted in phase one, and no image tells of that. */
    private void requireNothingUnknown(UndoRecord undo) throws SQLException, CannotUndoException {
        for (Reliance reliance : undo.reliances()) {
            Table now = dialect.table(connection, ChangedTable.named(dialect, reliance.schema(), reliance.table()));
            List<String> unknown = now == null ? List.of() : reliance.unknownIn(now);
            if (now != null && !unknown.isEmpty()) {
                throw CannotUndoException.unreadable(
                        now.lockName(),
                        "since phase one looked at the table, " + String.join(", ", unknown)
                                + " came, and may have changed what no image tells of: mend that by hand, drop it, and retry");
            }
        }
    }

    /**
     * Undoes what was just done, within its own transaction, to see whether that can be undone. The caller takes it back.
     *
     * @throws CannotUndoException when it cannot
     */
    public static void rehearse(Connection connection, Dialect dialect, List<TableChange> changes)
            throws SQLException, CannotUndoException {
        List<TableChange> effective = changes.stream()
                .map(TableChange::effective)
                .filter(Objects::nonNull)
                .toList();
        new Undo(connection, dialect, true).apply(effective);
    }

    private void apply(List<TableChange> changes) throws SQLException, CannotUndoException {
        try {
            List<ChangeUndo> waiting = new ArrayList<>();
            for (int i = changes.size() - 1; i >= 0; i--) {
                ChangeUndo next = change(changes, i);
                if (waiting.stream().noneMatch(next::waitsFor)) {
                    next.waitBeside(() -> going(waiting, false));
                    next.apply();
                }
                if (next.waits()) {
                    waiting.add(next);
                }
                again(waiting, changes.subList(0, i));
            }
            atLast(waiting);
        } catch (SQLException e) {
            if (dirty.isEmpty() || e.getSQLState() != null) {
                throw e;
            }
            // Ours: a row in the way was counted on.
        }
        dirty.refuse();
    }

    /**
     * Goes on with changes that wait, in their order: with those of which all that they wait for was undone, and those that wait for others that wait once one of these got further.
     *
     * @param left what is still to be undone
     */
    private static void again(List<ChangeUndo> waiting, List<TableChange> left)
            throws SQLException, CannotUndoException {
        boolean further = false;
        boolean more = !waiting.isEmpty();
        while (more) {
            more = false;
            for (ChangeUndo one : List.copyOf(waiting)) {
                boolean ready = one.waitsForOthers() ? further : one.until() >= left.size();
                if (ready && waiting.subList(0, waiting.indexOf(one)).stream().noneMatch(one::waitsFor)) {
                    more |= one.again(left, going(waiting, false));
                    if (!one.waits()) {
                        waiting.remove(one);
                    }
                }
            }
            further = more;
        }
    }

    /** Nothing is left to be undone: rows that hold nothing but each other go together, and what the others wait for is in the way. */
    private static void atLast(List<ChangeUndo> waiting) throws SQLException, CannotUndoException {
        Map<String, Set<List<Value>>> together = going(waiting, true);
        boolean narrowed = !together.isEmpty();
        while (narrowed) {
            narrowed = false;
            for (ChangeUndo one : waiting) {
                narrowed |= one.narrow(together);
            }
        }
        for (ChangeUndo one : waiting) {
            one.delete(together);
        }
        for (ChangeUndo one : waiting) {
            one.atLast();
        }
    }

    private static Map<String, Set<List<Value>>> going(List<ChangeUndo> waiting, boolean deleted) {
        Map<String, Set<List<Value>>> going = new HashMap<>();
        waiting.forEach(one -> one.gather(going, deleted));
        return going;
    }

    private ChangeUndo change(List<TableChange> changes, int place) throws SQLException, CannotUndoException {
        return new ChangeUndo(
                connection, dialect, changes, place, dirty, large, setBackByOthers, writtenByOthers, writtenFirst);
    }
}
