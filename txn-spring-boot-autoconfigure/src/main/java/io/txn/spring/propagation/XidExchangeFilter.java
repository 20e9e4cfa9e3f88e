package io.txn.spring.propagation;

import io.txn.client.TransactionContext;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeoutException;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Takes the global transaction along with requests of WebClient: that of Reactor's context, else that of the thread that subscribes. No exchange takes longer than its
 * transaction has time, and no transaction ends before its exchanges. An XID that the application set itself stays.
 */
public final class XidExchangeFilter implements ExchangeFilterFunction {

    private static final int UNAVAILABLE = 503;

    private final ReactiveContexts contexts;
    private final Outgoing outgoing;

    public XidExchangeFilter(ReactiveContexts contexts, Outgoing outgoing) {
        this.contexts = contexts;
        this.outgoing = outgoing;
    }

    @Override
    public Mono<ClientResponse> filter(ClientRequest request, ExchangeFunction next) {
        if (request.headers().getFirst(XidHeader.NAME) != null) {
            return next.exchange(request);
        }
        return Mono.deferContextual(view -> {
            TransactionContext context = contexts.of(view);
            return context == null ? next.exchange(request) : exchange(context, request, next);
        });
    }

    private Mono<ClientResponse> exchange(TransactionContext context, ClientRequest request, ExchangeFunction next) {
        Outgoing.Call call = outgoing.call(
                context,
                request.method().name(),
                request.url().getHost() + request.url().getPath(),
                Targets.hostOf(request.url()));
        if (Schedulers.isInNonBlockingThread()
                && (context.role() == TransactionContext.Role.LAUNCHER || call.needsLookUp())) {
            // The first call of a transaction may have to ask the coordinator, and one to a new host a name server: for
            // neither an event loop can wait.
            return Mono.fromCallable(() -> carrying(call, request))
                    .subscribeOn(Schedulers.boundedElastic())
                    .flatMap(carrying -> exchange(context, call, carrying, next));
        }
        return exchange(context, call, carrying(call, request), next);
    }

    private static ClientRequest carrying(Outgoing.Call call, ClientRequest request) {
        ClientRequest.Builder carrying = ClientRequest.from(request);
        call.write((name, value) -> carrying.headers(headers -> headers.set(name, value)));
        return carrying.build();
    }

    private Mono<ClientResponse> exchange(
            TransactionContext context, Outgoing.Call call, ClientRequest request, ExchangeFunction next) {
        Duration left = call.left();
        Mono<ClientResponse> exchange = next.exchange(request);
        if (left != null) {
            exchange = exchange.timeout(
                    left, Mono.error(() -> new TimeoutException("the global transaction has no time left")));
        }
        Runnable over = contexts.underWay(context);
        return exchange.map(response -> answered(call, response))
                .doOnError(call::failed)
                .doOnCancel(() -> {
                    call.failed(new CancellationException("nobody waited for it any more"));
                    over.run();
                })
                .doOnTerminate(over);
    }

    private static ClientResponse answered(Outgoing.Call call, ClientResponse response) {
        if (response.statusCode().value() == UNAVAILABLE
                && response.headers().asHttpHeaders().isEmpty()) {
            // Spring Cloud's load balancer has found nobody; a server that answered would have sent at least one
            // header.
            call.refused();
            return response;
        }
        call.answered(
                name -> response.headers().header(name).stream().findFirst().orElse(null));
        return response.mutate()
                .body(body -> {
                    Duration left = call.left();
                    return (left == null ? body : body.takeUntilOther(late(left))).doOnError(call::brokeOff);
                })
                .build();
    }

    private static Mono<Object> late(Duration left) {
        return Mono.delay(left.isNegative() ? Duration.ZERO : left)
                .then(Mono.error(() ->
                        new TimeoutException("the global transaction had no time left before the end of the answer")));
    }

    /** The same client with this filter, which is itself where it has one: a client that is built is not changed any more. */
    public WebClient within(WebClient client) {
        WebClient.Builder builder = client.mutate();
        boolean[] met = {true}; // and of one that somebody made up for a test nothing is known
        if (builder != null) {
            builder.filters(filters -> met[0] = isAmong(filters));
        }
        return met[0] ? client : builder.filters(this::addTo).build();
    }

    /** Adds this filter unless one of its kind is there: a client may be met by a customizer and as a bean. */
    public void addTo(List<ExchangeFilterFunction> filters) {
        if (!isAmong(filters)) {
            filters.add(this);
        }
    }

    private static boolean isAmong(List<ExchangeFilterFunction> filters) {
        return filters.stream().anyMatch(XidExchangeFilter.class::isInstance);
    }
}
