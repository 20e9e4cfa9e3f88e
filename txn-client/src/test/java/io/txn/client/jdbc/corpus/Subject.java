package io.txn.client.jdbc.corpus;

import javax.sql.DataSource;

/**
 * What is put to the test: a proxy over a data source, with the rest of a transaction manager. Only types of the JDK in its methods, so that the one in
 * another process need not know this interface. Used by one thread.
 */
public interface Subject {

    /** The proxy. */
    DataSource dataSource();

    /** Begins a global transaction and binds it to the thread. */
    void begin();

    /** Ends the binding. */
    void unbind();

    /** Decides to commit: empty when every branch has ended, {@code retry …} or {@code attention …} with the cause otherwise. */
    String commit();

    /** Decides to roll back: likewise. */
    String rollback();

    /** How a statement was refused, empty when this is no refusal that names its reason and what to write instead. */
    String refusal(Throwable failure);

    /** Whether an undo record or anything else is left in the undo table. */
    String undoTable();
}
