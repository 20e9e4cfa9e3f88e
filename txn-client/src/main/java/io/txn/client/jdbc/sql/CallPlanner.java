package io.txn.client.jdbc.sql;

import static io.txn.client.jdbc.sql.StatementText.OUTSIDE;
import static io.txn.client.jdbc.sql.StatementText.refuseUnless;

/** Plans {@code CALL …} and JDBC's <code>{call …}</code> and <code>{? = call …}</code>. */
final class CallPlanner {

    private CallPlanner() {}

    static boolean understands(StatementText text) {
        return text.is(0, "CALL")
                || text.isSymbol(0, '{')
                || text.token(0).kind() == Token.Kind.PARAMETER && text.isSymbol(1, '=');
    }

    static Plan plan(StatementText text) throws NotUnderstood {
        int at = 0;
        int end = text.size();
        if (text.isSymbol(0, '{')) {
            end--;
            at++;
            refuseUnless(text.isSymbol(end, '}'), "its braces are not balanced", "balance them");
        }
        boolean result = at + 1 < end && text.token(at).kind() == Token.Kind.PARAMETER && text.isSymbol(at + 1, '=');
        at += result ? 2 : 0;
        refuseUnless(text.is(at, "CALL"), "it is no call of a routine", OUTSIDE);
        at++;
        refuseUnless(at < end, "it names no routine", "name one");
        int nameEnd = text.isName(at) ? Math.min(end, text.nameEnd(at)) : at;
        boolean bare = nameEnd == end;
        boolean named = nameEnd > at && (bare || text.isSymbol(nameEnd, '(') && text.closing(nameEnd) == end - 1);
        return new Plan.Call(
                named ? text.tableName(at, nameEnd) : null, result, text.textOf(at, end) + (bare ? "()" : ""));
    }
}
