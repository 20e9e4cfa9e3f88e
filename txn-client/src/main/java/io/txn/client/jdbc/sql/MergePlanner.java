package io.txn.client.jdbc.sql;

import static io.txn.client.jdbc.sql.StatementText.OUTSIDE;
import static io.txn.client.jdbc.sql.StatementText.refuseUnless;

import java.util.ArrayList;
import java.util.List;

/** Plans MERGE, also behind WITH: {@code USING … WHEN}, and H2's {@code KEY}. Read by the tokens alone, as {@link InsertPlanner} does. */
final class MergePlanner {

    private static final String WRITE_KNOWN = "write MERGE INTO table USING … ON … WHEN …";

    private final StatementText text;
    private final int verb;

    /** @param verb where MERGE stands */
    MergePlanner(StatementText text, int verb) {
        this.text = text;
        this.verb = verb;
    }

    Plan.Merge plan() throws NotUnderstood {
        int target = verb + (text.is(verb + 1, "INTO") ? 2 : 1);
        int nameEnd = text.nameEnd(target);
        TableName table = text.tableName(target, nameEnd);
        refuseUnless(
                !table.written().equalsIgnoreCase("ONLY"),
                "ONLY is not captured",
                "merge into a table without children");
        refuseUnless(
                verb == 0 || !ReadCheck.mayWrite(text.tokens().subList(0, verb)),
                "its WITH holds a write",
                "send the writes one by one");
        int using = text.topLevel("USING", nameEnd, text.size());
        return using > 0 ? using(table, nameEnd, using) : keyed(table, nameEnd);
    }

    private Plan.Merge using(TableName table, int nameEnd, int using) throws NotUnderstood {
        int returning = ReturningClause.start(text, using, text.size());
        int when = text.topLevel("WHEN", using, returning);
        refuseUnless(when > 0, "it has no WHEN", WRITE_KNOWN);
        refuseUnless(
                !ReadCheck.mayWrite(text.tokens().subList(using, when)),
                "what it merges from holds a write",
                "send the writes one by one");
        int alias = text.is(nameEnd, "AS") ? nameEnd + 1 : nameEnd;
        refuseUnless(
                nameEnd == using || alias == using - 1 && text.isName(alias),
                "its table is not understood",
                WRITE_KNOWN);
        List<Identifier> assigned = new ArrayList<>();
        List<Fragment> matched = new ArrayList<>();
        int done = 0;
        boolean deletes = false;
        for (int i = when; i < returning; i++) {
            boolean top = text.token(i).depth() == 0;
            if (top && text.is(i, "WHEN") && text.is(i + 1, "MATCHED")) {
                int then = then(i, returning);
                int condition = text.is(i + 2, "AND") ? i + 3 : then;
                matched.add(text.fragment(done, i + 2));
                matched.add(text.fragment(condition, then));
                done = then;
            }
            if (top && text.is(i, "THEN")) {
                if (text.is(i + 1, "UPDATE")) {
                    refuseUnless(text.is(i + 2, "SET"), "its UPDATE is not understood", WRITE_KNOWN);
                    assignments(i + 3, clauseEnd(i + 3, returning), assigned);
                } else if (text.is(i + 1, "DELETE")) {
                    deletes = true;
                } else if (!text.is(i + 1, "INSERT") && !text.is(i + 1, "DO")) {
                    continue; // of a CASE
                }
            } else if (text.token(i).depth() > 0 && text.isSymbol(i - 1, '(') && text.is(i, "SELECT")) {
                refuseUnless(
                        !ReadCheck.mayWrite(text.tokens().subList(i, text.closing(i - 1))),
                        "it holds another write",
                        "send the writes one by one");
            }
        }
        matched.add(text.fragment(done, returning));
        return new Plan.Merge(
                table,
                text.fragment(0, text.size()),
                text.fragment(0, returning),
                assigned,
                deletes,
                ReturningClause.of(text, returning),
                nameEnd == using ? table.written() : text.token(alias).text(),
                matched,
                null);
    }

    /** Where the THEN of the clause that begins at {@code when} is: the first that is not of a CASE. */
    private int then(int when, int to) throws NotUnderstood {
        int cases = 0;
        for (int i = when; i < to; i++) {
            if (text.token(i).depth() == 0) {
                if (text.is(i, "CASE")) {
                    cases++;
                } else if (text.is(i, "END")) {
                    cases--;
                } else if (text.is(i, "THEN") && cases == 0) {
                    return i;
                }
            }
        }
        throw new NotUnderstood("a WHEN has no THEN", WRITE_KNOWN);
    }

    /** Where the clause that {@code from} is in ends: at the next WHEN that is not of a CASE. */
    private int clauseEnd(int from, int to) {
        int cases = 0;
        for (int i = from; i < to; i++) {
            if (text.token(i).depth() > 0) {
                continue;
            }
            if (text.is(i, "CASE")) {
                cases++;
            } else if (text.is(i, "END")) {
                cases--;
            } else if (text.is(i, "WHEN") && cases == 0) {
                return i;
            }
        }
        return to;
    }

    private void assignments(int from, int to, List<Identifier> assigned) throws NotUnderstood {
        for (int[] part : text.commaSeparated(from, to)) {
            Assignments.target(text, part[0], part[1], assigned);
        }
    }

    private Plan.Merge keyed(TableName table, int nameEnd) throws NotUnderstood {
        refuseUnless(verb == 0, "this form of MERGE is not captured", WRITE_KNOWN);
        int at = nameEnd;
        List<Identifier> columns = List.of();
        if (text.isSymbol(at, '(')) {
            columns = names(at);
            at = text.closing(at) + 1;
        }
        List<Identifier> key = List.of();
        if (text.is(at, "KEY") && text.isSymbol(at + 1, '(')) {
            key = names(at + 1);
            at = text.closing(at + 1) + 1;
        }
        boolean listed = text.is(at, "VALUES");
        refuseUnless(
                listed
                        || text.is(at, "SELECT")
                        || text.is(at, "WITH")
                        || text.is(at, "TABLE")
                        || text.isSymbol(at, '('),
                "this form of MERGE is not captured",
                WRITE_KNOWN);
        List<List<InsertValue>> rows = listed
                ? InsertValues.of(text, at + 1, text.size(), columns.size()).rows()
                : List.of();
        refuseUnless(
                !ReadCheck.mayWrite(text.tokens().subList(at + 1, text.size())),
                "it holds another write",
                "send the writes one by one");
        Fragment whole = text.fragment(0, text.size());
        return new Plan.Merge(
                table,
                whole,
                whole,
                columns,
                false,
                null,
                table.written(),
                List.of(whole),
                new Plan.KeyedMerge(columns, key, rows, listed ? null : text.fragment(at, text.size())));
    }

    private List<Identifier> names(int open) throws NotUnderstood {
        List<Identifier> names = new ArrayList<>();
        for (int[] part : text.commaSeparated(open + 1, text.closing(open))) {
            refuseUnless(part[1] - part[0] == 1 && text.isName(part[0]), "its column list is not understood", OUTSIDE);
            names.add(Identifier.of(text.token(part[0]).text()));
        }
        return names;
    }
}
