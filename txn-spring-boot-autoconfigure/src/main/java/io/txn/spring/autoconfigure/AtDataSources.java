package io.txn.spring.autoconfigure;

import io.txn.client.jdbc.AtDataSource;
import io.txn.client.jdbc.XaReconciler;
import io.txn.spring.doctor.SeenDataSource;
import io.txn.spring.doctor.SeenDataSources;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.SmartInitializingSingleton;

/**
 * The data sources of this application, by name: those that AT mode wraps, and what became of the others. Checks or creates the undo tables once all beans are
 * made, so that migration tools find the schema as they expect it. Destroyed before the pools beneath.
 */
final class AtDataSources implements SeenDataSources, SmartInitializingSingleton, DisposableBean {

    private final Map<String, AtDataSource> wrapped = new ConcurrentSkipListMap<>();
    private final XaReconciler reconciler;
    private final Map<String, SeenDataSource> seen = new ConcurrentSkipListMap<>();

    /** What can say which pools came later and are not covered; and how what was exchanged is put back. */
    private final List<Supplier<List<SeenDataSource>>> looks = new CopyOnWriteArrayList<>();

    private final List<Runnable> restorations = new CopyOnWriteArrayList<>();

    /** @param reconciler looks after what their databases prepare, once they are prepared for work */
    AtDataSources(XaReconciler reconciler) {
        this.reconciler = reconciler;
    }

    void addLook(Supplier<List<SeenDataSource>> uncovered, Runnable restore) {
        looks.add(uncovered);
        restorations.add(restore);
    }

    void add(String name, AtDataSource dataSource) {
        wrapped.put(name, dataSource);
        saw(new SeenDataSource(
                name,
                dataSource.physical().getClass().getName(),
                SeenDataSource.Fate.WRAPPED,
                "takes part in global transactions",
                dataSource.resourceId()));
    }

    void saw(SeenDataSource dataSource) {
        seen.put(dataSource.name(), dataSource);
    }

    /** Those that take part. */
    Map<String, AtDataSource> wrapped() {
        return Map.copyOf(wrapped);
    }

    List<String> names() {
        return List.copyOf(wrapped.keySet());
    }

    @Override
    public List<SeenDataSource> seen() {
        Map<String, SeenDataSource> now = new TreeMap<>(seen);
        looks.forEach(look -> look.get().forEach(source -> now.put(source.name(), source)));
        return List.copyOf(now.values());
    }

    @Override
    public void afterSingletonsInstantiated() {
        wrapped.values().forEach(AtDataSource::prepare);
        wrapped.values().forEach(reconciler::add);
    }

    @Override
    public void destroy() {
        reconciler.close();
        restorations.forEach(Runnable::run);
        wrapped.values().forEach(AtDataSource::close);
    }
}
