package io.txn.spring.autoconfigure;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.txn.client.fence.Fence;
import io.txn.client.fence.FenceJanitor;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

/** The figures of all fences of this application. */
final class FenceMetrics implements MeterBinder {

    private final Supplier<FenceJanitor> janitor;

    /** @param janitor asked when somebody wants to know the figures */
    FenceMetrics(Supplier<FenceJanitor> janitor) {
        this.janitor = janitor;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        FunctionCounter.builder("txn.fence.deleted", janitor, all -> sum(all, Fence::deleted))
                .description("Rows of the fence that were deleted because their branch is over and they are old")
                .register(registry);
        FunctionCounter.builder("txn.fence.begun.anew", janitor, all -> sum(all, Fence::begunAnew))
                .description("Local transactions that the fence began anew because the database asked for it")
                .register(registry);
        Gauge.builder("txn.fence.unfinished", janitor, all -> sum(all, Fence::unfinished))
                .description(
                        "Rows of the fence that are old although the end of their branch has not come, at the last look")
                .register(registry);
    }

    private static double sum(Supplier<FenceJanitor> janitor, ToLongFunction<Fence> figure) {
        return janitor.get().fences().stream().mapToLong(figure).sum();
    }
}
