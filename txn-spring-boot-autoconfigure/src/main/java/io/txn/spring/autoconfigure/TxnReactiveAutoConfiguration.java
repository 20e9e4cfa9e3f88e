package io.txn.spring.autoconfigure;

import io.txn.spring.propagation.Carrier;
import io.txn.spring.propagation.EntryHandlerAdapter;
import io.txn.spring.propagation.Incoming;
import io.txn.spring.propagation.ReactiveContexts;
import io.txn.spring.propagation.XidWebFilter;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigureOrder;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.Ordered;
import org.springframework.web.reactive.HandlerAdapter;
import org.springframework.web.server.WebFilter;
import reactor.core.publisher.Mono;

/** Global transactions in chains of Reactor's, which {@link ReactiveBeans} makes, and requests of WebFlux. */
@AutoConfiguration(after = TxnAutoConfiguration.class, before = TxnPropagationAutoConfiguration.class)
@AutoConfigureOrder(Ordered.LOWEST_PRECEDENCE)
@ConditionalOnClass(Mono.class)
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
@Import(ReactiveBeans.class)
public final class TxnReactiveAutoConfiguration {

    /** Requests of WebFlux. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass({WebFilter.class, HandlerAdapter.class})
    @ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.REACTIVE)
    @ConditionalOnProperty(name = "txn.propagation.incoming", havingValue = "true", matchIfMissing = true)
    static class WebFluxConfiguration {

        @Bean
        @ConditionalOnMissingBean
        XidWebFilter txnXidWebFilter(ReactiveContexts contexts, Incoming incoming) {
            return new XidWebFilter(contexts, incoming);
        }

        @Bean
        @ConditionalOnMissingBean
        EntryHandlerAdapter txnEntryHandlerAdapter(ObjectProvider<HandlerAdapter> adapters, XidWebFilter filter) {
            return new EntryHandlerAdapter(() -> adapters.orderedStream().toList(), filter);
        }

        @Bean
        @Lazy
        Carrier txnWebFluxCarrier() {
            return new Carrier("WebFlux requests", Carrier.Way.IN, "every request, into Reactor's context", "");
        }
    }
}
