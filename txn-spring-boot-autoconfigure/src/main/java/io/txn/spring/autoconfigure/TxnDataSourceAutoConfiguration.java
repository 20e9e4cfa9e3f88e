package io.txn.spring.autoconfigure;

import io.micrometer.core.instrument.binder.MeterBinder;
import io.txn.client.jdbc.XaReconciler;
import javax.sql.DataSource;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.LazyInitializationExcludeFilter;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** AT mode: data sources are wrapped, so that their local transactions take part in the global one. */
@AutoConfiguration(
        after = TxnAutoConfiguration.class,
        afterName = {
            "org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration",
            "org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration"
        })
@ConditionalOnClass(name = "javax.sql.DataSource")
@ConditionalOnProperty(
        name = {"txn.enabled", "txn.jdbc.enabled"},
        havingValue = "true",
        matchIfMissing = true)
@EnableConfigurationProperties({JdbcProperties.class, XaProperties.class})
public final class TxnDataSourceAutoConfiguration {

    /** Made before every other bean, so it looks for what it needs only when the first data source comes by. */
    @Bean
    static DataSourceWrapper txnDataSourceWrapper(ConfigurableListableBeanFactory beanFactory) {
        return new DataSourceWrapper(beanFactory);
    }

    /** Somebody has to finish the branches that an earlier run left open, also where beans are made on demand. */
    @Bean
    static LazyInitializationExcludeFilter txnEagerDataSources() {
        return LazyInitializationExcludeFilter.forBeanTypes(DataSource.class, AtDataSources.class);
    }

    @Bean(destroyMethod = "close")
    XaReconciler txnXaReconciler(XaProperties properties) {
        return new XaReconciler(properties.reconcileInterval(), properties.orphans());
    }

    @Bean
    AtDataSources txnAtDataSources(XaReconciler reconciler) {
        return new AtDataSources(reconciler);
    }

    /** Loaded only where there are metrics. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(MeterBinder.class)
    static class MetricsConfiguration {

        @Bean
        XaMetrics txnXaMetrics(XaReconciler reconciler) {
            return new XaMetrics(reconciler);
        }
    }
}
