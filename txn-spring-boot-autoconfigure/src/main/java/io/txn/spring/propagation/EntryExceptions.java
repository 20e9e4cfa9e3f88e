package io.txn.spring.propagation;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.web.method.HandlerMethod;
import org.springframework.web.servlet.HandlerExceptionResolver;
import org.springframework.web.servlet.ModelAndView;

/** Sees the exception that leaves a handler before anybody makes an answer of it, and resolves none. */
public final class EntryExceptions implements HandlerExceptionResolver, Ordered {

    private final ContextCarrier contexts;
    private final Supplier<Incoming> incoming;

    /** @param incoming asked for the first request, so that making this starts nothing */
    public EntryExceptions(ContextCarrier contexts, Supplier<Incoming> incoming) {
        this.contexts = contexts;
        this.incoming = incoming;
    }

    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE;
    }

    @Override
    public @Nullable ModelAndView resolveException(
            HttpServletRequest request, HttpServletResponse response, @Nullable Object handler, Exception failure) {
        TransactionContext context = contexts.current();
        if (context != null && context.role() == TransactionContext.Role.PARTICIPANT) {
            incoming.get().failed(context, entry(request, handler), failure);
        }
        return null;
    }

    private static String entry(HttpServletRequest request, @Nullable Object handler) {
        return handler instanceof HandlerMethod method
                ? method.getBeanType().getSimpleName()
                        + '.'
                        + method.getMethod().getName()
                : request.getMethod() + ' ' + request.getRequestURI();
    }
}
