package io.txn.samples.business;

import org.jspecify.annotations.Nullable;

/** What was sent names nobody who buys, or nothing that is bought. */
final class NotAPurchaseException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** What the tables have room for. */
    private static final int LONGEST = 64;

    private NotAPurchaseException(String why) {
        super(why);
    }

    static void requireText(String what, @Nullable String text) {
        if (text == null || text.isBlank()) {
            throw new NotAPurchaseException("A purchase has a " + what + ", and this one has none.");
        }
        if (text.length() > LONGEST) {
            throw new NotAPurchaseException(
                    "A " + what + " has at most " + LONGEST + " characters, and this one has " + text.length() + ".");
        }
    }
}
