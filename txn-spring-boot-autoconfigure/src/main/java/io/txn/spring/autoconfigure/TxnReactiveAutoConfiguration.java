package io.txn.spring.autoconfigure;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.spring.ReactiveTransactions;
import io.txn.spring.propagation.Carrier;
import io.txn.spring.propagation.EntryHandlerAdapter;
import io.txn.spring.propagation.Incoming;
import io.txn.spring.propagation.ReactiveContexts;
import io.txn.spring.propagation.XidWebFilter;
import java.time.InstantSource;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.web.reactive.HandlerAdapter;
import org.springframework.web.server.WebFilter;
import reactor.core.publisher.Mono;

/** Global transactions in chains of Reactor's, and requests of WebFlux. */
@AutoConfiguration(after = TxnAutoConfiguration.class, before = TxnPropagationAutoConfiguration.class)
@ConditionalOnClass(Mono.class)
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
public final class TxnReactiveAutoConfiguration {

    @Bean
    @Lazy
    ReactiveContexts txnReactiveContexts(ContextCarrier contexts) {
        return new ReactiveContexts(contexts);
    }

    @Bean
    @Lazy
    ReactiveTransactions txnReactiveTransactions(
            ContextCarrier contexts, ObjectProvider<GlobalTransactionTemplate> transactions) {
        return new ReactiveTransactions(contexts, transactions::getObject, InstantSource.system());
    }

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
