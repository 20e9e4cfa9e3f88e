package io.txn.protocol.message;

import io.txn.protocol.BranchType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A body of Seata's TCP protocol, version 1. Immutable. Absent strings are null; the wire does not distinguish null from empty. Ids are
 * raw here ({@code String}, {@code long}), because what a peer sends may be neither complete nor valid: adapters turn them into
 * {@link io.txn.protocol.Xid} and {@link io.txn.protocol.BranchId}.
 */
public sealed interface Message {

    /** Asks for something; answered by the {@link Response} of the same name (except {@link UndoLogDelete}, which is not answered). */
    sealed interface Request extends Message {}

    /** Answers the {@link Request} of the same name. */
    sealed interface Response extends Message {}

    /** A response that begins with an {@link Outcome}. */
    sealed interface TransactionResponse extends Response {
        Outcome outcome();
    }

    /** Several messages in one frame, or the answers to them. */
    sealed interface Container extends Message {}

    // Registration

    /** TM to coordinator, first frame of a TM connection. {@code extraData} carries the credentials, a {@code key=value} line each. */
    record RegisterTmRequest(
            @Nullable String version,
            @Nullable String applicationId,
            @Nullable String transactionServiceGroup,
            @Nullable String extraData)
            implements Request {

        /** Without the credentials. */
        @Override
        public String toString() {
            return "RegisterTmRequest[version=" + version + ", applicationId=" + applicationId
                    + ", transactionServiceGroup=" + transactionServiceGroup + ", extraData="
                    + (extraData == null ? "null" : "(hidden)") + ']';
        }
    }

    record RegisterTmResponse(boolean identified, @Nullable String version) implements Response {}

    /**
     * RM to coordinator: adds {@code resourceIds} (comma-separated) to what this connection serves; never removes any. Seata's clients leave
     * {@code extraData} empty, ours put their credentials there.
     */
    record RegisterRmRequest(
            @Nullable String version,
            @Nullable String applicationId,
            @Nullable String transactionServiceGroup,
            @Nullable String extraData,
            @Nullable String resourceIds)
            implements Request {

        /** Without the credentials. */
        @Override
        public String toString() {
            return "RegisterRmRequest[version=" + version + ", applicationId=" + applicationId
                    + ", transactionServiceGroup=" + transactionServiceGroup + ", extraData="
                    + (extraData == null ? "null" : "(hidden)") + ", resourceIds=" + resourceIds + ']';
        }
    }

    record RegisterRmResponse(boolean identified, @Nullable String version) implements Response {}

    // TM to coordinator

    record GlobalBeginRequest(int timeoutMillis, @Nullable String transactionName) implements Request {}

    record GlobalBeginResponse(
            Outcome outcome, @Nullable String xid, @Nullable String extraData) implements TransactionResponse {}

    record GlobalCommitRequest(
            @Nullable String xid, @Nullable String extraData) implements Request {}

    record GlobalCommitResponse(Outcome outcome, GlobalStatus status) implements TransactionResponse {}

    record GlobalRollbackRequest(
            @Nullable String xid, @Nullable String extraData) implements Request {}

    record GlobalRollbackResponse(Outcome outcome, GlobalStatus status) implements TransactionResponse {}

    record GlobalStatusRequest(
            @Nullable String xid, @Nullable String extraData) implements Request {}

    record GlobalStatusResponse(Outcome outcome, GlobalStatus status) implements TransactionResponse {}

    /** The initiator of a Seata saga reports how it ended. */
    record GlobalReportRequest(
            @Nullable String xid,
            @Nullable String extraData,
            @Nullable GlobalStatus status) implements Request {}

    record GlobalReportResponse(Outcome outcome, GlobalStatus status) implements TransactionResponse {}

    // RM to coordinator

    record BranchRegisterRequest(
            @Nullable String xid,
            BranchType branchType,
            @Nullable String resourceId,
            @Nullable String lockKey,
            @Nullable String applicationData)
            implements Request {}

    /** {@code branchId} is 0 when the registration failed. */
    record BranchRegisterResponse(Outcome outcome, long branchId) implements TransactionResponse {}

    record BranchReportRequest(
            @Nullable String xid,
            long branchId,
            BranchStatus status,
            @Nullable String resourceId,
            @Nullable String applicationData,
            BranchType branchType)
            implements Request {}

    record BranchReportResponse(Outcome outcome) implements TransactionResponse {}

    /** Asks whether rows are free for {@code xid}; without an XID, whether anybody holds them. */
    record GlobalLockQueryRequest(
            @Nullable String xid,
            BranchType branchType,
            @Nullable String resourceId,
            @Nullable String lockKey,
            @Nullable String applicationData)
            implements Request {}

    record GlobalLockQueryResponse(Outcome outcome, boolean lockable) implements TransactionResponse {}

    // Coordinator to RM

    record BranchCommitRequest(
            @Nullable String xid,
            long branchId,
            BranchType branchType,
            @Nullable String resourceId,
            @Nullable String applicationData)
            implements Request {}

    record BranchCommitResponse(Outcome outcome, @Nullable String xid, long branchId, BranchStatus status)
            implements TransactionResponse {}

    record BranchRollbackRequest(
            @Nullable String xid,
            long branchId,
            BranchType branchType,
            @Nullable String resourceId,
            @Nullable String applicationData)
            implements Request {}

    record BranchRollbackResponse(Outcome outcome, @Nullable String xid, long branchId, BranchStatus status)
            implements TransactionResponse {}

    /** Tells a resource manager to drop undo records older than {@code saveDays}. Not answered. */
    record UndoLogDelete(BranchType branchType, @Nullable String resourceId, short saveDays) implements Request {}

    // Containers

    /** Several requests in one frame; the i-th has request id {@code ids.get(i)}. */
    record MergedRequest(List<Request> requests, List<Integer> ids) implements Container {
        public MergedRequest {
            requests = List.copyOf(requests);
            ids = List.copyOf(ids);
            if (requests.size() != ids.size()) {
                throw new IllegalArgumentException(requests.size() + " requests but " + ids.size() + " ids");
            }
        }
    }

    /** The answers to a {@link MergedRequest} in the order of its requests. */
    record MergedResponse(List<Response> responses) implements Container {
        public MergedResponse {
            responses = List.copyOf(responses);
        }
    }

    /** Some of the answers to a {@link MergedRequest}; the i-th answers request {@code ids.get(i)}. */
    record BatchResponse(List<Response> responses, List<Integer> ids) implements Container {
        public BatchResponse {
            responses = List.copyOf(responses);
            ids = List.copyOf(ids);
            if (responses.size() != ids.size()) {
                throw new IllegalArgumentException(responses.size() + " responses but " + ids.size() + " ids");
            }
        }
    }
}
