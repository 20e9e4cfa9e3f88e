package io.txn.client.action;

import io.txn.client.fence.Fence;
import io.txn.client.fence.FenceKey;
import io.txn.client.fence.FencePhase;
import io.txn.client.fence.FenceTransaction;
import io.txn.client.fence.FenceVerdict;
import io.txn.client.rm.Branch;
import io.txn.client.rm.BranchResource;
import io.txn.client.rm.BranchResult;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends the branches of one action. Thread-safe. A positive answer is given only after the local transaction of the fence has been committed. */
final class ActionResource implements BranchResource {

    private static final Logger log = LoggerFactory.getLogger(ActionResource.class);

    private final Action action;

    ActionResource(Action action) {
        this.action = action;
    }

    @Override
    public String resourceId() {
        return action.name();
    }

    @Override
    public BranchType branchType() {
        return action.type();
    }

    /** Two declarations of one name would end each other's branches. */
    @Override
    public boolean standsFor(BranchResource other) {
        return false;
    }

    @Override
    public BranchResult commit(Branch branch) {
        return end(branch, true);
    }

    @Override
    public BranchResult rollback(Branch branch) {
        return end(branch, false);
    }

    /** The application said that it is not done yet. Takes the local transaction of the fence back. */
    private static final class NotYetException extends RuntimeException {

        private static final long serialVersionUID = 1L;

        NotYetException() {
            super("it answered false", null, false, false);
        }
    }

    private BranchResult end(Branch branch, boolean confirm) {
        try {
            FenceVerdict verdict = carryOut(branch, confirm);
            if (verdict.isGood()) {
                return confirm ? BranchResult.committed() : BranchResult.rolledBack();
            }
            ErrorCode code = verdict == FenceVerdict.NOTHING_TO_CONFIRM
                    ? ErrorCode.NOTHING_TO_CONFIRM
                    : ErrorCode.ENDED_THE_OTHER_WAY;
            String cause = code.id() + " " + code.sentence();
            log.error(
                    "{} xid={} branchId={} action={}. {}", cause, branch.xid(), branch.id(), action.name(), code.fix());
            return confirm ? BranchResult.commitImpossible(cause) : BranchResult.rollbackImpossible(cause);
        } catch (VirtualMachineError e) {
            throw e;
        } catch (Throwable e) {
            log.warn(
                    "{} failed and will be tried again xid={} branchId={} action={}",
                    confirm ? "confirm" : "cancel",
                    branch.xid(),
                    branch.id(),
                    action.name(),
                    e);
            String cause = describe(e);
            return confirm ? BranchResult.commitLater(cause) : BranchResult.rollbackLater(cause);
        }
    }

    private FenceVerdict carryOut(Branch branch, boolean confirm) throws Throwable {
        boolean saga = action.type() == BranchType.SAGA_ANNOTATION;
        // A saga's step is final as it is.
        List<@Nullable Object> captured = confirm && saga
                ? new ArrayList<@Nullable Object>()
                : action.values().decode(branch.applicationData());
        Action.Fenced fenced = action.fenced();
        if (fenced == null) {
            if (!(confirm && saga)) {
                call(branch, confirm, captured, action.keepsResult() ? branch.applicationData() : null);
            }
            return FenceVerdict.RUN;
        }
        FenceTransaction transaction = confirm ? fenced.confirm() : fenced.cancel();
        Fence.Passed<@Nullable Void> passed = fenced.fence()
                .<@Nullable Void>pass(
                        transaction,
                        FenceKey.of(branch.xid(), branch.id()),
                        confirm ? FencePhase.CONFIRM : FencePhase.CANCEL,
                        action.values().database(branch.applicationData()),
                        passage -> {
                            if (!(confirm && saga)) {
                                call(branch, confirm, captured, passage.data());
                            }
                            return null;
                        });
        return passed.verdict();
    }

    private void call(Branch branch, boolean confirm, List<@Nullable Object> captured, @Nullable String kept)
            throws Throwable {
        ActionContext context = new ActionContext(branch.xid(), branch.id(), action.name());
        boolean done = confirm
                ? action.ends().confirm(context, captured)
                : action.ends()
                        .cancel(
                                context,
                                captured,
                                action.keepsResult() ? action.values().decodeResult(kept) : null);
        if (!done) {
            throw new NotYetException();
        }
    }

    private static String describe(Throwable failure) {
        return failure instanceof NotYetException
                ? Objects.requireNonNullElse(failure.getMessage(), "")
                : FailureText.of(failure);
    }
}
