package io.txn.spring.autoconfigure;

import io.grpc.ServerInterceptor;
import io.txn.client.ContextCarrier;
import io.txn.spring.propagation.Carrier;
import io.txn.spring.propagation.Incoming;
import io.txn.spring.propagation.Outgoing;
import io.txn.spring.propagation.XidClientInterceptor;
import io.txn.spring.propagation.XidServerInterceptor;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigureOrder;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.Ordered;
import org.springframework.grpc.client.GlobalClientInterceptor;
import org.springframework.grpc.server.GlobalServerInterceptor;

/** Global transactions over gRPC. Spring gRPC takes the interceptors by their annotations; elsewhere they are beans to be added. */
@AutoConfiguration(after = TxnPropagationAutoConfiguration.class)
@AutoConfigureOrder(Ordered.LOWEST_PRECEDENCE)
@ConditionalOnClass(name = "io.grpc.ClientInterceptor")
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
public final class TxnGrpcAutoConfiguration {

    /** What leaves. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnProperty(name = "txn.propagation.outgoing", havingValue = "true", matchIfMissing = true)
    static class GrpcClientConfiguration {

        @Bean
        @GlobalClientInterceptor
        @ConditionalOnMissingBean
        XidClientInterceptor txnXidClientInterceptor(ContextCarrier contexts, Outgoing outgoing) {
            return new XidClientInterceptor(contexts, outgoing);
        }

        @Bean
        @Lazy
        Carrier txnGrpcOutCarrier() {
            return new Carrier(
                    "gRPC calls",
                    Carrier.Way.OUT,
                    "channels of Spring gRPC; others with the bean XidClientInterceptor",
                    "the call's deadline");
        }
    }

    /** The same for what arrives. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(ServerInterceptor.class)
    @ConditionalOnProperty(name = "txn.propagation.incoming", havingValue = "true", matchIfMissing = true)
    static class GrpcServerConfiguration {

        @Bean
        @GlobalServerInterceptor
        @ConditionalOnMissingBean
        XidServerInterceptor txnXidServerInterceptor(ContextCarrier contexts, Incoming incoming) {
            return new XidServerInterceptor(contexts, incoming);
        }

        @Bean
        @Lazy
        Carrier txnGrpcInCarrier() {
            return new Carrier(
                    "gRPC services",
                    Carrier.Way.IN,
                    "servers of Spring gRPC; others with the bean XidServerInterceptor",
                    "");
        }
    }
}
