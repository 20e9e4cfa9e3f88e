package io.txn.client.jdbc.sql;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A statement's tokens as text for the parser: without comments, and with plain literals instead of those that databases end by different rules, so
 * that parser and lexer cannot differ about where a literal ends. What the parser says about the statement's form is all that is wanted of it, so a
 * second text has words and operators that it does not know replaced by such as it knows. Not thread-safe.
 */
final class ParserText {

    /**
     * Words that the parser keeps for itself, some for databases that are not ours, and that are names to at least one of ours: columns are
     * called so. Where a database keeps one too, it says so itself.
     */
    private static final Set<String> NAMES_NEVERTHELESS = Set.of(
            "ABSENT",
            "CONNECT_BY_ROOT",
            "CSV",
            "CURRENT",
            "DISTINCTROW",
            "DOUBLE",
            "ERRORS",
            "EXCLUDES",
            "EXTEND",
            "FBV",
            "FILE",
            "FINAL",
            "FORCE",
            "FULL",
            "IGNORE",
            "ILIKE",
            "IMPORT",
            "INCLUDES",
            "LONG",
            "LOW_PRIORITY",
            "MINUS",
            "NOCYCLE",
            "OUTPUT",
            "PIVOT",
            "PREFERRING",
            "PREWHERE",
            "PRIOR",
            "QUALIFY",
            "RETURNS",
            "SAMPLE",
            "SCRIPT",
            "SEMI",
            "SETTINGS",
            "SQL_CACHE",
            "SQL_NO_CACHE",
            "STATEMENT",
            "TABLESAMPLE",
            "UNBOUNDED",
            "UNKNOWN",
            "UNPIVOT",
            "USE",
            "VERIFY",
            "XMLSERIALIZE",
            "XOR");

    /** What follows IS JSON. */
    private static final Set<String> KINDS_OF_JSON = Set.of("VALUE", "SCALAR", "ARRAY", "OBJECT");

    /** Words behind which no operand has ended. */
    private static final Set<String> BEFORE_OPERAND = Set.of(
            "SET", "WHERE", "AND", "OR", "NOT", "WHEN", "THEN", "ELSE", "BETWEEN", "IN", "LIKE", "VALUES", "SELECT",
            "BY", "ON", "HAVING");

    private static final String OPERATOR = "+-*/<>=~!@#%^&|`";

    /** Operators that the parser knows. */
    private static final Set<String> KNOWN = Set.of(
            "<=", ">=", "<>", "!=", "||", "->", "->>", "#>", "#>>", "@>", "<@", "&&", "~*", "!~", "!~*", "@@", "<<",
            ">>", "<=>", "=>");

    private final List<Token> tokens;
    private final SqlSyntax syntax;
    private final StringBuilder text = new StringBuilder();
    private @Nullable Token last;

    ParserText(List<Token> tokens, SqlSyntax syntax) {
        this.tokens = tokens;
        this.syntax = syntax;
    }

    /** As it is written. */
    String plainly() {
        begin();
        for (Token token : tokens) {
            add(token, written(token));
        }
        return text.toString();
    }

    /** With words and operators that only a database knows replaced by others that may stand in their places. */
    String simply() {
        begin();
        int i = 0;
        while (i < tokens.size()) {
            i = token(i).kind() == Token.Kind.WORD ? word(i) : symbol(i);
        }
        return text.toString();
    }

    /**
     * Its outline: as {@link #simply}, with what stands in parentheses behind SET, WHERE or VALUES replaced by a plain operand. What is in there says nothing about the form of a statement, and is as rich as
     * the database's language.
     */
    String outlined() {
        begin();
        int behind = tokens.size();
        for (int i = tokens.size() - 1; i >= 0; i--) {
            if (token(i).depth() == 0 && (is(i, "SET") || is(i, "WHERE") || is(i, "VALUES"))) {
                behind = i;
            }
        }
        int i = 0;
        while (i < tokens.size()) {
            if (i < behind) {
                i = token(i).kind() == Token.Kind.WORD ? word(i) : symbol(i);
                continue;
            }
            int open = i + (is(i, "WITHIN") && is(i + 1, "GROUP") ? 2 : token(i).kind() == Token.Kind.WORD ? 1 : 0);
            boolean group = isSymbol(open, '(') && !isStructure(open);
            if (group && (is(i, "OVER") || is(i, "FILTER") || is(i, "WITHIN"))) {
                i = closing(open) + 1;
            } else if (group && is(i, "EXISTS")) {
                add(token(i), "EXISTS (SELECT 1)");
                i = closing(open) + 1;
            } else if (group && (open == i || BEFORE_OPERAND.contains(upper(i)))) {
                add(token(i), (open == i ? "" : token(i).text() + ' ') + "(1)");
                i = closing(open) + 1;
            } else if (group) {
                add(token(i), "coalesce(1)");
                i = closing(open) + 1;
            } else {
                i = token(i).kind() == Token.Kind.WORD ? word(i) : symbol(i);
            }
        }
        return text.toString();
    }

    /** Whether the parenthesis that opens here holds a row of VALUES, or the columns of an assignment or what they become. */
    private boolean isStructure(int open) {
        int close = closing(open);
        return token(open).depth() == 0
                && (is(open - 1, "VALUES")
                        || isSymbol(open - 1, ',') && isSymbol(open - 2, ')')
                        || isSymbol(close + 1, '=') && (is(open - 1, "SET") || isSymbol(open - 1, ','))
                        || isSymbol(open - 1, '=') && isSymbol(open - 2, ')'));
    }

    private void begin() {
        text.setLength(0);
        last = null;
    }

    private void add(Token token, String written) {
        boolean goesOn = last != null && last.kind() == Token.Kind.STRING && token.kind() == Token.Kind.STRING;
        boolean apart = last != null && token.start() > last.end();
        if (!goesOn) { // literals side by side are one
            text.append(apart ? " " : "").append(written);
        }
        last = token;
    }

    private static String written(Token token) {
        if (token.kind() == Token.Kind.STRING) {
            boolean plain = token.text().startsWith("'") && token.text().indexOf('\\') < 0;
            return plain ? token.text() : "'s'";
        }
        if (token.kind() == Token.Kind.WORD && Character.isDigit(token.text().charAt(0))) {
            return '`' + token.text() + '`';
        }
        return token.kind() == Token.Kind.SYMBOL && token.text().equals("??") ? "||" : token.text();
    }

    /** Adds what stands for the word at {@code at}; returns where to go on. */
    private int word(int at) {
        Token token = token(at);
        boolean mySql = isMySql();
        if (token.is("COLLATE") && at + 1 < tokens.size() && token(at + 1).kind() != Token.Kind.SYMBOL) {
            int next = at + 2;
            while (isSymbol(next, '.')) {
                next += 2;
            }
            return next;
        }
        if (token.is("OPERATOR") && isSymbol(at + 1, '(')) {
            add(token, " + ");
            return closing(at + 1) + 1;
        }
        if (token.is("FORMAT") && is(at + 1, "JSON") && at > 0 && endsOperand(at - 1)) {
            return at + 2; // of H2: how a value is read
        }
        if (token.is("UNKNOWN") && (is(at - 1, "IS") || is(at - 1, "NOT") && is(at - 2, "IS"))) {
            add(token, "NULL");
            return at + 1;
        }
        if (token.is("ILIKE") && at > 0 && endsOperand(at - 1) && at + 1 < tokens.size() && isOperand(at + 1)) {
            add(token, "LIKE");
            return at + 1;
        }
        if ((token.is("TIMESTAMP") || token.is("TIME"))
                && (is(at + 1, "WITH") || is(at + 1, "WITHOUT"))
                && is(at + 2, "TIME")
                && is(at + 3, "ZONE")
                && at + 4 < tokens.size()
                && token(at + 4).kind() == Token.Kind.STRING) {
            return at + 4;
        }
        if (mySql && hintEnd(at) > at) {
            return hintEnd(at);
        }
        if (token.is("JSON") && (is(at - 1, "IS") || is(at - 1, "NOT") && is(at - 2, "IS"))) {
            add(token, "NULL");
            return at + 1 < tokens.size() && KINDS_OF_JSON.contains(upper(at + 1)) ? at + 2 : at + 1;
        }
        if (token.is("ROW") && isSymbol(at + 1, '(') || token.is("SOUNDS") && is(at + 1, "LIKE")) {
            return at + 1;
        }
        if (token.is("PREVIOUS") && is(at + 1, "VALUE")) {
            add(token, "NEXT");
        } else if (mySql && token.is("MOD") && !isSymbol(at + 1, '(')) {
            add(token, "%");
        } else if (mySql && token.is("BINARY") && !isSymbol(at + 1, '(')) {
            return at + 1;
        } else if (!(mySql && token.is("XOR")) && NAMES_NEVERTHELESS.contains(upper(at))) {
            add(token, '"' + token.text() + '"');
        } else {
            add(token, written(token));
        }
        return at + 1;
    }

    private int symbol(int at) {
        Token token = token(at);
        if (token.isSymbol('{') && is(at + 1, "ESCAPE") || token.isSymbol('}') && is(at - 2, "ESCAPE")) {
            text.append(' '); // JDBC's way to write it
            return at + 1;
        }
        if (isSymbol(at, ':') && isSymbol(at + 1, ':') && at + 2 < tokens.size() && isName(at + 2)) {
            add(token, "::int");
            return typeEnd(at + 2);
        }
        int end = at;
        StringBuilder operator = new StringBuilder();
        while (isOperator(end)
                && (end == at || token(end).start() == token(end - 1).end())) {
            operator.append(token(end).text());
            end++;
        }
        boolean logical = isMySql() && operator.length() == 2 && at > 0 && endsOperand(at - 1);
        if (logical && (operator.toString().equals("&&") || operator.toString().equals("||"))) {
            add(token, operator.charAt(0) == '&' ? " AND " : " OR ");
            return end;
        }
        boolean known = operator.length() < 2 || KNOWN.contains(operator.toString());
        boolean prefix = at > 0 && !endsOperand(at - 1) && !operator.toString().equals("*");
        if (operator.length() > 0 && (prefix || !known)) {
            if (!prefix) {
                add(token, " + ");
            }
            return end;
        }
        for (int i = at; i < Math.max(end, at + 1); i++) {
            add(token(i), written(token(i)));
        }
        return Math.max(end, at + 1);
    }

    private boolean isMySql() {
        return syntax.backticks() && !syntax.nestedComments();
    }

    private boolean isOperand(int at) {
        return token(at).kind() != Token.Kind.SYMBOL || isSymbol(at, '(');
    }

    /** Where MySQL's hint about indexes that begins at {@code from} ends; {@code from} where there is none. */
    private int hintEnd(int from) {
        boolean hint = (is(from, "USE") || is(from, "FORCE") || is(from, "IGNORE"))
                && (is(from + 1, "INDEX") || is(from + 1, "KEY"));
        int at = from + 2;
        if (hint && is(at, "FOR")) {
            at += is(at + 1, "JOIN") ? 2 : 3;
        }
        return hint && isSymbol(at, '(') ? closing(at) + 1 : from;
    }

    /** Where the type that begins at {@code from} ends. */
    private int typeEnd(int from) {
        int at = from + 1;
        while (isSymbol(at, '.')) {
            at += 2;
        }
        while (is(at, "VARYING") || is(at, "PRECISION")) {
            at++;
        }
        if (isSymbol(at, '(')) {
            at = closing(at) + 1;
        }
        if ((is(at, "WITH") || is(at, "WITHOUT")) && is(at + 1, "TIME") && is(at + 2, "ZONE")) {
            at += 3;
        }
        while (isSymbol(at, '[')) {
            at = closing(at) + 1;
        }
        return at;
    }

    private boolean isName(int at) {
        return token(at).kind() == Token.Kind.WORD || token(at).kind() == Token.Kind.QUOTED_IDENTIFIER;
    }

    private boolean isOperator(int at) {
        return at < tokens.size()
                && token(at).kind() == Token.Kind.SYMBOL
                && (token(at).text().equals("??")
                        || token(at).text().length() == 1
                                && OPERATOR.indexOf(token(at).text().charAt(0)) >= 0);
    }

    private boolean endsOperand(int at) {
        return token(at).kind() == Token.Kind.SYMBOL
                ? isSymbol(at, ')') || isSymbol(at, ']')
                : token(at).kind() != Token.Kind.WORD || !BEFORE_OPERAND.contains(upper(at));
    }

    private int closing(int open) {
        int at = open + 1;
        while (at < tokens.size() - 1 && token(at).depth() > token(open).depth()) {
            at++;
        }
        return at;
    }

    private Token token(int at) {
        return tokens.get(at);
    }

    private boolean is(int at, String word) {
        return at >= 0 && at < tokens.size() && token(at).is(word);
    }

    private boolean isSymbol(int at, char symbol) {
        return at >= 0 && at < tokens.size() && token(at).isSymbol(symbol);
    }

    private String upper(int at) {
        return token(at).text().toUpperCase(Locale.ROOT);
    }
}
