package io.txn.spring.propagation;

import io.txn.client.ContextCarrier;
import java.io.IOException;
import java.util.List;
import org.springframework.http.HttpRequest;
import org.springframework.http.client.ClientHttpRequestExecution;
import org.springframework.http.client.ClientHttpRequestInterceptor;
import org.springframework.http.client.ClientHttpResponse;

/**
 * Puts the XID bound to the calling thread on requests of RestTemplate and RestClient. A header that the application set itself stays. Only
 * methods of {@code HttpHeaders} that Spring Framework 6 and 7 share are used.
 */
public final class XidRequestInterceptor implements ClientHttpRequestInterceptor {

    private final ContextCarrier contexts;

    public XidRequestInterceptor(ContextCarrier contexts) {
        this.contexts = contexts;
    }

    @Override
    public ClientHttpResponse intercept(HttpRequest request, byte[] body, ClientHttpRequestExecution execution)
            throws IOException {
        String xid = XidHeader.outgoing(contexts);
        if (xid != null && request.getHeaders().getFirst(XidHeader.NAME) == null) {
            request.getHeaders().set(XidHeader.NAME, xid);
        }
        return execution.execute(request, body);
    }

    /** Adds this interceptor unless one of its kind is there: a client may be met by a customizer and as a bean. */
    public void addTo(List<ClientHttpRequestInterceptor> interceptors) {
        if (interceptors.stream().noneMatch(XidRequestInterceptor.class::isInstance)) {
            interceptors.add(this);
        }
    }
}
