package io.txn.spring.propagation;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import reactor.core.publisher.Mono;
import reactor.util.context.ContextView;

/**
 * Takes a global transaction along with requests of WebClient: that of Reactor's context, else that of the thread that subscribes. No exchange takes longer than its
 * transaction has time. An XID that the application set itself stays.
 */
public final class XidExchangeFilter implements ExchangeFilterFunction {

    private final ContextCarrier contexts;
    private final Outgoing outgoing;

    public XidExchangeFilter(ContextCarrier contexts, Outgoing outgoing) {
        this.contexts = contexts;
        this.outgoing = outgoing;
    }

    @Override
    public Mono<ClientResponse> filter(ClientRequest request, ExchangeFunction next) {
        if (request.headers().getFirst(XidHeader.NAME) != null) {
            return next.exchange(request);
        }
        return Mono.deferContextual(view -> {
            TransactionContext context = context(view);
            return context == null ? next.exchange(request) : exchange(context, request, next);
        });
    }

    /** The transaction of a chain of Reactor's; several clients in one process do not see each other's. */
    private @Nullable TransactionContext context(ContextView view) {
        TransactionContext bound = view.getOrDefault(contexts, null);
        return bound == null ? contexts.current() : bound;
    }

    private Mono<ClientResponse> exchange(TransactionContext context, ClientRequest request, ExchangeFunction next) {
        Outgoing.Call call = outgoing.call(
                context,
                request.method().name(),
                request.url().getHost() + request.url().getPath());
        ClientRequest.Builder carrying = ClientRequest.from(request);
        call.write((name, value) -> carrying.headers(headers -> headers.set(name, value)));
        Duration left = call.left();
        Mono<ClientResponse> exchange = next.exchange(carrying.build());
        if (left != null) {
            exchange = exchange.timeout(
                    left, Mono.error(() -> new TimeoutException("the global transaction has no time left")));
        }
        return exchange.doOnNext(response -> call.answered(name ->
                        response.headers().header(name).stream().findFirst().orElse(null)))
                .doOnError(call::failed);
    }

    /** Adds this filter unless one of its kind is there: a client may be met by a customizer and as a bean. */
    public void addTo(List<ExchangeFilterFunction> filters) {
        if (filters.stream().noneMatch(XidExchangeFilter.class::isInstance)) {
            filters.add(this);
        }
    }
}
