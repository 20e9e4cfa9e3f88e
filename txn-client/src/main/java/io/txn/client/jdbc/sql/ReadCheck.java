package io.txn.client.jdbc.sql;

import static io.txn.client.jdbc.sql.StatementText.refuseUnless;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Whether what looks like a read may hide a write, and whether a statement reaches what capturing goes by; judged by its words alone, in doubt yes. */
final class ReadCheck {

    private static final Set<String> WRITES =
            Set.of("INSERT", "DELETE", "MERGE", "INTO", "TRUNCATE", "ANALYZE", "ANALYSE");
    /** No write when a parenthesis follows. */
    private static final Set<String> FUNCTIONS = Set.of("INSERT", "TRUNCATE");

    private static final Set<String> BEFORE_LOCKING_UPDATE = Set.of("FOR", "KEY");

    static final String SETS = "set_config may change what the names of tables mean";
    static final String SET_OTHERWISE =
            "name a setting of your own, or a time limit, or set it outside the global transaction";

    private ReadCheck() {}

    static boolean mayWrite(List<Token> tokens) {
        for (int i = 0; i < tokens.size(); i++) {
            Token token = tokens.get(i);
            if (token.kind() != Token.Kind.WORD) {
                continue;
            }
            String word = token.text().toUpperCase(Locale.ROOT);
            if (word.equals("INTO")
                    && i + 1 < tokens.size()
                    && tokens.get(i + 1).isSymbol('@')) {
                continue; // a variable of the session
            }
            boolean called = i + 1 < tokens.size() && tokens.get(i + 1).isSymbol('(');
            if (called && FUNCTIONS.contains(word)) {
                continue;
            }
            if (WRITES.contains(word)) {
                return true;
            }
            if (word.equals("UPDATE") && !locks(tokens, i)) {
                return true;
            }
        }
        return false;
    }

    /** Refuses what would tell of the statements that capture changes, or change what these go by; in any statement. */
    static void refuseReachingOurs(StatementText text) throws NotUnderstood {
        List<Token> tokens = text.tokens();
        refuseUnless(!setsSession(tokens, true), SETS, SET_OTHERWISE);
        for (int i = 0; i + 1 < tokens.size(); i++) {
            refuseUnless(
                    !calls(tokens, i, "ROW_COUNT") && !calls(tokens, i, "FOUND_ROWS"),
                    "ROW_COUNT() and FOUND_ROWS() would tell of the statements that capture changes, too",
                    "use the update count that JDBC returns, or SELECT COUNT(*)");
            refuseUnless(
                    !text.syntax().backticks() || !tokens.get(i).isSymbol('@') || !mayBeOurs(tokens.get(i + 1)),
                    "variables whose names begin with txn_ hold what capturing notes",
                    "give the variable another name");
        }
    }

    private static boolean mayBeOurs(Token variable) {
        String name = variable.text().toLowerCase(Locale.ROOT);
        // In quotes, a backslash may stand before any letter, or spell it.
        return name.startsWith("txn_")
                || name.startsWith("txn_", 1) && variable.kind() != Token.Kind.WORD
                || variable.kind() == Token.Kind.STRING && name.indexOf('\\') >= 0;
    }

    /** Whether it calls PostgreSQL's {@code set_config} for more than a setting of the application's own, which has a dot in its name, or one that concerns nobody else. */
    static boolean setsSession(List<Token> tokens) {
        return setsSession(tokens, false);
    }

    /** @param bound whether what a parameter names is looked at elsewhere */
    private static boolean setsSession(List<Token> tokens, boolean bound) {
        for (int i = 0; i < tokens.size(); i++) {
            if (callsSetConfig(tokens, i) && !setsHarmless(tokens, i + 2) && !(bound && isParameter(tokens, i + 2))) {
                return true;
            }
        }
        return false;
    }

    /** The numbers, from 1, of the parameters that say which setting {@code set_config} sets. */
    static List<Integer> settingsNamedByParameters(StatementText text) {
        List<Integer> settings = new ArrayList<>();
        for (int i = 0; i < text.size(); i++) {
            if (callsSetConfig(text.tokens(), i) && isParameter(text.tokens(), i + 2)) {
                settings.add(text.parameters(0, i + 2) + 1);
            }
        }
        return settings;
    }

    private static boolean callsSetConfig(List<Token> tokens, int at) {
        // U&"…" may spell any name.
        return calls(tokens, at, "SET_CONFIG")
                || at > 1
                        && tokens.get(at).kind() == Token.Kind.QUOTED_IDENTIFIER
                        && tokens.get(at - 1).isSymbol('&')
                        && tokens.get(at - 2).is("U")
                        && isSymbol(tokens, at + 1, '(');
    }

    private static boolean isParameter(List<Token> tokens, int at) {
        return at < tokens.size() && tokens.get(at).kind() == Token.Kind.PARAMETER && isSymbol(tokens, at + 1, ',');
    }

    /** Whether the literal that stands here is all of a name of such a setting. */
    private static boolean setsHarmless(List<Token> tokens, int at) {
        if (at >= tokens.size() || tokens.get(at).kind() != Token.Kind.STRING) {
            return false;
        }
        String literal = tokens.get(at).text();
        return literal.indexOf('.') >= 0
                || isSymbol(tokens, at + 1, ',') && isHarmless(literal.substring(1, literal.length() - 1));
    }

    /** Whether a setting is the application's own, or concerns nobody else. */
    static boolean isHarmless(String setting) {
        String name = setting.toUpperCase(Locale.ROOT);
        return name.indexOf('.') >= 0 || ControlPlanner.LIMITS.contains(name) || name.equals("TIMEZONE");
    }

    private static boolean calls(List<Token> tokens, int at, String function) {
        Token token = tokens.get(at);
        return (token.kind() == Token.Kind.WORD || token.kind() == Token.Kind.QUOTED_IDENTIFIER)
                && isSymbol(tokens, at + 1, '(')
                && Identifier.of(token.text()).text().equalsIgnoreCase(function);
    }

    private static boolean isSymbol(List<Token> tokens, int at, char symbol) {
        return at < tokens.size() && tokens.get(at).isSymbol(symbol);
    }

    private static boolean locks(List<Token> tokens, int update) {
        return update > 0
                && BEFORE_LOCKING_UPDATE.contains(tokens.get(update - 1).text().toUpperCase(Locale.ROOT));
    }
}
