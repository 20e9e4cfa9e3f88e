package io.txn.client.jdbc.sql;

import static io.txn.client.jdbc.sql.StatementText.OUTSIDE;
import static io.txn.client.jdbc.sql.StatementText.refuseUnless;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Reads which tables an UPDATE or DELETE names where it may write: one with at most an alias, PostgreSQL's {@code ONLY table}, MySQL's {@code table
 * PARTITION (…)} and its tables joined in every way. What is in parentheses behind ON and the like is not looked at; a sub-query in place of
 * a table is passed over.
 */
final class SourceReader {

    /** What follows a table and is not its alias. */
    private static final Set<String> NO_ALIAS = Set.of(
            "JOIN",
            "INNER",
            "CROSS",
            "LEFT",
            "RIGHT",
            "NATURAL",
            "OUTER",
            "STRAIGHT_JOIN",
            "ON",
            "USING",
            "USE",
            "FORCE",
            "IGNORE",
            "PARTITION",
            "FOR");

    private final StatementText text;
    private final List<Plan.Source> sources = new ArrayList<>();
    private int factors;
    private boolean plain = true;

    SourceReader(StatementText text) {
        this.text = text;
    }

    /**
     * @param all the tables, without sub-queries
     * @param several whether something is joined
     * @param plain whether it is one table with at most an alias
     */
    record Sources(List<Plan.Source> all, boolean several, boolean plain) {}

    Sources read(int from, int to) throws NotUnderstood {
        refuseUnless(from < to, "its table is not named plainly", "name the table");
        if (text.syntax().hashComments()) {
            joined(from, to);
        } else {
            one(from, to);
        }
        refuseUnless(!sources.isEmpty(), "it names no table", OUTSIDE);
        return new Sources(List.copyOf(sources), factors > 1, plain && factors == 1);
    }

    /** Tables of a SELECT, joined in any way: every one with its name, sub-queries not. */
    Sources readJoined(int from, int to) throws NotUnderstood {
        refuseUnless(from < to, "its table is not named plainly", "name the table");
        joined(from, to);
        refuseUnless(
                !sources.isEmpty() && factors == sources.size(),
                "it reads from a sub-query",
                "read from tables, joined without sub-queries");
        return new Sources(List.copyOf(sources), factors > 1, plain && factors == 1);
    }

    private void one(int from, int to) throws NotUnderstood {
        boolean only = text.is(from, "ONLY") && from + 1 < to && text.isName(from + 1);
        int name = only ? from + 1 : from;
        int end = text.nameEnd(name);
        if (end < to && text.isSymbol(end, '*')) {
            end++;
            plain = false;
        }
        end = alias(name, end, to);
        plain &= !only;
        refuseUnless(
                end == to, "what stands behind its table is not captured", "name one table, with at most an alias");
    }

    private void joined(int from, int to) throws NotUnderstood {
        int depth = text.token(from).depth();
        boolean expected = true;
        int at = from;
        while (at < to) {
            if (expected) {
                at = factor(at, to);
                expected = false;
            } else {
                boolean portion = text.is(at, "FOR") && !text.is(at - 1, "INDEX") && !text.is(at - 1, "KEY");
                refuseUnless(!portion, "a part of a row's time is not captured", OUTSIDE);
                boolean joins = text.isSymbol(at, ',')
                        || text.is(at, "STRAIGHT_JOIN")
                        || text.is(at, "JOIN") && !text.is(at - 1, "FOR");
                expected = joins && text.token(at).depth() == depth;
                plain = false;
                at++;
            }
        }
        refuseUnless(!expected, "its tables are not understood", "write table alias JOIN table alias ON …");
    }

    /** A table, a sub-query or joined tables in parentheses; returns where it ends. */
    private int factor(int from, int to) throws NotUnderstood {
        int at = text.is(from, "LATERAL") ? from + 1 : from;
        if (text.isSymbol(at, '(')) {
            plain = false;
            int close = text.closing(at);
            if (isQuery(at + 1)) {
                factors++;
                return alias(-1, close + 1, to);
            }
            joined(at + 1, close);
            return close + 1;
        }
        int end = text.nameEnd(at);
        refuseUnless(end >= to || !text.isSymbol(end, '('), "a function in place of a table is not captured", OUTSIDE);
        if (end < to && text.is(end, "PARTITION") && text.isSymbol(end + 1, '(')) {
            end = text.closing(end + 1) + 1;
            plain = false;
        }
        return alias(at, end, to);
    }

    private boolean isQuery(int at) {
        return text.is(at, "SELECT")
                || text.is(at, "WITH")
                || text.is(at, "VALUES")
                || text.isSymbol(at, '(') && isQuery(at + 1);
    }

    /**
     * @param name where the table's name begins; -1 when it is a sub-query
     * @return where its alias ends
     */
    private int alias(int name, int from, int to) throws NotUnderstood {
        int at = from;
        boolean as = at < to && text.is(at, "AS");
        if (as) {
            at++;
        }
        boolean named = at < to && text.isName(at) && (as || !NO_ALIAS.contains(text.upper(at)));
        refuseUnless(named || !as, "its table is not named plainly", "name the table, with at most an alias");
        if (name >= 0) {
            factors++;
            TableName table = text.tableName(name, text.nameEnd(name));
            sources.add(new Plan.Source(
                    table,
                    named
                            ? text.token(at).text()
                            : text.token(text.nameEnd(name) - 1).text()));
        }
        at = named ? at + 1 : at;
        if (name < 0 && at < to && text.isSymbol(at, '(')) {
            at = text.closing(at) + 1;
        }
        return at;
    }
}
