package io.txn.client.jdbc.corpus;

import java.util.List;

/** One step of a case. */
public sealed interface Step {

    /** How a statement is sent. */
    enum Api {
        UPDATE,
        EXECUTE,
        LARGE,
        QUERY,
        BATCH,
        CALL,
        CURSOR
    }

    /**
     * A statement.
     *
     * @param sql its text, of a batch of texts the first one
     * @param bindings parameters, once for each execution; empty for a plain statement
     * @param more further texts of a batch; what is done through an updatable result
     * @param keys which generated keys are asked for: null for none, {@code *} for JDBC's constant, else names
     * @param fails whether the database refuses it
     */
    record Call(Api api, String sql, List<List<Binding>> bindings, List<String> more, String keys, boolean fails)
            implements Step {}

    /** Something other than a statement. */
    enum Control {
        SAVEPOINT,
        BACK,
        RELEASE,
        COMMIT,
        ROLLBACK,
        AUTOCOMMIT_ON,
        AUTOCOMMIT_OFF,
        /** The local transaction is committed; what follows is another one on another connection. */
        LOCAL
    }

    record Other(Control control, String name) implements Step {}

    /** A writer that knows of no global transaction, after the local commit of what was before. */
    record Outside(String sql) implements Step {}
}
