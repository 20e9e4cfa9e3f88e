package io.txn.client.jdbc.sql;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import net.sf.jsqlparser.parser.CCJSqlParser;
import net.sf.jsqlparser.parser.CCJSqlParserConstants;
import net.sf.jsqlparser.parser.CCJSqlParserUtil;
import net.sf.jsqlparser.parser.ParseException;
import net.sf.jsqlparser.parser.TokenMgrException;
import net.sf.jsqlparser.schema.Table;
import net.sf.jsqlparser.statement.Statement;
import org.jspecify.annotations.Nullable;

/**
 * One statement as tokens, and how pieces of it are found and cut out of the original text. What the planners of the kinds of statement have in
 * common. Immutable.
 */
final class StatementText {

    static final String OUTSIDE = "run it outside the global transaction";

    private final String sql;
    private final SqlSyntax syntax;
    private final List<Token> tokens;

    private StatementText(String sql, SqlSyntax syntax, List<Token> tokens) {
        this.sql = sql;
        this.syntax = syntax;
        this.tokens = tokens;
    }

    static StatementText of(String written, SqlSyntax syntax) throws NotUnderstood {
        List<Token> all = new ArrayList<>(Lexer.tokens(written, syntax));
        String sql = signsApart(written, all);
        if (!sql.equals(written)) {
            all = new ArrayList<>(Lexer.tokens(sql, syntax));
        }
        while (!all.isEmpty() && all.get(all.size() - 1).isSymbol(';')) {
            all.remove(all.size() - 1);
        }
        if (all.isEmpty()) {
            throw new NotUnderstood("it is empty", "send a statement");
        }
        if (all.stream().anyMatch(t -> t.isSymbol(';'))) {
            throw new NotUnderstood("it holds several statements", "send them one by one");
        }
        return new StatementText(sql, syntax, List.copyOf(all));
    }

    /** To MySQL, two minus signs with nothing behind are signs; its drivers, and the parser, take them for a comment, and parameters behind it for text. */
    private static String signsApart(String sql, List<Token> tokens) {
        StringBuilder apart = new StringBuilder(sql);
        for (int i = tokens.size() - 1; i > 0; i--) {
            Token token = tokens.get(i);
            if (token.isSymbol('-')
                    && tokens.get(i - 1).isSymbol('-')
                    && tokens.get(i - 1).end() == token.start()) {
                apart.insert(token.start(), ' ');
            }
        }
        return apart.toString();
    }

    SqlSyntax syntax() {
        return syntax;
    }

    List<Token> tokens() {
        return tokens;
    }

    int size() {
        return tokens.size();
    }

    Token token(int index) {
        return tokens.get(index);
    }

    /** Whether this unquoted word stands at {@code index}; false behind the end. */
    boolean is(int index, String word) {
        return index < tokens.size() && tokens.get(index).is(word);
    }

    /** Whether this symbol stands at {@code index}; false behind the end. */
    boolean isSymbol(int index, char symbol) {
        return index < tokens.size() && tokens.get(index).isSymbol(symbol);
    }

    /** The smallest index that is not -1, or the end. */
    int firstOf(int... indexes) {
        int first = tokens.size();
        for (int index : indexes) {
            if (index > 0) {
                first = Math.min(first, index);
            }
        }
        return first;
    }

    /** A table with its alias, if any. */
    record Source(TableName name, String alias) {
        String aliasOrName() {
            return alias.isEmpty() ? name.table().text() : alias;
        }
    }

    Source source(int from, int to) throws NotUnderstood {
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

    int nameEnd(int from) throws NotUnderstood {
        refuseUnless(from < tokens.size() && isName(from), "its table is not named plainly", "name one table");
        int at = from + 1;
        while (at + 1 < tokens.size() && tokens.get(at).isSymbol('.') && isName(at + 1)) {
            at += 2;
        }
        return at;
    }

    TableName tableName(int from, int to) {
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

    boolean isName(int index) {
        Token.Kind kind = tokens.get(index).kind();
        return kind == Token.Kind.WORD || kind == Token.Kind.QUOTED_IDENTIFIER;
    }

    void agree(Source source, Table parsed) throws NotUnderstood {
        agree(source.name(), parsed);
    }

    void agree(TableName name, Table parsed) throws NotUnderstood {
        refuseUnless(sameName(name, parsed), "its table is read in two ways", "name one table, with at most an alias");
    }

    static boolean sameName(TableName name, Table parsed) {
        String written = name.table().text();
        String last = Identifier.of(parsed.getName()).text();
        // The parser takes a dot within quotes for one between names, and an @ for the beginning of a link.
        return last.equals(written)
                || written.endsWith('.' + last)
                || parsed.getFullyQualifiedName().equals(name.written());
    }

    Statement parse(int to) throws NotUnderstood {
        ParserText text = new ParserText(tokens.subList(0, to), syntax);
        String plainly = text.plainly();
        try {
            return parse(plainly);
        } catch (NotUnderstood e) {
            String simply = text.simply();
            try {
                return parse(simply);
            } catch (NotUnderstood again) {
                if (tokens.get(0).is("SELECT")) {
                    throw again; // what its lists and tables are is asked of the parser
                }
                return parse(text.outlined());
            }
        }
    }

    private static Statement parse(String text) throws NotUnderstood {
        try {
            CCJSqlParser parser = CCJSqlParserUtil.newParser(text)
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

    /** The index of the first such word outside all parentheses, or -1. */
    int topLevel(String word, int from, int to) {
        for (int i = from; i < to; i++) {
            if (tokens.get(i).depth() == 0 && tokens.get(i).is(word)) {
                return i;
            }
        }
        return -1;
    }

    /** The index of the last such word outside all parentheses, or -1. */
    int lastTopLevel(String word, int from, int to) {
        for (int i = to - 1; i >= from; i--) {
            if (tokens.get(i).depth() == 0 && tokens.get(i).is(word)) {
                return i;
            }
        }
        return -1;
    }

    int closing(int open) {
        int at = open + 1;
        while (tokens.get(at).depth() > tokens.get(open).depth()) {
            at++;
        }
        return at;
    }

    List<int[]> commaSeparated(int from, int to) {
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

    Fragment fragment(int from, int to) {
        if (from >= to) {
            return Fragment.EMPTY;
        }
        return new Fragment(textOf(from, to), parameters(0, from), parameters(from, to));
    }

    /** Refuses a statement that writes once more between two tokens. */
    void refuseWrites(int from, int to) throws NotUnderstood {
        refuseUnless(
                from >= to || !ReadCheck.mayWrite(tokens.subList(from, to)),
                "it holds another write",
                "send the writes one by one");
    }

    int parameters(int from, int to) {
        int count = 0;
        for (int i = from; i < to; i++) {
            if (tokens.get(i).kind() == Token.Kind.PARAMETER) {
                count++;
            }
        }
        return count;
    }

    String textOf(int from, int to) {
        return sql.substring(tokens.get(from).start(), tokens.get(to - 1).end());
    }

    String upper(int index) {
        return tokens.get(index).text().toUpperCase(Locale.ROOT);
    }

    static boolean isEmpty(@Nullable Collection<?> collection) {
        return collection == null || collection.isEmpty();
    }

    static void refuseUnless(boolean fine, String reason, String rewrite) throws NotUnderstood {
        if (!fine) {
            throw new NotUnderstood(reason, rewrite);
        }
    }
}
