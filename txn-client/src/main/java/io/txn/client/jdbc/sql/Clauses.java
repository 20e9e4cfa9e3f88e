package io.txn.client.jdbc.sql;

import static io.txn.client.jdbc.sql.StatementText.refuseUnless;

/** Where WHERE, ORDER BY and LIMIT of an UPDATE or DELETE of one table are. */
record Clauses(int headEnd, Fragment where, Fragment tail, boolean hasWhere, boolean hasOrder, boolean hasLimit) {

    /** Those of the statement after token {@code after}. */
    static Clauses of(StatementText text, int after) throws NotUnderstood {
        int end = text.size();
        int where = text.topLevel("WHERE", after, end);
        int order = text.topLevel("ORDER", after, end);
        int limit = text.topLevel("LIMIT", after, end);
        refuseUnless(
                text.topLevel("FETCH", after, end) < 0 && text.topLevel("OFFSET", after, end) < 0,
                "FETCH and OFFSET in a write are not captured",
                "use LIMIT, or select the keys first");
        int tail = text.firstOf(order, limit);
        refuseUnless(where < tail, "its clauses are out of order", "write WHERE, ORDER BY and LIMIT in this order");
        int headEnd = where > 0 ? where : tail;
        return new Clauses(
                headEnd,
                where > 0 ? text.fragment(where + 1, tail) : Fragment.EMPTY,
                tail < end ? text.fragment(tail, end) : Fragment.EMPTY,
                where > 0,
                order > 0,
                limit > 0);
    }

    /** The parser has to have found the same clauses. */
    void agree(boolean where, boolean order, boolean limit) throws NotUnderstood {
        refuseUnless(
                hasWhere == where && hasOrder == order && hasLimit == limit,
                "its clauses are read in two ways",
                "write WHERE, ORDER BY and LIMIT in this order, once each");
    }
}
