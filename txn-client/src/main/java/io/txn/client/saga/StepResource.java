package io.txn.client.saga;

import io.txn.client.action.Action;
import io.txn.client.action.FailureText;
import io.txn.client.action.Fencing;
import io.txn.client.action.Json;
import io.txn.client.action.ValueType;
import io.txn.client.fence.Fence;
import io.txn.client.fence.FenceKey;
import io.txn.client.fence.FencePhase;
import io.txn.client.fence.FenceVerdict;
import io.txn.client.rm.Branch;
import io.txn.client.rm.BranchResource;
import io.txn.client.rm.BranchResult;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.saga.SagaHead;
import io.txn.protocol.saga.SagaPlan;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out the calls of one step's method and of its compensation. Thread-safe.
 *
 * <p>The row of the fence keeps what the step answered, in the transaction of the step's own work: whatever was answered before is answered again, and nothing is done twice.
 */
final class StepResource implements BranchResource {

    private static final Logger log = LoggerFactory.getLogger(StepResource.class);

    /** In the row of the fence: the step was answered "later". */
    private static final String PENDING = "pending";

    private static final String STEP = "step";

    private final Signature signature;
    private final Signature.@Nullable Compensation compensation;
    private final StepMethod method;
    private final Action.@Nullable Fenced fenced;
    private final RunningSteps running;
    private final Map<String, ValueType> parameters = new LinkedHashMap<>();
    private final @Nullable ValueType result;

    StepResource(
            Signature signature,
            Signature.@Nullable Compensation compensation,
            StepMethod method,
            Action.@Nullable Fenced fenced,
            RunningSteps running) {
        this.signature = signature;
        this.compensation = compensation;
        this.method = method;
        this.fenced = fenced;
        this.running = running;
        signature.parameters().forEach((name, type) -> parameters.put(name, known(type)));
        this.result = signature.hasResult() ? known(signature.result()) : null;
    }

    private static ValueType known(Type type) {
        try {
            return ValueType.of(type);
        } catch (ValueType.UnfitException e) {
            throw new AssertionError("checked with the signature", e);
        }
    }

    @Override
    public String resourceId() {
        return Program.resource(signature.name());
    }

    @Override
    public BranchType branchType() {
        return BranchType.SAGA;
    }

    /** Two methods of one name would do each other's work. */
    @Override
    public boolean standsFor(BranchResource other) {
        return false;
    }

    /** The business says no, or it is too late: trying again changes nothing. Takes the local transaction of the fence back. */
    private static final class RefusedException extends RuntimeException {

        private static final long serialVersionUID = 1L;

        RefusedException(String reason, @Nullable Throwable cause) {
            super(reason, cause, false, false);
        }
    }

    @Override
    public BranchResult commit(Branch branch) {
        SagaHead.Called called = branch.called();
        if (called == null || called.call() != SagaHead.Call.ACTION) {
            return BranchResult.commitLater("a step is called for its action, by a coordinator that drives sagas");
        }
        try {
            String kept = act(branch, called);
            return BranchResult.committed(said(kept));
        } catch (VirtualMachineError e) {
            throw e;
        } catch (RefusedException e) {
            log.info(
                    "a step of a saga is refused xid={} branchId={} step={} cause={}",
                    branch.xid(),
                    branch.id(),
                    called.step(),
                    e.getMessage());
            return BranchResult.commitImpossible(Objects.requireNonNullElse(e.getMessage(), "refused"));
        } catch (Throwable e) {
            failed("step", branch, called, e);
            return BranchResult.commitLater(FailureText.of(e));
        }
    }

    @Override
    public BranchResult rollback(Branch branch) {
        SagaHead.Called called = branch.called();
        if (called == null || called.call() != SagaHead.Call.COMPENSATE) {
            return BranchResult.rollbackLater(
                    "a step is called for its compensation, by a coordinator that drives sagas");
        }
        if (compensation == null) {
            return BranchResult.rollbackImpossible(
                    "step " + signature.name() + " has no compensation in this application");
        }
        try {
            FenceVerdict verdict = undo(branch, called, compensation.withResult());
            if (verdict == FenceVerdict.EMPTY
                    && Given.document(branch.applicationData()).containsKey(Given.RESULT)) {
                // The coordinator has its answer, and the database has nothing of it: restored, cleaned up, or another
                // one.
                String cause = ErrorCode.SAGA_STEP_LOST.id() + " " + ErrorCode.SAGA_STEP_LOST.sentence();
                log.error(
                        "{} xid={} branchId={} step={}. {}",
                        cause,
                        branch.xid(),
                        branch.id(),
                        called.step(),
                        ErrorCode.SAGA_STEP_LOST.fix());
                return BranchResult.rollbackImpossible(cause);
            }
            if (verdict.isGood()) {
                return BranchResult.rolledBack();
            }
            return BranchResult.rollbackImpossible(
                    ErrorCode.ENDED_THE_OTHER_WAY.id() + " " + ErrorCode.ENDED_THE_OTHER_WAY.sentence());
        } catch (VirtualMachineError e) {
            throw e;
        } catch (Throwable e) {
            failed("compensation", branch, called, e);
            return BranchResult.rollbackLater(FailureText.of(e));
        }
    }

    private static void failed(String what, Branch branch, SagaHead.Called called, Throwable failure) {
        log.warn(
                "a {} of a saga failed and may be tried again xid={} branchId={} saga={} step={} attempt={}",
                what,
                branch.xid(),
                branch.id(),
                called.definition(),
                called.step(),
                called.attempt(),
                failure);
    }

    /** @return what is kept of it */
    private @Nullable String act(Branch branch, SagaHead.Called called) throws Throwable {
        List<@Nullable Object> arguments = arguments(Given.document(branch.applicationData()), called.step());
        Action.Fenced local = fenced;
        if (local == null) {
            return call(branch, arguments);
        }
        FenceKey key = FenceKey.of(branch.xid(), branch.id());
        String database = local.fence().database(local.first());
        if (signature.step().fencing() == Fencing.REMOTE) {
            requireInTime(local.fence()
                    .<@Nullable Void>passApart(local.first(), key, FencePhase.BEGIN, database, passage -> null));
        }
        Fence.Passed<@Nullable Void> passed = local.fence()
                .<@Nullable Void>pass(local.first(), key, FencePhase.FIRST, database, passage -> {
                    passage.keep(call(branch, arguments));
                    return null;
                });
        requireInTime(passed);
        return passed.kept();
    }

    private static void requireInTime(Fence.Passed<?> passed) {
        if (!passed.verdict().isGood()) {
            throw new RefusedException(
                    ErrorCode.ACTION_TOO_LATE.id() + " " + ErrorCode.ACTION_TOO_LATE.sentence(), null);
        }
    }

    @SuppressWarnings("try") // the scope is opened for its closing
    private String call(Branch branch, List<@Nullable Object> arguments) throws Throwable {
        Object answer;
        StepContext context = new StepContext(branch.xid(), branch.id(), signature.name());
        try (RunningSteps.Scope scope = running.begin(context)) {
            answer = method.call(arguments);
        } catch (Exception e) {
            for (Class<? extends Throwable> refusal : signature.step().refusals()) {
                if (refusal.isInstance(e)) {
                    throw new RefusedException(e.getClass().getSimpleName() + ": " + e.getMessage(), e);
                }
            }
            throw e;
        }
        Map<String, @Nullable Object> kept = new LinkedHashMap<>();
        kept.put(STEP, signature.name()); // first: by this the fence knows it
        kept.put(Given.VERSION, Given.VERSION_NOW);
        if (answer instanceof Later<?> later) {
            if (later.isPending()) {
                kept.put(PENDING, true);
                return Json.write(kept);
            }
            answer = later.result();
        }
        kept.put(Given.RESULT, result == null ? null : result.toJson(answer));
        String text = Json.write(kept);
        int bytes = text.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > SagaPlan.LONGEST_RESULT) {
            // Before the work is committed: afterwards nobody could be told.
            throw new RefusedException(
                    ErrorCode.SAGA_TOO_LARGE.id() + " the result has " + bytes + " bytes, and may have "
                            + SagaPlan.LONGEST_RESULT,
                    null);
        }
        return text;
    }

    private static SagaHead.Said said(@Nullable String kept) throws Given.UnreadableException {
        Map<?, ?> document = Given.document(kept);
        if (Boolean.TRUE.equals(document.get(PENDING))) {
            return new SagaHead.Said(null, 0);
        }
        return new SagaHead.Said(Json.write(document.get(Given.RESULT)), -1);
    }

    private FenceVerdict undo(Branch branch, SagaHead.Called called, boolean withResult) throws Throwable {
        Map<?, ?> document = Given.document(branch.applicationData());
        List<@Nullable Object> arguments = arguments(document, called.step());
        Action.Fenced local = fenced;
        if (local == null) {
            compensate(branch, arguments, withResult, document);
            return FenceVerdict.RUN;
        }
        return local.fence()
                .<@Nullable Void>pass(
                        local.cancel(),
                        FenceKey.of(branch.xid(), branch.id()),
                        FencePhase.CANCEL,
                        local.fence().database(local.cancel()),
                        passage -> {
                            String kept = passage.data();
                            Map<?, ?> own = kept == null ? Map.of() : Given.document(kept);
                            // What the step itself committed; one that was answered later is known to the coordinator
                            // only.
                            compensate(branch, arguments, withResult, own.containsKey(Given.RESULT) ? own : document);
                            return null;
                        })
                .verdict();
    }

    @SuppressWarnings("try") // as above
    private void compensate(Branch branch, List<@Nullable Object> arguments, boolean withResult, Map<?, ?> from)
            throws Throwable {
        List<@Nullable Object> all = new ArrayList<>(arguments);
        if (withResult && result != null) {
            Object json = from.get(Given.RESULT);
            all.add(json == null ? null : result.fromJson(json));
        }
        try (RunningSteps.Scope scope = running.begin(new StepContext(branch.xid(), branch.id(), signature.name()))) {
            method.compensate(all);
        }
    }

    /** Exactly what the method takes; another instance may have another version of it. */
    private List<@Nullable Object> arguments(Map<?, ?> document, String step) throws Given.UnreadableException {
        Map<String, @Nullable Object> given = Given.arguments(document, step);
        if (!given.keySet().equals(parameters.keySet())) {
            throw new Given.UnreadableException("step " + step + " gives " + given.keySet() + ", and "
                    + signature.name() + " takes " + parameters.keySet());
        }
        List<@Nullable Object> values = new ArrayList<>();
        for (Map.Entry<String, ValueType> parameter : parameters.entrySet()) {
            try {
                values.add(parameter.getValue().fromJson(given.get(parameter.getKey())));
            } catch (ValueType.UnreadableException e) {
                throw new Given.UnreadableException("value " + parameter.getKey() + ": " + e.getMessage());
            }
        }
        return values;
    }
}
