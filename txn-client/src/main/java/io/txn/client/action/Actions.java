package io.txn.client.action;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.TransactionContext;
import io.txn.client.WorkMode;
import io.txn.client.fence.Fence;
import io.txn.client.fence.FenceKey;
import io.txn.client.fence.FencePhase;
import io.txn.client.fence.FenceVerdict;
import io.txn.client.rm.BranchRegistration;
import io.txn.client.rm.ResourceManager;
import io.txn.protocol.BranchId;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.message.BranchStatus;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs actions as branches of the global transaction that is bound to the thread, and has the coordinator's calls end them. Thread-safe.
 *
 * <p>A branch is registered before the first line of its action, so whatever happens then is ended. A first that failed is told apart: what left nothing behind is never
 * called again, and the transaction may still commit; what may have left something can only be rolled back.
 */
public final class Actions {

    private static final Logger log = LoggerFactory.getLogger(Actions.class);

    private final GlobalTransactionTemplate transactions;
    private final ContextCarrier contexts;
    private final ResourceManager resources;

    public Actions(GlobalTransactionTemplate transactions, ContextCarrier contexts, ResourceManager resources) {
        this.transactions = transactions;
        this.contexts = contexts;
        this.resources = resources;
    }

    /**
     * Makes an action known, so that the coordinator can have its branches ended here.
     *
     * @throws TxnException NO_FENCE_TABLE when its fence cannot work; BAD_CONFIGURATION when its name is taken
     */
    public void register(Action action) {
        Action.Fenced fenced = action.fenced();
        if (fenced != null) {
            fenced.fence().prepare();
        }
        resources.register(new ActionResource(action));
    }

    /** The action itself. */
    @FunctionalInterface
    public interface First<T extends @Nullable Object> {
        T run(ActionContext context) throws Throwable;
    }

    /**
     * Runs the action as a branch. Statements in it are not captured by AT: its end undoes them.
     *
     * @param captured what its ends will be given
     * @throws Throwable what the action threw, untouched; or a {@link TxnException}: {@link ErrorCode#ACTION_OUTSIDE_TRANSACTION},
     *     {@link ErrorCode#ACTION_VALUES_UNFIT} and those of {@link ResourceManager#registerBranch} before anything ran
     */
    @SuppressWarnings("try") // the scope is opened for its closing
    public <T extends @Nullable Object> T run(Action action, List<?> captured, First<T> first) throws Throwable {
        TransactionContext context = contexts.current();
        if (context == null) {
            throw new TxnException(ErrorCode.ACTION_OUTSIDE_TRANSACTION, null, "action", action.name());
        }
        Action.Fenced fenced = action.fenced();
        String database = fenced == null ? null : database(context, fenced);
        String data = action.values().encode(captured, database);
        BranchId branch = registered(action, context, data);
        Running running = new Running(action, context, branch, captured, database);
        try (ContextCarrier.Scope scope = contexts.bind(context.withMode(WorkMode.OWN))) {
            try {
                return running.first(first);
            } catch (Throwable failure) {
                running.failed(failure); // within the scope: what the fence writes then is no work of AT or XA
                throw failure;
            }
        } finally {
            running.over();
        }
    }

    /** Which database the action is about to work in: asked before the branch is registered, so that its ends cannot be content with another one. */
    @SuppressWarnings("try") // the scope is opened for its closing
    private String database(TransactionContext context, Action.Fenced fenced) throws Throwable {
        try (ContextCarrier.Scope scope = contexts.bind(context.withMode(WorkMode.OWN))) {
            return fenced.fence().database(fenced.first());
        }
    }

    private BranchId registered(Action action, TransactionContext context, String data) {
        try {
            return resources.registerBranch(new BranchRegistration(
                    context.xidWithin(),
                    action.type(),
                    action.name(),
                    null,
                    data,
                    context.deadline(),
                    Duration.ZERO,
                    action.policy()));
        } catch (TxnException e) {
            if (e.code() == ErrorCode.REQUEST_TIMED_OUT || e.code() == ErrorCode.CONNECTION_LOST) {
                // The coordinator may have the branch, and would confirm what was never tried.
                context.participation().worked();
                transactions.failed(context, action.name(), e);
            }
            throw e;
        }
    }

    /** One first phase. For one thread. */
    private final class Running {

        private final Action action;
        private final TransactionContext context;
        private final ActionContext about;
        private final List<?> captured;
        private final @Nullable String database;
        private final FenceKey key;
        /** Whether the local transaction was begun by others, who will also end it. */
        private final boolean joins;

        Running(
                Action action,
                TransactionContext context,
                BranchId branch,
                List<?> captured,
                @Nullable String database) {
            this.database = database;
            this.action = action;
            this.context = context;
            this.about = new ActionContext(context.xidWithin(), branch, action.name());
            this.captured = captured;
            this.key = FenceKey.of(about.xid(), branch);
            Action.Fenced fenced = action.fenced();
            this.joins = fenced != null && fenced.first().isOpen();
        }

        @SuppressWarnings("NullAway") // what ran returned a T, which is null only where T may be
        <T extends @Nullable Object> T first(First<T> first) throws Throwable {
            Action.Fenced fenced = action.fenced();
            if (fenced == null) {
                context.participation().worked();
                T result = first.run(about);
                if (action.keepsResult()) {
                    resources.report(
                            about.xid(),
                            about.branch(),
                            action.type(),
                            BranchStatus.PHASE_ONE_DONE,
                            action.values().encodeWithResult(captured, result));
                }
                return result;
            }
            if (action.fencing() == Fencing.REMOTE) {
                context.participation().worked();
                requireRun(fenced.fence()
                        .<@Nullable Void>passApart(fenced.first(), key, FencePhase.BEGIN, database, passage -> null));
            }
            Fence.Passed<T> passed = fenced.fence().pass(fenced.first(), key, FencePhase.FIRST, database, passage -> {
                T result = first.run(about);
                if (action.keepsResult()) {
                    passage.keep(action.values().encodeResult(result));
                }
                context.participation().worked();
                return result;
            });
            requireRun(passed);
            return passed.result();
        }

        private void requireRun(Fence.Passed<?> passed) {
            if (passed.verdict() != FenceVerdict.RUN) {
                throw new TxnException(
                        ErrorCode.ACTION_TOO_LATE,
                        null,
                        "xid",
                        about.xid(),
                        "branchId",
                        about.branch(),
                        "action",
                        action.name(),
                        "fence",
                        passed.verdict());
            }
        }

        /** The action failed: says so to the coordinator where that is certain, else the transaction may only be rolled back. */
        void failed(Throwable failure) {
            if (nothingKept(failure)) {
                try {
                    resources.report(
                            about.xid(),
                            about.branch(),
                            action.type(),
                            BranchStatus.PHASE_ONE_FAILED,
                            action.values().encode(captured, database));
                    return;
                } catch (TxnException e) {
                    log.warn(
                            "could not report that an action was rolled back, so the transaction may only be rolled back xid={} branchId={} action={} cause={}",
                            about.xid(),
                            about.branch(),
                            action.name(),
                            e.getMessage());
                }
            }
            mark(failure);
        }

        /** Asks the fence, because an exception may leave a local transaction that was committed, and a commit may fail that went through. */
        private boolean nothingKept(Throwable failure) {
            Action.Fenced fenced = action.fenced();
            if (fenced == null || action.fencing() != Fencing.LOCAL || joins) {
                return false;
            }
            try {
                return fenced.fence().refuseUnlessKept(fenced.first(), key, database);
            } catch (VirtualMachineError e) {
                throw e;
            } catch (Throwable e) {
                failure.addSuppressed(e);
                return false;
            }
        }

        private void mark(Throwable failure) {
            context.participation().worked();
            transactions.failed(context, action.name(), failure);
        }

        /** The coordinator may call from when the local transaction has ended. */
        void over() {
            Action.Fenced fenced = action.fenced();
            if (fenced == null || !joins) {
                resources.phaseOneEnded(about.branch());
                return;
            }
            fenced.first().whenEnded(() -> isKept(fenced), committed -> {
                resources.phaseOneEnded(about.branch());
                if (!committed) {
                    mark(new IllegalStateException("the local transaction around the action was not committed"));
                }
            });
        }

        /** A savepoint that the local transaction went back to has taken the action and its row along, and no exception tells. */
        private boolean isKept(Action.Fenced fenced) {
            try {
                return fenced.fence().isKept(fenced.first(), key);
            } catch (VirtualMachineError e) {
                throw e;
            } catch (Throwable e) {
                log.warn(
                        "it cannot be seen whether an action is kept, so the transaction may only be rolled back xid={} branchId={} action={}",
                        about.xid(),
                        about.branch(),
                        action.name(),
                        e);
                return false;
            }
        }
    }
}
