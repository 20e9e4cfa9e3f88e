package io.txn.client.jdbc.sql;

import static io.txn.client.jdbc.sql.StatementText.isEmpty;
import static io.txn.client.jdbc.sql.StatementText.refuseUnless;

import java.util.ArrayList;
import java.util.List;
import net.sf.jsqlparser.statement.Statement;
import net.sf.jsqlparser.statement.delete.Delete;

/** Plans DELETE, also behind WITH. What is plain and how the rest is read: as {@link UpdatePlanner}. */
final class DeletePlanner {

    private final StatementText text;
    private final int verb;

    /** @param verb where DELETE stands */
    DeletePlanner(StatementText text, int verb) {
        this.text = text;
        this.verb = verb;
    }

    Plan.Delete plan() throws NotUnderstood {
        Modifiers modifiers = Modifiers.of(text, verb + 1);
        int from = text.topLevel("FROM", modifiers.end(), text.size());
        refuseUnless(from > 0, "its FROM was not found", "write DELETE FROM table WHERE …");
        int returning = ReturningClause.start(text, from, text.size());
        Clauses clauses = Clauses.of(text, from, returning);
        int using = text.topLevel("USING", from, clauses.headEnd());
        boolean postgres = text.syntax().escapePrefix();
        boolean listed = from > modifiers.end();
        boolean joins = using > 0 && !postgres && !listed;
        int sourcesFrom = joins ? using + 1 : from + 1;
        int sourcesEnd = using > 0 && postgres ? using : clauses.headEnd();
        SourceReader.Sources sources = new SourceReader(text).read(sourcesFrom, sourcesEnd);
        refuseUnless(
                !postgres && (listed || joins) || !listed && !sources.several(),
                "it does not say which of its tables it deletes from",
                "write DELETE FROM table WHERE …");
        List<Plan.Source> targets = listed
                ? named(modifiers.end(), from, sources.all())
                : joins ? named(from + 1, using, sources.all()) : sources.all();
        List<Fragment> read = new ArrayList<>();
        read.add(text.fragment(sourcesFrom, sourcesEnd));
        if (using > 0 && postgres) {
            read.add(text.fragment(using + 1, clauses.headEnd()));
        }
        boolean plain = verb == 0
                && sources.plain()
                && from == 1
                && !joins
                && read.size() == 1
                && returning == text.size()
                && !clauses.fetches();
        if (plain) {
            agree(sources.all().get(0), clauses);
        } else {
            text.refuseWrites(0, verb);
            text.refuseWrites(verb + 1, returning);
        }
        return new Plan.Delete(
                new Plan.Selection(
                        text.fragment(0, text.size()),
                        text.fragment(0, verb),
                        read,
                        sources.all(),
                        listed || joins || read.size() > 1,
                        text.fragment(0, clauses.headEnd()),
                        clauses.where(),
                        clauses.tail(),
                        text.fragment(0, returning),
                        ReturningClause.of(text, returning),
                        modifiers.ignores()),
                targets);
    }

    /** MySQL's list of tables to delete from: each a name, or alias, of a source. */
    private List<Plan.Source> named(int from, int to, List<Plan.Source> sources) throws NotUnderstood {
        List<Plan.Source> targets = new ArrayList<>();
        for (int[] part : text.commaSeparated(from, to)) {
            boolean star = part[1] - part[0] > 2 && text.isSymbol(part[1] - 1, '*') && text.isSymbol(part[1] - 2, '.');
            int end = star ? part[1] - 2 : part[1];
            refuseUnless(
                    part[0] < end && text.nameEnd(part[0]) == end,
                    "the tables that it deletes from are not understood",
                    "write DELETE alias FROM table alias JOIN …");
            Identifier name = Identifier.of(text.token(end - 1).text());
            Plan.Source source = Plan.Source.find(sources, name);
            refuseUnless(
                    source != null && !targets.contains(source),
                    "a table that it deletes from is not among those it reads, or not to be told from another",
                    "give each table an alias, and name the alias");
            if (source != null) {
                targets.add(source);
            }
        }
        return targets;
    }

    private void agree(Plan.Source source, Clauses clauses) throws NotUnderstood {
        Statement parsed = text.parse(text.size());
        refuseUnless(
                parsed instanceof Delete delete
                        && isEmpty(delete.getTables())
                        && isEmpty(delete.getJoins())
                        && isEmpty(delete.getUsingFromItemList())
                        && isEmpty(delete.getWithItemsList())
                        && delete.getReturningClause() == null
                        && delete.getOutputClause() == null
                        && delete.getModifierPriority() == null
                        && delete.getForPortionClause() == null
                        && delete.getPreferringClause() == null
                        && !delete.isModifierIgnore()
                        && !delete.isModifierQuick(),
                "this form of DELETE is not captured",
                "write DELETE FROM table WHERE …");
        Delete delete = (Delete) parsed;
        text.agree(source.table(), delete.getTable());
        clauses.agree(delete.getWhere() != null, !isEmpty(delete.getOrderByElements()), delete.getLimit() != null);
    }
}
