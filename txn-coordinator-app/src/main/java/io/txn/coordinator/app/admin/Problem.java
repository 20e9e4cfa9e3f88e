package io.txn.coordinator.app.admin;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The body of every error of the admin API.
 *
 * @param code stable id, as in {@code docs/errors.md}
 * @param message what happened, with the facts of the case
 * @param fix what the caller can do
 */
record Problem(String code, String message, String fix) {

    static Problem of(ErrorCode code) {
        return of(code, Map.of());
    }

    static Problem of(ErrorCode code, String fact, @Nullable Object value) {
        return of(code, value == null ? Map.of() : Map.of(fact, value));
    }

    static Problem of(TxnException exception) {
        return of(exception.code(), exception.facts());
    }

    private static Problem of(ErrorCode code, Map<String, Object> facts) {
        String message = code.sentence();
        if (!facts.isEmpty()) {
            String text = facts.toString();
            message += " [" + text.substring(1, text.length() - 1) + "]";
        }
        return new Problem(code.id(), message, code.fix());
    }

    /** The status that goes with an error that the coordinator reports. */
    static int status(ErrorCode code) {
        if (code == ErrorCode.TRANSACTION_NOT_FOUND
                || code == ErrorCode.BRANCH_NOT_FOUND
                || code == ErrorCode.SAGA_CORRELATION_UNKNOWN) {
            return 404;
        }
        if (code == ErrorCode.OPERATION_REFUSED) {
            return 409;
        }
        return switch (code.category()) {
            case GIVE_UP -> 400;
            case RETRY, OPERATOR -> 503;
            case UNKNOWN_OUTCOME -> 504;
        };
    }
}
