package io.txn.client.jdbc.sql;

import java.util.List;

/** What a statement is, and the pieces of it that capturing needs. Immutable; cached per SQL text. */
public sealed interface Plan {

    /** Reads without locking, or says something about the session: runs as it is. */
    record Read() implements Plan {}

    /** Is not run inside a global transaction. */
    record Refused(String reason, String rewrite) implements Plan {}

    /** A read that locks rows of one table. {@code source} is table and alias, {@code lock} the clause that locks. */
    record LockingRead(TableName table, Fragment source, Fragment where, Fragment lock) implements Plan {}

    /** A plan that changes rows of one table. */
    sealed interface Write extends Plan {
        TableName table();

        /** The whole statement, without what follows its last token. */
        Fragment statement();
    }

    /**
     * {@code INSERT … VALUES}.
     *
     * @param columns those named; empty when the table's own order counts
     * @param rows the values, as many a row as columns
     * @param head all before the first row
     * @param rowTexts the rows with their parentheses
     */
    record Insert(
            TableName table,
            Fragment statement,
            List<Identifier> columns,
            List<List<InsertValue>> rows,
            Fragment head,
            List<Fragment> rowTexts)
            implements Write {
        public Insert {
            columns = List.copyOf(columns);
            rows = rows.stream().map(List::copyOf).toList();
            rowTexts = List.copyOf(rowTexts);
        }
    }

    /**
     * {@code UPDATE}.
     *
     * @param columns those that it sets
     * @param source table and alias
     * @param head all before WHERE
     * @param where the condition without the word; empty when there is none
     * @param tail ORDER BY and LIMIT; empty when there are none
     */
    record Update(
            TableName table,
            Fragment statement,
            List<Identifier> columns,
            Fragment source,
            Fragment head,
            Fragment where,
            Fragment tail)
            implements Write {
        public Update {
            columns = List.copyOf(columns);
        }
    }

    /** {@code DELETE}; the pieces as in {@link Update}. */
    record Delete(TableName table, Fragment statement, Fragment source, Fragment head, Fragment where, Fragment tail)
            implements Write {}
}
