package io.txn.client.jdbc.sql;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * What a text of SQL speaks of, whether it is a statement, the body of a routine or the definition of a view; judged by its words alone, so in doubt
 * too much. Names are in lower case, without quotes.
 *
 * @param names all words and quoted names
 * @param called those that stand before a parenthesis, and what qualifies them
 * @param parts those that stand behind a dot: columns, or functions of a row
 * @param symbols runs of characters that operators are made of
 * @param writes whether one of its words writes, or runs what cannot be seen here, or changes what names mean
 * @param understood whether the text could be split into words at all; if not, nothing else says anything
 */
public record Mentions(
        Set<String> names,
        Set<String> called,
        Set<String> parts,
        Set<String> symbols,
        boolean writes,
        boolean understood) {

    /** What an empty text speaks of. */
    public static final Mentions NOTHING = new Mentions(Set.of(), Set.of(), Set.of(), Set.of(), false, true);

    private static final Mentions NOT_UNDERSTOOD = new Mentions(Set.of(), Set.of(), Set.of(), Set.of(), true, false);

    private static final Set<String> WRITES = Set.of(
            "delete",
            "merge",
            "truncate",
            "call",
            "execute",
            "prepare",
            "copy",
            "load",
            "create",
            "alter",
            "drop",
            "rename",
            "grant",
            "revoke",
            "refresh",
            "import",
            "handler",
            "foreign_key_checks",
            "unique_checks");

    /** Functions of these names exist that write nothing. */
    private static final Set<String> WRITES_UNLESS_CALLED = Set.of("insert", "replace");

    private static final Set<String> BEFORE_LOCKING_UPDATE = Set.of("for", "key");
    private static final String OPERATOR_CHARACTERS = "+-*/<>=~!@#%^&|`?";

    public Mentions {
        names = Set.copyOf(names);
        called = Set.copyOf(called);
        parts = Set.copyOf(parts);
        symbols = Set.copyOf(symbols);
    }

    /** What the text speaks of. */
    public static Mentions of(String sql, SqlSyntax syntax) {
        List<Token> tokens;
        try {
            tokens = Lexer.tokens(sql, syntax);
        } catch (NotUnderstood e) {
            return NOT_UNDERSTOOD;
        }
        Set<String> names = new HashSet<>();
        Set<String> called = new HashSet<>();
        Set<String> parts = new HashSet<>();
        boolean writes = false;
        for (int i = 0; i < tokens.size(); i++) {
            Token token = tokens.get(i);
            if (!isName(token)) {
                if (isCalledByNumber(tokens, i)) {
                    return NOT_UNDERSTOOD;
                }
                continue;
            }
            if (token.kind() == Token.Kind.QUOTED_IDENTIFIER && isEscaped(tokens, i)) {
                return NOT_UNDERSTOOD;
            }
            String name = Identifier.of(token.text()).text().toLowerCase(Locale.ROOT);
            names.add(name);
            boolean isCalled = i + 1 < tokens.size() && tokens.get(i + 1).isSymbol('(');
            if (isCalled) {
                addQualified(called, tokens, i);
            }
            if (i > 0 && tokens.get(i - 1).isSymbol('.')) {
                parts.add(name);
            }
            if (token.kind() == Token.Kind.WORD) {
                writes |= WRITES.contains(name) && !declaresHandler(tokens, i)
                        || WRITES_UNLESS_CALLED.contains(name) && !isCalled
                        || name.equals("update") && !(i > 0 && locks(tokens.get(i - 1)))
                        || name.equals("lock")
                                && i + 1 < tokens.size()
                                && tokens.get(i + 1).is("TABLE")
                        || name.equals("constraints")
                                && i > 0
                                && tokens.get(i - 1).is("SET")
                        || name.equals("do") && i + 1 < tokens.size() && isProgram(tokens.get(i + 1));
            }
        }
        writes |= ReadCheck.setsSession(tokens);
        return new Mentions(names, called, parts, symbols(tokens), writes, true);
    }

    private static boolean isName(Token token) {
        return token.kind() == Token.Kind.WORD || token.kind() == Token.Kind.QUOTED_IDENTIFIER;
    }

    /** MySQL's names may begin with a digit. */
    private static boolean isCalledByNumber(List<Token> tokens, int at) {
        return tokens.get(at).kind() == Token.Kind.NUMBER
                && at + 1 < tokens.size()
                && tokens.get(at + 1).isSymbol('(')
                && tokens.get(at).text().chars().anyMatch(Character::isLetter);
    }

    /** {@code U&"…"} may spell any name. */
    private static boolean isEscaped(List<Token> tokens, int at) {
        return at > 1
                && tokens.get(at - 1).isSymbol('&')
                && tokens.get(at - 1).end() == tokens.get(at).start()
                && tokens.get(at - 2).is("U");
    }

    private static void addQualified(Set<String> called, List<Token> tokens, int at) {
        int i = at;
        while (true) {
            called.add(Identifier.of(tokens.get(i).text()).text().toLowerCase(Locale.ROOT));
            if (i < 2 || !tokens.get(i - 1).isSymbol('.') || !isName(tokens.get(i - 2))) {
                return;
            }
            i -= 2;
        }
    }

    /** {@code DECLARE EXIT HANDLER FOR …}. */
    private static boolean declaresHandler(List<Token> tokens, int at) {
        return at > 1
                && tokens.get(at).is("HANDLER")
                && tokens.get(at - 2).is("DECLARE")
                && (tokens.get(at - 1).is("EXIT") || tokens.get(at - 1).is("CONTINUE"));
    }

    private static boolean locks(Token before) {
        return before.kind() == Token.Kind.WORD
                && BEFORE_LOCKING_UPDATE.contains(before.text().toLowerCase(Locale.ROOT));
    }

    /** {@code DO $$ … $$}; in a loop, {@code DO} is followed by a statement. */
    private static boolean isProgram(Token next) {
        return next.kind() == Token.Kind.STRING || next.is("LANGUAGE");
    }

    private static Set<String> symbols(List<Token> tokens) {
        Set<String> runs = new HashSet<>();
        StringBuilder run = new StringBuilder();
        int end = -1;
        for (Token token : tokens) {
            boolean operator = token.kind() == Token.Kind.SYMBOL
                    && OPERATOR_CHARACTERS.indexOf(token.text().charAt(0)) >= 0;
            if (!operator || token.start() != end) {
                add(runs, run);
            }
            if (operator) {
                // Two question marks are one, as the driver reads them.
                run.append(token.text(), 0, 1);
                end = token.end();
            }
        }
        add(runs, run);
        return runs;
    }

    private static void add(Set<String> runs, StringBuilder run) {
        if (!run.isEmpty()) {
            runs.add(run.toString());
            run.setLength(0);
        }
    }
}
