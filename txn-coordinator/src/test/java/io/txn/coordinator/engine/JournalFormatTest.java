package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.BranchState;
import io.txn.coordinator.machine.Outcome;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import org.junit.jupiter.api.Test;

/** Records and snapshots name these by their place: a journal of an earlier version must mean the same for ever. */
class JournalFormatTest {

    @Test
    void whatIsStoredByItsPlaceKeepsItsPlace() {
        assertThat(BranchType.values()).extracting(Enum::name).startsWith("AT", "TCC", "SAGA", "XA", "SAGA_ANNOTATION");
        assertThat(BranchState.values())
                .extracting(Enum::name)
                .startsWith("REGISTERED", "FAILED_PHASE_ONE", "DONE", "STUCK", "GIVEN_UP");
        assertThat(TransactionState.values())
                .extracting(Enum::name)
                .startsWith(
                        "ACTIVE",
                        "COMMITTING",
                        "COMMITTED",
                        "ROLLING_BACK",
                        "ROLLED_BACK",
                        "NEEDS_ATTENTION",
                        "HANDED_BACK");
        assertThat(Outcome.values()).extracting(Enum::name).startsWith("OPEN", "COMMIT", "ROLLBACK");
    }
}
