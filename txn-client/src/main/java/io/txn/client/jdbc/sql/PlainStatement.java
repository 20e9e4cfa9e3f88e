package io.txn.client.jdbc.sql;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What matters of a statement that passes through untouched: whether it may write rows (and so pins its local transaction to "no global
 * transaction"), whether it may change a table's definition, and which temporary table it creates. In doubt the answer is yes.
 */
public record PlainStatement(
        boolean writes, boolean definesTables, @Nullable String temporaryTable) {

    private static final PlainStatement READ = new PlainStatement(false, false, null);
    private static final PlainStatement WRITE = new PlainStatement(true, false, null);
    private static final PlainStatement UNKNOWN = new PlainStatement(true, true, null);

    private static final Set<String> READS =
            Set.of("SELECT", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC", "SET", "USE");
    private static final Set<String> DEFINES =
            Set.of("CREATE", "ALTER", "DROP", "RENAME", "RUNSCRIPT", "CALL", "EXEC", "EXECUTE", "DO", "BEGIN");

    static PlainStatement of(String sql, SqlSyntax syntax) {
        List<Token> tokens;
        try {
            tokens = Lexer.tokens(sql, syntax);
        } catch (NotUnderstood e) {
            return UNKNOWN;
        }
        Token first = tokens.stream().filter(t -> !t.isSymbol('(')).findFirst().orElse(null);
        if (first == null) {
            return READ;
        }
        String word = first.text().toUpperCase(Locale.ROOT);
        boolean several = tokens.stream().limit(tokens.size() - 1).anyMatch(t -> t.isSymbol(';'));
        if (several || DEFINES.contains(word)) {
            return new PlainStatement(true, true, temporary(tokens));
        }
        if (word.equals("SET") && tokens.stream().anyMatch(t -> t.is("AUTOCOMMIT"))) {
            return WRITE; // it commits what is open
        }
        if (word.equals("SET") && tokens.size() > 1 && tokens.get(1).is("CONSTRAINTS")) {
            return WRITE; // images of what follows in the same transaction would not know that keys are checked later
        }
        boolean reads = READS.contains(word) || word.equals("WITH") || word.equals("EXPLAIN");
        return reads && !ReadCheck.mayWrite(tokens) ? READ : WRITE;
    }

    private static @Nullable String temporary(List<Token> tokens) {
        boolean temporary = false;
        for (Token token : tokens) {
            if (token.is("TEMPORARY") || token.is("TEMP")) {
                temporary = true;
            } else if (temporary
                    && !token.is("TABLE")
                    && !token.is("IF")
                    && !token.is("NOT")
                    && !token.is("EXISTS")
                    && (token.kind() == Token.Kind.WORD || token.kind() == Token.Kind.QUOTED_IDENTIFIER)) {
                return Identifier.of(token.text()).text();
            }
        }
        return null;
    }
}
