package io.txn.coordinator.machine;

import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import io.txn.protocol.saga.SagaHead;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A global transaction: the state that {@link Machine} works on. Times are journal time in milliseconds.
 *
 * @param number the last part of its XID
 * @param address the first part of its XID
 * @param name given by the initiator
 * @param client the initiator
 * @param deadline when it is rolled back if it is still open
 * @param outcome what was decided; that of a saga which was handed back is still open
 * @param timedOut whether it was the deadline that decided
 * @param cause why it was rolled back, or committed without its initiator, in one line; while it is open, why it is not to be committed
 * @param decidedAt 0 while open
 * @param endedAt 0 until every branch is final
 * @param requestId the initiator's id of its begin, 0 for none
 * @param branches in order of registration
 * @param saga how far it is when it is a saga that the coordinator drives, else null
 */
public record GlobalTransaction(
        long number,
        String address,
        String name,
        ClientId client,
        long beganAt,
        long deadline,
        TransactionState state,
        Outcome outcome,
        boolean timedOut,
        @Nullable String cause,
        long decidedAt,
        long endedAt,
        long requestId,
        List<Branch> branches,
        @Nullable SagaState saga) {

    public GlobalTransaction {
        branches = List.copyOf(branches);
    }

    /** No saga of the coordinator's. */
    public GlobalTransaction(
            long number,
            String address,
            String name,
            ClientId client,
            long beganAt,
            long deadline,
            TransactionState state,
            Outcome outcome,
            boolean timedOut,
            @Nullable String cause,
            long decidedAt,
            long endedAt,
            long requestId,
            List<Branch> branches) {
        this(
                number, address, name, client, beganAt, deadline, state, outcome, timedOut, cause, decidedAt, endedAt,
                requestId, branches, null);
    }

    public Xid xid() {
        return Xid.of(address, number);
    }

    /** Whether {@code xid} is exactly this transaction's, address included. */
    boolean is(Xid xid) {
        String text = xid.value();
        int colon = address.length();
        return xid.number() == number
                && text.length() == colon + 1 + Long.toString(number).length()
                && text.charAt(colon) == ':'
                && text.startsWith(address);
    }

    /** The branch with this id, or null. */
    public @Nullable Branch branch(long id) {
        for (Branch branch : branches) {
            if (branch.id() == id) {
                return branch;
            }
        }
        return null;
    }

    /** Whether somebody failed in it, so that it is not to be committed. */
    public boolean isMarked() {
        return state == TransactionState.ACTIVE && cause != null;
    }

    /** Whether its branches hold locks: until the commit is decided, or until they are undone. */
    public boolean holdsLocks() {
        return !state.isFinal() && outcome != Outcome.COMMIT;
    }

    /**
     * The branch that stands for the engine of a saga (see {@link Sagas}), or null when it is none. It is the first one and has the transaction's own number
     * as its id, which no other branch can have.
     */
    public @Nullable Branch driver() {
        return !branches.isEmpty() && isDriver(branches.get(0)) ? branches.get(0) : null;
    }

    boolean isDriver(Branch branch) {
        return isDriver(branch.id());
    }

    boolean isDriver(long branch) {
        return branch == number;
    }

    /** Whether it is a saga whose engine has not had its last word. */
    boolean isDriven() {
        Branch driver = driver();
        return driver != null && !state.isFinal() && !driver.state().isOver();
    }

    /** In which direction the engine of a saga is called, or was; OPEN while it is not handed back to it, and for whatever is no saga. */
    public Outcome direction() {
        Branch driver = driver();
        String data = driver == null ? null : driver.applicationData();
        return data == null ? Outcome.OPEN : Outcome.valueOf(data);
    }

    /** Whether a branch of this type may join: until it is decided or handed back; steps of a saga also while its engine goes on. */
    boolean accepts(BranchType type) {
        return saga == null && accepted(type);
    }

    private boolean accepted(BranchType type) {
        return state == TransactionState.ACTIVE || (type == BranchType.SAGA && isDriven());
    }

    /** Whether {@code branch} is owed its phase two of what was decided, or a call in the direction of its saga. */
    boolean owes(Branch branch) {
        if (saga != null) {
            return switch (outcome) {
                case OPEN -> saga.isUnderWay(branch.id()) && !branch.state().isOver();
                case COMMIT -> false;
                case ROLLBACK -> !branch.state().isOver();
            };
        }
        if (isDriver(branch)) {
            return !branch.state().isOver() && direction() != Outcome.OPEN;
        }
        return outcome != Outcome.OPEN && branch.isOwed(outcome);
    }

    boolean owesNothing() {
        for (Branch branch : branches) {
            if (owes(branch)) {
                return false;
            }
        }
        return true;
    }

    /** Whether no branch is left whose commit the initiator waits for. */
    public boolean owesNothingInTurn() {
        for (Branch branch : branches) {
            if (branch.isOwed(Outcome.COMMIT) && branch.commitsInTurn()) {
                return false;
            }
        }
        return true;
    }

    /** The first branch that needs a person, or null. */
    public @Nullable Branch firstStuck() {
        for (Branch branch : branches) {
            if (branch.state() == BranchState.STUCK) {
                return branch;
            }
        }
        return null;
    }

    /** How far the saga is, in a word. */
    public SagaHead.State sagaState() {
        return switch (state) {
            case ACTIVE, COMMITTING, HANDED_BACK -> SagaHead.State.RUNNING;
            case ROLLING_BACK -> SagaHead.State.COMPENSATING;
            case NEEDS_ATTENTION -> SagaHead.State.NEEDS_ATTENTION;
            case COMMITTED -> SagaHead.State.DONE;
            case ROLLED_BACK -> SagaHead.State.COMPENSATED;
        };
    }

    /** How far the saga is; only of what is one. */
    SagaState planned() {
        if (saga == null) {
            throw new AssertionError("no saga of the coordinator's: " + number);
        }
        return saga;
    }

    GlobalTransaction with(SagaState newSaga, List<Branch> newBranches) {
        return new GlobalTransaction(
                number,
                address,
                name,
                client,
                beganAt,
                deadline,
                state,
                outcome,
                timedOut,
                cause,
                decidedAt,
                endedAt,
                requestId,
                newBranches,
                newSaga);
    }

    GlobalTransaction replace(Branch changed) {
        List<Branch> list = new ArrayList<>(branches);
        list.replaceAll(branch -> branch.id() == changed.id() ? changed : branch);
        return withBranches(list);
    }

    GlobalTransaction add(Branch branch) {
        List<Branch> list = new ArrayList<>(branches.size() + 1);
        list.addAll(branches);
        list.add(branch);
        return withBranches(list);
    }

    GlobalTransaction withBranches(List<Branch> newBranches) {
        return new GlobalTransaction(
                number,
                address,
                name,
                client,
                beganAt,
                deadline,
                state,
                outcome,
                timedOut,
                cause,
                decidedAt,
                endedAt,
                requestId,
                newBranches,
                saga);
    }

    GlobalTransaction withState(TransactionState newState) {
        return new GlobalTransaction(
                number, address, name, client, beganAt, deadline, newState, outcome, timedOut, cause, decidedAt,
                endedAt, requestId, branches, saga);
    }

    GlobalTransaction marked(String why) {
        return new GlobalTransaction(
                number, address, name, client, beganAt, deadline, state, outcome, timedOut, why, decidedAt, endedAt,
                requestId, branches, saga);
    }

    GlobalTransaction decided(
            TransactionState newState, Outcome newOutcome, boolean late, @Nullable String why, long at) {
        return new GlobalTransaction(
                number,
                address,
                name,
                client,
                beganAt,
                deadline,
                newState,
                newOutcome,
                late,
                why,
                at,
                endedAt,
                requestId,
                branches,
                saga);
    }

    /** A saga in a direction: {@link #direction} is kept as the application data of its driver, which is what its engine is told. */
    GlobalTransaction handedBack(TransactionState newState, Event.SagaHandedBack event) {
        List<Branch> list = new ArrayList<>(branches);
        list.replaceAll(branch -> isDriver(branch)
                ? branch.withData(branch.state(), event.direction().name())
                : branch);
        return new GlobalTransaction(
                number,
                address,
                name,
                client,
                beganAt,
                deadline,
                newState,
                outcome,
                event.timedOut(),
                event.cause(),
                decidedAt,
                endedAt,
                requestId,
                list,
                saga);
    }

    GlobalTransaction ended(TransactionState newState, long at) {
        List<Branch> kept = new ArrayList<>(branches.size());
        for (Branch branch : branches) {
            kept.add(branch.forRetention());
        }
        return new GlobalTransaction(
                number, address, name, client, beganAt, deadline, newState, outcome, timedOut, cause, decidedAt, at,
                requestId, kept, saga);
    }
}
