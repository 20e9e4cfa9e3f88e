package io.txn.spring.propagation;

import io.txn.client.TransactionContext;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Puts the XID that a request of WebFlux carries into Reactor's context, as a participant's. Nothing is bound to a thread: those of the event loop work for all requests. The answer
 * says whether something was kept, and whether the transaction may only be rolled back; an exception that leaves the request waits until that was said.
 */
public final class XidWebFilter implements WebFilter, Ordered {

    /** As early as the filter of servlets. */
    private static final int ORDER = Ordered.HIGHEST_PRECEDENCE + 100;

    private static final String CONTEXT = XidWebFilter.class.getName() + ".context";

    private final ReactiveContexts contexts;
    private final Incoming incoming;

    public XidWebFilter(ReactiveContexts contexts, Incoming incoming) {
        this.contexts = contexts;
        this.incoming = incoming;
    }

    @Override
    public int getOrder() {
        return ORDER;
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        ServerHttpRequest request = exchange.getRequest();
        TransactionContext context =
                incoming.context(new Arrival(request.getHeaders()::getValuesAsList, RealReactivePeer.of(request)));
        if (context == null) {
            return chain.filter(exchange);
        }
        exchange.getAttributes().put(CONTEXT, context);
        String entry = request.getMethod().name()
                + ' '
                + request.getPath().pathWithinApplication().value();
        FluxAnswer answer = new FluxAnswer(exchange.getResponse(), this, incoming, context, entry);
        return Mono.defer(() -> chain.filter(exchange.mutate().response(answer).build()))
                .onErrorResume(failure -> failed(context, entry, failure).then(Mono.error(failure)))
                .contextWrite(reactor -> contexts.put(reactor, context));
    }

    /** The transaction that a request brought; null when it brought none. */
    static @Nullable TransactionContext context(ServerWebExchange exchange) {
        return exchange.getAttribute(CONTEXT);
    }

    /** An exception leaves what handles a request. Marking asks the coordinator, and so may not be done by an event loop. */
    Mono<Void> failed(TransactionContext context, String entry, Throwable failure) {
        return Mono.<Void>fromRunnable(() -> incoming.failed(context, entry, failure))
                .subscribeOn(Schedulers.boundedElastic());
    }
}
