package io.txn.spring.autoconfigure;

import io.txn.client.jdbc.XaReconciler;
import javax.sql.DataSource;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.LazyInitializationExcludeFilter;

/** AT mode. */
final class DataSourceBeans extends BeanRegistrar {

    @Override
    void register(BeanRegistrations beans) {
        beans.bindLate(JdbcProperties.class, "txn.jdbc", JdbcProperties::defaults);
        beans.bindLate(XaProperties.class, "txn.xa", XaProperties::defaults);
        beans.eager(Wrapping.class, "txnDataSourceWrapper", DataSourceWrapper.class);
        beans.eager(Wrapping.class, "txnEagerDataSources", LazyInitializationExcludeFilter.class);
        beans.eager(Wrapping.class, "txnXaReconciler", XaReconciler.class);
        beans.eager(Wrapping.class, "txnAtDataSources", AtDataSources.class);
        if (beans.arePresent("io.micrometer.core.instrument.binder.MeterBinder")) {
            Metrics.register(beans);
        }
    }

    /** What wraps data sources, and looks after them. */
    static final class Wrapping {

        private Wrapping() {}

        /** Made before every other bean, so it looks for what it needs only when the first data source comes by. */
        static DataSourceWrapper txnDataSourceWrapper(ConfigurableListableBeanFactory beanFactory) {
            return new DataSourceWrapper(beanFactory);
        }

        /** Somebody has to finish the branches that an earlier run left open, also where beans are made on demand. */
        static LazyInitializationExcludeFilter txnEagerDataSources() {
            return LazyInitializationExcludeFilter.forBeanTypes(DataSource.class, AtDataSources.class);
        }

        static XaReconciler txnXaReconciler(XaProperties txnXaProperties) {
            return new XaReconciler(txnXaProperties.reconcileInterval(), txnXaProperties.orphans());
        }

        static AtDataSources txnAtDataSources(XaReconciler txnXaReconciler) {
            return new AtDataSources(txnXaReconciler);
        }
    }

    /** Loaded only where there are metrics. */
    static final class Metrics {

        private Metrics() {}

        static void register(BeanRegistrations beans) {
            beans.eager(Metrics.class, "txnXaMetrics", XaMetrics.class);
        }

        static XaMetrics txnXaMetrics(XaReconciler txnXaReconciler) {
            return new XaMetrics(txnXaReconciler);
        }
    }
}
