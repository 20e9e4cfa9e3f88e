package io.txn.client.jdbc.undo;

import io.txn.protocol.BranchId;
import io.txn.protocol.Xid;
import java.util.List;

/** What a local transaction changed, statement by statement, in order. Immutable. */
public record UndoRecord(Xid xid, BranchId branch, List<TableChange> changes) {

    public UndoRecord {
        changes = List.copyOf(changes);
    }
}
