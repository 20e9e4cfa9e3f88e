package io.txn.spring.propagation;

import java.io.IOException;
import java.lang.reflect.Field;
import java.net.HttpURLConnection;
import java.net.URI;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpMethod;
import org.springframework.http.client.AbstractClientHttpRequestFactoryWrapper;
import org.springframework.http.client.ClientHttpRequest;
import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.http.client.SimpleClientHttpRequestFactory;
import org.springframework.util.ReflectionUtils;

/**
 * Around the factory that a plain {@code new RestTemplate()} has: {@link HttpURLConnection} heeds neither an interrupt nor being closed while it waits for bytes, so it gets the time that
 * its transaction has left as its limits for connecting and reading, unless it has shorter ones. Thread-safe.
 */
final class ConnectionDeadlines extends AbstractClientHttpRequestFactoryWrapper {

    private static final Logger log = LoggerFactory.getLogger(ConnectionDeadlines.class);

    private final Supplier<@Nullable Duration> left;

    private ConnectionDeadlines(ClientHttpRequestFactory factory, Supplier<@Nullable Duration> left) {
        super(factory);
        this.left = left;
    }

    /**
     * What to use in place of {@code factory}: itself, unless it is of this kind.
     *
     * @param left how long a call of the calling thread may take; null for as long as it likes
     */
    static ClientHttpRequestFactory around(ClientHttpRequestFactory factory, Supplier<@Nullable Duration> left) {
        return factory instanceof SimpleClientHttpRequestFactory ? new ConnectionDeadlines(factory, left) : factory;
    }

    @Override
    protected ClientHttpRequest createRequest(URI uri, HttpMethod method, ClientHttpRequestFactory factory)
            throws IOException {
        ClientHttpRequest request = factory.createRequest(uri, method);
        Duration now = left.get();
        HttpURLConnection connection = now == null ? null : connection(request);
        if (now != null && connection != null) {
            // Zero would mean for ever.
            int most = (int) Math.min(Integer.MAX_VALUE, Math.max(1, now.toMillis()));
            connection.setConnectTimeout(shorter(connection.getConnectTimeout(), most));
            connection.setReadTimeout(shorter(connection.getReadTimeout(), most));
        }
        return request;
    }

    private static int shorter(int configured, int most) {
        return configured <= 0 ? most : Math.min(configured, most);
    }

    /** It is made with the request and opened by its execution, and nobody is told of it between. Null when it cannot be read: then it keeps the limits that it has. */
    private static @Nullable HttpURLConnection connection(ClientHttpRequest request) {
        Field field = ReflectionUtils.findField(request.getClass(), "connection", HttpURLConnection.class);
        if (field == null) {
            return null;
        }
        try {
            field.setAccessible(true);
            return (HttpURLConnection) ReflectionUtils.getField(field, request);
        } catch (RuntimeException e) {
            log.debug("a field cannot be read", e);
            return null;
        }
    }
}
