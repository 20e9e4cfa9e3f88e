package io.txn.client.saga;

import io.txn.client.SagaCalls;
import io.txn.client.action.Action;
import io.txn.client.action.Json;
import io.txn.client.action.ValueType;
import io.txn.client.rm.ResourceManager;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import java.lang.reflect.Type;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An application's part in sagas: what it can do for them, and those that it starts. Thread-safe. */
public final class Sagas {

    private static final Logger log = LoggerFactory.getLogger(Sagas.class);

    private final SagaCalls calls;
    private final ResourceManager resources;
    private final Consumer<SagaEnded<?>> listener;
    private final RunningSteps running = new RunningSteps();
    private final Map<String, SagaDefinition<?, ?>> definitions = new ConcurrentHashMap<>();
    private final Map<String, Signature> steps = new ConcurrentHashMap<>();

    /** @param listener is told of announced sagas that have ended, at least once each; what it throws has it told again */
    public Sagas(SagaCalls calls, ResourceManager resources, Consumer<SagaEnded<?>> listener) {
        this.calls = calls;
        this.resources = resources;
        this.listener = listener;
    }

    /**
     * Makes a definition known, so that its choices can be asked here. Every version that a saga may still be on its way with is to be registered.
     *
     * @throws TxnException SAGA_MISDECLARED when another one of its name and version is known
     */
    public void register(SagaDefinition<?, ?> definition) {
        SagaDefinition<?, ?> other = definitions.putIfAbsent(definition.id(), definition);
        if (other == definition) {
            return;
        }
        if (other != null) {
            boolean same =
                    other.program().fingerprint().equals(definition.program().fingerprint());
            throw SagaBlock.misdeclared(
                    definition.id(),
                    null,
                    same ? "it is declared twice" : "two definitions that differ have this name and version",
                    same ? "one bean" : "another version for the one that changed");
        }
        resources.register(new DefinitionResource(definition, listener));
    }

    /**
     * Makes a step known, so that sagas can call it here.
     *
     * @param bean the class of the bean
     * @param fenced the fence, and the local transactions of the step and its compensation; null exactly for no fencing
     * @throws TxnException SAGA_MISDECLARED when its compensation does not fit, its name is taken, or its fence is one of several databases; NO_FENCE_TABLE
     */
    public void register(Signature step, Class<?> bean, StepMethod method, Action.@Nullable Fenced fenced) {
        if (fenced != null && !fenced.fence().isOfOneDatabase()) {
            // The coordinator does not say where a step worked: a compensation that got elsewhere would find nothing to
            // undo.
            throw new TxnException(
                    ErrorCode.SAGA_MISDECLARED,
                    null,
                    "step",
                    step.name(),
                    "problem",
                    "its data source may lead to another database when the coordinator calls its compensation",
                    "expected",
                    "dataSource = \"…\" with a pool of one database, a step for each; or fencing = Fencing.NONE where all its methods can be called again, before and without each other");
        }
        Signature other = steps.putIfAbsent(step.name(), step);
        if (other != null) {
            throw new TxnException(
                    ErrorCode.SAGA_MISDECLARED,
                    null,
                    "step",
                    step.name(),
                    "problem",
                    "two methods have this name: " + other.method() + " and " + step.method(),
                    "expected",
                    "a name of its own for each");
        }
        StepResource resource = new StepResource(step, step.compensation(bean), method, fenced, running);
        if (fenced != null) {
            fenced.fence().prepare();
        }
        resources.register(resource);
    }

    /**
     * Starts a saga. When this returns it is durable at the coordinator, and on its way.
     *
     * @throws TxnException {@link ErrorCode#BEGIN_FAILED}, {@link ErrorCode#SAGA_VALUE_UNFIT}, {@link ErrorCode#SAGA_TOO_LARGE}: none was started;
     *     {@link ErrorCode#SAGA_START_UNKNOWN}: no answer came, and whoever starts it again may have two; one whose answer comes late is undone
     */
    public <I, R extends @Nullable Object> Started<R> start(SagaDefinition<I, R> definition, I input) {
        return begin(definition, input, null);
    }

    /**
     * The same under a key of the business, 1 to 200 bytes, which counts among those of this application and the definition's name: a repeated start gives the saga of the first one,
     * whatever its input, also one that has ended, as long as the coordinator keeps the key. A saga that was undone and left no answer frees its key.
     *
     * @throws TxnException as without; after {@link ErrorCode#SAGA_START_UNKNOWN} the same start may be repeated; {@link ErrorCode#BAD_IDEMPOTENCY_KEY}
     */
    public <I, R extends @Nullable Object> Started<R> start(SagaDefinition<I, R> definition, I input, String key) {
        return begin(definition, input, key);
    }

    private <I, R extends @Nullable Object> Started<R> begin(
            SagaDefinition<I, R> definition, I input, @Nullable String key) {
        if (!definitions.containsValue(definition)) {
            throw SagaBlock.misdeclared(
                    definition.id(),
                    null,
                    "it is started and not registered, so its choices could not be asked",
                    "a bean");
        }
        String encoded;
        try {
            encoded = definition.program().input(input);
        } catch (ValueType.UnfitException e) {
            throw unfit(definition, "input", e);
        }
        SagaCalls.Start start =
                calls.start(definition.name(), definition.program().encodedPlan(), encoded, definition.within(), key);
        log.debug("started a saga xid={} definition={}", start.xid(), definition.id());
        return new Started<>(start.xid(), definition.id(), calls, definition::answer, start.earlier());
    }

    /** One that was started before, here or elsewhere, by this definition. */
    public <R extends @Nullable Object> Started<R> find(Xid xid, SagaDefinition<?, R> definition) {
        return new Started<>(xid, definition.id(), calls, definition::answer, null);
    }

    /**
     * The step that the calling thread works for.
     *
     * @throws IllegalStateException outside of a step
     */
    public StepContext currentStep() {
        StepContext step = running.current();
        if (step == null) {
            throw new IllegalStateException("this thread works for no step of a saga");
        }
        return step;
    }

    /**
     * Answers a step that was to be answered later. Durable when this returns; said again, it changes nothing.
     *
     * @param result of the type that the step's method declares, or as the definition does
     * @throws TxnException {@link ErrorCode#SAGA_CORRELATION_UNKNOWN}, {@link ErrorCode#SAGA_VALUE_UNFIT}
     */
    public <R> void complete(String correlationId, R result, Class<R> type) {
        complete(correlationId, result, (Type) type);
    }

    /** The same of a value that is no generic one. */
    public void complete(String correlationId, Object result) {
        complete(correlationId, result, result instanceof Enum<?> one ? one.getDeclaringClass() : result.getClass());
    }

    private void complete(String correlationId, @Nullable Object result, Type type) {
        StepContext.Call call = StepContext.Call.of(correlationId);
        try {
            calls.complete(
                    call.xid(), call.branch(), Json.write(ValueType.of(type).toJson(result)));
        } catch (ValueType.UnfitException e) {
            throw new TxnException(
                    ErrorCode.SAGA_VALUE_UNFIT, e, "correlationId", correlationId, "problem", e.getMessage());
        }
    }

    /** Answers a step that returns nothing. */
    public void complete(String correlationId) {
        StepContext.Call call = StepContext.Call.of(correlationId);
        calls.complete(call.xid(), call.branch(), null);
    }

    /** Says that a step that was to be answered later has failed: the saga turns back, unless the step must succeed. */
    public void fail(String correlationId, String cause) {
        StepContext.Call call = StepContext.Call.of(correlationId);
        calls.fail(call.xid(), call.branch(), cause);
    }

    /** Whether any definition or step is known here. */
    public boolean isUsed() {
        return !definitions.isEmpty() || !steps.isEmpty();
    }

    /** How many definitions and how many steps are known here, for people. */
    public String describe() {
        return definitions.size() + " definitions "
                + definitions.keySet().stream().sorted().toList() + ", " + steps.size() + " steps "
                + steps.keySet().stream().sorted().toList();
    }

    static TxnException unfit(SagaDefinition<?, ?> definition, String what, Exception e) {
        return new TxnException(
                ErrorCode.SAGA_VALUE_UNFIT, e, "saga", definition.id(), "value", what, "problem", e.getMessage());
    }
}
