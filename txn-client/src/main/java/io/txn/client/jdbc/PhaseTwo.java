package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.undo.CannotUndoException;
import io.txn.client.jdbc.undo.Undo;
import io.txn.client.jdbc.undo.UndoFormat;
import io.txn.client.jdbc.undo.UndoRecord;
import io.txn.client.jdbc.undo.UndoTable;
import io.txn.client.rm.Branch;
import io.txn.client.rm.BranchResource;
import io.txn.client.rm.BranchResult;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.extension.UndoConfirmation;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finishes AT branches of one database, each on a connection of {@link PhaseTwoConnections}. Thread-safe. A positive answer is given only after the
 * database has committed what it says; every call may come again and changes nothing then.
 */
final class PhaseTwo implements BranchResource {

    private static final Logger LOG = LoggerFactory.getLogger(PhaseTwo.class);

    /** How often a rollback starts over because phase one committed between its look and its defence row. */
    private static final int STARTS = 3;

    private final AtResource resource;
    private final Dialect dialect;
    private final UndoTable undoTable;
    private final PhaseTwoConnections connections;

    PhaseTwo(AtResource resource, PhaseTwoConnections connections) {
        this.resource = resource;
        this.connections = connections;
        this.dialect = resource.dialect();
        this.undoTable = resource.undoTable();
    }

    @Override
    public String resourceId() {
        return dialect.resourceId();
    }

    @Override
    public BranchType branchType() {
        return BranchType.AT;
    }

    @Override
    public boolean standsFor(BranchResource other) {
        return other instanceof PhaseTwo that
                && dialect.ownSchema().equals(that.dialect.ownSchema())
                && resource.options().undoTable().equals(that.resource.options().undoTable());
    }

    @Override
    public BranchResult commit(Branch branch) {
        return commitAll(List.of(branch)).get(0);
    }

    @Override
    public boolean commitsTogether() {
        return true;
    }

    @Override
    public List<BranchResult> commitAll(List<Branch> branches) {
        List<UndoTable.Key> keys = new ArrayList<>();
        List<BranchResult> results = new ArrayList<>();
        for (Branch branch : branches) {
            boolean here = resource.isOfThisDatabase(branch.applicationData());
            results.add(here ? BranchResult.committed() : BranchResult.commitLater(otherDatabase()));
            if (here) {
                keys.add(new UndoTable.Key(branch.xid(), branch.id(), AtResource.undoParts(branch.applicationData())));
            }
        }
        try {
            if (!keys.isEmpty()) {
                connections.delete(keys);
            }
            return results;
        } catch (SQLException e) {
            BranchResult failed = BranchResult.commitLater("the undo record could not be deleted: " + describe(e));
            Set<UndoTable.Key> done = keys.size() == 1 ? Set.of() : deletedWithoutWaiting(keys);
            Iterator<UndoTable.Key> key = keys.iterator();
            return results.stream()
                    .map(result -> result.done() && !done.contains(key.next()) ? failed : result)
                    .toList();
        }
    }

    /** One record that somebody has locked does not hold up the others that were to be deleted with it. */
    private Set<UndoTable.Key> deletedWithoutWaiting(List<UndoTable.Key> keys) {
        try (PhaseTwoConnections.Lent lent = connections.lend()) {
            Set<UndoTable.Key> free = undoTable.lockFree(lent.connection(), keys);
            undoTable.delete(lent.connection(), List.copyOf(free));
            lent.commit();
            return free;
        } catch (SQLException e) {
            LOG.debug("no undo record could be deleted beside one that could not: resource={}", resourceId(), e);
            return Set.of();
        }
    }

    @Override
    public BranchResult rollback(Branch branch) {
        if (!resource.isOfThisDatabase(branch.applicationData())) {
            return BranchResult.rollbackLater(otherDatabase());
        }
        try (PhaseTwoConnections.Lent lent = connections.lend()) {
            for (int start = 0; start < STARTS; start++) {
                if (rollback(lent, branch)) {
                    return BranchResult.rolledBack();
                }
                lent.startOver();
            }
            return BranchResult.rollbackLater("phase one is committing");
        } catch (CannotUndoException e) {
            return impossible(branch, e);
        } catch (TxnException e) {
            if (e.code() != ErrorCode.UNDO_NOT_WANTED) {
                throw e;
            }
            LOG.info("an undo was taken back: {}", e.getMessage());
            return BranchResult.rollbackLater(String.valueOf(e.getMessage()));
        } catch (ForeignUndoException e) {
            return BranchResult.rollbackLater(ErrorCode.UNDO_UNREADABLE.id() + " " + e.getMessage());
        } catch (SQLException e) {
            return dialect.refusesValue(e)
                    ? impossible(branch, CannotUndoException.refused(e))
                    : BranchResult.rollbackLater(describe(e));
        }
    }

    /** Whether it is done; if not, phase one committed after the look and before the defence row, and there is something to undo. */
    private boolean rollback(PhaseTwoConnections.Lent lent, Branch branch)
            throws SQLException, CannotUndoException, ForeignUndoException {
        Connection connection = lent.connection();
        UndoTable.Stored stored = undoTable.lock(connection, branch.xid(), branch.id());
        if (stored == null) {
            return leaveDefence(lent, branch);
        }
        if (stored.defence()) {
            return true;
        }
        new Undo(connection, dialect, stored.seen()).apply(read(branch, stored), branch.decision());
        undoTable.delete(connection, List.of(new UndoTable.Key(branch.xid(), branch.id(), stored.parts())));
        lent.limitStandstill();
        requireWanted(branch);
        try {
            lent.commit();
        } catch (SQLException e) {
            if (dialect.isIntegrityViolation(e)) {
                throw CannotUndoException.atCommit(e);
            }
            throw e;
        }
        return true;
    }

    /** A yes that took longer to get here than the branch is kept for it is none: this process stood still. */
    private void requireWanted(Branch branch) {
        long asked = resource.nanos();
        boolean wanted = resource.resources().undoWanted(branch.xid(), branch.id());
        if (!wanted || resource.nanos() - asked > UndoConfirmation.STANDS_STILL.toNanos()) {
            throw new TxnException(
                    ErrorCode.UNDO_NOT_WANTED,
                    null,
                    "xid",
                    branch.xid(),
                    "branchId",
                    branch.id(),
                    "answer",
                    wanted ? "came too late" : "no");
        }
    }

    private boolean leaveDefence(PhaseTwoConnections.Lent lent, Branch branch) throws SQLException {
        try {
            undoTable.insertDefence(lent.connection(), branch.xid(), branch.id());
            lent.commit();
            return true;
        } catch (SQLException e) {
            if (dialect.isDuplicate(e)) {
                return false;
            }
            throw e;
        }
    }

    /** An undo record for others to undo: of another product, or of a newer version. They may have the branch's next call. */
    private static final class ForeignUndoException extends Exception {

        private static final long serialVersionUID = 1L;

        ForeignUndoException(String reason) {
            super(reason);
        }
    }

    private static UndoRecord read(Branch branch, UndoTable.Stored stored)
            throws CannotUndoException, ForeignUndoException {
        String problem;
        if (!stored.context().contains(UndoFormat.CONTEXT)) {
            throw new ForeignUndoException("the undo record was written by another product (" + stored.context()
                    + "), which has to undo it: see that an application of that product is connected");
        } else if (UndoFormat.isNewer(stored.content())) {
            throw new ForeignUndoException("the undo record was written by a newer version, which has to undo it:"
                    + " see that an application of that version is connected");
        } else {
            try {
                UndoRecord undo = UndoFormat.decode(stored.content());
                if (undo.xid().equals(branch.xid()) && undo.branch().equals(branch.id())) {
                    return undo;
                }
                problem = "it belongs to another branch";
            } catch (UndoFormat.UnreadableException e) {
                problem = String.valueOf(e.getMessage());
            }
        }
        throw CannotUndoException.unreadable("undo log", problem);
    }

    private BranchResult impossible(Branch branch, CannotUndoException e) {
        LOG.error(
                "{} a branch cannot be rolled back and needs a decision: xid={}, branchId={}, resource={}, table={}, keys={}, reason={}. {}",
                e.code().id(),
                branch.xid(),
                branch.id(),
                resourceId(),
                e.table(),
                e.keys(),
                e.getMessage(),
                e.code().fix());
        String cause = e.code().id() + " " + e.table() + e.keys() + ": " + e.getMessage();
        return BranchResult.rollbackImpossible(
                cause, e.report() == null ? null : e.report().encoded());
    }

    @Override
    public void deleteUndoLog(int saveDays) {
        if (!resource.isPrepared()) {
            return;
        }
        try (PhaseTwoConnections.Lent lent = connections.lend()) {
            int total = 0;
            while (true) {
                int deleted = undoTable.deleteDefence(lent.connection(), saveDays);
                lent.commit();
                total += deleted;
                if (deleted == 0 || total >= 1_000_000) {
                    break;
                }
                lent.startOver();
            }
            LOG.debug("deleted old defence rows: resource={}, count={}", resourceId(), total);
        } catch (SQLException e) {
            LOG.warn(
                    "old defence rows could not be deleted, the next round tries again: resource={}, cause={}",
                    resourceId(),
                    describe(e));
        }
    }

    private String otherDatabase() {
        return ErrorCode.UNDO_UNREADABLE.id()
                + " the branch was made in another database of the same URL than the one this process reaches";
    }

    /** What failed, without the text of a constraint or statement, which may hold row data. */
    private static String describe(SQLException e) {
        return e.getClass().getSimpleName() + ", SQL state " + e.getSQLState() + ", error " + e.getErrorCode();
    }
}
