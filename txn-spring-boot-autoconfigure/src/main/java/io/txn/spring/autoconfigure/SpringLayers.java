package io.txn.spring.autoconfigure;

import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;

/** Data sources of spring-jdbc that stand above others, and their subclasses. Loaded only where spring-jdbc is. */
final class SpringLayers {

    private SpringLayers() {}

    /** Wraps a data source under its name; what is wrapped already, or leads to wrapped ones, comes back as it is. */
    interface Wrapping {
        DataSource wrapped(DataSource dataSource, String name);
    }

    /** What a data source is. */
    enum Layer {
        /** One that Spring JDBC knows nothing of. */
        OTHER,
        /** It leads to others, which are wrapped now. */
        ABOVE,
        /** It leads to others that it does not tell, or that it does not have yet. */
        ABOVE_UNKNOWN
    }

    /** Wraps what this one leads to in its place, as far as that is no wrapped bean already. A router that is given other targets later has to be given wrapped ones. */
    static Layer wrapBeneath(DataSource dataSource, String name, Wrapping wrapping) {
        if (dataSource instanceof AbstractRoutingDataSource router) {
            return wrapTargets(router, name, wrapping);
        }
        if (dataSource instanceof DelegatingDataSource delegating) {
            DataSource target = delegating.getTargetDataSource();
            if (target == null) {
                return Layer.ABOVE_UNKNOWN;
            }
            DataSource wrapped = wrapping.wrapped(target, name + ".target");
            if (wrapped != target) {
                delegating.setTargetDataSource(wrapped);
            }
            return Layer.ABOVE;
        }
        return Layer.OTHER;
    }

    /** What this one leads to now. */
    static Map<Object, DataSource> targetsOf(DataSource dataSource) {
        Map<Object, DataSource> targets = new LinkedHashMap<>();
        if (dataSource instanceof AbstractRoutingDataSource router) {
            targets.putAll(router.getResolvedDataSources());
            DataSource otherwise = router.getResolvedDefaultDataSource();
            if (otherwise != null && !targets.containsValue(otherwise)) {
                targets.put("default", otherwise);
            }
        } else if (dataSource instanceof DelegatingDataSource delegating && delegating.getTargetDataSource() != null) {
            targets.put("target", delegating.getTargetDataSource());
        }
        return targets;
    }

    private static Layer wrapTargets(AbstractRoutingDataSource router, String name, Wrapping wrapping) {
        Map<Object, DataSource> targets;
        try {
            targets = router.getResolvedDataSources();
        } catch (IllegalStateException e) {
            return Layer.ABOVE_UNKNOWN; // it has none of Spring's, but a way of its own
        }
        Map<DataSource, DataSource> wrapped = new IdentityHashMap<>();
        Map<Object, Object> replaced = new LinkedHashMap<>();
        targets.forEach((key, target) ->
                replaced.put(key, wrapped.computeIfAbsent(target, pool -> wrapping.wrapped(pool, name + '.' + key))));
        @Nullable DataSource otherwise = router.getResolvedDefaultDataSource();
        DataSource wrappedOtherwise = otherwise == null
                ? null
                : wrapped.computeIfAbsent(otherwise, pool -> wrapping.wrapped(pool, name + ".default"));
        if (wrapped.entrySet().stream().allMatch(entry -> entry.getKey() == entry.getValue())) {
            return wrapped.isEmpty() ? Layer.ABOVE_UNKNOWN : Layer.ABOVE;
        }
        router.setTargetDataSources(replaced);
        if (wrappedOtherwise != null) {
            router.setDefaultTargetDataSource(wrappedOtherwise);
        }
        // Not afterPropertiesSet(), which subclasses override to make their pools.
        router.initialize();
        return Layer.ABOVE;
    }
}
