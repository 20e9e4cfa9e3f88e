package io.txn.client.jdbc.sql;

import java.util.List;

/** What a SELECT lists. */
public final class SelectList {

    private SelectList() {}

    /**
     * Whether it lists nothing but columns under their own names.
     *
     * @param head SELECT and its list, cut out of a statement of this syntax
     */
    public static boolean isPlain(Fragment head, SqlSyntax syntax) {
        try {
            List<Token> tokens = Lexer.tokens(head.text(), syntax);
            boolean nameIsNext = true;
            for (int i = 1; i < tokens.size(); i++) {
                Token token = tokens.get(i);
                boolean name = token.kind() == Token.Kind.WORD
                        || token.kind() == Token.Kind.QUOTED_IDENTIFIER
                        || token.isSymbol('*');
                if (name != nameIsNext || !name && !token.isSymbol(',') && !token.isSymbol('.')) {
                    return false;
                }
                nameIsNext = !nameIsNext;
            }
            return !nameIsNext;
        } catch (NotUnderstood e) {
            return false;
        }
    }
}
