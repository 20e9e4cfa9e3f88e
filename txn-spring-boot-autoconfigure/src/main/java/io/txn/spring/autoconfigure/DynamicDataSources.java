package io.txn.spring.autoconfigure;

import com.baomidou.dynamic.datasource.DynamicRoutingDataSource;
import com.baomidou.dynamic.datasource.creator.DataSourceProperty;
import com.baomidou.dynamic.datasource.creator.DefaultDataSourceCreator;
import com.baomidou.dynamic.datasource.ds.GroupDataSource;
import com.baomidou.dynamic.datasource.ds.ItemDataSource;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.sql.DataSource;
import org.aopalliance.intercept.MethodInterceptor;
import org.springframework.aop.framework.ProxyFactory;

/**
 * The router of dynamic-datasource, whose pools are no beans: each of them is wrapped, and never the router, because a router has no database
 * in which a branch could be finished. Loaded only where that library is.
 */
final class DynamicDataSources {

    private DynamicDataSources() {}

    /** Wraps a pool under its name. */
    interface Wrapping {
        DataSource wrapped(DataSource pool, String name);
    }

    /** Wraps what the router leads to by now; false when it is none. */
    static boolean wrapThoseOf(DataSource dataSource, Wrapping wrapping) {
        if (!(dataSource instanceof DynamicRoutingDataSource router)) {
            return false;
        }
        Map<String, DataSource> pools = router.getDataSources();
        for (String name : pools.keySet()) {
            pools.computeIfPresent(name, (key, pool) -> {
                DataSource wrapped = wrapped(pool, name, wrapping);
                for (GroupDataSource group : router.getGroupDataSources().values()) {
                    group.getDataSourceMap().replaceAll((member, own) -> own == pool ? wrapped : own);
                }
                return wrapped;
            });
        }
        return true;
    }

    /** What the router leads to now, past what the library puts around. */
    static Map<Object, DataSource> poolsOf(DataSource dataSource) {
        Map<Object, DataSource> pools = new LinkedHashMap<>();
        if (dataSource instanceof DynamicRoutingDataSource router) {
            router.getDataSources()
                    .forEach((name, pool) ->
                            pools.put(name, pool instanceof ItemDataSource item ? item.getDataSource() : pool));
        }
        return pools;
    }

    /** One that wraps what it makes, also for routers that get another pool while they run. */
    static Object wrappingCreator(Object bean, Wrapping wrapping) {
        if (!(bean instanceof DefaultDataSourceCreator)) {
            return bean;
        }
        ProxyFactory factory = new ProxyFactory(bean);
        factory.setProxyTargetClass(true);
        factory.addAdvice((MethodInterceptor) call -> {
            Object made = call.proceed();
            return made instanceof DataSource pool && call.getArguments()[0] instanceof DataSourceProperty property
                    ? wrapped(pool, String.valueOf(property.getPoolName()), wrapping)
                    : made;
        });
        return factory.getProxy(bean.getClass().getClassLoader());
    }

    private static DataSource wrapped(DataSource pool, String name, Wrapping wrapping) {
        if (pool instanceof ItemDataSource item) {
            item.setDataSource(wrapping.wrapped(item.getDataSource(), name));
            return item;
        }
        return wrapping.wrapped(pool, name);
    }
}
