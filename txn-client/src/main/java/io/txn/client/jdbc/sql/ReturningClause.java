package io.txn.client.jdbc.sql;

import static io.txn.client.jdbc.sql.StatementText.OUTSIDE;
import static io.txn.client.jdbc.sql.StatementText.refuseUnless;

import org.jspecify.annotations.Nullable;

/** Finds and reads the RETURNING of a write. */
final class ReturningClause {

    private ReturningClause() {}

    /** Where it begins, looking between two tokens; {@code to} when there is none. */
    static int start(StatementText text, int from, int to) {
        int at = text.lastTopLevel("RETURNING", from, to);
        return at < 0 ? to : at;
    }

    /** What the clause that begins at {@code start} says; null when there is none. */
    static Plan.@Nullable Returning of(StatementText text, int start) throws NotUnderstood {
        if (start >= text.size()) {
            return null;
        }
        int list = start + 1;
        String old = null;
        String now = null;
        if (text.is(list, "WITH") && text.isSymbol(list + 1, '(')) {
            int close = text.closing(list + 1);
            for (int[] part : text.commaSeparated(list + 2, close)) {
                boolean named = part[1] - part[0] == 3 && text.is(part[0] + 1, "AS") && text.isName(part[0] + 2);
                refuseUnless(named, "its RETURNING WITH is not understood", OUTSIDE);
                String name = text.token(part[0] + 2).text();
                if (text.is(part[0], "OLD")) {
                    old = name;
                } else {
                    refuseUnless(text.is(part[0], "NEW"), "its RETURNING WITH is not understood", OUTSIDE);
                    now = name;
                }
            }
            list = close + 1;
        }
        refuseUnless(list < text.size(), "its RETURNING is empty", "name the columns");
        boolean mentions = mentionsOldOrNew(text, list, text.size());
        refuseUnless(
                !mentions || old != null && now != null || !mentionsOldOrNew(text, 0, start),
                "old and new may mean a table or the row before and after",
                "write RETURNING WITH (OLD AS o, NEW AS n) …");
        refuseUnless(
                !ReadCheck.mayWrite(text.tokens().subList(list, text.size())),
                "its RETURNING holds a write",
                "send the write by itself");
        return new Plan.Returning(text.fragment(list, text.size()), old, now, mentions);
    }

    private static boolean mentionsOldOrNew(StatementText text, int from, int to) {
        for (int i = from; i < to; i++) {
            String word = text.token(i).text();
            if (text.isName(i)
                    && (Identifier.of(word).text().equalsIgnoreCase("old")
                            || Identifier.of(word).text().equalsIgnoreCase("new"))) {
                return true;
            }
        }
        return false;
    }
}
