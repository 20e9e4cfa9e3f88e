package io.txn.samples.saga;

import org.jspecify.annotations.Nullable;

/** What somebody sent cannot be meant, and why: something is missing, or too long, or so little that who gets it gives. */
final class NotUsableException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** What the tables have room for. */
    private static final int LONGEST = 20;

    private NotUsableException(String why) {
        super(why);
    }

    static void requirePositive(String what, int number) {
        if (number <= 0) {
            throw new NotUsableException(what + " has to be more than 0, and this one is " + number);
        }
    }

    static void requireText(String what, @Nullable String text) {
        if (text == null || text.isBlank() || text.length() > LONGEST) {
            throw new NotUsableException(what + " has to be a text of 1 to " + LONGEST + " characters, and this one "
                    + (text == null ? "is missing" : text.isBlank() ? "is empty" : "has " + text.length()));
        }
    }

    static void requireBetween(String what, int least, int most, int number) {
        if (number < least || number > most) {
            throw new NotUsableException(what + " have to be " + least + " to " + most + ", and these are " + number);
        }
    }

    static void requirePresent(String what, @Nullable Object value) {
        if (value == null) {
            throw new NotUsableException(what + " is missing");
        }
    }
}
