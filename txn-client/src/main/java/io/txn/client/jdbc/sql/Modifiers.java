package io.txn.client.jdbc.sql;

import java.util.Set;

/**
 * MySQL's words between UPDATE or DELETE and what follows.
 *
 * @param end where they end
 * @param ignores whether IGNORE is among them
 */
record Modifiers(int end, boolean ignores) {

    private static final Set<String> WORDS = Set.of("LOW_PRIORITY", "QUICK", "IGNORE");

    static Modifiers of(StatementText text, int from) {
        boolean ignores = false;
        int at = from;
        // All of them are words that MySQL reserves, or stand before FROM or a name; elsewhere they are names.
        while (text.syntax().hashComments() && at + 1 < text.size() && WORDS.contains(text.upper(at))) {
            ignores |= text.is(at, "IGNORE");
            at++;
        }
        return new Modifiers(at, ignores);
    }
}
