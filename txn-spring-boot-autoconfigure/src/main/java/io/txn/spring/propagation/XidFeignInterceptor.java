package io.txn.spring.propagation;

import feign.RequestInterceptor;
import feign.RequestTemplate;

/** Takes the calling thread's global transaction along with requests of OpenFeign clients. An XID that the application set itself stays. */
public final class XidFeignInterceptor implements RequestInterceptor {

    private final Outgoing outgoing;

    public XidFeignInterceptor(Outgoing outgoing) {
        this.outgoing = outgoing;
    }

    @Override
    public void apply(RequestTemplate template) {
        Outgoing.Call call = template.headers().containsKey(XidHeader.NAME)
                ? null
                : outgoing.call(template.method(), template.feignTarget().name() + template.path());
        if (call != null) {
            call.write((name, value) -> template.header(name, value));
        }
    }
}
