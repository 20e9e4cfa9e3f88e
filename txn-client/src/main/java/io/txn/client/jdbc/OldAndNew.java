package io.txn.client.jdbc;

import io.txn.client.jdbc.sql.Plan;
import org.jspecify.annotations.Nullable;

/**
 * What PostgreSQL's RETURNING calls a row as it was and as it is: the application's names where its own RETURNING has any, else ours.
 *
 * @param old with its dot
 * @param now with its dot
 * @param with the clause that gives the names
 */
record OldAndNew(String old, String now, String with) {

    static OldAndNew of(Plan.@Nullable Returning returning) {
        String old = "txn_old";
        String now = "txn_new";
        if (returning != null && (returning.old() != null || returning.now() != null || returning.mentions())) {
            old = returning.old() == null ? "old" : returning.old();
            now = returning.now() == null ? "new" : returning.now();
        }
        return new OldAndNew(old + '.', now + '.', "WITH (OLD AS " + old + ", NEW AS " + now + ") ");
    }
}
