package io.txn.spring.autoconfigure;

import io.txn.client.ContextCarrier;
import io.txn.client.TxnClient;
import io.txn.client.jdbc.AtDataSource;
import io.txn.client.jdbc.AtOptions;
import io.txn.client.rm.ResourceManager;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.aop.scope.ScopedProxyUtils;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;
import org.springframework.util.ClassUtils;

/**
 * Puts an {@link AtDataSource} around every physical pool, once. What stands above pools (routers, delegating data sources) is left alone: it
 * leads to wrapped pools when those are beans, and a line of log says when they are not. The target of a scoped proxy is left alone because
 * the proxy is wrapped.
 */
final class DataSourceWrapper implements BeanPostProcessor {

    private static final Logger log = LoggerFactory.getLogger(DataSourceWrapper.class);

    private static final boolean SPRING_JDBC = ClassUtils.isPresent(
            "org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource",
            DataSourceWrapper.class.getClassLoader());

    private static final boolean DYNAMIC = SPRING_JDBC
            && ClassUtils.isPresent(
                    "com.baomidou.dynamic.datasource.DynamicRoutingDataSource",
                    DataSourceWrapper.class.getClassLoader());

    private final ConfigurableListableBeanFactory beanFactory;

    DataSourceWrapper(ConfigurableListableBeanFactory beanFactory) {
        this.beanFactory = beanFactory;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        if (!(bean instanceof DataSource dataSource) || ScopedProxyUtils.isScopedTarget(beanName)) {
            return DYNAMIC ? DynamicDataSources.wrappingCreator(bean, this::wrapped) : bean;
        }
        if (DYNAMIC && DynamicDataSources.wrapThoseOf(dataSource, this::wrapped)) {
            return bean;
        }
        if (isWrapped(dataSource) || SPRING_JDBC && Layers.isAbovePools(dataSource, beanName)) {
            return bean;
        }
        return wrapped(dataSource, beanName);
    }

    /** The data source itself where it is excluded, or leads to a wrapped one. */
    private DataSource wrapped(DataSource dataSource, String name) {
        if (isWrapped(dataSource)) {
            return dataSource;
        }
        if (beanFactory.getBean(JdbcProperties.class).excluded().contains(name)) {
            log.info("data source is excluded from global transactions name={}", name);
            return dataSource;
        }
        if (AtDataSource.isBeneath(dataSource)) {
            log.info("data source leads to one that takes part in global transactions name={}", name);
            return dataSource;
        }
        return wrap(dataSource, name);
    }

    private AtDataSource wrap(DataSource physical, String beanName) {
        AtOptions options = beanFactory
                .getBean(JdbcProperties.class)
                .toOptions()
                .withLockWait(beanFactory.getBean(ClientProperties.class).lockWait());
        for (AtOptionsCustomizer customizer : beanFactory
                .getBeanProvider(AtOptionsCustomizer.class)
                .orderedStream()
                .toList()) {
            options = customizer.customize(beanName, options);
        }
        ContextCarrier contexts = beanFactory.getBean(ContextCarrier.class);
        ResourceManager resources = beanFactory.getBean(ResourceManager.class);
        DataSource beside = options.phaseTwoConnections() == 0 ? null : BesidePool.of(physical);
        if (beside == null && options.phaseTwoConnections() > 0) {
            log.info(
                    "it is not known how this data source connects, so branches are finished on its own connections name={} type={}",
                    beanName,
                    physical.getClass().getName());
        }
        AtDataSource wrapped = beside == null
                ? AtDataSource.wrap(physical, options, contexts, resources)
                : AtDataSource.wrap(physical, options, contexts, resources, beside);
        beanFactory.getBean(AtDataSources.class).add(beanName, wrapped);
        // On the way down the client stops first, then AT mode, and the pool that both work with last.
        for (Class<?> user : List.of(TxnClient.class, AtDataSources.class)) {
            for (String name : beanFactory.getBeanNamesForType(user, true, false)) {
                beanFactory.registerDependentBean(beanName, name);
            }
        }
        log.info("data source takes part in global transactions name={} resource={}", beanName, wrapped.resourceId());
        return wrapped;
    }

    private static boolean isWrapped(DataSource dataSource) {
        try {
            return dataSource instanceof AtDataSource || dataSource.isWrapperFor(AtDataSource.class);
        } catch (SQLException | RuntimeException e) {
            return false; // one that cannot say what it wraps is taken for a pool
        }
    }

    /** Data sources of spring-jdbc that stand above others; loaded only where spring-jdbc is. */
    private static final class Layers {

        static boolean isAbovePools(DataSource dataSource, String beanName) {
            if (dataSource instanceof AbstractRoutingDataSource router) {
                Map<Object, DataSource> targets = router.getResolvedDataSources();
                warnIfBare(targets.values(), beanName);
                return true;
            }
            if (dataSource instanceof DelegatingDataSource delegating) {
                DataSource target = delegating.getTargetDataSource();
                warnIfBare(target == null ? List.of() : List.of(target), beanName);
                return true;
            }
            return false;
        }

        private static void warnIfBare(Collection<DataSource> targets, String beanName) {
            for (DataSource target : targets) {
                if (!isWrapped(target)
                        && !(target instanceof AbstractRoutingDataSource)
                        && !(target instanceof DelegatingDataSource)) {
                    log.warn(
                            "a data source beneath another one is no bean, so its changes are NOT undone by global transactions; "
                                    + "make it a bean name={} type={}",
                            beanName,
                            target.getClass().getName());
                }
            }
        }
    }
}
