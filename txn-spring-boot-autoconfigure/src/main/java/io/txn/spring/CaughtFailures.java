package io.txn.spring;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.Participation;
import io.txn.client.TransactionContext;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.Advisor;
import org.springframework.aop.framework.Advised;
import org.springframework.core.Ordered;

/**
 * Sees what leaves a method with {@link GlobalTransactional} itself. Other advice may stand between the method and its global transaction and catch that: a retry runs the method once
 * more over what the first attempt has kept, a fallback returns as if nothing had happened, and the transaction would be committed with the work done twice, or half. An exception that
 * leaves something behind marks the transaction instead, unless its rules spare it. So does a failure of the publisher that such a method returned.
 */
final class CaughtFailures extends AnnotatedMethods {

    private final Supplier<GlobalTransactionalOptions> options;
    private final Supplier<@Nullable LaterResults> later;
    private final Supplier<ContextCarrier> contexts;
    private final Supplier<GlobalTransactionTemplate> transactions;

    CaughtFailures(
            AnnotationIndex index,
            Supplier<GlobalTransactionalOptions> options,
            Supplier<@Nullable LaterResults> later,
            Supplier<ContextCarrier> contexts,
            Supplier<GlobalTransactionTemplate> transactions) {
        super(index, Ordered.LOWEST_PRECEDENCE, List.of(GlobalTransactional.class));
        this.options = options;
        this.later = later;
        this.contexts = contexts;
        this.transactions = transactions;
    }

    /** Takes its place in a proxy behind whatever could catch: right outside of the local transaction, whose commit may be what fails, and within it if others are there, too. */
    void standIn(Advised proxy) {
        Advisor[] advisors = proxy.getAdvisors();
        boolean within = false;
        boolean behindForeign = false;
        int added = 0;
        for (int place = 0; place < advisors.length; place++) {
            Advisor advisor = advisors[place];
            if (behindForeign && GlobalTransactionalCheck.isLocalTransaction(advisor)) {
                proxy.addAdvisor(place + added++, this);
                behindForeign = false;
            }
            behindForeign |= within && GlobalTransactionalCheck.isForeign(advisor);
            within |= advisor instanceof GlobalTransactionalAspect;
        }
        if (behindForeign) {
            proxy.addAdvisor(advisors.length + added, this);
        }
    }

    @Override
    @Nullable
    Object around(MethodInvocation call) throws Throwable {
        TransactionContext context = contexts.get().current();
        if (context == null || options.get().isExempt(call.getMethod(), target(call))) {
            return call.proceed();
        }
        Participation participation = context.participation();
        long before = participation.works();
        long handedOverBefore = participation.handedOver();
        Consumer<Throwable> failed = failure -> {
            GlobalTransactionOptions own = options.get().of(call.getMethod(), target(call));
            // What it handed to other threads itself may be kept later.
            boolean leavesSomething =
                    participation.works() > before || participation.hasChildrenSince(handedOverBefore);
            if (leavesSomething && own.rules().rollsBack(failure)) {
                transactions.get().failed(context, own.name(), failure);
            }
        };
        Object result;
        try {
            result = call.proceed();
        } catch (Throwable failure) {
            failed.accept(failure);
            throw failure;
        }
        Class<?> type = call.getMethod().getReturnType();
        LaterResults results = later.get();
        return result != null && results != null && results.handles(type) ? results.told(type, result, failed) : result;
    }
}
