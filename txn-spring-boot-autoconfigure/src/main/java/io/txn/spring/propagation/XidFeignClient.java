package io.txn.spring.propagation;

import feign.Client;
import feign.Request;
import feign.Response;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Around the client that carries the requests of OpenFeign: no call takes longer than its transaction has time, and the answer is read for what it says about the
 * transaction. The headers are {@link XidFeignInterceptor}'s, so that they are there whatever client is used.
 */
public final class XidFeignClient implements Client {

    private static final int UNAVAILABLE = 503;

    private final Client delegate;
    private final Outgoing outgoing;

    public XidFeignClient(Client delegate, Outgoing outgoing) {
        this.delegate = delegate;
        this.outgoing = outgoing;
    }

    @Override
    public Response execute(Request request, Request.Options options) throws IOException {
        String target = target(request);
        Outgoing.Call call = outgoing.call(request.httpMethod().name(), target, Targets.hostOf(target));
        Collection<String> xids = request.headers().get(XidHeader.NAME);
        if (call == null || (xids == null ? call.tells() : !xids.contains(call.xid()))) {
            return delegate.execute(request, options);
        }
        Response response;
        try {
            response = delegate.execute(request, bounded(options, call.left()));
        } catch (IOException | RuntimeException | Error e) {
            call.failed(e);
            throw e;
        }
        if (response.status() == UNAVAILABLE && response.headers().isEmpty()) {
            // Spring Cloud's load balancer has found nobody; a server that answered would have sent at least one
            // header.
            call.refused();
            return response;
        }
        call.answered(name -> first(response, name));
        Response.Body body = response.body();
        return body == null
                ? response
                : response.toBuilder()
                        .body(new BoundBody(body, call, expected(request, response)))
                        .build();
    }

    /** A body that ends with its transaction. */
    private static final class BoundBody implements Response.Body {

        private final Response.Body delegate;
        private final Outgoing.Call call;
        private final long expected;
        private @Nullable AnswerBody stream;

        BoundBody(Response.Body delegate, Outgoing.Call call, long expected) {
            this.expected = expected;
            this.delegate = delegate;
            this.call = call;
        }

        private AnswerBody stream() throws IOException {
            AnswerBody now = stream;
            if (now == null || isRepeatable()) {
                // A read that stands still ends by the time limit of the client, which is not longer than the call's.
                now = new AnswerBody(delegate.asInputStream(), call, AnswerBody.Clock.NONE, expected);
                stream = now;
            }
            return now;
        }

        @Override
        public InputStream asInputStream() throws IOException {
            return stream();
        }

        @Override
        public Reader asReader(Charset charset) throws IOException {
            return new InputStreamReader(stream(), charset);
        }

        @Override
        @SuppressWarnings({"deprecation", "InlineMeSuggester"})
        public Reader asReader() throws IOException {
            return asReader(StandardCharsets.UTF_8);
        }

        @Override
        public @Nullable Integer length() {
            return delegate.length();
        }

        @Override
        public boolean isRepeatable() {
            return delegate.isRepeatable();
        }

        @Override
        public void close() throws IOException {
            // Apache's reads the rest when it is closed.
            if (delegate.getClass().getName().startsWith("feign.h")) {
                stream().drain();
            }
            delegate.close();
        }
    }

    private static String target(Request request) {
        String url = request.url();
        int query = url.indexOf('?');
        return query < 0 ? url : url.substring(0, query);
    }

    private static long expected(Request request, Response response) {
        String length = first(response, "Content-Length");
        return AnswerBody.expected(
                request.httpMethod().name(),
                response.status(),
                length == null || !length.matches("\\d{1,18}") ? -1 : Long.parseLong(length),
                first(response, "Content-Encoding") != null);
    }

    private static @Nullable String first(Response response, String name) {
        // The map of Feign compares names without case.
        Collection<String> values = response.headers().get(name);
        return values == null || values.isEmpty() ? null : values.iterator().next();
    }

    private static Request.Options bounded(Request.Options options, @Nullable Duration left) {
        if (left == null) {
            return options;
        }
        // Zero would mean for ever.
        long most = Math.max(1, left.toMillis());
        return new Request.Options(
                shorter(options.connectTimeoutMillis(), most),
                TimeUnit.MILLISECONDS,
                shorter(options.readTimeoutMillis(), most),
                TimeUnit.MILLISECONDS,
                options.isFollowRedirects());
    }

    private static long shorter(long configured, long most) {
        return configured <= 0 ? most : Math.min(configured, most);
    }
}
