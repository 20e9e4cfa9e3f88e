package io.txn.spring.autoconfigure;

import io.txn.client.discovery.NacosSettings;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The Nacos registry in which coordinators register.
 *
 * @param serverAddr the registry's host:port, several with commas; without it, and without txn.coordinator.address, no coordinator is configured
 * @param namespace the namespace's id; the public one when unset
 * @param group the group of the coordinators' service
 * @param service the name of the coordinators' service
 * @param cluster only coordinators of this Nacos cluster; all when unset
 * @param username the user, when the registry asks for one
 * @param password the user's password
 */
@ConfigurationProperties("txn.nacos")
record NacosProperties(
        @Nullable String serverAddr,
        @Nullable String namespace,
        @DefaultValue(NacosSettings.DEFAULT_GROUP) String group,
        @DefaultValue(NacosSettings.DEFAULT_SERVICE) String service,
        @Nullable String cluster,
        @Nullable String username,
        @Nullable String password) {

    NacosSettings toSettings() {
        return new NacosSettings(
                serverAddr == null ? "" : serverAddr, namespace, group, service, cluster, username, password);
    }

    @Override
    public String toString() {
        return toSettings().toString();
    }
}
