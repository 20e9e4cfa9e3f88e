package io.txn.client.action;

import io.txn.protocol.TxnException;
import java.sql.SQLException;
import java.util.Objects;

/** What failed, in one line for the operator. Stateless. */
public final class FailureText {

    private FailureText() {}

    /** The text of a database's error may hold row data, so it is left out. */
    public static String of(Throwable failure) {
        if (failure instanceof TxnException) {
            return Objects.requireNonNullElse(failure.getMessage(), "");
        }
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException e) {
                return e.getClass().getSimpleName() + ", SQL state " + e.getSQLState() + ", error " + e.getErrorCode();
            }
        }
        return failure.toString();
    }
}
