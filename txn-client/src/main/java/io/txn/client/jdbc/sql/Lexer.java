package io.txn.client.jdbc.sql;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Splits SQL text into tokens, without comments. Refuses what could hide code from it. */
final class Lexer {

    private static final String SIMPLIFY = "write the statement without it";

    /** What begins with a digit and is a name to MySQL: neither a number nor the exponent of one. */
    private static final Pattern DIGITS_FIRST =
            Pattern.compile("(?!0[xX]\\p{XDigit}+\\b|0[bB][01]+\\b|\\d+[eE](\\d|[+-]))\\d+[\\p{L}_$][\\p{L}\\p{N}_$]*");

    private final String sql;
    private final SqlSyntax syntax;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private int depth;

    private Lexer(String sql, SqlSyntax syntax) {
        this.sql = sql;
        this.syntax = syntax;
    }

    static List<Token> tokens(String sql, SqlSyntax syntax) throws NotUnderstood {
        return new Lexer(sql, syntax).run();
    }

    private List<Token> run() throws NotUnderstood {
        while (at < sql.length()) {
            char c = sql.charAt(at);
            if (Character.isWhitespace(c)) {
                at++;
            } else if (!skippedComment(c)) {
                token(c);
            }
        }
        if (depth != 0) {
            throw new NotUnderstood("its parentheses are not balanced", "balance them");
        }
        return List.copyOf(tokens);
    }

    private boolean skippedComment(char c) throws NotUnderstood {
        if (c == '-' && next('-') && (!syntax.dashNeedsBlank() || blankAt(at + 2))
                || c == '#' && syntax.hashComments()) {
            skipLine();
            return true;
        }
        if (c == '/' && next('/')) {
            throw new NotUnderstood("it contains //, a comment to some databases and an operator to others", SIMPLIFY);
        }
        if (c == '/' && next('*')) {
            skipBlock();
            return true;
        }
        return false;
    }

    private void skipLine() {
        while (at < sql.length() && sql.charAt(at) != '\n' && sql.charAt(at) != '\r') {
            at++;
        }
    }

    private void skipBlock() throws NotUnderstood {
        if (sql.startsWith("/*!", at) || sql.startsWith("/*M!", at)) {
            throw new NotUnderstood("it contains an executable comment", SIMPLIFY);
        }
        int level = 1;
        at += 2;
        while (level > 0) {
            if (at + 1 >= sql.length()) {
                throw new NotUnderstood("a comment does not end", "close it");
            }
            if (sql.charAt(at) == '*' && sql.charAt(at + 1) == '/') {
                level--;
                at += 2;
            } else if (syntax.nestedComments() && sql.charAt(at) == '/' && sql.charAt(at + 1) == '*') {
                level++;
                at += 2;
            } else {
                at++;
            }
        }
    }

    private void token(char c) throws NotUnderstood {
        int start = at;
        switch (c) {
            case '\'' -> string(start, start, syntax.backslashEscapes() || goesOnEscaped());
            case '"' -> {
                if (syntax.doubleQuotesAreStrings()) {
                    quoted('"', syntax.backslashEscapes());
                    add(Token.Kind.STRING, start);
                } else {
                    quoted('"', false);
                    add(Token.Kind.QUOTED_IDENTIFIER, start);
                }
            }
            case '`' -> {
                if (!syntax.backticks()) {
                    throw new NotUnderstood("it contains a backtick", SIMPLIFY);
                }
                quoted('`', false);
                add(Token.Kind.QUOTED_IDENTIFIER, start);
            }
            case '?' -> parameter(start);
            case '$' -> dollar(start);
            case '(', '[' -> {
                at++;
                add(Token.Kind.SYMBOL, start);
                depth++;
            }
            case ')', ']' -> {
                at++;
                depth--;
                if (depth < 0) {
                    throw new NotUnderstood("its parentheses are not balanced", "balance them");
                }
                add(Token.Kind.SYMBOL, start);
            }
            default -> wordNumberOrSymbol(c, start);
        }
    }

    private void parameter(int start) throws NotUnderstood {
        if (syntax.doubledQuestionMark() && next('?')) {
            at += 2;
            add(Token.Kind.SYMBOL, start);
            return;
        }
        at++;
        if (at < sql.length() && Character.isDigit(sql.charAt(at))) {
            throw new NotUnderstood("it numbers its parameters", "write ? without a number");
        }
        add(Token.Kind.PARAMETER, start);
    }

    private void dollar(int start) throws NotUnderstood {
        int tagEnd = sql.indexOf('$', start + 1);
        if (!syntax.dollarQuotes() || tagEnd < 0 || !isTag(start + 1, tagEnd)) {
            throw new NotUnderstood("it contains a dollar sign outside a name or literal", SIMPLIFY);
        }
        String tag = sql.substring(start, tagEnd + 1);
        int end = sql.indexOf(tag, tagEnd + 1);
        if (end < 0) {
            throw new NotUnderstood("a literal does not end", "close it");
        }
        at = end + tag.length();
        add(Token.Kind.STRING, start);
    }

    private boolean isTag(int from, int to) {
        for (int i = from; i < to; i++) {
            if (!Character.isLetterOrDigit(sql.charAt(i)) && sql.charAt(i) != '_') {
                return false;
            }
        }
        return from == to || !Character.isDigit(sql.charAt(from));
    }

    private void wordNumberOrSymbol(char c, int start) throws NotUnderstood {
        if (Character.isLetter(c) || c == '_' || c >= 0x80) {
            while (at < sql.length() && isNamePart(sql.charAt(at))) {
                at++;
            }
            boolean stringFollows = at < sql.length() && sql.charAt(at) == '\'';
            if (stringFollows && at - start == 1 && (c == 'e' || c == 'E') && syntax.escapePrefix()) {
                string(start, at, true);
            } else {
                add(Token.Kind.WORD, start);
            }
        } else if (isNameOfDigits(c)) {
            add(Token.Kind.WORD, start);
        } else if (Character.isDigit(c)
                || c == '.' && !behindName(start) && at + 1 < sql.length() && Character.isDigit(sql.charAt(at + 1))) {
            number(start);
            add(Token.Kind.NUMBER, start);
        } else {
            at++;
            add(Token.Kind.SYMBOL, start);
        }
    }

    /** Whether a name begins here with a digit, as MySQL lets it; moves past it. */
    private boolean isNameOfDigits(char c) {
        if (!syntax.backticks() || !Character.isDigit(c)) {
            return false;
        }
        Matcher name = DIGITS_FIRST.matcher(sql).region(at, sql.length());
        if (!name.lookingAt()) {
            return false;
        }
        at = name.end();
        return true;
    }

    /** Whether the name of a table ends here, so that a dot leads to a column. */
    private boolean behindName(int start) {
        if (!syntax.backticks() || tokens.isEmpty()) {
            return false;
        }
        Token last = tokens.get(tokens.size() - 1);
        return last.end() == start && (last.kind() == Token.Kind.WORD || last.kind() == Token.Kind.QUOTED_IDENTIFIER);
    }

    private void number(int start) {
        boolean hexadecimal = sql.startsWith("0x", start) || sql.startsWith("0X", start);
        while (at < sql.length()) {
            char c = sql.charAt(at);
            char before = at > start ? sql.charAt(at - 1) : ' ';
            boolean exponentSign = (c == '+' || c == '-') && (before == 'e' || before == 'E') && !hexadecimal;
            if (!isNamePart(c) && c != '.' && !exponentSign) {
                return;
            }
            at++;
        }
    }

    private void string(int start, int quote, boolean backslash) throws NotUnderstood {
        at = quote;
        quoted('\'', backslash);
        add(Token.Kind.STRING, start);
    }

    /** Moves past a quoted piece that begins here; a doubled quote stands for itself. */
    private void quoted(char quote, boolean backslash) throws NotUnderstood {
        at++;
        while (at < sql.length()) {
            char c = sql.charAt(at);
            if (c == '\\' && backslash) {
                at += 2;
            } else if (c == quote) {
                at++;
                if (at >= sql.length() || sql.charAt(at) != quote) {
                    return;
                }
                at++;
            } else {
                at++;
            }
        }
        throw new NotUnderstood("a literal or name does not end", "close it");
    }

    /** Whether a literal that begins here goes on with an {@code E'…'} before it, and with its rules. */
    private boolean goesOnEscaped() {
        if (!syntax.escapePrefix() || tokens.isEmpty()) {
            return false;
        }
        Token last = tokens.get(tokens.size() - 1);
        return last.kind() == Token.Kind.STRING
                && (last.text().startsWith("E") || last.text().startsWith("e"));
    }

    private void add(Token.Kind kind, int start) {
        tokens.add(new Token(kind, start, at, depth, sql.substring(start, at)));
    }

    private boolean next(char expected) {
        return at + 1 < sql.length() && sql.charAt(at + 1) == expected;
    }

    private boolean blankAt(int index) {
        return index >= sql.length() || Character.isWhitespace(sql.charAt(index));
    }

    private static boolean isNamePart(char c) {
        return Character.isLetterOrDigit(c) || c == '_' || c == '$' || c >= 0x80;
    }
}
