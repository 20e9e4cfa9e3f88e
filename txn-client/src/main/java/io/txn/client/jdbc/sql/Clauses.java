package io.txn.client.jdbc.sql;

import static io.txn.client.jdbc.sql.StatementText.refuseUnless;

/**
 * Where WHERE, ORDER BY and LIMIT of an UPDATE or DELETE are.
 *
 * @param headEnd where what stands before them ends
 * @param fetches whether the number of rows is limited by FETCH
 */
record Clauses(
        int headEnd,
        Fragment where,
        Fragment tail,
        boolean hasWhere,
        boolean hasOrder,
        boolean hasLimit,
        boolean fetches) {

    /** Those of the statement between two tokens. */
    static Clauses of(StatementText text, int after, int end) throws NotUnderstood {
        int where = text.topLevel("WHERE", after, end);
        int order = text.topLevel("ORDER", after, end);
        int limit = text.topLevel("LIMIT", after, end);
        int fetch = text.topLevel("FETCH", after, end);
        refuseUnless(
                text.topLevel("OFFSET", after, end) < 0
                        && (fetch < 0
                                || limit < 0
                                        && text.is(end - 1, "ONLY")
                                        && !text.syntax().escapePrefix()),
                "OFFSET in a write, or this FETCH, is not captured",
                "use LIMIT, or select the keys first");
        int tail = Math.min(end, text.firstOf(order, limit, fetch));
        refuseUnless(where < tail, "its clauses are out of order", "write WHERE, ORDER BY and LIMIT in this order");
        int headEnd = where > 0 ? where : tail;
        return new Clauses(
                headEnd,
                where > 0 ? text.fragment(where + 1, tail) : Fragment.EMPTY,
                tail < end ? text.fragment(tail, end) : Fragment.EMPTY,
                where > 0,
                order > 0,
                limit > 0,
                fetch > 0);
    }

    /** The parser has to have found the same clauses. */
    void agree(boolean where, boolean order, boolean limit) throws NotUnderstood {
        refuseUnless(
                hasWhere == where && hasOrder == order && hasLimit == limit,
                "its clauses are read in two ways",
                "write WHERE, ORDER BY and LIMIT in this order, once each");
    }
}
