package io.txn.spring.propagation;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.apache.hc.client5.http.classic.HttpClient;
import org.apache.hc.client5.http.config.Configurable;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.io.HttpClientResponseHandler;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.jspecify.annotations.Nullable;
import org.springframework.http.client.AbstractClientHttpRequestFactoryWrapper;
import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.http.client.HttpComponentsClientHttpRequestFactory;

/**
 * Ends the requests of Apache's client, which does not heed interrupts, when their transaction has no time left: they are cancelled, as the application could do. Thread-safe.
 */
public final class ApacheDeadlines implements RequestFactories {

    private final ContextCarrier contexts;
    private final Alarm alarm;
    private final InstantSource clock;
    private final ThreadLocal<@Nullable Runnable> lastOpened = new ThreadLocal<>();

    public ApacheDeadlines(ContextCarrier contexts, Alarm alarm, InstantSource clock) {
        this.contexts = contexts;
        this.alarm = alarm;
        this.clock = clock;
    }

    @Override
    public void bound(ClientHttpRequestFactory factory) {
        if (factory instanceof HttpComponentsClientHttpRequestFactory apache
                && !(apache.getHttpClient() instanceof Bounded)) {
            apache.setHttpClient(new Bounded(apache.getHttpClient()));
        } else if (factory instanceof AbstractClientHttpRequestFactoryWrapper wrapper) {
            bound(wrapper.getDelegate());
        }
    }

    @Override
    public @Nullable Runnable cancellation() {
        Runnable last = lastOpened.get();
        lastOpened.remove();
        return last;
    }

    /** How long a request of the calling thread may take; null for as long as it likes. */
    private @Nullable Duration left() {
        TransactionContext context = contexts.current();
        Instant deadline = context == null ? null : context.deadline();
        return deadline == null ? null : Duration.between(clock.instant(), deadline);
    }

    /** What the client is asked to do. */
    private interface Work<T> {
        T run() throws IOException;
    }

    private final class Bounded implements HttpClient, Configurable, Closeable {

        private final HttpClient delegate;

        Bounded(HttpClient delegate) {
            this.delegate = delegate;
        }

        @SuppressWarnings("try") // the alarm is set for its closing
        private <T> T within(ClassicHttpRequest request, Work<T> work) throws IOException {
            Duration left = left();
            if (left == null || !(request instanceof Cancellable cancellable)) {
                return work.run();
            }
            try (Alarm.Set set = alarm.call(left, cancellable::cancel)) {
                return work.run();
            }
        }

        @Override
        public RequestConfig getConfig() {
            return delegate instanceof Configurable configurable ? configurable.getConfig() : RequestConfig.DEFAULT;
        }

        @Override
        public void close() throws IOException {
            if (delegate instanceof Closeable closeable) {
                closeable.close();
            }
        }

        @Override
        @Deprecated
        public HttpResponse execute(ClassicHttpRequest request) throws IOException {
            return within(request, () -> delegate.execute(request));
        }

        @Override
        @Deprecated
        public HttpResponse execute(ClassicHttpRequest request, HttpContext context) throws IOException {
            return within(request, () -> delegate.execute(request, context));
        }

        @Override
        @Deprecated
        public ClassicHttpResponse execute(HttpHost target, ClassicHttpRequest request) throws IOException {
            return within(request, () -> delegate.execute(target, request));
        }

        @Override
        @Deprecated
        public HttpResponse execute(HttpHost target, ClassicHttpRequest request, HttpContext context)
                throws IOException {
            return within(request, () -> delegate.execute(target, request, context));
        }

        @Override
        public ClassicHttpResponse executeOpen(HttpHost target, ClassicHttpRequest request, HttpContext context)
                throws IOException {
            ClassicHttpResponse response = within(request, () -> delegate.executeOpen(target, request, context));
            // Nobody asks for it outside of transactions, and the thread would hold on to it.
            if (contexts.current() != null && request instanceof Cancellable cancellable) {
                lastOpened.set(cancellable::cancel);
            }
            return response;
        }

        @Override
        public <T> T execute(ClassicHttpRequest request, HttpClientResponseHandler<? extends T> handler)
                throws IOException {
            return within(request, () -> delegate.execute(request, handler));
        }

        @Override
        public <T> T execute(
                ClassicHttpRequest request, HttpContext context, HttpClientResponseHandler<? extends T> handler)
                throws IOException {
            return within(request, () -> delegate.execute(request, context, handler));
        }

        @Override
        public <T> T execute(
                HttpHost target, ClassicHttpRequest request, HttpClientResponseHandler<? extends T> handler)
                throws IOException {
            return within(request, () -> delegate.execute(target, request, handler));
        }

        @Override
        public <T> T execute(
                HttpHost target,
                ClassicHttpRequest request,
                HttpContext context,
                HttpClientResponseHandler<? extends T> handler)
                throws IOException {
            return within(request, () -> delegate.execute(target, request, context, handler));
        }
    }
}
