package io.txn.spring.autoconfigure;

import io.txn.client.TxnClient;
import io.txn.client.discovery.CoordinatorLocator;
import io.txn.client.jdbc.XaReconciler;
import io.txn.client.rpc.CoordinatorState;
import io.txn.spring.doctor.AdviceExamination;
import io.txn.spring.doctor.CoordinatorsExamination;
import io.txn.spring.doctor.DataSourcesExamination;
import io.txn.spring.doctor.Doctor;
import io.txn.spring.doctor.Examination;
import io.txn.spring.doctor.JarsExamination;
import io.txn.spring.doctor.KeysExamination;
import io.txn.spring.doctor.PreparedBranchesExamination;
import io.txn.spring.doctor.ReactiveDatabasesExamination;
import io.txn.spring.doctor.RegistryExamination;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.io.ResourceLoader;
import org.springframework.util.ClassUtils;

/** What an application says about itself: at its start, as an actuator endpoint, and as health. Types that Spring Boot 4 moved have a configuration for each place. */
@AutoConfiguration(after = {TxnAutoConfiguration.class, TxnDataSourceAutoConfiguration.class})
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
@EnableConfigurationProperties(DoctorProperties.class)
public final class TxnDoctorAutoConfiguration {

    @Bean
    Doctor txnDoctor(ObjectProvider<Examination> examinations) {
        return new Doctor(() -> examinations.orderedStream().toList());
    }

    @Bean
    @ConditionalOnProperty(name = "txn.doctor.enabled", havingValue = "true", matchIfMissing = true)
    DoctorReport txnDoctorReport(Doctor doctor, TxnClient client, DoctorProperties properties) {
        return new DoctorReport(doctor, client, properties);
    }

    @Bean
    @Lazy
    @Order(100)
    Examination txnCoordinatorsExamination(TxnClient client, DoctorProperties properties) {
        return new CoordinatorsExamination(client, properties.clocksMayDiffer());
    }

    @Bean
    @Lazy
    @Order(200)
    Examination txnRegistryExamination(CoordinatorLocator locator) {
        return new RegistryExamination(locator);
    }

    @Bean
    @Lazy
    @Order(500)
    Examination txnAdviceExamination(ConfigurableListableBeanFactory beanFactory) {
        return new AdviceExamination(beanFactory);
    }

    @Bean
    @Lazy
    @Order(600)
    Examination txnKeysExamination(ConfigurableEnvironment environment, ResourceLoader resources) {
        return new KeysExamination(environment, loader(resources));
    }

    @Bean
    @Lazy
    @Order(700)
    Examination txnJarsExamination(ConfigurableEnvironment environment, ResourceLoader resources) {
        return new JarsExamination(
                loader(resources), () -> "false".equalsIgnoreCase(environment.getProperty("seata.enabled")));
    }

    /** Where R2DBC is, which an application has on purpose, and seldom for the same rows. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(name = ReactiveDatabasesConfiguration.CONNECTIONS)
    static class ReactiveDatabasesConfiguration {

        static final String CONNECTIONS = "io.r2dbc.spi.ConnectionFactory";

        @Bean
        @Order(350)
        Examination txnReactiveDatabasesExamination(
                ConfigurableListableBeanFactory beanFactory, ResourceLoader resources) {
            return new ReactiveDatabasesExamination(
                    beanFactory, ClassUtils.resolveClassName(CONNECTIONS, loader(resources)));
        }
    }

    private static ClassLoader loader(ResourceLoader resources) {
        ClassLoader loader = resources.getClassLoader();
        return loader == null ? TxnDoctorAutoConfiguration.class.getClassLoader() : loader;
    }

    /** Where AT mode is on. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnBean(AtDataSources.class)
    static class DataSourcesConfiguration {

        @Bean
        @Lazy
        @Order(300)
        Examination txnDataSourcesExamination(AtDataSources sources) {
            return new DataSourcesExamination(sources, sources::wrapped);
        }

        @Bean
        @Lazy
        @Order(400)
        Examination txnPreparedBranchesExamination(XaReconciler reconciler) {
            return new PreparedBranchesExamination(reconciler::orphans);
        }
    }

    /** The actuator's endpoint. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(ConditionalOnAvailableEndpoint.class)
    static class EndpointConfiguration {

        @Bean
        @ConditionalOnMissingBean
        @ConditionalOnAvailableEndpoint(endpoint = TxnEndpoint.class)
        TxnEndpoint txnEndpoint(Doctor doctor) {
            return new TxnEndpoint(doctor);
        }
    }

    /** Each coordinator by its address, for the details of health. */
    private static Map<String, Object> details(TxnClient client) {
        Map<String, Object> details = new LinkedHashMap<>();
        for (CoordinatorState state : client.coordinatorStates()) {
            String reason = state.reason();
            details.put(
                    state.address().toString(),
                    state.connected() ? "connected" : reason == null ? "not connected yet" : reason);
        }
        if (details.isEmpty()) {
            details.put(
                    "coordinators",
                    "none is known; searched " + client.locator().description());
        }
        return details;
    }

    /** Where Spring Boot 3 has its health. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(
            name = {
                "org.springframework.boot.actuate.health.HealthIndicator",
                "org.springframework.boot.actuate.autoconfigure.health.ConditionalOnEnabledHealthIndicator"
            })
    static class HealthOfSpringBoot3 {

        @Bean
        @ConditionalOnMissingBean(name = "txnHealthIndicator")
        @org.springframework.boot.actuate.autoconfigure.health.ConditionalOnEnabledHealthIndicator("txn")
        org.springframework.boot.actuate.health.HealthIndicator txnHealthIndicator(TxnClient client) {
            return () -> (client.connected()
                            ? org.springframework.boot.actuate.health.Health.up()
                            : org.springframework.boot.actuate.health.Health.down())
                    .withDetails(details(client))
                    .build();
        }
    }

    /** Where Spring Boot 4 has its health. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(
            name = {
                "org.springframework.boot.health.contributor.HealthIndicator",
                "org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator"
            })
    static class HealthOfSpringBoot4 {

        @Bean
        @ConditionalOnMissingBean(name = "txnHealthIndicator")
        @org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator("txn")
        org.springframework.boot.health.contributor.HealthIndicator txnHealthIndicator(TxnClient client) {
            return () -> (client.connected()
                            ? org.springframework.boot.health.contributor.Health.up()
                            : org.springframework.boot.health.contributor.Health.down())
                    .withDetails(details(client))
                    .build();
        }
    }
}
