package io.txn.client.jdbc.sql;

import static io.txn.client.jdbc.sql.StatementText.OUTSIDE;
import static io.txn.client.jdbc.sql.StatementText.isEmpty;
import static io.txn.client.jdbc.sql.StatementText.refuseUnless;

import java.util.ArrayList;
import java.util.List;
import net.sf.jsqlparser.statement.Statement;
import net.sf.jsqlparser.statement.update.Update;

/**
 * Plans UPDATE, also behind WITH. A plain one, of one table without other clauses than WHERE, ORDER BY and LIMIT, is what parser and tokens agree
 * on; the other forms are read by the tokens alone, clause by clause, because the parser does not know every dialect's.
 */
final class UpdatePlanner {

    private final StatementText text;
    private final int verb;

    /** @param verb where UPDATE stands */
    UpdatePlanner(StatementText text, int verb) {
        this.text = text;
        this.verb = verb;
    }

    Plan.Update plan() throws NotUnderstood {
        int set = text.topLevel("SET", verb + 1, text.size());
        refuseUnless(set > 0, "its SET was not found", OUTSIDE);
        Modifiers modifiers = Modifiers.of(text, verb + 1);
        SourceReader.Sources sources = new SourceReader(text).read(modifiers.end(), set);
        boolean postgres = text.syntax().escapePrefix();
        int returning = postgres ? ReturningClause.start(text, set, text.size()) : text.size();
        int from = postgres ? from(set, returning) : returning;
        Clauses clauses = Clauses.of(text, set, returning);
        refuseUnless(
                from == returning || from < clauses.headEnd(),
                "its clauses are out of order",
                "write SET, FROM, WHERE and RETURNING in this order");
        int assignmentsEnd = Math.min(from, clauses.headEnd());
        List<Plan.Assigned> assigned = new ArrayList<>();
        boolean whole = true;
        for (int[] part : text.commaSeparated(set + 1, assignmentsEnd)) {
            whole &= Assignments.targets(text, part[0], part[1], assigned);
        }
        refuseUnless(!assigned.isEmpty(), "it sets no column", OUTSIDE);
        List<Fragment> read = new ArrayList<>();
        read.add(text.fragment(modifiers.end(), set));
        if (from < returning) {
            read.add(text.fragment(from + 1, clauses.headEnd()));
        }
        boolean plain = verb == 0
                && whole
                && sources.plain()
                && modifiers.end() == verb + 1
                && read.size() == 1
                && returning == text.size()
                && !clauses.fetches();
        if (plain) {
            agree(sources.all().get(0), clauses, assigned);
        } else {
            text.refuseWrites(0, verb);
            text.refuseWrites(verb + 1, returning);
        }
        Plan.Selection selection = new Plan.Selection(
                text.fragment(0, text.size()),
                text.fragment(0, verb),
                read,
                sources.all(),
                sources.several() || read.size() > 1,
                text.fragment(0, clauses.headEnd()),
                clauses.where(),
                clauses.tail(),
                text.fragment(0, returning),
                ReturningClause.of(text, returning),
                modifiers.ignores());
        return new Plan.Update(
                selection,
                assigned,
                text.fragment(0, set + 1),
                text.fragment(set + 1, assignmentsEnd),
                plain ? values(set + 1, assignmentsEnd) : List.of(),
                plain && !holdsQuery() ? KeyCondition.of(clauses.where(), text.syntax()) : KeyCondition.NONE,
                text.fragment(assignmentsEnd, clauses.headEnd()));
    }

    private boolean holdsQuery() {
        for (int i = 0; i < text.size(); i++) {
            if (text.is(i, "SELECT") || text.is(i, "VALUES") || text.is(i, "TABLE") || text.is(i, "WITH")) {
                return true;
            }
        }
        return false;
    }

    /** What the columns are set to, one by one; empty when an assignment does not read {@code column = value}. */
    private List<NewValue> values(int from, int to) throws NotUnderstood {
        List<NewValue> values = new ArrayList<>();
        for (int[] part : text.commaSeparated(from, to)) {
            if (!text.isName(part[0]) || !text.isSymbol(part[0] + 1, '=')) {
                return List.of();
            }
            values.add(NewValue.of(text, part[0] + 2, part[1]));
        }
        return values;
    }

    /** Where PostgreSQL's FROM stands; the end when there is none. IS DISTINCT FROM is none. */
    private int from(int set, int end) {
        for (int i = set; i < end; i++) {
            if (text.token(i).depth() == text.token(verb).depth()
                    && text.is(i, "FROM")
                    && !text.is(i - 1, "DISTINCT")) {
                return i;
            }
            if (text.token(i).depth() == 0 && text.is(i, "WHERE")) {
                return end;
            }
        }
        return end;
    }

    private void agree(Plan.Source source, Clauses clauses, List<Plan.Assigned> assigned) throws NotUnderstood {
        Statement parsed = text.parse(text.size());
        refuseUnless(
                parsed instanceof Update update
                        && isEmpty(update.getJoins())
                        && isEmpty(update.getStartJoins())
                        && isEmpty(update.getWithItemsList())
                        && update.getFromItem() == null
                        && update.getReturningClause() == null
                        && update.getOutputClause() == null
                        && update.getModifierPriority() == null
                        && update.getForPortionClause() == null
                        && update.getPreferringClause() == null
                        && !update.isModifierIgnore(),
                "this form of UPDATE is not captured",
                "write UPDATE table SET … WHERE …");
        Update update = (Update) parsed;
        text.agree(source.table(), update.getTable());
        clauses.agree(update.getWhere() != null, !isEmpty(update.getOrderByElements()), update.getLimit() != null);
        int columns = update.getUpdateSets().stream()
                .mapToInt(s -> s.getColumns().size())
                .sum();
        refuseUnless(columns == assigned.size(), "its assignments are read in two ways", "write SET column = value, …");
    }
}
