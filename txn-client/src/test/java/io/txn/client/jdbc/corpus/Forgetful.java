package io.txn.client.jdbc.corpus;

/** A {@link Subject} that need not be made anew when the tables are other ones. */
public interface Forgetful {

    /** What it knows of tables counts no more. */
    void forget();
}
