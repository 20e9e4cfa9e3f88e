package io.txn.spring.autoconfigure;

import io.txn.client.discovery.NacosSettings;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.core.env.Environment;

/**
 * The Nacos that the application has for itself, read from its keys: from the first family of prefixes that names a server, each key under the nearer prefix first.
 * The group is left out: a namespace separates environments, a group sorts an application's services, and nobody gives the coordinator the application's.
 *
 * @param source the prefix that names the server, for the log
 */
record ApplicationNacos(String source, NacosSettings settings) {

    private static final List<List<String>> FAMILIES = List.of(
            List.of("spring.cloud.nacos.discovery", "spring.cloud.nacos"),
            List.of("spring.nacos.discovery", "spring.nacos"),
            List.of("nacos.discovery"));

    /** Where Spring Cloud Alibaba looks when no key says so. */
    static final String ALIBABA = "com.alibaba.cloud.nacos.NacosDiscoveryProperties";

    private static final String ALIBABA_DEFAULT = "127.0.0.1:8848";

    /** Null when it has none, or does not use it. */
    static @Nullable ApplicationNacos find(Environment environment, boolean alibabaIsPresent) {
        Binder binder = Binder.get(environment);
        for (List<String> family : FAMILIES) {
            if (!enabled(binder, family)) {
                continue;
            }
            for (String prefix : family) {
                String servers = value(binder, List.of(prefix), "server-addr");
                String endpoint = value(binder, List.of(prefix), "endpoint");
                if (servers != null || endpoint != null) {
                    return new ApplicationNacos(prefix, settings(binder, family, servers, endpoint));
                }
            }
        }
        List<String> alibaba = FAMILIES.get(0);
        return enabled(binder, alibaba) && alibabaIsPresent
                ? new ApplicationNacos(
                        "the default of Spring Cloud Alibaba", settings(binder, alibaba, ALIBABA_DEFAULT, null))
                : null;
    }

    private static boolean enabled(Binder binder, List<String> family) {
        return isOn(binder, family.get(0) + ".enabled")
                && (!family.get(0).startsWith("spring.cloud.") || isOn(binder, "spring.cloud.discovery.enabled"));
    }

    private static boolean isOn(Binder binder, String key) {
        return binder.bind(key, Boolean.class).orElse(true);
    }

    private static NacosSettings settings(
            Binder binder, List<String> family, @Nullable String servers, @Nullable String endpoint) {
        NacosSettings of = servers == null
                ? NacosSettings.ofEndpoint(Objects.requireNonNull(endpoint))
                : NacosSettings.of(servers);
        return of.withNamespace(value(binder, family, "namespace"))
                .withUser(value(binder, family, "username"), value(binder, family, "password"))
                .withKeys(value(binder, family, "access-key"), value(binder, family, "secret-key"));
    }

    private static @Nullable String value(Binder binder, List<String> prefixes, String key) {
        for (String prefix : prefixes) {
            String value = binder.bind(prefix + '.' + key, String.class).orElse("");
            if (!value.isBlank()) {
                return value;
            }
        }
        return null;
    }
}
