package io.txn.client.rm;

import io.txn.client.rpc.ConnectionRole;
import io.txn.client.rpc.Coordinators;
import io.txn.client.rpc.Exchange;
import io.txn.client.rpc.LateBegin;
import io.txn.protocol.BranchId;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.BranchPolicy;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.IdLease;
import io.txn.protocol.extension.LockRefusal;
import io.txn.protocol.extension.RequestId;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One branch registration, asked for at most twice: a coordinator that knows the request by its id gives the second one the answer of the first. For one thread.
 */
final class Registering {

    private final Coordinators coordinators;
    private final BranchRegistration registration;
    private final long requestId;
    private final InstantSource clock;
    private final Runnable ignored;
    private final Xid xid;
    private final Message.BranchRegisterRequest request;
    private final @Nullable BranchId lent;
    private @Nullable Exchange<Exchange.Answered<Message.BranchRegisterResponse>> first;
    private Instant began = Instant.MIN;
    private Duration firstWait = Duration.ZERO;

    /**
     * @param lent the id that the branch is to have, null for any
     * @param ignored is told when the coordinator takes no policies
     */
    Registering(
            Coordinators coordinators,
            BranchRegistration registration,
            @Nullable BranchId lent,
            long requestId,
            InstantSource clock,
            Runnable ignored) {
        this.ignored = ignored;
        this.coordinators = coordinators;
        this.lent = lent;
        this.registration = registration;
        this.requestId = requestId;
        this.clock = clock;
        this.xid = registration.xid();
        this.request = new Message.BranchRegisterRequest(
                xid.value(),
                registration.type(),
                registration.resourceId(),
                registration.lockKeys(),
                registration.applicationData());
    }

    /** Asks. */
    void send() {
        began = clock.instant();
        firstWait = bounded(registration.lockWait(), began);
        first = send(firstWait, null);
    }

    /** Waits for the answer. */
    BranchId branch() {
        Exchange<Exchange.Answered<Message.BranchRegisterResponse>> exchange = Objects.requireNonNull(first);
        Duration wait = firstWait;
        try {
            return branch(exchange, wait);
        } catch (TxnException e) {
            boolean lost = e.code() == ErrorCode.CONNECTION_LOST || e.code() == ErrorCode.REQUEST_TIMED_OUT;
            if (!lost || !exchange.agreed().contains(Feature.REQUEST_ID)) {
                throw e;
            }
            // Whoever heard nothing in time has waited enough; a broken connection is no reason to lose one's place.
            Duration left = e.code() == ErrorCode.REQUEST_TIMED_OUT
                    ? Duration.ZERO
                    : bounded(wait.minus(Duration.between(began, clock.instant())), clock.instant());
            return again(exchange, left, e);
        }
    }

    private BranchId again(Exchange<?> before, Duration wait, TxnException lost) {
        Exchange<Exchange.Answered<Message.BranchRegisterResponse>> exchange;
        try {
            exchange = send(wait, before);
        } catch (TxnException e) {
            lost.addSuppressed(e);
            throw lost; // nobody was asked, so it is as unknown as before
        }
        return branch(exchange, wait);
    }

    /** Not beyond the deadline of the transaction. */
    private Duration bounded(Duration wait, Instant now) {
        Instant deadline = registration.deadline();
        Duration most = deadline == null ? wait : Duration.between(now, deadline);
        Duration least = wait.compareTo(most) < 0 ? wait : most;
        return least.isNegative() ? Duration.ZERO : least;
    }

    private Exchange<Exchange.Answered<Message.BranchRegisterResponse>> send(
            Duration wait, @Nullable Exchange<?> before) {
        return coordinators.send(
                ConnectionRole.RM,
                xid,
                request,
                (agreed, idsWanted) -> head(agreed, idsWanted, wait),
                Message.BranchRegisterResponse.class,
                coordinators.options().requestTimeout().plus(wait),
                coordinators.options().connectWait(),
                before);
    }

    private Map<String, String> head(Set<Feature> agreed, int idsWanted, Duration wait) {
        Map<String, String> head = LockAnswers.head(agreed, wait);
        if (agreed.contains(Feature.REQUEST_ID)) {
            RequestId.write(requestId, head);
        }
        BranchPolicy policy = registration.policy();
        if (policy != null && agreed.contains(Feature.BRANCH_POLICY)) {
            policy.write(head);
        } else if (policy != null) {
            ignored.run();
        }
        LateBegin late = coordinators.lateBegin(xid);
        if (!agreed.contains(Feature.ID_LEASE)) {
            if (lent != null || (late != null && !late.isBegun())) {
                throw new TxnException(
                        ErrorCode.NO_COORDINATOR,
                        null,
                        "xid",
                        xid,
                        "problem",
                        "it lends no ids, so it is not the one that this transaction was to begin at");
            }
            return head;
        }
        IdLease.ask(idsWanted, head);
        if (lent != null) {
            IdLease.nameBranch(lent.value(), head);
        }
        if (late != null && !late.isBegun()) {
            late.asking();
            IdLease.begin(late.beginning(clock.instant()), head);
        }
        return head;
    }

    private BranchId branch(Exchange<Exchange.Answered<Message.BranchRegisterResponse>> exchange, Duration wait) {
        Exchange.Answered<Message.BranchRegisterResponse> answered =
                LockAnswers.await(exchange, wait, coordinators.observer(), xid, registration.resourceId());
        Message.BranchRegisterResponse answer = answered.message();
        if (!answer.outcome().succeeded()) {
            boolean waited = !wait.isZero() && exchange.agreed().contains(Feature.LOCK_WAIT);
            throw refusal(answered.head(), waited, answer.outcome());
        }
        LateBegin late = coordinators.lateBegin(xid);
        if (late != null) {
            late.begun();
        }
        return branchId(answer.branchId());
    }

    private BranchId branchId(long value) {
        if (value <= 0) {
            throw new TxnException(
                    ErrorCode.MALFORMED_FRAME,
                    null,
                    "xid",
                    xid,
                    "branchId",
                    value,
                    "problem",
                    "the coordinator reported success with a branch id that is not positive");
        }
        if (lent != null && lent.value() != value) {
            throw new TxnException(
                    ErrorCode.MALFORMED_FRAME,
                    null,
                    "xid",
                    xid,
                    "branchId",
                    value,
                    "problem",
                    "the coordinator gave the branch another id than " + lent);
        }
        return new BranchId(value);
    }

    private TxnException refusal(Map<String, String> head, boolean waited, Outcome outcome) {
        ErrorCode code =
                switch (outcome.exceptionCode()) {
                    case LOCK_KEY_CONFLICT -> ErrorCode.LOCK_CONFLICT;
                    case LOCK_KEY_CONFLICT_FAIL_FAST -> ErrorCode.LOCK_CONFLICT_ROLLING_BACK;
                    case GLOBAL_TRANSACTION_NOT_EXIST -> ErrorCode.TRANSACTION_NOT_FOUND;
                    case GLOBAL_TRANSACTION_NOT_ACTIVE, GLOBAL_TRANSACTION_STATUS_INVALID ->
                        ErrorCode.TRANSACTION_NOT_ACTIVE;
                    case TRANSACTION_TIMEOUT -> ErrorCode.TRANSACTION_TIMED_OUT;
                    default -> ErrorCode.BRANCH_REFUSED;
                };
        LateBegin late = coordinators.lateBegin(xid);
        if (late != null && !late.isBegun() && ErrorCode.NO_NEW_TRANSACTIONS.isNamedIn(outcome.message())) {
            return new TxnException(
                    ErrorCode.NO_NEW_TRANSACTIONS, null, "xid", xid, "name", late.name(), "reason", outcome.message());
        }
        boolean saysWho = LockRefusal.read(head) != null;
        if (code == ErrorCode.LOCK_CONFLICT || (code == ErrorCode.LOCK_CONFLICT_ROLLING_BACK && saysWho)) {
            return LockAnswers.refusal(head, waited, xid, registration.resourceId(), outcome);
        }
        return new TxnException(
                code, null, "xid", xid, "resource", registration.resourceId(), "reason", outcome.message());
    }
}
