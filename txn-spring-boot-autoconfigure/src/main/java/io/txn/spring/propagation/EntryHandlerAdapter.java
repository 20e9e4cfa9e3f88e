package io.txn.spring.propagation;

import io.txn.client.TransactionContext;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.springframework.core.Ordered;
import org.springframework.web.method.HandlerMethod;
import org.springframework.web.reactive.DispatchExceptionHandler;
import org.springframework.web.reactive.HandlerAdapter;
import org.springframework.web.reactive.HandlerResult;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/**
 * Sees the exception that leaves a handler of WebFlux before a {@code @ControllerAdvice} makes an answer of it. It stands before the adapter that calls the handler: what a returned
 * publisher fails with passes by here; what a handler throws itself is answered within that adapter, and shows by another method having answered.
 */
public final class EntryHandlerAdapter implements HandlerAdapter, Ordered {

    private final Supplier<List<HandlerAdapter>> adapters;
    private final XidWebFilter filter;

    /** @param adapters all that there are, in their order; asked at the first request */
    public EntryHandlerAdapter(Supplier<List<HandlerAdapter>> adapters, XidWebFilter filter) {
        this.adapters = adapters;
        this.filter = filter;
    }

    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE;
    }

    @Override
    public boolean supports(Object handler) {
        return handler instanceof HandlerMethod && others(handler).findFirst().isPresent();
    }

    private Stream<HandlerAdapter> others(Object handler) {
        return adapters.get().stream().filter(adapter -> adapter != this && adapter.supports(handler));
    }

    @Override
    public Mono<HandlerResult> handle(ServerWebExchange exchange, Object handler) {
        Mono<HandlerResult> result = others(handler).findFirst().orElseThrow().handle(exchange, handler);
        TransactionContext context = XidWebFilter.context(exchange);
        return context == null ? result : result.flatMap(done -> watched(context, (HandlerMethod) handler, done));
    }

    private Mono<HandlerResult> watched(TransactionContext context, HandlerMethod handler, HandlerResult result) {
        String entry = handler.getBeanType().getSimpleName()
                + '.'
                + handler.getMethod().getName();
        if (result.getHandler() instanceof HandlerMethod answered
                && !answered.getMethod().equals(handler.getMethod())) {
            String by = answered.getBeanType().getSimpleName()
                    + '.'
                    + answered.getMethod().getName();
            return filter.failed(context, entry, new IllegalStateException("it threw what " + by + " answered"))
                    .thenReturn(result);
        }
        DispatchExceptionHandler own = result.getExceptionHandler();
        if (own != null) {
            result.setExceptionHandler((exchange, failure) ->
                    filter.failed(context, entry, failure).then(Mono.defer(() -> own.handleError(exchange, failure))));
        }
        return Mono.just(result);
    }
}
