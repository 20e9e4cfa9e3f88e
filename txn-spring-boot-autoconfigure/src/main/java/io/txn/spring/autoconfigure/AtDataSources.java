package io.txn.spring.autoconfigure;

import io.txn.client.jdbc.AtDataSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.SmartInitializingSingleton;

/**
 * The data sources of this application that AT mode wraps, by bean name. Checks or creates their undo tables once all beans are made, so
 * that migration tools find the schema as they expect it. Destroyed before the pools beneath.
 */
final class AtDataSources implements SmartInitializingSingleton, DisposableBean {

    private final Map<String, AtDataSource> wrapped = new ConcurrentSkipListMap<>();

    void add(String beanName, AtDataSource dataSource) {
        wrapped.put(beanName, dataSource);
    }

    List<String> names() {
        return List.copyOf(wrapped.keySet());
    }

    @Override
    public void afterSingletonsInstantiated() {
        wrapped.values().forEach(AtDataSource::prepare);
    }

    @Override
    public void destroy() {
        wrapped.values().forEach(AtDataSource::close);
    }
}
