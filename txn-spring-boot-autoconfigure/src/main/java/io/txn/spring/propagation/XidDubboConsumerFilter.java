package io.txn.spring.propagation;

import io.txn.client.TransactionContext;
import java.net.ConnectException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.apache.dubbo.common.constants.CommonConstants;
import org.apache.dubbo.common.extension.Activate;
import org.apache.dubbo.rpc.Filter;
import org.apache.dubbo.rpc.Invocation;
import org.apache.dubbo.rpc.Invoker;
import org.apache.dubbo.rpc.Result;
import org.apache.dubbo.rpc.RpcContext;
import org.apache.dubbo.rpc.RpcException;
import org.apache.dubbo.rpc.support.RpcUtils;
import org.jspecify.annotations.Nullable;

/**
 * Takes the calling thread's global transaction along with calls of Dubbo, in attachments of the same names as the headers of HTTP, which are also those of Seata. Each try of a
 * call passes here. No call takes longer than its transaction has time, and no transaction ends before its calls.
 */
@Activate(group = CommonConstants.CONSUMER, order = XidDubboConsumerFilter.ORDER)
public final class XidDubboConsumerFilter implements Filter {

    static final int ORDER = -100;

    private static final int DUBBO_TIMEOUT = 1_000;

    private volatile @Nullable DubboContexts contexts;

    /** Called by Dubbo, if the application has the bean. */
    public void setTxnDubboContexts(DubboContexts contexts) {
        this.contexts = contexts;
    }

    @Override
    public Result invoke(Invoker<?> invoker, Invocation invocation) {
        DubboContexts own = contexts;
        Outgoing outgoing = own == null ? null : own.outgoing();
        if (own == null || outgoing == null) {
            return invoker.invoke(invocation);
        }
        forgetWhatArrived(invocation);
        TransactionContext context = own.contexts().current();
        if (context == null || DubboContexts.attachment(invocation::getObjectAttachment, XidHeader.NAME) != null) {
            return invoker.invoke(invocation);
        }
        Outgoing.Call call = outgoing.call(
                context,
                Outgoing.CALLS,
                invoker.getInterface().getSimpleName() + '.' + RpcUtils.getMethodName(invocation),
                invoker.getUrl().getHost());
        call.write((name, value) -> invocation.setAttachment(name, value));
        if (call.tells()) {
            invocation.setAttachment(XidHeader.BRANCH_TYPE, Outgoing.BRANCH_TYPE);
        }
        bound(call.left(), invoker, invocation);
        Runnable over = UnderWay.of(own.contexts(), context);
        try {
            return invoker.invoke(invocation)
                    .whenCompleteWithContext((result, failure) -> ended(call, over, result, failure));
        } catch (Throwable failure) {
            ended(call, over, null, failure);
            throw failure;
        }
    }

    /** Dubbo hands on whatever arrived to whatever is called meanwhile, also when that is for another transaction, or none. What the application set itself stays. */
    private static void forgetWhatArrived(Invocation invocation) {
        String arrived =
                DubboContexts.attachment(RpcContext.getServerAttachment()::getObjectAttachment, XidHeader.NAME);
        if (arrived == null
                || !arrived.equals(DubboContexts.attachment(invocation::getObjectAttachment, XidHeader.NAME))
                || DubboContexts.attachment(RpcContext.getClientAttachment()::getObjectAttachment, XidHeader.NAME)
                        != null) {
            return;
        }
        for (String name : List.of(XidHeader.NAME, XidHeader.REMAINING, XidHeader.SIGNATURE, XidHeader.BRANCH_TYPE)) {
            invocation.getObjectAttachments().remove(name);
            invocation.getObjectAttachments().remove(name.toLowerCase(Locale.ROOT));
        }
    }

    private static void bound(@Nullable Duration left, Invoker<?> invoker, Invocation invocation) {
        if (left == null) {
            return;
        }
        long configured = RpcUtils.getTimeout(
                invoker.getUrl(),
                RpcUtils.getMethodName(invocation),
                RpcContext.getClientAttachment(),
                invocation,
                DUBBO_TIMEOUT);
        if (left.toMillis() < configured) {
            String most = Long.toString(Math.max(1, left.toMillis()));
            invocation.setAttachment(CommonConstants.TIMEOUT_KEY, most);
            if (RpcContext.getClientAttachment().getObjectAttachment(CommonConstants.TIMEOUT_KEY) != null) {
                // What the application set for this one call goes before everything else.
                RpcContext.getClientAttachment().setAttachment(CommonConstants.TIMEOUT_KEY, most);
            }
        }
    }

    private static void ended(Outgoing.Call call, Runnable over, @Nullable Result result, @Nullable Throwable failure) {
        try {
            Throwable problem = failure == null && result != null ? result.getException() : failure;
            if (result != null && (says(result) || !(problem instanceof RpcException))) {
                call.answered(name -> DubboContexts.attachment(result::getObjectAttachment, name));
            } else if (problem != null) {
                call.failed(neverSent(problem) ? new ConnectException(problem.toString()) : problem);
            }
        } finally {
            over.run();
        }
    }

    private static boolean says(Result result) {
        return DubboContexts.attachment(result::getObjectAttachment, XidHeader.WORK) != null;
    }

    /** Refused before anything was sent: nobody there, not allowed, too much at once. */
    private static boolean neverSent(Throwable problem) {
        return problem instanceof RpcException rpc
                && (rpc.isForbidden() || rpc.isLimitExceed() || rpc.isNoInvokerAvailableAfterFilter());
    }
}
