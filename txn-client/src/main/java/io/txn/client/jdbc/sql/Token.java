package io.txn.client.jdbc.sql;

/**
 * A piece of SQL text that belongs together.
 *
 * @param depth how many parentheses and brackets are open around it; one itself has the depth of what is outside
 */
record Token(Kind kind, int start, int end, int depth, String text) {

    enum Kind {
        WORD,
        QUOTED_IDENTIFIER,
        STRING,
        NUMBER,
        PARAMETER,
        SYMBOL
    }

    /** Whether this is the unquoted word, in any case. */
    boolean is(String word) {
        return kind == Kind.WORD && text.equalsIgnoreCase(word);
    }

    boolean isSymbol(char symbol) {
        return kind == Kind.SYMBOL && text.length() == 1 && text.charAt(0) == symbol;
    }
}
