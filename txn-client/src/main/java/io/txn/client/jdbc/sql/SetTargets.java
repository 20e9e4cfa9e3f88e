package io.txn.client.jdbc.sql;

import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * What the SET statements in the body of one of MySQL's routines set that is neither a variable which the body declares nor one of the user's ({@code @name}): its
 * parameters, and settings of the session or server. In lower case; in doubt too much.
 */
public final class SetTargets {

    private static final Set<String> TYPE_BEFORE = Set.of("character", "char", "charset");

    private SetTargets() {}

    /** Those of a routine's body. */
    public static Set<String> of(String body, SqlSyntax syntax) {
        List<Token> tokens;
        try {
            tokens = Lexer.tokens(body, syntax);
        } catch (NotUnderstood e) {
            return Set.of("of what is not understood");
        }
        Set<String> declared = new HashSet<>();
        for (int i = 0; i < tokens.size(); i++) {
            if (tokens.get(i).is("DECLARE")) {
                int at = i + 1;
                declared.add(name(tokens, at));
                for (; at + 2 < tokens.size() && tokens.get(at + 1).isSymbol(','); at += 2) {
                    declared.add(name(tokens, at + 2));
                }
            }
        }
        Set<String> targets = new LinkedHashSet<>();
        for (int i = 0; i < tokens.size(); i++) {
            boolean statement = tokens.get(i).is("SET")
                    && !(i > 0 && TYPE_BEFORE.contains(name(tokens, i - 1)))
                    && !(i + 1 < tokens.size() && tokens.get(i + 1).isSymbol('('));
            for (int at = i + 1; statement && at < tokens.size(); at++) {
                Token token = tokens.get(at);
                if (token.depth() > tokens.get(i).depth()) {
                    continue;
                }
                if (token.isSymbol(';')) {
                    break;
                }
                if (at == i + 1 || tokens.get(at - 1).isSymbol(',')) {
                    boolean ofUser = token.isSymbol('@')
                            && !(at + 1 < tokens.size() && tokens.get(at + 1).isSymbol('@'));
                    if (!ofUser && !declared.contains(name(tokens, at))) {
                        targets.add(name(tokens, at));
                    }
                }
            }
        }
        return targets;
    }

    private static String name(List<Token> tokens, int at) {
        return at < tokens.size() ? Identifier.of(tokens.get(at).text()).text().toLowerCase(Locale.ROOT) : "";
    }
}
