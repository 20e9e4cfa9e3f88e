package io.txn.spring.propagation;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.apache.dubbo.common.constants.CommonConstants;
import org.apache.dubbo.common.extension.Activate;
import org.apache.dubbo.rpc.Filter;
import org.apache.dubbo.rpc.Invocation;
import org.apache.dubbo.rpc.Invoker;
import org.apache.dubbo.rpc.Result;
import org.apache.dubbo.rpc.RpcContext;
import org.apache.dubbo.rpc.support.RpcUtils;
import org.jspecify.annotations.Nullable;

/**
 * Binds the XID that a call of Dubbo carries to the thread that handles it, as a participant. The attachments of the answer say whether something was kept, and whether the
 * transaction may only be rolled back.
 */
@Activate(group = CommonConstants.PROVIDER, order = XidDubboConsumerFilter.ORDER)
public final class XidDubboProviderFilter implements Filter {

    private volatile @Nullable DubboContexts contexts;

    /** Called by Dubbo, if the application has the bean. */
    public void setTxnDubboContexts(DubboContexts contexts) {
        this.contexts = contexts;
    }

    @Override
    @SuppressWarnings("try") // the scope is opened for its closing
    public Result invoke(Invoker<?> invoker, Invocation invocation) {
        DubboContexts own = contexts;
        Incoming incoming = own == null ? null : own.incoming();
        TransactionContext context = incoming == null
                ? null
                : incoming.context(new Arrival(
                        name -> DubboContexts.values(invocation::getObjectAttachment, name), from(invoker)));
        if (own == null || incoming == null || context == null) {
            return invoker.invoke(invocation);
        }
        String entry = invoker.getInterface().getSimpleName() + '.' + RpcUtils.getMethodName(invocation);
        try (ContextCarrier.Scope scope = own.contexts().bind(context)) {
            return invoker.invoke(invocation)
                    .whenCompleteWithContext((result, failure) -> ended(incoming, context, entry, result, failure));
        } catch (Throwable failure) {
            incoming.failed(context, entry, failure);
            incoming.answers(context, entry);
            throw failure;
        }
    }

    private static void ended(
            Incoming incoming,
            TransactionContext context,
            String entry,
            @Nullable Result result,
            @Nullable Throwable failure) {
        Throwable problem = failure == null && result != null ? result.getException() : failure;
        if (problem != null) {
            incoming.failed(context, entry, problem);
        }
        incoming.answers(context, entry);
        if (result != null) {
            incoming.answer(context, (name, value) -> result.setAttachment(name, value));
        }
    }

    private static @Nullable InetAddress from(Invoker<?> invoker) {
        InetSocketAddress from = RpcContext.getServiceContext().getRemoteAddress();
        if (from != null) {
            // Triple knows it as text.
            return from.getAddress() == null ? Peers.address(from.getHostString()) : from.getAddress();
        }
        return "injvm".equals(invoker.getUrl().getProtocol()) ? InetAddress.getLoopbackAddress() : null;
    }
}
