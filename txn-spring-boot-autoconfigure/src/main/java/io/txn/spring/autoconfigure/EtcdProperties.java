package io.txn.spring.autoconfigure;

import io.txn.client.discovery.EtcdSettings;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The etcd in which coordinators register.
 *
 * @param endpoints its servers, http://host:port; those of one cluster
 * @param cluster the name under which the coordinators register together
 * @param username the user, when etcd asks for one
 * @param password the user's password
 */
@ConfigurationProperties("txn.etcd")
record EtcdProperties(
        @DefaultValue List<String> endpoints,
        @DefaultValue(EtcdSettings.DEFAULT_CLUSTER) String cluster,
        @Nullable String username,
        @Nullable String password) {

    static EtcdProperties defaults() {
        return new EtcdProperties(List.of(), EtcdSettings.DEFAULT_CLUSTER, null, null);
    }

    EtcdSettings toSettings() {
        return new EtcdSettings(endpoints, cluster, username, password);
    }

    /** Without the password. */
    @Override
    public String toString() {
        return "EtcdProperties[endpoints=" + endpoints + ", cluster=" + cluster + ']';
    }
}
