package io.txn.client.jdbc;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.SQLNonTransientException;
import java.sql.SQLTransactionRollbackException;
import org.jspecify.annotations.Nullable;

/** JDBC's form of this product's errors: the same text, an SQL state that frameworks understand, the {@link TxnException} as the cause. */
final class Refusals {

    private static final String NOT_SUPPORTED = "0A000";
    private static final String ROLLED_BACK = "25S03";
    private static final String RETRY = "40001";
    private static final String INVALID_STATE = "25000";

    private Refusals() {}

    /** The statement was not run; the local transaction is as it was. */
    static SQLException refused(ErrorCode code, Object... facts) {
        TxnException reason = new TxnException(code, null, facts);
        return withCause(new SQLFeatureNotSupportedException(reason.getMessage(), NOT_SUPPORTED), reason);
    }

    static SQLException notSupported(String reason, String rewrite) {
        return refused(ErrorCode.STATEMENT_NOT_SUPPORTED, "reason", reason, "rewrite", rewrite);
    }

    /** The read was not run, or not shown. */
    static SQLException notCheckable(String reason, String rewrite) {
        return refused(ErrorCode.READ_NOT_CHECKABLE, "reason", reason, "rewrite", rewrite);
    }

    /** The statement was not run, because of the state of the local transaction. */
    static SQLException misplaced(ErrorCode code, Object... facts) {
        TxnException reason = new TxnException(code, null, facts);
        return withCause(new SQLNonTransientException(reason.getMessage(), INVALID_STATE), reason);
    }

    /** The local transaction was rolled back, and would be again. */
    static SQLException rolledBack(TxnException reason) {
        return withCause(new SQLNonTransientException(reason.getMessage(), ROLLED_BACK), reason);
    }

    static SQLException rolledBack(ErrorCode code, @Nullable Throwable cause, Object... facts) {
        return rolledBack(new TxnException(code, cause, facts));
    }

    /** The local transaction was rolled back or has to be; the same work may succeed later. */
    static SQLException retry(TxnException reason) {
        return withCause(new SQLTransactionRollbackException(reason.getMessage(), RETRY), reason);
    }

    /** The statement does not wait for rows, and one is held: the local transaction goes on. */
    static SQLException noWait(RowsHeldException held) {
        return held.getCause() instanceof TxnException reason ? retry(reason) : held;
    }

    /** What a failed conversation with the coordinator means to a user of JDBC. */
    static SQLException of(TxnException reason) {
        return reason.code().category() == ErrorCode.Category.RETRY ? retry(reason) : rolledBack(reason);
    }

    private static SQLException withCause(SQLException exception, TxnException cause) {
        exception.initCause(cause);
        return exception;
    }
}
