package io.txn.client.discovery;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Where coordinators are registered in Nacos. Immutable; its text does not show what is secret. Start from {@link #of}.
 *
 * @param serverAddr the registry, {@code host:port[,host:port]}; blank only where {@code endpoint} is not
 * @param namespace the namespace's id; null for the public one
 * @param group the group of the service
 * @param service the service's name
 * @param cluster only instances of this Nacos cluster; null for all
 * @param username null when the registry asks for none
 * @param password null when the registry asks for none
 * @param accessKey null when the registry asks for none
 * @param secretKey null when the registry asks for none
 * @param endpoint the address server that names the registry's servers; null for none
 */
public record NacosSettings(
        String serverAddr,
        @Nullable String namespace,
        String group,
        String service,
        @Nullable String cluster,
        @Nullable String username,
        @Nullable String password,
        @Nullable String accessKey,
        @Nullable String secretKey,
        @Nullable String endpoint) {

    public static final String DEFAULT_GROUP = "DEFAULT_GROUP";

    /** The name under which coordinators register. */
    public static final String DEFAULT_SERVICE = "txn-coordinator";

    public NacosSettings {
        if (endpoint == null) {
            requireText("server-addr", serverAddr);
        }
        requireText("group", group);
        requireText("service", service);
    }

    /** The service of coordinators in the public namespace of a registry without passwords. */
    public static NacosSettings of(String serverAddr) {
        return new NacosSettings(serverAddr, null, DEFAULT_GROUP, DEFAULT_SERVICE, null, null, null, null, null, null);
    }

    /** The servers that the address server at {@code endpoint} names. */
    public static NacosSettings ofEndpoint(String endpoint) {
        return new NacosSettings("", null, DEFAULT_GROUP, DEFAULT_SERVICE, null, null, null, null, null, endpoint);
    }

    public NacosSettings withNamespace(@Nullable String value) {
        return with(draft -> draft.namespace = value);
    }

    public NacosSettings withGroup(String value) {
        return with(draft -> draft.group = value);
    }

    public NacosSettings withService(String value) {
        return with(draft -> draft.service = value);
    }

    public NacosSettings withCluster(@Nullable String value) {
        return with(draft -> draft.cluster = value);
    }

    public NacosSettings withUser(@Nullable String name, @Nullable String secret) {
        return with(draft -> {
            draft.username = name;
            draft.password = secret;
        });
    }

    public NacosSettings withKeys(@Nullable String access, @Nullable String secret) {
        return with(draft -> {
            draft.accessKey = access;
            draft.secretKey = secret;
        });
    }

    private NacosSettings with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.finish(this);
    }

    private static final class Draft {
        private @Nullable String namespace;
        private String group;
        private String service;
        private @Nullable String cluster;
        private @Nullable String username;
        private @Nullable String password;
        private @Nullable String accessKey;
        private @Nullable String secretKey;

        Draft(NacosSettings from) {
            namespace = from.namespace;
            group = from.group;
            service = from.service;
            cluster = from.cluster;
            username = from.username;
            password = from.password;
            accessKey = from.accessKey;
            secretKey = from.secretKey;
        }

        NacosSettings finish(NacosSettings from) {
            return new NacosSettings(
                    from.serverAddr,
                    namespace,
                    group,
                    service,
                    cluster,
                    username,
                    password,
                    accessKey,
                    secretKey,
                    from.endpoint);
        }
    }

    private static void requireText(String key, String value) {
        if (value.isBlank()) {
            throw new TxnException(
                    ErrorCode.BAD_CONFIGURATION, null, "key", "txn.nacos." + key, "problem", "it is blank");
        }
    }

    @Override
    public String toString() {
        return "Nacos " + (serverAddr.isBlank() ? "servers named by " + endpoint : serverAddr) + ", service " + service
                + ", group " + group
                + (namespace == null ? "" : ", namespace " + namespace)
                + (cluster == null ? "" : ", cluster " + cluster)
                + (username == null ? "" : ", user " + username);
    }
}
