package io.txn.client.jdbc.undo;

import io.txn.protocol.BranchId;
import io.txn.protocol.Xid;
import java.util.List;

/**
 * What a local transaction changed, statement by statement, in order. Immutable.
 *
 * @param reliances what was known of the tables that it wrote
 */
public record UndoRecord(Xid xid, BranchId branch, List<TableChange> changes, List<Reliance> reliances) {

    public UndoRecord {
        changes = List.copyOf(changes);
        reliances = List.copyOf(reliances);
    }
}
