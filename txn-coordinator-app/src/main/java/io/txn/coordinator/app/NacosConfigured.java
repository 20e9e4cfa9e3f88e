package io.txn.coordinator.app;

import org.springframework.context.annotation.Condition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.type.AnnotatedTypeMetadata;

/** Whether a Nacos server is named; empty counts as no. */
final class NacosConfigured implements Condition {

    @Override
    public boolean matches(ConditionContext context, AnnotatedTypeMetadata metadata) {
        return !context.getEnvironment()
                .getProperty(CoordinatorProperties.PREFIX + ".nacos.server-addr", "")
                .isBlank();
    }
}
