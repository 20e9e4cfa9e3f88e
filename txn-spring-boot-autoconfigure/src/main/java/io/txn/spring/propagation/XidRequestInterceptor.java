package io.txn.spring.propagation;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpRequest;
import org.springframework.http.client.ClientHttpRequestExecution;
import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.http.client.ClientHttpRequestInterceptor;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.http.client.InterceptingClientHttpRequestFactory;
import org.springframework.util.ReflectionUtils;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;

/**
 * Takes the calling thread's global transaction along with requests of RestTemplate and RestClient. An XID that the application set itself stays. Only
 * methods of {@code HttpHeaders} that Spring Framework 6 and 7 share are used.
 */
public final class XidRequestInterceptor implements ClientHttpRequestInterceptor {

    private static final Logger log = LoggerFactory.getLogger(XidRequestInterceptor.class);

    private final Outgoing outgoing;
    private final Alarm alarm;
    private final RequestFactories factories;

    /**
     * @param alarm ends calls of clients that heed an interrupt
     * @param factories does the same for those that do not
     */
    public XidRequestInterceptor(Outgoing outgoing, Alarm alarm, RequestFactories factories) {
        this.outgoing = outgoing;
        this.alarm = alarm;
        this.factories = factories;
    }

    @Override
    public ClientHttpResponse intercept(HttpRequest request, byte[] body, ClientHttpRequestExecution execution)
            throws IOException {
        Outgoing.Call call = request.getHeaders().getFirst(XidHeader.NAME) == null
                ? outgoing.call(
                        request.getMethod().name(),
                        request.getURI().getHost() + request.getURI().getPath(),
                        Targets.hostOf(request.getURI()))
                : null;
        if (call == null) {
            return execution.execute(request, body);
        }
        call.write(request.getHeaders()::set);
        ClientHttpResponse response;
        Duration left = call.left();
        Alarm.Set set = left == null ? null : alarm.interrupt(left);
        factories.cancellation(); // of a call before this one
        try {
            response = execution.execute(request, body);
        } catch (IOException | RuntimeException | Error e) {
            call.failed(e);
            throw e;
        } finally {
            if (set != null) {
                set.close();
            }
        }
        call.answered(response.getHeaders()::getFirst);
        return new BoundResponse(request.getMethod().name(), response, call, clock(response, factories.cancellation()));
    }

    private AnswerBody.Clock clock(ClientHttpResponse response, @Nullable Runnable cancellation) {
        if (cancellation != null) {
            return (left, body) -> alarm.call(left, cancellation);
        }
        // The JDK's heeds interrupts until the body begins, and from then on being closed.
        return response.getClass().getSimpleName().equals("JdkClientHttpResponse")
                ? (left, body) -> alarm.call(left, () -> close(body))
                : (left, body) -> alarm.interrupt(left);
    }

    private static void close(InputStream body) {
        try {
            body.close();
        } catch (IOException e) {
            log.debug("a body could not be closed", e);
        }
    }

    /** Adds this to a client that may have been met before. */
    public void addTo(RestTemplate template) {
        addTo(template.getInterceptors());
        ClientHttpRequestFactory factory = template.getRequestFactory();
        factories.bound(factory);
        ClientHttpRequestFactory own =
                factory instanceof InterceptingClientHttpRequestFactory around ? around.getDelegate() : factory;
        ClientHttpRequestFactory bound = ConnectionDeadlines.around(own, outgoing::left);
        if (bound != own) {
            template.setRequestFactory(bound);
        }
    }

    /** Adds this to a builder that may have been met before. */
    public void addTo(RestClient.Builder builder) {
        builder.requestInterceptors(this::addTo);
        ClientHttpRequestFactory factory = factory(builder, "requestFactory");
        if (factory != null) {
            factories.bound(factory);
            ClientHttpRequestFactory bound = ConnectionDeadlines.around(factory, outgoing::left);
            if (bound != factory) {
                builder.requestFactory(bound);
            }
        }
    }

    /** The same client with this, which is itself where it has one: a client that is built is not changed any more. */
    public RestClient within(RestClient client) {
        RestClient.Builder builder = client.mutate();
        boolean[] met = {true}; // and of one that somebody made up for a test nothing is known
        if (builder != null) {
            builder.requestInterceptors(interceptors -> met[0] = isAmong(interceptors));
        }
        if (met[0]) {
            return client;
        }
        ClientHttpRequestFactory own = factory(client, "clientRequestFactory");
        if (own != null) {
            builder.requestFactory(own); // also where it made that for itself, of which its builder knows nothing
        }
        addTo(builder);
        return builder.build();
    }

    private void addTo(List<ClientHttpRequestInterceptor> interceptors) {
        if (!isAmong(interceptors)) {
            interceptors.add(this);
        }
    }

    private static boolean isAmong(List<ClientHttpRequestInterceptor> interceptors) {
        return interceptors.stream().anyMatch(XidRequestInterceptor.class::isInstance);
    }

    /** The factory of a client or a builder, which it does not tell; null when it has none or that cannot be read. */
    private static @Nullable ClientHttpRequestFactory factory(Object owner, String where) {
        Field field = ReflectionUtils.findField(owner.getClass(), where, ClientHttpRequestFactory.class);
        if (field == null) {
            return null;
        }
        try {
            field.setAccessible(true);
            return (ClientHttpRequestFactory) ReflectionUtils.getField(field, owner);
        } catch (RuntimeException e) {
            log.debug("a field cannot be read", e);
            return null;
        }
    }
}
