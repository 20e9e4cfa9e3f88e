package io.txn.client.jdbc.sql;

import static io.txn.client.jdbc.sql.StatementText.isEmpty;
import static io.txn.client.jdbc.sql.StatementText.refuseUnless;

import net.sf.jsqlparser.statement.Statement;
import net.sf.jsqlparser.statement.delete.Delete;

/** Plans what begins with DELETE. */
final class DeletePlanner {

    private final StatementText text;

    DeletePlanner(StatementText text) {
        this.text = text;
    }

    Plan.Delete plan() throws NotUnderstood {
        refuseUnless(
                text.size() > 2 && text.token(1).is("FROM"),
                "only DELETE FROM one table is captured",
                "write DELETE FROM table WHERE …");
        int where = text.topLevel("WHERE", 2, text.size());
        int order = text.topLevel("ORDER", 2, text.size());
        int limit = text.topLevel("LIMIT", 2, text.size());
        int sourceEnd = text.firstOf(where, order, limit, text.topLevel("FETCH", 2, text.size()));
        Clauses clauses = Clauses.of(text, 2);
        StatementText.Source source = text.source(2, sourceEnd);
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
                "delete from one table, without USING, JOIN, WITH, IGNORE or RETURNING");
        Delete delete = (Delete) parsed;
        text.agree(source, delete.getTable());
        clauses.agree(delete.getWhere() != null, !isEmpty(delete.getOrderByElements()), delete.getLimit() != null);
        return new Plan.Delete(
                source.name(),
                text.fragment(0, text.size()),
                text.fragment(2, sourceEnd),
                text.fragment(0, clauses.headEnd()),
                clauses.where(),
                clauses.tail());
    }
}
