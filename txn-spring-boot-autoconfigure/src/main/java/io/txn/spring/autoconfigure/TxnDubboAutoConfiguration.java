package io.txn.spring.autoconfigure;

import io.txn.client.ContextCarrier;
import io.txn.spring.propagation.Carrier;
import io.txn.spring.propagation.DubboContexts;
import io.txn.spring.propagation.Incoming;
import io.txn.spring.propagation.Outgoing;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigureOrder;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.Ordered;

/** Global transactions over Dubbo, whose filters are made by itself. */
@AutoConfiguration(after = TxnPropagationAutoConfiguration.class)
@AutoConfigureOrder(Ordered.LOWEST_PRECEDENCE)
@ConditionalOnClass(name = "org.apache.dubbo.rpc.Filter")
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
public final class TxnDubboAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean
    DubboContexts txnDubboContexts(
            ContextCarrier contexts, Outgoing outgoing, Incoming incoming, PropagationProperties properties) {
        return new DubboContexts(
                contexts, properties.outgoing() ? outgoing : null, properties.incoming() ? incoming : null);
    }

    @Bean
    @Lazy
    Carrier txnDubboCarrier() {
        return new Carrier("Dubbo", Carrier.Way.OUT, "every call", "a shorter timeout");
    }
}
