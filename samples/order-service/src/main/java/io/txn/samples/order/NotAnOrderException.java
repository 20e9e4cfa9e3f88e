package io.txn.samples.order;

import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/** Something of an order is missing, or cannot be meant. */
final class NotAnOrderException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private NotAnOrderException(String why) {
        super(why);
    }

    static void requireText(String what, @Nullable String text) {
        if (text == null || text.isBlank()) {
            throw new NotAnOrderException("An order has a " + what + ", and this one has none.");
        }
    }

    static void requirePositive(String what, @Nullable BigDecimal number) {
        if (number == null || number.signum() <= 0) {
            throw new NotAnOrderException("A " + what + " has to be more than 0, and this one is " + number + ".");
        }
    }
}
