package io.txn.spring.autoconfigure;

import io.txn.client.ContextCarrier;
import io.txn.client.TxnClient;
import io.txn.client.jdbc.AtDataSource;
import io.txn.client.jdbc.AtOptions;
import io.txn.client.rm.ResourceManager;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
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

    private final ConfigurableListableBeanFactory beanFactory;

    DataSourceWrapper(ConfigurableListableBeanFactory beanFactory) {
        this.beanFactory = beanFactory;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        if (!(bean instanceof DataSource dataSource)
                || ScopedProxyUtils.isScopedTarget(beanName)
                || isWrapped(dataSource)) {
            return bean;
        }
        if (beanFactory.getBean(JdbcProperties.class).excluded().contains(beanName)) {
            log.info("data source is excluded from global transactions name={}", beanName);
            return bean;
        }
        if (SPRING_JDBC && Layers.isAbovePools(dataSource, beanName)) {
            return bean;
        }
        return wrap(dataSource, beanName);
    }

    private AtDataSource wrap(DataSource physical, String beanName) {
        AtOptions options = beanFactory.getBean(JdbcProperties.class).toOptions();
        for (AtOptionsCustomizer customizer : beanFactory
                .getBeanProvider(AtOptionsCustomizer.class)
                .orderedStream()
                .toList()) {
            options = customizer.customize(beanName, options);
        }
        AtDataSource wrapped = AtDataSource.wrap(
                physical,
                options,
                beanFactory.getBean(ContextCarrier.class),
                beanFactory.getBean(ResourceManager.class));
        beanFactory.getBean(AtDataSources.class).add(beanName, wrapped);
        // On the way down the client stops first, then AT mode, and the pool that both work with last.
        for (Class<?> user : List.of(TxnClient.class, AtDataSources.class)) {
            for (String name : beanFactory.getBeanNamesForType(user, true, false)) {
                beanFactory.registerDependentBean(beanName, name);
            }
        }
        log.info("data source takes part in global transactions name={} resource={}", beanName, wrapped.resourceId());
        warnIfNotDurable(physical, beanName);
        return wrapped;
    }

    private static boolean isWrapped(DataSource dataSource) {
        try {
            return dataSource instanceof AtDataSource || dataSource.isWrapperFor(AtDataSource.class);
        } catch (SQLException | RuntimeException e) {
            return false; // one that cannot say what it wraps is taken for a pool
        }
    }

    /** H2 acknowledges a commit before it is written, unless told otherwise: a branch that was reported committed could vanish. */
    private static void warnIfNotDurable(DataSource physical, String beanName) {
        try (Connection connection = physical.getConnection()) {
            String url = connection.getMetaData().getURL();
            if (!"H2".equals(connection.getMetaData().getDatabaseProductName())
                    || url.startsWith("jdbc:h2:mem:")
                    || !"500".equals(writeDelay(connection))) {
                return;
            }
            log.warn(
                    "{}",
                    TxnException.text(
                            ErrorCode.H2_NOT_DURABLE, TxnException.asMap("dataSource", beanName, "url", url)));
        } catch (SQLException e) {
            log.debug("could not look at the write delay of {}", beanName, e);
        }
    }

    private static @Nullable String writeDelay(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet setting = statement.executeQuery(
                        "SELECT SETTING_VALUE FROM INFORMATION_SCHEMA.SETTINGS WHERE SETTING_NAME = 'WRITE_DELAY'")) {
            return setting.next() ? setting.getString(1) : null;
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
