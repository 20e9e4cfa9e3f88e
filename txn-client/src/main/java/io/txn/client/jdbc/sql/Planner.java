package io.txn.client.jdbc.sql;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import net.sf.jsqlparser.parser.CCJSqlParser;
import net.sf.jsqlparser.parser.CCJSqlParserConstants;
import net.sf.jsqlparser.parser.CCJSqlParserUtil;
import net.sf.jsqlparser.parser.ParseException;
import net.sf.jsqlparser.parser.TokenMgrException;
import net.sf.jsqlparser.schema.Column;
import net.sf.jsqlparser.schema.Table;
import net.sf.jsqlparser.statement.Statement;
import net.sf.jsqlparser.statement.delete.Delete;
import net.sf.jsqlparser.statement.insert.Insert;
import net.sf.jsqlparser.statement.select.PlainSelect;
import net.sf.jsqlparser.statement.select.Values;
import net.sf.jsqlparser.statement.update.Update;
import net.sf.jsqlparser.statement.update.UpdateSet;

/**
 * Makes a {@link Plan} of one SQL text. The tokens say where the pieces are, and every piece is cut out of the original text; the parser says
 * whether the statement is what the tokens make of it. What only one of them understands is refused.
 */
final class Planner {

    private static final Set<String> HARMLESS =
            Set.of("SELECT", "WITH", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC", "EXPLAIN");
    private static final Set<String> LOCK_STRENGTHS = Set.of("UPDATE", "SHARE", "NO", "KEY");
    private static final String OUTSIDE = "run it outside the global transaction";

    private final String sql;
    private final SqlSyntax syntax;
    private final List<Token> tokens;

    private Planner(String sql, SqlSyntax syntax, List<Token> tokens) {
        this.sql = sql;
        this.syntax = syntax;
        this.tokens = tokens;
    }

    static Plan plan(String sql, SqlSyntax syntax) {
        try {
            return new Planner(sql, syntax, statementTokens(sql, syntax)).plan();
        } catch (NotUnderstood e) {
            return e.refused();
        }
    }

    private static List<Token> statementTokens(String sql, SqlSyntax syntax) throws NotUnderstood {
        List<Token> all = new ArrayList<>(Lexer.tokens(sql, syntax));
        while (!all.isEmpty() && all.get(all.size() - 1).isSymbol(';')) {
            all.remove(all.size() - 1);
        }
        if (all.isEmpty()) {
            throw new NotUnderstood("it is empty", "send a statement");
        }
        if (all.stream().anyMatch(t -> t.isSymbol(';'))) {
            throw new NotUnderstood("it holds several statements", "send them one by one");
        }
        return List.copyOf(all);
    }

    private Plan plan() throws NotUnderstood {
        Token first = tokens.get(0);
        if (first.is("INSERT")) {
            return insert();
        }
        if (first.is("UPDATE")) {
            return update();
        }
        if (first.is("DELETE")) {
            return delete();
        }
        String word = first.text().toUpperCase(Locale.ROOT);
        boolean reads = HARMLESS.contains(word) || first.isSymbol('(');
        if (!reads) {
            throw new NotUnderstood(word + " is not captured", OUTSIDE);
        }
        if (ReadCheck.mayWrite(tokens)) {
            throw new NotUnderstood(
                    "a read that holds a write (a data-changing WITH, INTO, EXPLAIN ANALYZE) is not captured",
                    "send the write as a statement of its own");
        }
        int lock = lockClause();
        if (lock < 0) {
            return new Plan.Read();
        }
        if (!first.is("SELECT")) {
            throw new NotUnderstood(
                    "it locks rows, and is not a simple SELECT",
                    "lock with SELECT … FROM one_table WHERE … FOR UPDATE");
        }
        return lockingRead(lock);
    }

    /** The index of the token that begins FOR UPDATE and the like, or -1; refuses one inside a sub-query. */
    private int lockClause() throws NotUnderstood {
        for (int i = 0; i < tokens.size(); i++) {
            boolean forLock = tokens.get(i).is("FOR") && i + 1 < tokens.size() && LOCK_STRENGTHS.contains(upper(i + 1));
            boolean lockInShare = tokens.get(i).is("LOCK")
                    && i + 1 < tokens.size()
                    && tokens.get(i + 1).is("IN");
            if (forLock || lockInShare) {
                if (tokens.get(i).depth() > 0) {
                    throw new NotUnderstood("a sub-query locks rows", "lock them by a SELECT of their own");
                }
                return i;
            }
        }
        return -1;
    }

    private Plan.LockingRead lockingRead(int lock) throws NotUnderstood {
        for (int i = lock; i < tokens.size(); i++) {
            if (tokens.get(i).is("SKIP")) {
                throw new NotUnderstood(
                        "the rows that SKIP LOCKED leaves out cannot be told from those it returns",
                        "lock a row by its key, with NOWAIT");
            }
        }
        Statement parsed = parse(lock);
        if (!(parsed instanceof PlainSelect select)) {
            throw new NotUnderstood("it locks rows of more than one SELECT", "lock them by a SELECT of their own");
        }
        refuseUnless(
                select.getFromItem() instanceof Table
                        && isEmpty(select.getJoins())
                        && isEmpty(select.getWithItemsList()),
                "it locks rows of more than one table",
                "lock the rows of each table by a SELECT of its own");
        refuseUnless(
                select.getLimit() == null
                        && select.getOffset() == null
                        && select.getFetch() == null
                        && select.getTop() == null
                        && select.getFirst() == null
                        && select.getSkip() == null
                        && select.getDistinct() == null
                        && select.getGroupBy() == null
                        && select.getHaving() == null,
                "LIMIT, DISTINCT and GROUP BY hide which rows were locked",
                "select the keys first, then lock by key");
        int from = topLevel("FROM", 0, lock);
        refuseUnless(from > 0, "its FROM was not found", OUTSIDE);
        int where = topLevel("WHERE", from, lock);
        int order = topLevel("ORDER", from, lock);
        int sourceEnd = where > 0 ? where : order > 0 ? order : lock;
        int whereEnd = order > 0 ? order : lock;
        Source source = source(from + 1, sourceEnd);
        agree(source, (Table) select.getFromItem());
        Fragment condition = where > 0 ? fragment(where + 1, whereEnd) : Fragment.EMPTY;
        return new Plan.LockingRead(
                source.name(), fragment(from + 1, sourceEnd), condition, fragment(lock, tokens.size()));
    }

    private Plan.Insert insert() throws NotUnderstood {
        refuseUnless(
                tokens.size() > 3 && tokens.get(1).is("INTO"),
                "only INSERT INTO … VALUES is captured",
                "write INSERT INTO table (columns) VALUES (…)");
        int nameEnd = nameEnd(2);
        TableName table = tableName(2, nameEnd);
        int at = nameEnd;
        List<Identifier> columns = new ArrayList<>();
        if (at < tokens.size() && tokens.get(at).isSymbol('(')) {
            int close = closing(at);
            for (int[] part : commaSeparated(at + 1, close)) {
                refuseUnless(part[1] - part[0] == 1 && isName(part[0]), "its column list is not understood", OUTSIDE);
                columns.add(Identifier.of(tokens.get(part[0]).text()));
            }
            at = close + 1;
        }
        if (at + 2 < tokens.size() && tokens.get(at).is("OVERRIDING")) {
            at += 3;
        }
        refuseUnless(
                at < tokens.size()
                        && (tokens.get(at).is("VALUES") || tokens.get(at).is("VALUE")),
                "only INSERT … VALUES is captured",
                "select the values first, then INSERT … VALUES");
        int firstRow = at + 1;
        List<List<InsertValue>> rows = new ArrayList<>();
        List<Fragment> rowTexts = new ArrayList<>();
        for (int[] row : commaSeparated(firstRow, tokens.size())) {
            refuseUnless(
                    tokens.get(row[0]).isSymbol('(') && closing(row[0]) == row[1] - 1,
                    "what follows the values (ON CONFLICT, ON DUPLICATE KEY, RETURNING, an alias) is not captured",
                    "insert without it; select first which rows exist");
            List<InsertValue> values = new ArrayList<>();
            for (int[] value : commaSeparated(row[0] + 1, row[1] - 1)) {
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
            rowTexts.add(fragment(row[0], row[1]));
        }
        agreeOnInsert(table, columns, rows.size());
        return new Plan.Insert(table, fragment(0, tokens.size()), columns, rows, fragment(0, firstRow), rowTexts);
    }

    private void agreeOnInsert(TableName table, List<Identifier> columns, int rows) throws NotUnderstood {
        Statement parsed = parse(tokens.size());
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
        Fragment source = fragment(from, to);
        Token only = tokens.get(from);
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
                && tokens.get(from + 1).kind() == Token.Kind.NUMBER) {
            kind = InsertValue.Kind.LITERAL;
        }
        return new InsertValue(kind, source);
    }

    private Plan.Update update() throws NotUnderstood {
        int set = topLevel("SET", 1, tokens.size());
        refuseUnless(set > 0, "its SET was not found", OUTSIDE);
        Clauses clauses = clauses(set);
        Source source = source(1, set);
        Statement parsed = parse(tokens.size());
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
        agree(source, update.getTable());
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
                fragment(0, tokens.size()),
                columns,
                fragment(1, set),
                fragment(0, clauses.headEnd()),
                clauses.where(),
                clauses.tail());
    }

    private Identifier assignedColumn(Object target, Source source) throws NotUnderstood {
        refuseUnless(target instanceof Column, "it assigns to something else than a column", "name the column");
        Column column = (Column) target;
        Table qualifier = column.getTable();
        if (qualifier != null
                && qualifier.getName() != null
                && !qualifier.getName().isEmpty()) {
            boolean ofThisTable = qualifier.getName().equalsIgnoreCase(source.aliasOrName());
            refuseUnless(
                    ofThisTable && !syntax.escapePrefix(),
                    "it assigns to a part of a column, or to a column of another table",
                    "assign the whole column, unqualified");
        }
        return Identifier.of(column.getColumnName());
    }

    private Plan.Delete delete() throws NotUnderstood {
        refuseUnless(
                tokens.size() > 2 && tokens.get(1).is("FROM"),
                "only DELETE FROM one table is captured",
                "write DELETE FROM table WHERE …");
        int where = topLevel("WHERE", 2, tokens.size());
        int order = topLevel("ORDER", 2, tokens.size());
        int limit = topLevel("LIMIT", 2, tokens.size());
        int sourceEnd = firstOf(where, order, limit, topLevel("FETCH", 2, tokens.size()));
        Clauses clauses = clauses(2);
        Source source = source(2, sourceEnd);
        Statement parsed = parse(tokens.size());
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
        agree(source, delete.getTable());
        clauses.agree(delete.getWhere() != null, !isEmpty(delete.getOrderByElements()), delete.getLimit() != null);
        return new Plan.Delete(
                source.name(),
                fragment(0, tokens.size()),
                fragment(2, sourceEnd),
                fragment(0, clauses.headEnd()),
                clauses.where(),
                clauses.tail());
    }

    /** Where WHERE, ORDER BY and LIMIT of an UPDATE or DELETE are. */
    private record Clauses(
            int headEnd, Fragment where, Fragment tail, boolean hasWhere, boolean hasOrder, boolean hasLimit) {

        void agree(boolean where, boolean order, boolean limit) throws NotUnderstood {
            refuseUnless(
                    hasWhere == where && hasOrder == order && hasLimit == limit,
                    "its clauses are read in two ways",
                    "write WHERE, ORDER BY and LIMIT in this order, once each");
        }
    }

    private Clauses clauses(int after) throws NotUnderstood {
        int end = tokens.size();
        int where = topLevel("WHERE", after, end);
        int order = topLevel("ORDER", after, end);
        int limit = topLevel("LIMIT", after, end);
        refuseUnless(
                topLevel("FETCH", after, end) < 0 && topLevel("OFFSET", after, end) < 0,
                "FETCH and OFFSET in a write are not captured",
                "use LIMIT, or select the keys first");
        int tail = firstOf(order, limit);
        refuseUnless(where < tail, "its clauses are out of order", "write WHERE, ORDER BY and LIMIT in this order");
        int headEnd = where > 0 ? where : tail;
        return new Clauses(
                headEnd,
                where > 0 ? fragment(where + 1, tail) : Fragment.EMPTY,
                tail < end ? fragment(tail, end) : Fragment.EMPTY,
                where > 0,
                order > 0,
                limit > 0);
    }

    /** The smallest index that is not -1, or the end. */
    private int firstOf(int... indexes) {
        int first = tokens.size();
        for (int index : indexes) {
            if (index > 0) {
                first = Math.min(first, index);
            }
        }
        return first;
    }

    /** A table with its alias, if any. */
    private record Source(TableName name, String alias) {
        String aliasOrName() {
            return alias.isEmpty() ? name.table().text() : alias;
        }
    }

    private Source source(int from, int to) throws NotUnderstood {
        refuseUnless(from < to && isName(from), "its table is not named plainly", "name one table");
        int nameEnd = nameEnd(from);
        int alias = nameEnd < to && tokens.get(nameEnd).is("AS") ? nameEnd + 1 : nameEnd;
        boolean none = nameEnd == to;
        refuseUnless(
                none || alias == to - 1 && isName(alias),
                "more than one table, ONLY, PARTITION or an index hint is not captured",
                "name one table, with at most an alias");
        return new Source(
                tableName(from, nameEnd),
                none ? "" : Identifier.of(tokens.get(alias).text()).text());
    }

    private int nameEnd(int from) throws NotUnderstood {
        refuseUnless(from < tokens.size() && isName(from), "its table is not named plainly", "name one table");
        int at = from + 1;
        while (at + 1 < tokens.size() && tokens.get(at).isSymbol('.') && isName(at + 1)) {
            at += 2;
        }
        return at;
    }

    private TableName tableName(int from, int to) {
        List<Identifier> parts = new ArrayList<>();
        for (int i = from; i < to; i += 2) {
            parts.add(Identifier.of(tokens.get(i).text()));
        }
        StringBuilder written = new StringBuilder();
        for (int i = from; i < to; i++) {
            written.append(tokens.get(i).text());
        }
        return new TableName(parts, written.toString());
    }

    private boolean isName(int index) {
        Token.Kind kind = tokens.get(index).kind();
        return kind == Token.Kind.WORD || kind == Token.Kind.QUOTED_IDENTIFIER;
    }

    private void agree(Source source, Table parsed) throws NotUnderstood {
        refuseUnless(
                sameName(source.name(), parsed),
                "its table is read in two ways",
                "name one table, with at most an alias");
    }

    private static boolean sameName(TableName name, Table parsed) {
        return Identifier.of(parsed.getName()).text().equals(name.table().text());
    }

    private Statement parse(int to) throws NotUnderstood {
        try {
            CCJSqlParser parser = CCJSqlParserUtil.newParser(forParser(to))
                    .withSquareBracketQuotation(false)
                    .withAllowComplexParsing(true);
            Statement statement = parser.Statement();
            refuseUnless(
                    parser.getNextToken().kind == CCJSqlParserConstants.EOF,
                    "the parser understands only its beginning",
                    OUTSIDE);
            return statement;
        } catch (ParseException | TokenMgrException e) {
            throw new NotUnderstood("the parser does not understand it", "write it in plainer SQL, or " + OUTSIDE);
        }
    }

    /**
     * The tokens before {@code to} for the parser: without comments, and with plain literals instead of those that databases end by different
     * rules, so that parser and lexer cannot differ about where a literal ends.
     */
    private String forParser(int to) {
        StringBuilder text = new StringBuilder();
        int end = 0;
        for (Token token : tokens.subList(0, to)) {
            text.append(token.start() > end ? " " : "");
            boolean plain = token.text().startsWith("'") && token.text().indexOf('\\') < 0;
            if (token.kind() == Token.Kind.STRING && !plain) {
                text.append("'s'");
            } else if (token.kind() == Token.Kind.SYMBOL && token.text().equals("??")) {
                text.append("||");
            } else {
                text.append(token.text());
            }
            end = token.end();
        }
        return text.toString();
    }

    /** The index of the first such word outside all parentheses, or -1. */
    private int topLevel(String word, int from, int to) {
        for (int i = from; i < to; i++) {
            if (tokens.get(i).depth() == 0 && tokens.get(i).is(word)) {
                return i;
            }
        }
        return -1;
    }

    private int closing(int open) {
        int at = open + 1;
        while (tokens.get(at).depth() > tokens.get(open).depth()) {
            at++;
        }
        return at;
    }

    private List<int[]> commaSeparated(int from, int to) {
        List<int[]> parts = new ArrayList<>();
        if (from >= to) {
            return parts;
        }
        int depth = tokens.get(from).depth();
        int start = from;
        for (int i = from; i < to; i++) {
            if (tokens.get(i).depth() == depth && tokens.get(i).isSymbol(',')) {
                parts.add(new int[] {start, i});
                start = i + 1;
            }
        }
        parts.add(new int[] {start, to});
        return parts;
    }

    private Fragment fragment(int from, int to) {
        if (from >= to) {
            return Fragment.EMPTY;
        }
        return new Fragment(textOf(from, to), parameters(0, from), parameters(from, to));
    }

    private int parameters(int from, int to) {
        int count = 0;
        for (int i = from; i < to; i++) {
            if (tokens.get(i).kind() == Token.Kind.PARAMETER) {
                count++;
            }
        }
        return count;
    }

    private String textOf(int from, int to) {
        return sql.substring(tokens.get(from).start(), tokens.get(to - 1).end());
    }

    private String upper(int index) {
        return tokens.get(index).text().toUpperCase(Locale.ROOT);
    }

    private static boolean isEmpty(java.util.@org.jspecify.annotations.Nullable Collection<?> collection) {
        return collection == null || collection.isEmpty();
    }

    private static void refuseUnless(boolean fine, String reason, String rewrite) throws NotUnderstood {
        if (!fine) {
            throw new NotUnderstood(reason, rewrite);
        }
    }
}
