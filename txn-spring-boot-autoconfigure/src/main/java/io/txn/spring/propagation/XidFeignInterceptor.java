package io.txn.spring.propagation;

import feign.RequestInterceptor;
import feign.RequestTemplate;
import io.txn.client.ContextCarrier;

/** Puts the XID bound to the calling thread on requests of OpenFeign clients. A header that the application set itself stays. */
public final class XidFeignInterceptor implements RequestInterceptor {

    private final ContextCarrier contexts;

    public XidFeignInterceptor(ContextCarrier contexts) {
        this.contexts = contexts;
    }

    @Override
    public void apply(RequestTemplate template) {
        String xid = XidHeader.outgoing(contexts);
        if (xid != null && !template.headers().containsKey(XidHeader.NAME)) {
            template.header(XidHeader.NAME, xid);
        }
    }
}
