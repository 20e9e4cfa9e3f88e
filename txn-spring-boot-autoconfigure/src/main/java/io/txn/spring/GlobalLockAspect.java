package io.txn.spring;

import io.txn.client.GlobalLockTemplate;
import java.util.List;
import java.util.function.Supplier;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

/** Gives {@link GlobalLock} its meaning: the guard is there before a local transaction begins, and until it has ended. */
public final class GlobalLockAspect extends AnnotatedMethods {

    /** Inside {@link GlobalTransactionalAspect}, outside Spring's own transaction advice. */
    public static final int ORDER = GlobalTransactionalAspect.ORDER + 10;

    private final Supplier<GlobalLockTemplate> locks;
    private final Supplier<GlobalLockOptions> options;

    /** What is supplied is asked for at the first call, so that making the aspect starts nothing. */
    public GlobalLockAspect(
            AnnotationIndex index, Supplier<GlobalLockTemplate> locks, Supplier<GlobalLockOptions> options) {
        super(index, ORDER, List.of(GlobalLock.class));
        this.locks = locks;
        this.options = options;
    }

    @Override
    @Nullable
    Object around(MethodInvocation call) throws Throwable {
        return locks.get().execute(options.get().of(call.getMethod(), target(call)), () -> proceed(call));
    }
}
