package io.txn.spring.propagation;

import io.txn.client.TransactionContext;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.http.server.reactive.ServerHttpResponseDecorator;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * The answer of a participant over WebFlux. A body of one piece leaves when the work is over, and the headers say what became of it. Of a body that is written while the work goes on the
 * headers say only what cannot change any more. The end of either waits for what was handed to other threads; no thread waits.
 */
final class FluxAnswer extends ServerHttpResponseDecorator {

    private final XidWebFilter filter;
    private final Incoming incoming;
    private final TransactionContext context;
    private final String entry;
    private volatile boolean inPieces;

    FluxAnswer(
            ServerHttpResponse response,
            XidWebFilter filter,
            Incoming incoming,
            TransactionContext context,
            String entry) {
        super(response);
        this.filter = filter;
        this.incoming = incoming;
        this.context = context;
        this.entry = entry;
        response.beforeCommit(this::headers);
    }

    private Mono<Void> headers() {
        return Mono.defer(() -> {
            if (inPieces) {
                return Mono.fromRunnable(() -> incoming.answerSoFar(context, getHeaders()::set));
            }
            return workIsOver().then(Mono.fromRunnable(() -> incoming.answer(context, getHeaders()::set)));
        });
    }

    /** Waits for what was handed to other threads, and has told the coordinator of a mark. */
    private Mono<Void> workIsOver() {
        return Mono.defer(() -> {
            Duration most = incoming.answerWait(context);
            Mono<Void> waited = most.isZero()
                    ? Mono.empty()
                    : Mono.<Void>create(sink -> context.participation().whenNoChild(sink::success))
                            .timeout(most, Mono.empty());
            return waited.then(Mono.defer(() -> incoming.hasToTell(context)
                    ? Mono.<Void>fromRunnable(() -> incoming.answersNow(context, entry))
                            .subscribeOn(Schedulers.boundedElastic())
                    : Mono.empty()));
        });
    }

    /** The end of a body whose headers have left. */
    private <T> Mono<T> end() {
        return workIsOver().then(Mono.defer(() -> {
            try {
                incoming.checkTold(context, entry);
                return Mono.empty();
            } catch (IOException brokenOff) {
                return Mono.error(brokenOff);
            }
        }));
    }

    /** The connection breaks when a body fails, so whoever sees that is to find a mark. */
    private <T> Flux<T> marking(Publisher<? extends T> body) {
        return Flux.<T>from(body)
                .onErrorResume(failure -> filter.failed(context, entry, failure).then(Mono.error(failure)));
    }

    @Override
    public Mono<Void> writeWith(Publisher<? extends DataBuffer> body) {
        if (body instanceof Mono) {
            return super.writeWith(body);
        }
        inPieces = true;
        Flux<DataBuffer> pieces = marking(body);
        return super.writeWith(Flux.defer(
                () -> getHeaders().getContentLength() < 0 ? pieces.concatWith(end()) : lastAfter(pieces, end())));
    }

    @Override
    public Mono<Void> writeAndFlushWith(Publisher<? extends Publisher<? extends DataBuffer>> body) {
        inPieces = true;
        return super.writeAndFlushWith(
                FluxAnswer.<Publisher<? extends DataBuffer>>plain(marking(body)).concatWith(end()));
    }

    private static <T> Flux<T> plain(Flux<T> flux) {
        return flux;
    }

    /** Who knows the length sees the end in the last piece. */
    private static Flux<DataBuffer> lastAfter(Flux<DataBuffer> pieces, Mono<DataBuffer> end) {
        return Flux.defer(() -> {
            AtomicReference<@Nullable DataBuffer> last = new AtomicReference<>();
            return pieces.map(Optional::of)
                    .concatWith(end.map(Optional::of))
                    .concatWith(Mono.just(Optional.empty()))
                    .<DataBuffer>handle((piece, sink) -> {
                        DataBuffer before = last.getAndSet(piece.orElse(null));
                        if (before != null) {
                            sink.next(before);
                        }
                    })
                    .doFinally(signal -> {
                        DataBuffer left = last.getAndSet(null);
                        if (left != null) {
                            DataBufferUtils.release(left);
                        }
                    });
        });
    }
}
