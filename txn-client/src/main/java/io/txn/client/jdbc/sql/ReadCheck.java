package io.txn.client.jdbc.sql;

import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Whether what looks like a read may hide a write, judged by its words alone; in doubt it may. */
final class ReadCheck {

    private static final Set<String> WRITES =
            Set.of("INSERT", "DELETE", "MERGE", "INTO", "TRUNCATE", "ANALYZE", "ANALYSE");
    /** No write when a parenthesis follows. */
    private static final Set<String> FUNCTIONS = Set.of("INSERT", "TRUNCATE");

    private static final Set<String> BEFORE_LOCKING_UPDATE = Set.of("FOR", "KEY");

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

    /** Whether it calls PostgreSQL's {@code set_config} for more than a setting of the application's own, which has a dot in its name. */
    static boolean setsSession(List<Token> tokens) {
        for (int i = 0; i < tokens.size(); i++) {
            boolean calls = tokens.get(i).is("SET_CONFIG")
                    && i + 1 < tokens.size()
                    && tokens.get(i + 1).isSymbol('(');
            Token setting = calls && i + 2 < tokens.size() ? tokens.get(i + 2) : null;
            if (calls
                    && (setting == null
                            || setting.kind() != Token.Kind.STRING
                            || setting.text().indexOf('.') < 0)) {
                return true;
            }
        }
        return false;
    }

    private static boolean locks(List<Token> tokens, int update) {
        return update > 0
                && BEFORE_LOCKING_UPDATE.contains(tokens.get(update - 1).text().toUpperCase(Locale.ROOT));
    }
}
