package io.txn.client.discovery;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import org.jspecify.annotations.Nullable;

/**
 * Where coordinators are registered in Nacos. Immutable; its text does not show the password.
 *
 * @param serverAddr the registry, {@code host:port[,host:port]}
 * @param namespace the namespace's id; null for the public one
 * @param group the group of the service
 * @param service the service's name
 * @param cluster only instances of this Nacos cluster; null for all
 * @param username null when the registry asks for none
 * @param password null when the registry asks for none
 */
public record NacosSettings(
        String serverAddr,
        @Nullable String namespace,
        String group,
        String service,
        @Nullable String cluster,
        @Nullable String username,
        @Nullable String password) {

    public static final String DEFAULT_GROUP = "DEFAULT_GROUP";

    /** The name under which coordinators register. */
    public static final String DEFAULT_SERVICE = "txn-coordinator";

    public NacosSettings {
        requireText("server-addr", serverAddr);
        requireText("group", group);
        requireText("service", service);
    }

    /** The service of coordinators in the public namespace of a registry without passwords. */
    public static NacosSettings of(String serverAddr) {
        return new NacosSettings(serverAddr, null, DEFAULT_GROUP, DEFAULT_SERVICE, null, null, null);
    }

    private static void requireText(String key, String value) {
        if (value.isBlank()) {
            throw new TxnException(
                    ErrorCode.BAD_CONFIGURATION, null, "key", "txn.nacos." + key, "problem", "it is blank");
        }
    }

    @Override
    public String toString() {
        return "Nacos " + serverAddr + ", service " + service + ", group " + group
                + (namespace == null ? "" : ", namespace " + namespace)
                + (cluster == null ? "" : ", cluster " + cluster)
                + (username == null ? "" : ", user " + username);
    }
}
