package io.txn.spring.propagation;

import java.io.IOException;
import java.util.List;
import org.springframework.http.HttpRequest;
import org.springframework.http.client.ClientHttpRequestExecution;
import org.springframework.http.client.ClientHttpRequestInterceptor;
import org.springframework.http.client.ClientHttpResponse;

/**
 * Takes the calling thread's global transaction along with requests of RestTemplate and RestClient. An XID that the application set itself stays. Only
 * methods of {@code HttpHeaders} that Spring Framework 6 and 7 share are used.
 */
public final class XidRequestInterceptor implements ClientHttpRequestInterceptor {

    private final Outgoing outgoing;

    public XidRequestInterceptor(Outgoing outgoing) {
        this.outgoing = outgoing;
    }

    @Override
    public ClientHttpResponse intercept(HttpRequest request, byte[] body, ClientHttpRequestExecution execution)
            throws IOException {
        Outgoing.Call call = request.getHeaders().getFirst(XidHeader.NAME) == null
                ? outgoing.call(
                        request.getMethod().name(),
                        request.getURI().getHost() + request.getURI().getPath())
                : null;
        if (call == null) {
            return execution.execute(request, body);
        }
        call.write(request.getHeaders()::set);
        ClientHttpResponse response;
        try {
            response = execution.execute(request, body);
        } catch (IOException | RuntimeException | Error e) {
            call.failed(e);
            throw e;
        }
        call.answered(response.getHeaders()::getFirst);
        return response;
    }

    /** Adds this interceptor unless one of its kind is there: a client may be met by a customizer and as a bean. */
    public void addTo(List<ClientHttpRequestInterceptor> interceptors) {
        if (interceptors.stream().noneMatch(XidRequestInterceptor.class::isInstance)) {
            interceptors.add(this);
        }
    }
}
