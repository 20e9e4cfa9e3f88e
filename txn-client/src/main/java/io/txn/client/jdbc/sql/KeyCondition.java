package io.txn.client.jdbc.sql;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The equalities with a value that a condition surely demands: those of its parts, joined by AND and by nothing else, that read {@code column = value}. What
 * else it demands, it demands of rows that fulfil these. Immutable.
 *
 * @param whole whether it demands nothing else
 */
public record KeyCondition(List<Equality> equalities, boolean whole) {

    static final KeyCondition NONE = new KeyCondition(List.of(), false);

    /** Words that, outside parentheses, may give an AND beside them another meaning than "both". */
    private static final Set<String> OTHER_LOGIC = Set.of("OR", "XOR", "BETWEEN", "CASE", "NOT");

    public KeyCondition {
        equalities = List.copyOf(equalities);
    }

    /**
     * @param column without qualifier
     * @param written with its qualifier and quotes
     * @param value a literal or a parameter
     */
    public record Equality(Identifier column, String written, Fragment value) {}

    /** What a condition, cut out of a statement of this syntax, demands; nothing in doubt. */
    public static KeyCondition of(Fragment condition, SqlSyntax syntax) {
        try {
            return of(condition, Lexer.tokens(condition.text(), syntax));
        } catch (NotUnderstood e) {
            return NONE;
        }
    }

    private static KeyCondition of(Fragment condition, List<Token> tokens) {
        List<Equality> found = new ArrayList<>();
        int parameters = 0;
        int begin = 0;
        int parts = 0;
        for (int i = 0; i <= tokens.size(); i++) {
            boolean end = i == tokens.size()
                    || tokens.get(i).depth() == 0 && tokens.get(i).is("AND");
            if (end) {
                List<Token> part = tokens.subList(begin, i);
                add(found, condition, part, parameters);
                parameters += (int) part.stream()
                        .filter(t -> t.kind() == Token.Kind.PARAMETER)
                        .count();
                begin = i + 1;
                parts++;
            } else if (tokens.get(i).depth() == 0 && otherLogic(tokens, i)) {
                return NONE;
            }
        }
        return new KeyCondition(found, found.size() == parts);
    }

    private static boolean otherLogic(List<Token> tokens, int index) {
        Token token = tokens.get(index);
        if (token.is("NOT") && index > 0 && tokens.get(index - 1).is("IS")) {
            return false;
        }
        return token.kind() == Token.Kind.WORD
                        && OTHER_LOGIC.contains(token.text().toUpperCase(Locale.ROOT))
                || token.isSymbol('|')
                || token.isSymbol('&')
                || token.isSymbol('!');
    }

    private static void add(List<Equality> found, Fragment condition, List<Token> part, int parameters) {
        int equals = 0;
        while (equals < part.size() && !part.get(equals).isSymbol('=')) {
            boolean name = equals % 2 == 0
                    ? part.get(equals).kind() == Token.Kind.WORD
                            || part.get(equals).kind() == Token.Kind.QUOTED_IDENTIFIER
                    : part.get(equals).isSymbol('.');
            if (!name) {
                return;
            }
            equals++;
        }
        int value = equals + 1;
        boolean signed = value < part.size() && part.get(value).isSymbol('-');
        int last = signed ? value + 1 : value;
        if (equals % 2 == 0 || last != part.size() - 1) {
            return;
        }
        Token.Kind kind = part.get(last).kind();
        boolean known =
                kind == Token.Kind.NUMBER || !signed && (kind == Token.Kind.PARAMETER || kind == Token.Kind.STRING);
        if (known) {
            String written = condition
                    .text()
                    .substring(part.get(0).start(), part.get(equals - 1).end());
            String text = condition
                    .text()
                    .substring(part.get(value).start(), part.get(last).end());
            boolean bound = kind == Token.Kind.PARAMETER;
            found.add(new Equality(
                    Identifier.of(part.get(equals - 1).text()),
                    written,
                    new Fragment(text, condition.firstParameter() + parameters, bound ? 1 : 0)));
        }
    }
}
