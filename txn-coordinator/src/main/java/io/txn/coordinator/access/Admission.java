package io.txn.coordinator.access;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.Map;

/** Whether a connection may register. */
public sealed interface Admission {

    /** It may. */
    record Admitted(Credential credential) implements Admission {}

    /** It may not; what it is told, which holds no secrets. */
    record Refused(ErrorCode code, Map<String, Object> facts) implements Admission {

        static Refused of(ErrorCode code, Object... facts) {
            return new Refused(code, TxnException.asMap(facts));
        }

        public String text() {
            return TxnException.text(code, facts);
        }
    }

    /** It shows no proof, as Seata's resource managers do: that depends on its transaction manager. */
    record DependsOnTransactionManager() implements Admission {}
}
