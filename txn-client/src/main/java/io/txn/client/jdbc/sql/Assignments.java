package io.txn.client.jdbc.sql;

import static io.txn.client.jdbc.sql.StatementText.OUTSIDE;
import static io.txn.client.jdbc.sql.StatementText.refuseUnless;

import java.util.ArrayList;
import java.util.List;

/** What stands on the left of the equals signs after SET. */
final class Assignments {

    private Assignments() {}

    /**
     * Reads the target of the assignment between two tokens: a column, perhaps qualified, or several in parentheses.
     *
     * @param columns where the columns are added
     * @return where the equals sign is
     */
    static int target(StatementText text, int from, int to, List<Identifier> columns) throws NotUnderstood {
        int end;
        if (text.isSymbol(from, '(')) {
            end = text.closing(from) + 1;
            for (int[] part : text.commaSeparated(from + 1, end - 1)) {
                refuseUnless(
                        part[1] - part[0] == 1 && text.isName(part[0]), "an assignment is not understood", OUTSIDE);
                columns.add(Identifier.of(text.token(part[0]).text()));
            }
        } else {
            end = text.nameEnd(from);
            refuseUnless(
                    end == from + 1 || !text.syntax().escapePrefix(),
                    "it assigns to a part of a column",
                    "assign the whole column");
            columns.add(Identifier.of(text.token(end - 1).text()));
        }
        refuseUnless(
                end < to && text.isSymbol(end, '='),
                "an assignment is not understood: a part of a column, or an operator",
                "assign whole columns");
        return end;
    }

    /**
     * Reads the target of an UPDATE's assignment between two tokens: a column, perhaps qualified, or several in parentheses; of PostgreSQL also an
     * element or a field of a column, which counts as the column.
     *
     * @return whether it is whole columns
     */
    static boolean targets(StatementText text, int from, int to, List<Plan.Assigned> targets) throws NotUnderstood {
        if (text.syntax().escapePrefix() && from + 1 < to && text.isName(from) && !text.isSymbol(from + 1, '=')) {
            boolean part = text.isSymbol(from + 1, '.') || text.isSymbol(from + 1, '[');
            refuseUnless(part, "an assignment is not understood", "write column = value");
            targets.add(new Plan.Assigned(null, Identifier.of(text.token(from).text())));
            return false;
        }
        List<Identifier> columns = new ArrayList<>();
        target(text, from, to, columns);
        int end = text.isSymbol(from, '(') ? from : text.nameEnd(from);
        Identifier row = end > from + 1 ? Identifier.of(text.token(end - 3).text()) : null;
        columns.forEach(column -> targets.add(new Plan.Assigned(row, column)));
        return true;
    }
}
