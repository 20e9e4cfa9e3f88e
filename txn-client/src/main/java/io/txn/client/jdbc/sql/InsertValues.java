package io.txn.client.jdbc.sql;

import static io.txn.client.jdbc.sql.StatementText.refuseUnless;

import java.util.ArrayList;
import java.util.List;

/** The rows that follow VALUES. */
record InsertValues(List<List<InsertValue>> rows, List<Fragment> rowTexts) {

    /** Those between two tokens. */
    static InsertValues of(StatementText text, int from, int to, int columns) throws NotUnderstood {
        List<List<InsertValue>> rows = new ArrayList<>();
        List<Fragment> rowTexts = new ArrayList<>();
        for (int[] row : text.commaSeparated(from, to)) {
            refuseUnless(
                    row[0] < row[1] && text.isSymbol(row[0], '(') && text.closing(row[0]) == row[1] - 1,
                    "its values are not understood",
                    "write VALUES (…), (…)");
            List<InsertValue> values = new ArrayList<>();
            for (int[] value : text.commaSeparated(row[0] + 1, row[1] - 1)) {
                values.add(insertValue(text, value[0], value[1]));
            }
            refuseUnless(
                    rows.isEmpty() || rows.get(0).size() == values.size(),
                    "its rows differ in length",
                    "make them alike");
            refuseUnless(
                    columns == 0 || columns == values.size(),
                    "it has as many values as columns nowhere",
                    "name a column for each value");
            rows.add(values);
            rowTexts.add(text.fragment(row[0], row[1]));
        }
        return new InsertValues(rows, rowTexts);
    }

    static InsertValue insertValue(StatementText text, int from, int to) throws NotUnderstood {
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
