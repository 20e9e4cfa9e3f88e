package io.txn.client.jdbc.sql;

import static io.txn.client.jdbc.sql.StatementText.OUTSIDE;
import static io.txn.client.jdbc.sql.StatementText.isEmpty;
import static io.txn.client.jdbc.sql.StatementText.refuseUnless;
import static io.txn.client.jdbc.sql.StatementText.sameName;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import net.sf.jsqlparser.statement.Statement;
import net.sf.jsqlparser.statement.insert.Insert;
import net.sf.jsqlparser.statement.select.Values;
import org.jspecify.annotations.Nullable;

/**
 * Plans INSERT and REPLACE, also behind WITH. A plain {@code INSERT … VALUES} is what parser and tokens agree on. The other forms are read by the
 * tokens alone, clause by clause, because the parser does not know every dialect's; what stands where no clause is expected is refused, and what
 * is inside a clause is only looked through for writes.
 */
final class InsertPlanner {

    private static final Set<String> MODIFIERS = Set.of("LOW_PRIORITY", "HIGH_PRIORITY", "IGNORE");

    private final StatementText text;
    private final int verb;
    private boolean ignore;
    private boolean plain;
    private Fragment condition = Fragment.EMPTY;
    private int at;

    /** @param verb where INSERT or REPLACE stands */
    InsertPlanner(StatementText text, int verb) {
        this.text = text;
        this.verb = verb;
    }

    Plan.Write plan() throws NotUnderstood {
        at = verb + 1;
        plain = verb == 0 && text.is(verb, "INSERT");
        modifiers();
        int target = at;
        int nameEnd = text.nameEnd(at);
        TableName table = text.tableName(at, nameEnd);
        at = nameEnd;
        String rowName = partitionAndAlias(table);
        List<Identifier> columns = columns();
        if (text.is(at, "OVERRIDING")) {
            at += 3;
        }
        int returning = ReturningClause.start(text, at, text.size());
        int conflict = conflictStart(returning);
        int valuesEnd = conflict;
        List<List<InsertValue>> rows = List.of();
        Plan.SingleRow single = null;
        List<Identifier> named = columns;
        refuseUnless(at < conflict, "it has no values", "write INSERT INTO table (columns) VALUES (…)");
        if (text.is(at, "VALUES") || text.is(at, "VALUE")) {
            valuesEnd = rowAlias(at + 1, conflict);
            InsertValues values = InsertValues.of(text, at + 1, valuesEnd, columns.size());
            boolean empty = values.rows().stream().anyMatch(List::isEmpty);
            if (plain && !empty && conflict == text.size() && valuesEnd == conflict) {
                agree(table, columns, values.rows().size());
                return new Plan.Insert(
                        table,
                        text.fragment(0, text.size()),
                        columns,
                        values.rows(),
                        text.fragment(0, at + 1),
                        values.rowTexts());
            }
            rows = values.rows();
            single = valuesEnd == conflict ? single(values, conflict, returning) : null;
        } else if (text.is(at, "SET")) {
            valuesEnd = rowAlias(at + 1, conflict);
            named = new ArrayList<>();
            List<InsertValue> row = new ArrayList<>();
            for (int[] part : text.commaSeparated(at + 1, valuesEnd)) {
                int equals = assignment(part, named);
                row.add(InsertValues.insertValue(text, equals + 1, part[1]));
            }
            rows = List.of(row);
        } else if (text.is(at, "DEFAULT") && text.is(at + 1, "VALUES")) {
            refuseUnless(at + 2 == conflict, "what follows DEFAULT VALUES is not understood", OUTSIDE);
        } else {
            boolean query =
                    text.is(at, "SELECT") || text.is(at, "WITH") || text.is(at, "TABLE") || text.isSymbol(at, '(');
            refuseUnless(query, "where its rows come from is not understood", "write VALUES or SELECT");
        }
        text.refuseWrites(0, verb);
        text.refuseWrites(at + (text.is(at, "VALUES") || text.is(at, "VALUE") ? 1 : 0), valuesEnd);
        List<Identifier> assigned = new ArrayList<>();
        Fragment action = conflictAction(conflict, returning, assigned);
        boolean replace = text.is(verb, "REPLACE");
        Plan.Conflict kind = replace || !assigned.isEmpty()
                ? Plan.Conflict.CHANGE
                : ignore || conflict < returning ? Plan.Conflict.SKIP : Plan.Conflict.FAIL;
        return new Plan.RichInsert(
                table,
                text.fragment(0, text.size()),
                replace,
                ignore,
                kind,
                named,
                rows,
                rows.isEmpty() ? Fragment.EMPTY : text.fragment(valuesEnd, conflict),
                text.fragment(0, target),
                text.fragment(target, conflict),
                action,
                condition,
                text.fragment(0, returning),
                assigned,
                rowName,
                ReturningClause.of(text, returning),
                single);
    }

    /** The pieces of a statement of one row, where several of its executions may go together. */
    private Plan.@Nullable SingleRow single(InsertValues values, int conflict, int returning) {
        Fragment head = text.fragment(0, at + 1);
        Fragment tail = conflict == returning ? Fragment.EMPTY : text.fragment(conflict, returning);
        boolean alone = values.rows().size() == 1
                && head.parameterCount() == 0
                && tail.parameterCount() == 0
                && values.rows().get(0).stream().allMatch(InsertValue::independent)
                && InsertValue.readsNoOtherRow(tail.text());
        return alone ? new Plan.SingleRow(head, values.rowTexts().get(0), tail) : null;
    }

    private void modifiers() throws NotUnderstood {
        while (at < text.size() && MODIFIERS.contains(text.upper(at))) {
            ignore |= text.is(at, "IGNORE");
            plain = false;
            at++;
        }
        refuseUnless(!text.is(at, "DELAYED"), "it may be carried out later", "write INSERT without DELAYED");
        if (text.is(at, "INTO")) {
            at++;
        } else {
            plain = false;
        }
    }

    private String partitionAndAlias(TableName table) {
        if (text.is(at, "PARTITION") && text.isSymbol(at + 1, '(')) {
            at = text.closing(at + 1) + 1;
            plain = false;
        }
        if (text.is(at, "AS") && at + 1 < text.size()) {
            at += 2;
            plain = false;
            return text.token(at - 1).text();
        }
        return table.written();
    }

    private List<Identifier> columns() throws NotUnderstood {
        List<Identifier> columns = new ArrayList<>();
        if (text.isSymbol(at, '(')
                && !text.is(at + 1, "SELECT")
                && !text.is(at + 1, "WITH")
                && !text.isSymbol(at + 1, '(')) {
            int close = text.closing(at);
            for (int[] part : text.commaSeparated(at + 1, close)) {
                int last = part[1] - 1;
                boolean name =
                        part[0] < part[1] && text.isName(last) && (part[0] == last || text.nameEnd(part[0]) == part[1]);
                refuseUnless(name, "its column list is not understood", OUTSIDE);
                columns.add(Identifier.of(text.token(last).text()));
            }
            at = close + 1;
        }
        return columns;
    }

    /** Where ON DUPLICATE KEY or ON CONFLICT begins; {@code end} when there is none. */
    private int conflictStart(int end) {
        for (int i = at; i + 1 < end; i++) {
            if (text.token(i).depth() == 0 && text.is(i, "ON")) {
                boolean duplicate = text.is(i + 1, "DUPLICATE") && text.is(i + 2, "KEY");
                boolean conflict = text.is(i + 1, "CONFLICT")
                        && (text.isSymbol(i + 2, '(') || text.is(i + 2, "ON") || text.is(i + 2, "DO"));
                if (duplicate || conflict) {
                    return i;
                }
            }
        }
        return end;
    }

    /** Where the values end, before MySQL's {@code AS alias}. */
    private int rowAlias(int from, int end) {
        int as = text.topLevel("AS", from, end);
        return as < 0 ? end : as;
    }

    private Fragment conflictAction(int from, int to, List<Identifier> assigned) throws NotUnderstood {
        if (from == to) {
            return Fragment.EMPTY;
        }
        refuseWritesInAction(from, to);
        if (text.is(from + 1, "DUPLICATE")) {
            refuseUnless(text.is(from + 3, "UPDATE"), "its ON DUPLICATE KEY is not understood", OUTSIDE);
            assignments(from + 4, to, assigned);
            return text.fragment(from + 4, to);
        }
        int action = text.topLevel("DO", from, to);
        refuseUnless(action > 0, "its ON CONFLICT is not understood", OUTSIDE);
        if (text.is(action + 1, "NOTHING")) {
            refuseUnless(action + 2 == to, "its ON CONFLICT is not understood", OUTSIDE);
            return Fragment.EMPTY;
        }
        refuseUnless(
                text.is(action + 1, "UPDATE") && text.is(action + 2, "SET"),
                "its ON CONFLICT is not understood",
                "write DO NOTHING or DO UPDATE SET …");
        int where = text.topLevel("WHERE", action, to);
        int end = where < 0 ? to : where;
        assignments(action + 3, end, assigned);
        condition = where < 0 ? Fragment.EMPTY : text.fragment(where + 1, to);
        return text.fragment(from, end);
    }

    private void assignments(int from, int to, List<Identifier> assigned) throws NotUnderstood {
        for (int[] part : text.commaSeparated(from, to)) {
            assignment(part, assigned);
        }
    }

    /** Reads what stands before the equals sign, a column or several in parentheses; returns where the sign is. */
    private int assignment(int[] part, List<Identifier> columns) throws NotUnderstood {
        return Assignments.target(text, part[0], part[1], columns);
    }

    private void refuseWritesInAction(int from, int to) throws NotUnderstood {
        for (int i = from; i < to; i++) {
            if (text.token(i).depth() > 0 && text.isSymbol(i, '(') && text.is(i + 1, "SELECT")) {
                text.refuseWrites(i, text.closing(i));
            }
        }
    }

    private void agree(TableName table, List<Identifier> columns, int rows) throws NotUnderstood {
        Statement parsed = text.parse(text.size());
        boolean agreed = parsed instanceof Insert insert
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
                agreed && rows > 0,
                "this form of INSERT is not captured",
                "write INSERT INTO table (columns) VALUES (…)");
    }
}
