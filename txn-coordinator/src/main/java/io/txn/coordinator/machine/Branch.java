package io.txn.coordinator.machine;

import io.txn.coordinator.lock.LockNames;
import io.txn.protocol.BranchType;
import io.txn.protocol.extension.BranchPolicy;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A branch transaction.
 *
 * @param client who registered it
 * @param locks the rows it asked to lock as the client wrote them, or null
 * @param applicationData the client's own data, given back verbatim with each call
 * @param attempts failed calls of phase two
 * @param nextAt journal time of the next call, 0 for at once
 * @param cause why the last call failed, or why it was given up
 * @param requestId the client's id of the registration, 0 for none
 * @param dirt rows that keep it from being undone, or null
 * @param policy how long and how often its end is called; null: as all others
 */
public record Branch(
        long id,
        BranchType type,
        String resource,
        ClientId client,
        @Nullable String locks,
        @Nullable String applicationData,
        BranchState state,
        int attempts,
        long nextAt,
        @Nullable String cause,
        long requestId,
        @Nullable Dirt dirt,
        @Nullable BranchPolicy policy) {

    /** Called as all others are. */
    public Branch(
            long id,
            BranchType type,
            String resource,
            ClientId client,
            @Nullable String locks,
            @Nullable String applicationData,
            BranchState state,
            int attempts,
            long nextAt,
            @Nullable String cause,
            long requestId,
            @Nullable Dirt dirt) {
        this(id, type, resource, client, locks, applicationData, state, attempts, nextAt, cause, requestId, dirt, null);
    }

    /** No rows in the way. */
    public Branch(
            long id,
            BranchType type,
            String resource,
            ClientId client,
            @Nullable String locks,
            @Nullable String applicationData,
            BranchState state,
            int attempts,
            long nextAt,
            @Nullable String cause,
            long requestId) {
        this(id, type, resource, client, locks, applicationData, state, attempts, nextAt, cause, requestId, null);
    }

    /** Whether it is owed the phase two of this outcome. The steps of a saga are for its engine and never called. */
    boolean isOwed(Outcome outcome) {
        if (type == BranchType.SAGA || state.isOver()) {
            return false;
        }
        return state != BranchState.FAILED_PHASE_ONE || (type == BranchType.AT && outcome == Outcome.ROLLBACK);
    }

    /** Whether a call that it is owed may be made at {@code now}: it is not stuck, and its delay is over. */
    boolean isDue(long now) {
        return state != BranchState.STUCK && nextAt <= now;
    }

    /** Under which names its rows are held. Only what an AT branch says is ours to read: the data of others is their application's. */
    public List<String> lockNames() {
        return lockNames(applicationData);
    }

    private List<String> lockNames(@Nullable String data) {
        return type == BranchType.AT ? LockNames.of(resource, data) : List.of(resource);
    }

    /** Whether its rows would have the same names with that data. They are held under those of the registration as long as they are held. */
    boolean keepsNames(@Nullable String newApplicationData) {
        return lockNames(newApplicationData).equals(lockNames());
    }

    /** Branches that share a group are rolled back one after the other, the last first: those of a resource, those of a database, and all annotated saga steps. */
    List<String> rollbackGroups() {
        return type == BranchType.SAGA_ANNOTATION ? List.of("") : lockNames();
    }

    /** Whether its commit is to be called in turn, before the initiator is answered. */
    boolean commitsInTurn() {
        return type != BranchType.AT && type != BranchType.SAGA;
    }

    Branch with(BranchState newState, int newAttempts, long newNextAt, @Nullable String newCause) {
        return new Branch(
                id,
                type,
                resource,
                client,
                locks,
                applicationData,
                newState,
                newAttempts,
                newNextAt,
                newCause,
                requestId,
                dirt,
                policy);
    }

    /** Data that gives its rows other names is not taken over. */
    Branch withData(BranchState newState, @Nullable String newApplicationData) {
        return new Branch(
                id,
                type,
                resource,
                client,
                locks,
                keepsNames(newApplicationData) ? newApplicationData : applicationData,
                newState,
                attempts,
                nextAt,
                cause,
                requestId,
                dirt,
                policy);
    }

    /** To be called anew, and elsewhere: what was done is to be compensated; {@code why} it was given up before, or null. */
    Branch toCompensate(String newResource, @Nullable String why) {
        return new Branch(
                id, type, newResource, client, locks, null, BranchState.REGISTERED, 0, 0, why, requestId, dirt);
    }

    Branch withDirt(@Nullable Dirt newDirt) {
        return new Branch(
                id,
                type,
                resource,
                client,
                locks,
                applicationData,
                state,
                attempts,
                nextAt,
                cause,
                requestId,
                newDirt,
                policy);
    }

    /** How many characters it holds of rows in its way. */
    int dirtSize() {
        return dirt == null ? 0 : dirt.size();
    }

    /** What is worth keeping when it is done: who decided about rows in its way. */
    Branch withoutDirt() {
        return dirt == null ? this : withDirt(dirt.forRetention());
    }

    /** What is worth keeping when the transaction has ended: no application data, no rows, and lock keys only when they are short. */
    Branch forRetention() {
        boolean keepLocks = locks != null && locks.length() <= RETAINED_LOCKS;
        return new Branch(
                id,
                type,
                resource,
                client,
                keepLocks ? locks : null,
                null,
                state,
                attempts,
                0,
                cause,
                requestId,
                dirt == null ? null : dirt.forRetention(),
                null);
    }

    private static final int RETAINED_LOCKS = 500;
}
