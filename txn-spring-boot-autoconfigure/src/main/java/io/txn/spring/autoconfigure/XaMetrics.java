package io.txn.spring.autoconfigure;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.txn.client.jdbc.XaReconciler;

/** The figures of prepared branches without a coordinator. */
final class XaMetrics implements MeterBinder {

    private final XaReconciler reconciler;

    XaMetrics(XaReconciler reconciler) {
        this.reconciler = reconciler;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        Gauge.builder("txn.xa.orphans", reconciler, all -> all.orphans().size())
                .description("Prepared branches that no coordinator will end, at the last look")
                .register(registry);
        FunctionCounter.builder("txn.xa.orphans.rolled.back", reconciler, XaReconciler::rolledBack)
                .description("Prepared branches that no coordinator would have ended and that were rolled back")
                .register(registry);
    }
}
