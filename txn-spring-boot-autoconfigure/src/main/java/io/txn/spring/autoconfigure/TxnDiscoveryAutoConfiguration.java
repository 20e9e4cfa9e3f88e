package io.txn.spring.autoconfigure;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigureOrder;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Import;
import org.springframework.core.Ordered;

/** Where coordinators are looked up; {@link DiscoveryBeans} chooses. */
@AutoConfiguration(before = TxnAutoConfiguration.class)
@AutoConfigureOrder(Ordered.LOWEST_PRECEDENCE)
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
@EnableConfigurationProperties({
    CoordinatorProperties.class,
    NacosProperties.class,
    EtcdProperties.class,
    DiscoveryProperties.class
})
@Import(DiscoveryBeans.class)
public final class TxnDiscoveryAutoConfiguration {}
