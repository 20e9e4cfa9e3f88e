package io.txn.client.saga;

import io.txn.protocol.BranchId;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;

/**
 * Which step of which saga the calling thread works for. Immutable.
 *
 * @param branch the call of the step: another one in each round of a loop
 * @param step the name of the step's method
 */
public record StepContext(Xid xid, BranchId branch, String step) {

    /** By what the step is completed later; a text of at most 200 characters, safe in URLs that encode it. */
    public String correlationId() {
        return xid.value() + "/" + branch.value();
    }

    /** What a correlation id names. */
    record Call(Xid xid, BranchId branch) {

        /** @throws TxnException SAGA_CORRELATION_UNKNOWN for a text that is none */
        static Call of(String correlationId) {
            int slash = correlationId.lastIndexOf('/');
            if (slash > 0) {
                try {
                    return new Call(
                            new Xid(correlationId.substring(0, slash)),
                            new BranchId(Long.parseLong(correlationId.substring(slash + 1))));
                } catch (IllegalArgumentException e) {
                    // said below
                }
            }
            throw new TxnException(
                    ErrorCode.SAGA_CORRELATION_UNKNOWN, null, "correlationId", correlationId, "problem", "it is none");
        }
    }
}
