package io.txn.client.jdbc.sql;

import static io.txn.client.jdbc.sql.StatementText.OUTSIDE;
import static io.txn.client.jdbc.sql.StatementText.isEmpty;
import static io.txn.client.jdbc.sql.StatementText.refuseUnless;

import java.util.ArrayList;
import java.util.List;
import net.sf.jsqlparser.schema.Column;
import net.sf.jsqlparser.schema.Table;
import net.sf.jsqlparser.statement.Statement;
import net.sf.jsqlparser.statement.update.Update;
import net.sf.jsqlparser.statement.update.UpdateSet;

/** Plans what begins with UPDATE. */
final class UpdatePlanner {

    private final StatementText text;

    UpdatePlanner(StatementText text) {
        this.text = text;
    }

    Plan.Update plan() throws NotUnderstood {
        int set = text.topLevel("SET", 1, text.size());
        refuseUnless(set > 0, "its SET was not found", OUTSIDE);
        Clauses clauses = Clauses.of(text, set);
        StatementText.Source source = text.source(1, set);
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
                "update one table, without FROM, JOIN, WITH, IGNORE or RETURNING");
        Update update = (Update) parsed;
        text.agree(source, update.getTable());
        clauses.agree(update.getWhere() != null, !isEmpty(update.getOrderByElements()), update.getLimit() != null);
        List<Identifier> columns = new ArrayList<>();
        for (UpdateSet assignment : update.getUpdateSets()) {
            for (Object target : assignment.getColumns()) {
                columns.add(assignedColumn(target, source));
            }
        }
        refuseUnless(!columns.isEmpty(), "it sets no column", OUTSIDE);
        return new Plan.Update(
                source.name(),
                text.fragment(0, text.size()),
                columns,
                text.fragment(1, set),
                text.fragment(0, clauses.headEnd()),
                clauses.where(),
                clauses.tail());
    }

    private Identifier assignedColumn(Object target, StatementText.Source source) throws NotUnderstood {
        refuseUnless(target instanceof Column, "it assigns to something else than a column", "name the column");
        Column column = (Column) target;
        Table qualifier = column.getTable();
        if (qualifier != null
                && qualifier.getName() != null
                && !qualifier.getName().isEmpty()) {
            boolean ofThisTable = qualifier.getName().equalsIgnoreCase(source.aliasOrName());
            refuseUnless(
                    ofThisTable && !text.syntax().escapePrefix(),
                    "it assigns to a part of a column, or to a column of another table",
                    "assign the whole column, unqualified");
        }
        return Identifier.of(column.getColumnName());
    }
}
