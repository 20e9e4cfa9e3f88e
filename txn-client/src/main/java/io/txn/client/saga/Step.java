package io.txn.client.saga;

import io.txn.protocol.saga.Policy;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A step, while the saga is written: for one thread.
 *
 * @param <R> its result
 */
public final class Step<R extends @Nullable Object> extends SagaNode<Step<R>> {

    /** How long an attempt may take, where nothing is said. */
    public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);

    private final Work work;
    private @Nullable Boolean compensated;
    private Call.@Nullable Http compensation;
    private boolean saysNotCompensated;
    private boolean forward;
    private Duration timeout = DEFAULT_TIMEOUT;
    private @Nullable Retry retry;
    private @Nullable Duration within;

    /** What it does. */
    sealed interface Work permits Calling, Within {}

    record Calling(Call<?> call) implements Work {}

    /** A saga of its own. */
    record Within(SagaDefinition<?, ?> definition, Value<?> input) implements Work {}

    Step(String name, SagaBlock block, @Nullable SagaNode<?> before, Work work) {
        super(name, block, before);
        this.work = work;
        this.compensated = work instanceof Calling calling ? calling.call().compensated() : Boolean.TRUE;
    }

    @Override
    Step<R> self() {
        return this;
    }

    @Override
    List<SagaBlock> inside() {
        return List.of();
    }

    /** Its result, for what comes after it. */
    public Value<R> result() {
        return Value.result(this, resultType());
    }

    /** A component of its result. */
    public <C extends @Nullable Object> Value<C> result(Methods.Component<? super R, C> component) {
        return result().get(component);
    }

    /** Its application undoes it: for one that is named only; of others it is known. */
    public Step<R> compensated() {
        if (work instanceof Calling calling && calling.call().target() instanceof Call.Http) {
            throw misdeclared("what undoes an HTTP endpoint is not known", "compensatedBy(method, url)");
        }
        compensated = true;
        return this;
    }

    /**
     * It is undone by another endpoint, for a step over HTTP: that is sent what the step was sent, and its result.
     *
     * @param method POST, PUT, PATCH or DELETE
     */
    public Step<R> compensatedBy(String method, String url) {
        if (!(work instanceof Calling calling) || !(calling.call().target() instanceof Call.Http)) {
            throw misdeclared("only an endpoint is undone by an endpoint", "@SagaStep(compensation = \"…\")");
        }
        compensation = new Call.Http(method, url);
        compensated = true;
        return this;
    }

    /** Nothing undoes it when the saga turns back, and that is right so. */
    public Step<R> notCompensated() {
        compensated = false;
        saysNotCompensated = true;
        return this;
    }

    /**
     * It must succeed: it is tried until it does, and the saga does not turn back because of it. One that is not compensated is the point of no return, so no step after it or beside it may turn the saga back either:
     * a definition in which one could is refused.
     */
    public Step<R> forward() {
        forward = true;
        return this;
    }

    /** How long one attempt may take: from 100 milliseconds to an hour; its compensation, which is called until it succeeds, has 2 seconds at least, and so must a step that is tried without end. */
    public Step<R> timeout(Duration limit) {
        if (limit.toMillis() < Policy.SHORTEST_CALL) {
            throw misdeclared(
                    "an attempt has " + limit.toMillis() + " ms, in which nobody surely answers",
                    "at least " + Policy.SHORTEST_CALL + " ms");
        }
        if (limit.compareTo(Duration.ofHours(1)) > 0) {
            throw misdeclared("an attempt takes at most 1 h, not " + limit, "callLater(…) for what takes longer");
        }
        timeout = limit;
        return this;
    }

    /**
     * How long the whole step may take, with all attempts and until it is answered later; then it has failed. From a millisecond to a year. Without it, as long as the saga.
     */
    public Step<R> within(Duration limit) {
        if (limit.toMillis() < 1 || limit.compareTo(Duration.ofDays(365)) > 0) {
            throw misdeclared("a step takes from 1 ms to 365 days, not " + limit, null);
        }
        within = limit;
        return this;
    }

    public Step<R> retry(Retry policy) {
        retry = policy;
        return this;
    }

    Work work() {
        return work;
    }

    Type resultType() {
        if (work instanceof Calling calling) {
            return calling.call().result();
        }
        if (work instanceof Within within) {
            return within.definition().resultType();
        }
        throw new AssertionError(work);
    }

    Map<String, Value<?>> arguments() {
        if (work instanceof Calling calling) {
            return calling.call().arguments();
        }
        if (work instanceof Within within) {
            return Map.of("input", within.input());
        }
        throw new AssertionError(work);
    }

    /** Null when nobody said. */
    @Nullable
    Boolean isCompensated() {
        return compensated;
    }

    boolean saysNotCompensated() {
        return saysNotCompensated;
    }

    Call.@Nullable Http compensation() {
        return compensation;
    }

    boolean isForward() {
        return forward;
    }

    Duration timeout() {
        return timeout;
    }

    /** Null: without end where it must succeed, else the default. */
    @Nullable
    Retry retry() {
        return retry;
    }

    @Nullable
    Duration within() {
        return within;
    }
}
