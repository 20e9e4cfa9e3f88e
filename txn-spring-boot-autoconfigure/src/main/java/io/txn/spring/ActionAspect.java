package io.txn.spring;

import java.util.List;
import java.util.function.Supplier;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

/** Gives {@link TccAction} and {@link SagaAction} their meaning: the branch and the fence are there before a local transaction begins, and until it has ended. */
public final class ActionAspect extends AnnotatedMethods {

    /** Inside {@link GlobalTransactionalAspect}, outside Spring's own transaction advice. */
    public static final int ORDER = GlobalTransactionalAspect.ORDER + 20;

    private final Supplier<ActionBeans> beans;

    /** @param beans is asked for at the first call, so that making the aspect starts nothing */
    public ActionAspect(AnnotationIndex index, Supplier<ActionBeans> beans) {
        super(index, ORDER, List.of(TccAction.class, SagaAction.class));
        this.beans = beans;
    }

    @Override
    @Nullable
    Object around(MethodInvocation call) throws Throwable {
        ActionBeans.Declared declared = beans.get().of(call.getMethod(), target(call));
        @Nullable Object[] arguments = call.getArguments();
        return beans.get()
                .actions()
                .run(
                        declared.action(),
                        declared.declaration().captured(arguments),
                        context -> proceed(call, declared.declaration().withContext(arguments, context)));
    }
}
