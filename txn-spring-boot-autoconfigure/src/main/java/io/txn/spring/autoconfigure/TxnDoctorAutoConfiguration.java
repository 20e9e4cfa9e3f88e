package io.txn.spring.autoconfigure;

import io.txn.spring.doctor.Doctor;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigureOrder;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.Ordered;

/** What an application says about itself: at its start, as an actuator endpoint, and as health. */
@AutoConfiguration(after = {TxnAutoConfiguration.class, TxnDataSourceAutoConfiguration.class})
@AutoConfigureOrder(Ordered.LOWEST_PRECEDENCE)
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
@EnableConfigurationProperties(DoctorProperties.class)
@Import(DoctorBeans.class)
public final class TxnDoctorAutoConfiguration {

    /** The actuator's endpoint. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(ConditionalOnAvailableEndpoint.class)
    static class EndpointConfiguration {

        @Bean
        @ConditionalOnAvailableEndpoint(endpoint = TxnEndpoint.class)
        TxnEndpoint txnEndpoint(Doctor doctor) {
            return new TxnEndpoint(doctor);
        }
    }
}
