package io.txn.spring;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import io.txn.client.WorkMode;
import io.txn.client.action.Action;
import io.txn.client.fence.Fence;
import io.txn.client.fence.FenceKey;
import io.txn.client.fence.FencePhase;
import io.txn.client.fence.FenceTransaction;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Puts the fence around hand-written code: the endpoint of a saga's HTTP step, an action with {@code Fencing.NONE}, a listener of messages. The row and the work commit together in a local transaction
 * of Spring's, which {@code JdbcTemplate}, JPA, MyBatis and {@code @Transactional} methods that are called join. Thread-safe.
 *
 * <pre>{@code
 * var passed = fence.pass(new FenceKey(xid, branch, "charge"), FencePhase.FIRST, passage -> wallet.charge(customer, amount));
 * }</pre>
 *
 * <p>Nobody tells it when the branch is over: the row of a first that was done waits for no end, and goes when it is 90 days old. The table is looked at, and made, in the first call, over a connection beside its
 * own.
 *
 * <p>Statements of the work are not captured by AT, because its cancel undoes them.
 */
public final class FenceTemplate {

    /** It says nothing of local transactions, so they are begun as usual. */
    private static final Method PASS = pass();

    private final Supplier<ActionFences> fences;
    private final ContextCarrier contexts;
    private final String dataSource;
    private final Map<String, FenceTemplate> others;
    private volatile Action.@Nullable Fenced fenced;

    /** With the fence in the only or primary data source. */
    public FenceTemplate(Supplier<ActionFences> fences, ContextCarrier contexts) {
        this(fences, contexts, "", new ConcurrentHashMap<>());
    }

    private FenceTemplate(
            Supplier<ActionFences> fences,
            ContextCarrier contexts,
            String dataSource,
            Map<String, FenceTemplate> others) {
        this.fences = fences;
        this.contexts = contexts;
        this.dataSource = dataSource;
        this.others = others;
    }

    /** The same with the fence in another data source, by its bean name. */
    public FenceTemplate in(String name) {
        return others.computeIfAbsent(name, other -> new FenceTemplate(fences, contexts, other, others));
    }

    /**
     * Runs the work if its turn has come. {@link FencePhase#BEGIN} is committed on its own, before work that reaches beyond the database; all others commit together with their work, in the local transaction
     * that is open or in one of their own. When this throws, that was rolled back, and so was the row.
     *
     * @return the verdict; nothing was run unless it is {@link io.txn.client.fence.FenceVerdict#RUN}
     * @throws Throwable what the work threw, untouched; an {@link java.sql.SQLException} of the database; a {@link io.txn.protocol.TxnException}: ACTION_MISDECLARED without such a data source,
     *     NO_FENCE_TABLE
     */
    @SuppressWarnings("try") // the scope is opened for its closing
    public <T extends @Nullable Object> Fence.Passed<T> pass(FenceKey key, FencePhase phase, Fence.Work<T> work)
            throws Throwable {
        Action.Fenced ready = fenced();
        TransactionContext context = contexts.current();
        try (ContextCarrier.Scope scope = context == null ? null : contexts.bind(context.withMode(WorkMode.OWN))) {
            FenceTransaction transaction =
                    switch (phase) {
                        case BEGIN, FIRST -> ready.first();
                        case CONFIRM -> ready.confirm();
                        case CANCEL -> ready.cancel();
                    };
            return ready.fence().passByHand(transaction, key, phase, work);
        }
    }

    private static Method pass() {
        try {
            return FenceTemplate.class.getMethod("pass", FenceKey.class, FencePhase.class, Fence.Work.class);
        } catch (NoSuchMethodException e) {
            throw new AssertionError(e);
        }
    }

    private Action.Fenced fenced() {
        Action.Fenced known = fenced;
        if (known == null) {
            ActionFences.Use use = new ActionFences.Use(PASS, FenceTemplate.class);
            known = fences.get().of(dataSource, use, use, use);
            fenced = known;
        }
        return known;
    }
}
