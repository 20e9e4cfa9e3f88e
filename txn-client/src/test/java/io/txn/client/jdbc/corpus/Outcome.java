package io.txn.client.jdbc.corpus;

/** How a case came out. */
public enum Outcome {
    /** The commit left what plain JDBC leaves and showed what it shows, the rollback left what was there before, and no undo record stayed. */
    EXACT,
    /** Refused with reason and rewrite before any change; the local transaction was still usable. */
    REFUSED,
    /** Other rows than before after a rollback that said it was done. */
    WRONG,
    /** Phase two does not end. */
    STUCK,
    /** Phase two asks for a person, and nobody else had written. */
    LOUD,
    /** Something else than under plain JDBC: rows, counts, keys, an error. */
    DIFFERENT,
    /** The case does not work under plain JDBC: a mistake in the case file. */
    INVALID;

    boolean accepted() {
        return this == EXACT || this == REFUSED;
    }
}
