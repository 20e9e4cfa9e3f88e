package io.txn.spring.propagation;

import java.io.IOException;
import java.io.InputStream;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.client.ClientHttpResponse;

/** The answer to a call of RestTemplate or RestClient, whose body ends with its transaction. */
final class BoundResponse implements ClientHttpResponse {

    /** Those that read what is left when they are closed. */
    private static final Set<String> DRAINING =
            Set.of("SimpleClientHttpResponse", "JdkClientHttpResponse", "HttpComponentsClientHttpResponse");

    private final String method;
    private final ClientHttpResponse delegate;
    private final Outgoing.Call call;
    private final AnswerBody.Clock clock;
    private @Nullable AnswerBody body;

    BoundResponse(String method, ClientHttpResponse delegate, Outgoing.Call call, AnswerBody.Clock clock) {
        this.method = method;
        this.delegate = delegate;
        this.call = call;
        this.clock = clock;
    }

    @Override
    public InputStream getBody() throws IOException {
        AnswerBody now = body;
        if (now == null) {
            HttpHeaders headers = getHeaders();
            long expected = AnswerBody.expected(
                    method,
                    getStatusCode().value(),
                    headers.getContentLength(),
                    headers.getFirst(HttpHeaders.CONTENT_ENCODING) != null);
            now = new AnswerBody(delegate.getBody(), call, clock, expected);
            body = now;
        }
        return now;
    }

    @Override
    public void close() {
        if (DRAINING.contains(delegate.getClass().getSimpleName())) {
            try {
                getBody();
                if (body != null) {
                    body.drain();
                }
            } catch (IOException e) {
                // There is none.
            }
        }
        delegate.close();
    }

    @Override
    public HttpStatusCode getStatusCode() throws IOException {
        return delegate.getStatusCode();
    }

    @Override
    public String getStatusText() throws IOException {
        return delegate.getStatusText();
    }

    @Override
    public HttpHeaders getHeaders() {
        return delegate.getHeaders();
    }
}
