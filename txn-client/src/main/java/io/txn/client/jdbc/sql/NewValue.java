package io.txn.client.jdbc.sql;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * What an assignment of an UPDATE sets a column to.
 *
 * @param text as written
 * @param form what it is made of
 * @param columns the names in it; of an {@link Form#ARITHMETIC} one they are of columns, if there are such columns
 */
public record NewValue(Fragment text, Form form, List<Identifier> columns) {

    /** What a value is made of. */
    public enum Form {
        /** Decimal numbers, parameters and names, by {@code + - *} and parentheses. Perhaps a parameter alone. */
        ARITHMETIC,
        /** One string literal without prefix. */
        STRING,
        OTHER
    }

    /** Words that are values and no names, wherever they stand. */
    private static final Set<String> NO_NAMES = Set.of(
            "NULL",
            "DEFAULT",
            "TRUE",
            "FALSE",
            "CURRENT_DATE",
            "CURRENT_TIME",
            "CURRENT_TIMESTAMP",
            "CURRENT_USER",
            "CURRENT_ROLE",
            "LOCALTIME",
            "LOCALTIMESTAMP",
            "SYSDATE",
            "UTC_DATE",
            "UTC_TIME",
            "UTC_TIMESTAMP",
            "ROWNUM");

    public NewValue {
        columns = List.copyOf(columns);
    }

    /** The value between two tokens. */
    static NewValue of(StatementText text, int from, int to) {
        Fragment fragment = text.fragment(from, to);
        if (to - from == 1
                && text.token(from).kind() == Token.Kind.STRING
                && text.token(from).text().startsWith("'")) {
            return new NewValue(fragment, Form.STRING, List.of());
        }
        List<Identifier> columns = new ArrayList<>();
        for (int i = from; i < to; i++) {
            Token token = text.token(i);
            boolean fits =
                    switch (token.kind()) {
                        case NUMBER -> token.text().matches("\\d{1,18}(\\.\\d{1,18})?");
                        case PARAMETER -> token.text().equals("?");
                        case WORD -> !NO_NAMES.contains(token.text().toUpperCase(Locale.ROOT));
                        case QUOTED_IDENTIFIER -> true;
                        case SYMBOL -> token.text().length() == 1 && "+-*()".contains(token.text());
                        case STRING -> false;
                    };
            if (!fits) {
                return new NewValue(fragment, Form.OTHER, List.of());
            }
            if (text.isName(i)) {
                columns.add(Identifier.of(token.text()));
            }
        }
        return new NewValue(fragment, Form.ARITHMETIC, columns);
    }
}
