package io.txn.spring.propagation;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.springframework.web.context.request.NativeWebRequest;
import org.springframework.web.context.request.async.CallableProcessingInterceptor;

/** Callables and streaming bodies that a handler of Spring MVC returns work in the transaction of their request, on whatever executor. For one request, and so for one task at a time. */
final class ServletTasks implements CallableProcessingInterceptor {

    private final ContextCarrier contexts;
    private final TransactionContext context;
    private final ServletAnswer answer;
    private volatile ContextCarrier.@Nullable Scope scope;

    ServletTasks(ContextCarrier contexts, TransactionContext context, ServletAnswer answer) {
        this.contexts = contexts;
        this.context = context;
        this.answer = answer;
    }

    @Override
    public <T> void preProcess(NativeWebRequest request, Callable<T> task) {
        if (answer.isOver()) {
            throw new CancellationException("the request was answered before its task began");
        }
        scope = contexts.work(context);
    }

    @Override
    public <T> void postProcess(NativeWebRequest request, Callable<T> task, @Nullable Object result) {
        ContextCarrier.Scope open = scope;
        if (open != null) {
            scope = null;
            open.close();
        }
    }
}
