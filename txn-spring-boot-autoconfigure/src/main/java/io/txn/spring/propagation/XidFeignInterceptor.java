package io.txn.spring.propagation;

import feign.RequestInterceptor;
import feign.RequestTemplate;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * Takes the calling thread's global transaction along with requests of OpenFeign clients. An XID that the application set itself stays. OpenFeign's retries come by here again with the
 * headers of the try before: these are written anew, because less time is left.
 */
public final class XidFeignInterceptor implements RequestInterceptor {

    private final Outgoing outgoing;

    public XidFeignInterceptor(Outgoing outgoing) {
        this.outgoing = outgoing;
    }

    @Override
    public void apply(RequestTemplate template) {
        Outgoing.Call call =
                outgoing.call(template.method(), template.feignTarget().name() + template.path(), host(template));
        Collection<String> before = template.headers().get(XidHeader.NAME);
        if (call != null && (before == null || before.contains(call.xid()))) {
            call.write((name, value) -> template.removeHeader(name).header(name, value));
        }
    }

    /** Of the URL that a method was given, else of the client's. */
    private static @Nullable String host(RequestTemplate template) {
        String url = template.url();
        return Targets.hostOf(url.contains("://") ? url : template.feignTarget().url());
    }
}
