package io.txn.client.jdbc.sql;

import static io.txn.client.jdbc.sql.StatementText.OUTSIDE;
import static io.txn.client.jdbc.sql.StatementText.isEmpty;
import static io.txn.client.jdbc.sql.StatementText.refuseUnless;
import static io.txn.client.jdbc.sql.StatementText.sameName;

import java.util.ArrayList;
import java.util.List;
import net.sf.jsqlparser.statement.Statement;
import net.sf.jsqlparser.statement.insert.Insert;
import net.sf.jsqlparser.statement.select.Values;

/** Plans what begins with INSERT. */
final class InsertPlanner {

    private final StatementText text;

    InsertPlanner(StatementText text) {
        this.text = text;
    }

    Plan.Insert plan() throws NotUnderstood {
        refuseUnless(
                text.size() > 3 && text.token(1).is("INTO"),
                "only INSERT INTO … VALUES is captured",
                "write INSERT INTO table (columns) VALUES (…)");
        int nameEnd = text.nameEnd(2);
        TableName table = text.tableName(2, nameEnd);
        int at = nameEnd;
        List<Identifier> columns = new ArrayList<>();
        if (at < text.size() && text.token(at).isSymbol('(')) {
            int close = text.closing(at);
            for (int[] part : text.commaSeparated(at + 1, close)) {
                refuseUnless(
                        part[1] - part[0] == 1 && text.isName(part[0]), "its column list is not understood", OUTSIDE);
                columns.add(Identifier.of(text.token(part[0]).text()));
            }
            at = close + 1;
        }
        if (at + 2 < text.size() && text.token(at).is("OVERRIDING")) {
            at += 3;
        }
        refuseUnless(
                at < text.size()
                        && (text.token(at).is("VALUES") || text.token(at).is("VALUE")),
                "only INSERT … VALUES is captured",
                "select the values first, then INSERT … VALUES");
        int firstRow = at + 1;
        List<List<InsertValue>> rows = new ArrayList<>();
        List<Fragment> rowTexts = new ArrayList<>();
        for (int[] row : text.commaSeparated(firstRow, text.size())) {
            refuseUnless(
                    text.token(row[0]).isSymbol('(') && text.closing(row[0]) == row[1] - 1,
                    "what follows the values (ON CONFLICT, ON DUPLICATE KEY, RETURNING, an alias) is not captured",
                    "insert without it; select first which rows exist");
            List<InsertValue> values = new ArrayList<>();
            for (int[] value : text.commaSeparated(row[0] + 1, row[1] - 1)) {
                values.add(insertValue(value[0], value[1]));
            }
            refuseUnless(
                    rows.isEmpty() || rows.get(0).size() == values.size(),
                    "its rows differ in length",
                    "make them alike");
            refuseUnless(
                    columns.isEmpty() || columns.size() == values.size(),
                    "it has as many values as columns nowhere",
                    "name a column for each value");
            rows.add(values);
            rowTexts.add(text.fragment(row[0], row[1]));
        }
        agreeOnInsert(table, columns, rows.size());
        return new Plan.Insert(
                table, text.fragment(0, text.size()), columns, rows, text.fragment(0, firstRow), rowTexts);
    }

    private void agreeOnInsert(TableName table, List<Identifier> columns, int rows) throws NotUnderstood {
        Statement parsed = text.parse(text.size());
        boolean plain = parsed instanceof Insert insert
                && insert.getSelect() instanceof Values
                && !insert.isModifierIgnore()
                && insert.getModifierPriority() == null
                && insert.getConflictAction() == null
                && insert.getDuplicateAction() == null
                && insert.getReturningClause() == null
                && isEmpty(insert.getWithItemsList())
                && isEmpty(insert.getPartitions())
                && sameName(table, insert.getTable())
                && (insert.getColumns() == null
                        ? columns.isEmpty()
                        : insert.getColumns().size() == columns.size());
        refuseUnless(
                plain && rows > 0,
                "this form of INSERT is not captured",
                "write INSERT INTO table (columns) VALUES (…)");
    }

    private InsertValue insertValue(int from, int to) throws NotUnderstood {
        refuseUnless(to > from, "a value is missing", "write the value");
        Fragment source = text.fragment(from, to);
        Token only = text.token(from);
        InsertValue.Kind kind = InsertValue.Kind.EXPRESSION;
        if (to - from == 1) {
            kind = switch (only.kind()) {
                case PARAMETER -> InsertValue.Kind.PARAMETER;
                case NUMBER, STRING -> InsertValue.Kind.LITERAL;
                default ->
                    only.is("NULL")
                            ? InsertValue.Kind.NULL
                            : only.is("DEFAULT") ? InsertValue.Kind.DEFAULT : InsertValue.Kind.EXPRESSION;
            };
        } else if (to - from == 2
                && (only.isSymbol('-') || only.isSymbol('+'))
                && text.token(from + 1).kind() == Token.Kind.NUMBER) {
            kind = InsertValue.Kind.LITERAL;
        }
        return new InsertValue(kind, source);
    }
}
