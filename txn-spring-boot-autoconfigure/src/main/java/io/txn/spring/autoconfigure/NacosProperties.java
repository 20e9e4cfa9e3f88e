package io.txn.spring.autoconfigure;

import io.txn.client.discovery.NacosSettings;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The Nacos registry in which coordinators register. What is not set here, except group, service and cluster, is taken from the application's own Nacos settings
 * (spring.cloud.nacos.discovery, spring.cloud.nacos; spring.nacos.discovery, spring.nacos; nacos.discovery), as long as no server is named here.
 *
 * @param serverAddr the registry's host:port, several with commas; without it the application's own Nacos, if it has one
 * @param namespace the namespace's id; the public one when unset
 * @param group the group of the coordinators' service; not that of the application's own services
 * @param service the name of the coordinators' service
 * @param cluster only coordinators of this Nacos cluster; all when unset
 * @param username the user, when the registry asks for one
 * @param password the user's password
 * @param accessKey access key, when the registry asks for one
 * @param secretKey secret key that goes with the access key
 * @param endpoint the address server that names the registry's servers, instead of their addresses
 */
@ConfigurationProperties("txn.nacos")
record NacosProperties(
        @Nullable String serverAddr,
        @Nullable String namespace,
        @DefaultValue(NacosSettings.DEFAULT_GROUP) String group,
        @DefaultValue(NacosSettings.DEFAULT_SERVICE) String service,
        @Nullable String cluster,
        @Nullable String username,
        @Nullable String password,
        @Nullable String accessKey,
        @Nullable String secretKey,
        @Nullable String endpoint) {

    static NacosProperties defaults() {
        return new NacosProperties(
                null,
                null,
                NacosSettings.DEFAULT_GROUP,
                NacosSettings.DEFAULT_SERVICE,
                null,
                null,
                null,
                null,
                null,
                null);
    }

    /** The key that names a Nacos for coordinators; null when none does. */
    @Nullable
    String whatNamesIt() {
        if (serverAddr != null && !serverAddr.isBlank()) {
            return "txn.nacos.server-addr";
        }
        return endpoint == null || endpoint.isBlank() ? null : "txn.nacos.endpoint";
    }

    /** Of the servers named here. */
    NacosSettings toSettings() {
        return complete(
                endpoint == null || serverAddr != null && !serverAddr.isBlank()
                        ? NacosSettings.of(serverAddr == null ? "" : serverAddr)
                        : NacosSettings.ofEndpoint(endpoint));
    }

    /** Of the application's servers, with what is set here over what it has. */
    NacosSettings toSettings(ApplicationNacos application) {
        NacosSettings settings = application.settings();
        NacosSettings own = complete(settings);
        return own.withNamespace(namespace == null ? settings.namespace() : namespace)
                .withUser(
                        username == null ? settings.username() : username,
                        password == null ? settings.password() : password)
                .withKeys(
                        accessKey == null ? settings.accessKey() : accessKey,
                        secretKey == null ? settings.secretKey() : secretKey);
    }

    private NacosSettings complete(NacosSettings of) {
        return of.withNamespace(namespace)
                .withGroup(group)
                .withService(service)
                .withCluster(cluster)
                .withUser(username, password)
                .withKeys(accessKey, secretKey);
    }

    /** Without the secrets. */
    @Override
    public String toString() {
        return "NacosProperties[serverAddr=" + serverAddr + ", service=" + service + ']';
    }
}
