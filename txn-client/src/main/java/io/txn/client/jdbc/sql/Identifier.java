package io.txn.client.jdbc.sql;

/**
 * A name as the statement wrote it.
 *
 * @param text without quotes
 * @param quoted whether it stood in quotes, and so keeps its case
 */
public record Identifier(String text, boolean quoted) {

    static Identifier of(String written) {
        char first = written.charAt(0);
        if (first == '"' || first == '`') {
            String inner = written.substring(1, written.length() - 1);
            String quote = String.valueOf(first);
            return new Identifier(inner.replace(quote + quote, quote), true);
        }
        return new Identifier(written, false);
    }
}
