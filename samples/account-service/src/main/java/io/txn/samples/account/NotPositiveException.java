package io.txn.samples.account;

import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/** Who pays less than nothing is paid. */
final class NotPositiveException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    NotPositiveException(@Nullable BigDecimal amount) {
        super("An amount has to be more than 0, and this one is " + amount + ".");
    }
}
