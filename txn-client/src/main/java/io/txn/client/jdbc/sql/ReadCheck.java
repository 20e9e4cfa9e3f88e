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

    private static boolean locks(List<Token> tokens, int update) {
        return update > 0
                && BEFORE_LOCKING_UPDATE.contains(tokens.get(update - 1).text().toUpperCase(Locale.ROOT));
    }
}
