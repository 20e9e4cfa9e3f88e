package io.txn.spring.autoconfigure;

import io.txn.client.ContextCarrier;
import io.txn.client.TxnClient;
import io.txn.client.jdbc.AtDataSource;
import io.txn.client.jdbc.AtOptions;
import io.txn.client.rm.ResourceManager;
import io.txn.spring.doctor.SeenDataSource;
import io.txn.spring.doctor.SeenDataSource.Fate;
import java.sql.SQLException;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.aop.scope.ScopedProxyUtils;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.util.ClassUtils;

/**
 * Puts an {@link AtDataSource} around every physical pool, once. What stands above pools (routers, delegating data sources) is left alone: it leads to wrapped pools
 * when those are beans, and those that are none are wrapped in their places. The target of a scoped proxy is left alone because the proxy is wrapped. What became of each
 * data source is kept in {@link AtDataSources}.
 */
final class DataSourceWrapper implements BeanPostProcessor {

    private static final String AT_DATA_SOURCES = "txnAtDataSources";

    private static final Logger log = LoggerFactory.getLogger(DataSourceWrapper.class);

    private static final boolean SPRING_JDBC = ClassUtils.isPresent(
            "org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource",
            DataSourceWrapper.class.getClassLoader());

    private static final boolean DYNAMIC = SPRING_JDBC
            && ClassUtils.isPresent(
                    "com.baomidou.dynamic.datasource.DynamicRoutingDataSource",
                    DataSourceWrapper.class.getClassLoader());

    private static final boolean SHARDING_SPHERE = ClassUtils.isPresent(
            "org.apache.shardingsphere.driver.jdbc.core.datasource.ShardingSphereDataSource",
            DataSourceWrapper.class.getClassLoader());

    private final ConfigurableListableBeanFactory beanFactory;

    /** Those that are left alone, which they stay beneath others, too. */
    private final Set<DataSource> leftAlone =
            Collections.synchronizedSet(Collections.newSetFromMap(new IdentityHashMap<>()));

    DataSourceWrapper(ConfigurableListableBeanFactory beanFactory) {
        this.beanFactory = beanFactory;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        if (!(bean instanceof DataSource dataSource) || ScopedProxyUtils.isScopedTarget(beanName)) {
            return DYNAMIC ? DynamicDataSources.wrappingCreator(bean, (pool, name) -> wrapped(pool, name, null)) : bean;
        }
        if (DYNAMIC && DynamicDataSources.wrapThoseOf(dataSource, (pool, name) -> wrapped(pool, name, beanName))) {
            saw(dataSource, beanName, Fate.ABOVE, "a router of dynamic-datasource; its pools are wrapped one by one");
            lookAgain(beanName, () -> DynamicDataSources.poolsOf(dataSource));
            return bean;
        }
        return wrapped(dataSource, beanName, beanName);
    }

    /**
     * The data source itself where it is excluded, wrapped already, or leads to wrapped ones.
     *
     * @param bean the bean that holds it, which is destroyed after what works with the pool; null where none does
     */
    private DataSource wrapped(DataSource dataSource, String name, @Nullable String bean) {
        if (dataSource instanceof AtDataSource || leftAlone.contains(dataSource)) {
            return dataSource;
        }
        DataSource wrapped = looked(dataSource, name, bean);
        if (wrapped == dataSource) {
            leftAlone.add(dataSource);
        }
        return wrapped;
    }

    private DataSource looked(DataSource dataSource, String name, @Nullable String bean) {
        if (beanFactory
                .getBean("txnJdbcProperties", JdbcProperties.class)
                .excluded()
                .contains(name)) {
            log.info("data source is excluded from global transactions name={}", name);
            saw(dataSource, name, Fate.EXCLUDED, "named in txn.jdbc.excluded");
            return dataSource;
        }
        SpringLayers.Layer layer = SPRING_JDBC
                ? SpringLayers.wrapBeneath(dataSource, name, (pool, key) -> wrapped(pool, key, bean))
                : SpringLayers.Layer.OTHER;
        if (layer == SpringLayers.Layer.ABOVE) {
            lookAgain(name, () -> SpringLayers.targetsOf(dataSource));
            saw(dataSource, name, Fate.ABOVE, "leads to other data sources, which are looked at one by one");
            return dataSource;
        }
        if (isWrapped(dataSource)) {
            saw(dataSource, name, Fate.ABOVE, "says that it wraps one that takes part");
            return dataSource;
        }
        if (SHARDING_SPHERE && wrapShards(dataSource, name, bean)) {
            saw(dataSource, name, Fate.ABOVE, "of ShardingSphere; its storage units are wrapped one by one");
            return dataSource;
        }
        if (AtDataSource.isBeneath(dataSource)) {
            log.info("data source leads to one that takes part in global transactions name={}", name);
            saw(dataSource, name, Fate.ABOVE, "its connections come from one that takes part");
            return dataSource;
        }
        if (layer == SpringLayers.Layer.ABOVE_UNKNOWN) {
            log.warn(
                    "a data source leads to others that it does not tell, so what is done through it is NOT undone by global transactions; make its pools beans, or"
                            + " name it in txn.jdbc.excluded name={} type={}",
                    name,
                    dataSource.getClass().getName());
            saw(
                    dataSource,
                    name,
                    Fate.UNCOVERED,
                    "leads to others that it does not tell; make its pools beans, or name it in txn.jdbc.excluded");
            return dataSource;
        }
        return wrap(dataSource, name, bean);
    }

    /** Has the doctor tell what somebody put beneath a router after the start: nothing says so when it is done. */
    private void lookAgain(String name, Supplier<Map<Object, DataSource>> beneath) {
        beanFactory
                .getBean(AT_DATA_SOURCES, AtDataSources.class)
                .addLook(
                        () -> beneath.get().entrySet().stream()
                                .filter(entry -> !(entry.getValue() instanceof AtDataSource)
                                        && !leftAlone.contains(entry.getValue()))
                                .map(entry -> new SeenDataSource(
                                        name + '.' + entry.getKey(),
                                        entry.getValue().getClass().getName(),
                                        Fate.UNCOVERED,
                                        "was put beneath " + name
                                                + " after the start; make it a bean, or give the router all its pools at the start",
                                        null))
                                .toList(),
                        () -> {});
    }

    private boolean wrapShards(DataSource dataSource, String name, @Nullable String bean) {
        ShardingSpherePools pools = ShardingSpherePools.wrapBeneath(
                dataSource, name, beanFactory.getBean(ContextCarrier.class), (pool, key) -> wrapped(pool, key, bean));
        if (pools == null) {
            return false;
        }
        beanFactory.getBean(AT_DATA_SOURCES, AtDataSources.class).addLook(pools::uncovered, pools::restore);
        return true;
    }

    private void saw(DataSource dataSource, String name, Fate fate, String why) {
        beanFactory
                .getBean(AT_DATA_SOURCES, AtDataSources.class)
                .saw(new SeenDataSource(name, dataSource.getClass().getName(), fate, why, null));
    }

    private AtDataSource wrap(DataSource physical, String name, @Nullable String bean) {
        AtOptions options = beanFactory
                .getBean("txnJdbcProperties", JdbcProperties.class)
                .toOptions(name)
                .withLockWait(beanFactory
                        .getBean("txnClientProperties", ClientProperties.class)
                        .lockWait());
        for (AtOptionsCustomizer customizer : beanFactory
                .getBeanProvider(AtOptionsCustomizer.class)
                .orderedStream()
                .toList()) {
            options = customizer.customize(name, options);
        }
        ContextCarrier contexts = beanFactory.getBean(ContextCarrier.class);
        ResourceManager resources = beanFactory.getBean("txnResourceManager", ResourceManager.class);
        DataSource beside = options.phaseTwoConnections() == 0 ? null : BesidePool.of(physical);
        if (beside == null && options.phaseTwoConnections() > 0) {
            log.info(
                    "it is not known how this data source connects, so branches are finished on its own connections name={} type={}",
                    name,
                    physical.getClass().getName());
        }
        AtDataSource wrapped = beside == null
                ? AtDataSource.wrap(physical, options, contexts, resources)
                : AtDataSource.wrap(physical, options, contexts, resources, beside);
        wrapped.evictingBy(BesidePool.evicting(physical)).reachedBy(BesidePool.url(physical));
        beanFactory.getBean(AT_DATA_SOURCES, AtDataSources.class).add(name, wrapped);
        // On the way down the client stops first, then AT mode, and the pool that both work with last.
        if (bean != null) {
            beanFactory.registerDependentBean(bean, AT_DATA_SOURCES);
            for (String client : beanFactory.getBeanNamesForType(TxnClient.class, true, false)) {
                beanFactory.registerDependentBean(bean, client);
            }
        }
        log.info("data source takes part in global transactions name={} resource={}", name, wrapped.resourceId());
        return wrapped;
    }

    private static boolean isWrapped(DataSource dataSource) {
        try {
            return dataSource.isWrapperFor(AtDataSource.class);
        } catch (SQLException | RuntimeException e) {
            return false; // one that cannot say what it wraps is taken for a pool
        }
    }
}
