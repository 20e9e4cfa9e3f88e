package io.txn.client.jdbc;

import io.txn.client.Participation;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.undo.TableChange;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a connection has done since its last commit or rollback, as far as global transactions are concerned. Its first write pins it to one
 * XID, or to none. For one connection, and so for one thread at a time.
 */
final class LocalTransaction {

    private boolean pinned;
    private boolean touched;
    private boolean once;
    private boolean seenByOthers;
    private @Nullable Duration guard;
    private @Nullable Xid xid;
    private @Nullable Written written;
    /** What its statements did, one after the other. Of one whose rows are noted and not read yet, that is still empty. */
    private List<List<TableChange>> statements = new ArrayList<>();

    private final NotedRows notedRows = new NotedRows();
    private final Set<Table> tables = new LinkedHashSet<>();
    private final Set<Analysed> analysed = new LinkedHashSet<>();
    private boolean unanalysed;
    private @Nullable String incomplete;
    private final Map<Savepoint, Mark> savepoints = new IdentityHashMap<>();

    private record Mark(
            @Nullable String name, int statements, @Nullable String incomplete) {}

    /**
     * A write under this XID, or under none, is about to run.
     *
     * @throws SQLException when the transaction already belongs elsewhere; nothing has happened then
     */
    void pin(@Nullable Xid current) throws SQLException {
        if (pinned && !java.util.Objects.equals(xid, current)) {
            throw Refusals.misplaced(
                    ErrorCode.LOCAL_TRANSACTION_SPANS,
                    "began",
                    xid == null ? "none" : xid,
                    "now",
                    current == null ? "none" : current);
        }
        pinned = true;
        xid = current;
    }

    /** Whether a commit under this XID, or under none, decides something that began under another. */
    boolean spans(@Nullable Xid current) {
        return pinned && !java.util.Objects.equals(xid, current);
    }

    /** The global transaction it is pinned to; null when to none, or not yet. */
    @Nullable
    Xid xid() {
        return xid;
    }

    /** A write under a guard ran in it: it may be committed only when nobody holds its rows. */
    void guarded(Duration lockWait) {
        guard = lockWait;
    }

    /** How long rows are waited for at its commit; null when it did nothing under a guard. */
    @Nullable
    Duration guard() {
        return guard;
    }

    /** Something of it leaves behind in the session what no rollback takes back. */
    void runOnce() {
        once = true;
    }

    /** Whether it must not be run again from the start: that would not do the same. */
    boolean runsOnce() {
        return once;
    }

    /** A statement runs in it. */
    void touch() {
        touched = true;
    }

    /** Whether a rollback would lose something: a statement's work, a savepoint, or what went past the proxy. */
    boolean touched() {
        return touched || seenByOthers;
    }

    /** From now on somebody may do what is not seen here. */
    void seenByOthers() {
        seenByOthers = true;
    }

    /**
     * What the images of one statement rely on.
     *
     * @param analysis by which it ran; null when that is not known
     */
    void uses(Collection<Table> given, @Nullable Analysis analysis) {
        tables.addAll(given);
        for (Table table : given) {
            // Of several tables, some are only read again; and to a whole, what becomes of its partitions is nothing
            // new.
            if (analysis == null || given.size() > 1 || table.identities().size() > 1) {
                unanalysed = true;
            } else {
                analysed.add(new Analysed(table, analysis));
            }
        }
    }

    /** A table, and an analysis of a statement on it alone. */
    record Analysed(Table table, Analysis analysis) {}

    /** By which analyses all statements ran that the images come from; null when not all are known. */
    @Nullable
    Set<Analysed> analysed() {
        return unanalysed ? null : analysed;
    }

    /** The tables as they were when their rows were captured. */
    Set<Table> tables() {
        return tables;
    }

    boolean hasChanges() {
        if (notedRows.any() || incomplete() != null) {
            return true;
        }
        for (List<TableChange> statement : statements) {
            if (!statement.isEmpty()) {
                return true;
            }
        }
        return false;
    }

    List<TableChange> changes() {
        if (statements.size() == 1) {
            return statements.get(0);
        }
        List<TableChange> changes = new ArrayList<>();
        statements.forEach(changes::addAll);
        return changes;
    }

    /** Rows that the database has noted. */
    NotedRows notedRows() {
        return notedRows;
    }

    /** Why it must not be committed, or null. */
    @Nullable
    String incomplete() {
        return incomplete == null ? notedRows.lost() : incomplete;
    }

    /** @param owing what is still to be read of it; null when nothing is */
    void add(Outcome outcome, NotedRows.@Nullable Owing owing) {
        List<TableChange> changes = owing == null ? outcome.changes() : new ArrayList<>(outcome.changes());
        statements.add(changes);
        if (owing != null) {
            notedRows.owe(owing, changes);
        }
        if (outcome.incomplete() != null) {
            incomplete(outcome.incomplete());
        }
    }

    /** What was added is work of that participation. */
    void writtenFor(Participation participation) {
        written = Written.more(written, participation);
    }

    /** What it has written in a global transaction; null when nothing. */
    @Nullable
    Written written() {
        return written;
    }

    /** Work of a participation, with the numbers of its first and its last write. */
    record Written(Participation participation, long first, long last) {

        static Written more(@Nullable Written before, Participation participation) {
            long number = participation.wrote();
            return new Written(participation, before == null ? number : before.first, number);
        }

        /** It is, or may be, committed. */
        void kept() {
            participation.worked(first, last);
        }
    }

    void incomplete(String reason) {
        if (incomplete == null) {
            incomplete = reason;
        }
    }

    /** @param name what the application called it; null when the driver made up a name of its own */
    void savepointSet(Savepoint savepoint, @Nullable String name) {
        touched = true;
        Mark mark = new Mark(name, statements.size(), incomplete);
        if (name != null) {
            // Databases go back to the latest savepoint of a name, whichever of its objects is given to them.
            savepoints.replaceAll((other, earlier) -> name.equalsIgnoreCase(earlier.name()) ? mark : earlier);
        }
        savepoints.put(savepoint, mark);
    }

    void rolledBackTo(Savepoint savepoint) {
        Mark mark = savepoints.get(savepoint);
        if (mark == null) {
            // Set before the last commit, or by somebody else: the database has refused it, or we do not know what it
            // undid.
            incomplete("a savepoint that this connection did not set was rolled back to");
        } else {
            statements = new ArrayList<>(statements.subList(0, Math.min(mark.statements(), statements.size())));
            incomplete = mark.incomplete();
        }
    }

    void savepointReleased(Savepoint savepoint) {
        savepoints.remove(savepoint);
    }

    /** It was committed or rolled back. */
    void ended() {
        pinned = false;
        touched = false;
        guard = null;
        xid = null;
        written = null;
        statements = new ArrayList<>();
        notedRows.forget();
        tables.clear();
        analysed.clear();
        unanalysed = false;
        incomplete = null;
        savepoints.clear();
    }
}
