package io.txn.coordinator.app;

import java.util.List;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.annotation.Condition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.type.AnnotatedTypeMetadata;

/** Whether the servers of a registry are named; empty counts as no. */
abstract class RegistryConfigured implements Condition {

    private final String key;

    private RegistryConfigured(String key) {
        this.key = CoordinatorProperties.PREFIX + key;
    }

    @Override
    public final boolean matches(ConditionContext context, AnnotatedTypeMetadata metadata) {
        List<String> servers = Binder.get(context.getEnvironment())
                .bind(key, Bindable.listOf(String.class))
                .orElse(null);
        return servers != null && servers.stream().anyMatch(server -> !server.isBlank());
    }

    static final class Nacos extends RegistryConfigured {
        Nacos() {
            super(".nacos.server-addr");
        }
    }

    static final class Eureka extends RegistryConfigured {
        Eureka() {
            super(".eureka.urls");
        }
    }

    static final class Etcd extends RegistryConfigured {
        Etcd() {
            super(".etcd.endpoints");
        }
    }
}
