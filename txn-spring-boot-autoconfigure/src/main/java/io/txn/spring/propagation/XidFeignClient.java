package io.txn.spring.propagation;

import feign.Client;
import feign.Request;
import feign.Response;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Around the client that carries the requests of OpenFeign: no call takes longer than its transaction has time, and the answer is read for what it says about the
 * transaction. The headers are {@link XidFeignInterceptor}'s, so that they are there whatever client is used.
 */
public final class XidFeignClient implements Client {

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
        call.answered(name -> first(response, name));
        return response;
    }

    private static String target(Request request) {
        String url = request.url();
        int query = url.indexOf('?');
        return query < 0 ? url : url.substring(0, query);
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
