package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.sql.Mentions;
import io.txn.client.jdbc.sql.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One execution of a write: where it runs, and what is known of how it went. All that can be refused is refused before anything is changed; what
 * cannot be captured after the change has happened makes it incomplete, and then its local transaction must not be committed.
 */
final class WriteRun {

    private final ConnectionHandler session;
    private final Connection connection;
    private final AtResource resource;
    private final String namespace;
    private final StatementScope scope;
    private final KeyRequest keyRequest;
    private @Nullable String incomplete;
    private boolean changed;
    private @Nullable MovedRows movedRows;
    private @Nullable Analysis analysis;
    private @Nullable NotedRows notedRows;
    private NotedRows.@Nullable Owing owing;
    private final Set<Table> tables = new LinkedHashSet<>();

    WriteRun(ConnectionHandler session, StatementScope scope, KeyRequest keyRequest) {
        this.session = session;
        this.connection = session.physical();
        this.resource = session.resource();
        this.namespace = session.namespace();
        this.scope = scope;
        this.keyRequest = keyRequest;
    }

    /** The physical connection, within its open transaction. */
    Connection connection() throws SQLException {
        session.resume();
        return connection;
    }

    /** Whether the transaction is still to be opened, and the next statement may do that by {@link ConnectionHandler#begin}. */
    boolean begins() {
        return session.begins() && !scope.isLimitedByDriver();
    }

    ConnectionHandler session() {
        return session;
    }

    Dialect dialect() {
        return resource.dialect();
    }

    AtOptions options() {
        return resource.options();
    }

    StatementScope scope() {
        return scope;
    }

    KeyRequest keyRequest() {
        return keyRequest;
    }

    /** A text that no other execution on this resource has, while it is open. */
    String number() {
        return resource.nextNumber();
    }

    /**
     * A table that the statement writes to.
     *
     * @throws SQLException when there is none of this name, or writes to it cannot be captured
     */
    Table writable(TableName name) throws SQLException {
        Table table = resource.tables().writable(connection, name, namespace);
        tables.add(table);
        return table;
    }

    /** Rows that others follow are told to {@code moved}. */
    void watch(MovedRows moved) {
        movedRows = moved;
    }

    /** Where the local transaction keeps the rows that are noted and not read yet; null where nothing may be noted. */
    @Nullable
    NotedRows notedRows() {
        return notedRows;
    }

    void notingIn(NotedRows rows) {
        notedRows = rows;
    }

    /** What it did is noted, and stays to be read. */
    void owes(NotedRows.Owing rows) {
        owing = rows;
    }

    /** Takes what it did when that is read; null when it is known. */
    NotedRows.@Nullable Owing owing() {
        return owing;
    }

    /** Null when nobody follows what the statement does. */
    @Nullable
    MovedRows movedRows() {
        return movedRows;
    }

    /** Why a write to a table that no statement names may call what writes; null when it does not. */
    @Nullable
    String functionThatWrites(Table table) throws SQLException {
        return resource.tables().routines(connection, Set.of()).mayWrite(table);
    }

    /** Why a text of the database's own may call what writes; null when it does not. */
    @Nullable
    String functionThatWrites(Mentions text) throws SQLException {
        return resource.tables().routines(connection, text.called()).mayWrite(text, true);
    }

    /** What a part of the statement mentions. */
    Mentions mentions(String sql) {
        return resource.plans().mentions(sql);
    }

    /** Why a part of the statement may read something else when it runs again; null when it does not. */
    @Nullable
    String mayBeOther(String sql) throws SQLException {
        return resource.tables().mayBeOther(connection, mentions(sql));
    }

    /** A table that the statement names, whether or not it may be written. */
    Table table(TableName name) throws SQLException {
        return resource.tables().table(connection, name, namespace);
    }

    /** The tables that the images rely on. */
    Set<Table> tables() {
        return tables;
    }

    /** The statement ran by this analysis of its text. */
    void analysed(Analysis by) {
        analysis = by;
    }

    /** By which analysis it ran; null when the database did not say. */
    @Nullable
    Analysis analysis() {
        return analysis;
    }

    /** Whether the statement itself ran, so that rows may have changed that no image tells of. */
    boolean leftChanges() {
        return changed;
    }

    /** The statement ran. */
    void changed() {
        changed = true;
    }

    /** What the statement changed was taken back. */
    void unchanged() {
        changed = false;
        analysis = null; // its lock on the table went with it
    }

    /**
     * Takes back what was done since a savepoint, because of a failure; it is not needed any more.
     *
     * @throws SQLException that failure, where the savepoint is gone: a deadlock's victim has lost all that came before, and should learn of the deadlock
     */
    void takeBack(Savepoint before, SQLException failure) throws SQLException {
        backTo(before, failure);
        forget(before);
    }

    /** A savepoint that stays behind costs the database something until the transaction ends, which may be long. */
    void forget(Savepoint savepoint) {
        ConnectionHandler.forget(connection, savepoint);
    }

    /** The same as {@link #takeBack}, and the savepoint is still needed. */
    void backTo(Savepoint before, SQLException failure) throws SQLException {
        try {
            connection.rollback(before);
        } catch (SQLException gone) {
            changed();
            failure.addSuppressed(gone);
            throw failure;
        }
        unchanged();
    }

    /** The images do not tell everything. The first reason counts. */
    void incomplete(String reason) {
        if (incomplete == null) {
            incomplete = reason;
        }
    }

    /** Why the images do not tell everything, or null. */
    @Nullable
    String incomplete() {
        return incomplete;
    }
}
