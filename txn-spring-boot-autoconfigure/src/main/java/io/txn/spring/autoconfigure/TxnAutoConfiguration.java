package io.txn.spring.autoconfigure;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigureOrder;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Import;
import org.springframework.core.Ordered;

/**
 * The client, and with it the discovery, where only this one is taken: the connection to the coordinators that a locator finds, and the scope of global transactions; {@link ClientBeans} makes
 * them. After the others, whose conditions need not look at these beans then.
 */
@AutoConfiguration
@AutoConfigureOrder(Ordered.LOWEST_PRECEDENCE)
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
@EnableConfigurationProperties(ClientProperties.class)
@Import({TxnDiscoveryAutoConfiguration.class, ClientBeans.class})
public final class TxnAutoConfiguration {}
