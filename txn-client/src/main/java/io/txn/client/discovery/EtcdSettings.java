package io.txn.client.discovery;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.net.URI;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where coordinators are registered in etcd. Immutable; its text does not show the password.
 *
 * @param endpoints the servers of one etcd cluster, {@code http://host:port} or {@code https://host:port}; asked in turn
 * @param cluster the name under which the coordinators register together
 * @param username null when etcd asks for none
 * @param password null when etcd asks for none
 */
public record EtcdSettings(
        List<String> endpoints,
        String cluster,
        @Nullable String username,
        @Nullable String password) {

    public static final String DEFAULT_CLUSTER = "default";

    /** Behind it come the cluster, a slash and the address. */
    public static final String KEYS = "/txn/coordinators/";

    public EtcdSettings {
        endpoints = endpoints.stream()
                .map(String::strip)
                .filter(endpoint -> !endpoint.isEmpty())
                .map(endpoint -> endpoint.endsWith("/") ? endpoint.substring(0, endpoint.length() - 1) : endpoint)
                .toList();
        if (endpoints.isEmpty()) {
            throw invalid("endpoints", "none is named");
        }
        for (String endpoint : endpoints) {
            if (!endpoint.matches("https?://[^/?#@\\s]+")
                    || URI.create(endpoint).getHost() == null) {
                // Before an @ there may be a password.
                throw invalid(
                        "endpoints", "not of the form http://host:port: " + endpoint.replaceFirst("(?s).*@", "***@"));
            }
        }
        if (!cluster.matches("[A-Za-z0-9._-]{1,100}")) {
            throw invalid("cluster", "it is 1 to 100 letters, digits, points, hyphens and low lines");
        }
        if ((username == null) != (password == null)) {
            throw invalid("username", "username and password go together");
        }
    }

    /** The coordinators of the usual name, of an etcd without passwords. */
    public static EtcdSettings of(String... endpoints) {
        return new EtcdSettings(List.of(endpoints), DEFAULT_CLUSTER, null, null);
    }

    private static TxnException invalid(String key, String problem) {
        return new TxnException(ErrorCode.BAD_CONFIGURATION, null, "key", "txn.etcd." + key, "problem", problem);
    }

    @Override
    public String toString() {
        return "etcd " + String.join(",", endpoints) + ", cluster " + cluster
                + (username == null ? "" : ", user " + username);
    }
}
