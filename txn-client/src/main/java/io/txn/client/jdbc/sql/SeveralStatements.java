package io.txn.client.jdbc.sql;

import java.util.ArrayList;
import java.util.List;

/** The statements of a text that holds several, as drivers may be told to let pass. Immutable. */
public record SeveralStatements(List<Piece> pieces) {

    public SeveralStatements {
        pieces = List.copyOf(pieces);
    }

    /**
     * One of them.
     *
     * @param firstParameter which parameter of the whole text, counted from 0, is its first
     */
    public record Piece(String sql, int firstParameter, int parameterCount) {}

    /** The pieces between semicolons; a text that is one statement, or none, is one piece. */
    static SeveralStatements of(String sql, SqlSyntax syntax) {
        List<Token> tokens;
        try {
            tokens = Lexer.tokens(sql, syntax);
        } catch (NotUnderstood e) {
            return new SeveralStatements(List.of(new Piece(sql, 0, 0)));
        }
        List<Piece> pieces = new ArrayList<>();
        int parameters = 0;
        int begin = 0;
        for (int i = 0; i <= tokens.size(); i++) {
            if (i < tokens.size() && !tokens.get(i).isSymbol(';')) {
                continue;
            }
            if (i > begin) {
                int count = (int) tokens.subList(begin, i).stream()
                        .filter(t -> t.kind() == Token.Kind.PARAMETER)
                        .count();
                String text = sql.substring(
                        tokens.get(begin).start(), tokens.get(i - 1).end());
                pieces.add(new Piece(text, parameters, count));
                parameters += count;
            }
            begin = i + 1;
        }
        return pieces.size() > 1
                ? new SeveralStatements(pieces)
                : new SeveralStatements(List.of(new Piece(sql, 0, parameters)));
    }

    public boolean several() {
        return pieces.size() > 1;
    }
}
