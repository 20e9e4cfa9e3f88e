package io.txn.client.jdbc.sql;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a SELECT lists. */
public final class SelectList {

    private SelectList() {}

    /**
     * One or all columns of a table.
     *
     * @param row the table or alias that stands before it; null when nothing does
     * @param column null for all of them
     * @param label the other name that it is given; null when it is shown under its own
     */
    public record Item(
            @Nullable Identifier row,
            @Nullable Identifier column,
            @Nullable Identifier label) {}

    /**
     * The columns that it lists; empty when it lists anything else.
     *
     * @param head SELECT and its list, cut out of a statement of this syntax
     */
    public static List<Item> columns(Fragment head, SqlSyntax syntax) {
        try {
            List<Token> tokens = Lexer.tokens(head.text(), syntax);
            List<Item> items = new ArrayList<>();
            int first = 1;
            for (int i = 1; i <= tokens.size(); i++) {
                if (i == tokens.size() || tokens.get(i).isSymbol(',')) {
                    Item item = item(tokens.subList(first, i));
                    if (item == null) {
                        return List.of();
                    }
                    items.add(item);
                    first = i + 1;
                }
            }
            return items;
        } catch (NotUnderstood e) {
            return List.of();
        }
    }

    /** {@code [[schema.]row.]column [[AS] label]} or {@code [[schema.]row.]*}; null when it is neither. */
    private static @Nullable Item item(List<Token> tokens) {
        List<Token> path = new ArrayList<>();
        int next = 0;
        while (next < tokens.size() && isName(tokens.get(next))) {
            path.add(tokens.get(next));
            next++;
            if (next == tokens.size() || !tokens.get(next).isSymbol('.')) {
                break;
            }
            next++;
        }
        boolean complete = !path.isEmpty() && !tokens.get(next - 1).isSymbol('.');
        if (!complete) {
            boolean all = next + 1 == tokens.size() && tokens.get(next).isSymbol('*');
            return all ? new Item(path.isEmpty() ? null : name(path.get(path.size() - 1)), null, null) : null;
        }
        Identifier row = path.size() < 2 ? null : name(path.get(path.size() - 2));
        Identifier column = name(path.get(path.size() - 1));
        if (next == tokens.size()) {
            return new Item(row, column, null);
        }
        if (tokens.get(next).is("AS")) {
            next++;
        }
        boolean labelled = next + 1 == tokens.size() && isName(tokens.get(next));
        return labelled ? new Item(row, column, name(tokens.get(next))) : null;
    }

    private static boolean isName(Token token) {
        return token.kind() == Token.Kind.WORD || token.kind() == Token.Kind.QUOTED_IDENTIFIER;
    }

    private static Identifier name(Token token) {
        return Identifier.of(token.text());
    }
}
