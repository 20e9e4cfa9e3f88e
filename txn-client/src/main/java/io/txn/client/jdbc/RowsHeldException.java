package io.txn.client.jdbc;

import io.txn.protocol.TxnException;
import java.sql.SQLTransactionRollbackException;

/** Another global transaction holds rows. Whoever lets go of everything may wait for them and run again. */
final class RowsHeldException extends SQLTransactionRollbackException {

    private static final long serialVersionUID = 1;

    private final String lockKeys;

    RowsHeldException(TxnException reason, String lockKeys) {
        super(reason.getMessage(), "40001");
        initCause(reason);
        this.lockKeys = lockKeys;
    }

    /** The rows that were asked for, those held among them. */
    String lockKeys() {
        return lockKeys;
    }
}
