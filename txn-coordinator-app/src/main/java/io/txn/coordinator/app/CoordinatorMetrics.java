package io.txn.coordinator.app;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.txn.coordinator.Coordinator;
import io.txn.coordinator.CoordinatorStatistics;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/** The coordinator's own figures as meters. They are read when somebody asks, and cost nothing until then. */
final class CoordinatorMetrics implements MeterBinder {

    private final Coordinator coordinator;

    CoordinatorMetrics(Coordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        Meters meters = new Meters(registry, coordinator);
        meters.counter("txn.global.begun", "global transactions begun", CoordinatorStatistics::begun);
        meters.decided("committed", CoordinatorStatistics::committed);
        meters.decided("rolled_back", figures -> figures.rolledBack() - figures.timedOut());
        meters.decided("timed_out", CoordinatorStatistics::timedOut);
        meters.gauge("txn.global.active", "not decided yet", CoordinatorStatistics::active);
        meters.gauge(
                "txn.global.unfinished", "not committed or rolled back to the end", CoordinatorStatistics::unfinished);
        meters.gauge("txn.global.attention", "waiting for a person", CoordinatorStatistics::needingAttention);
        meters.gauge("txn.global.known", "held in memory, retained ones too", CoordinatorStatistics::transactions);
        meters.counter("txn.branch.registered", "branches registered", CoordinatorStatistics::branchesRegistered);
        meters.gauge("txn.branch.calls", "branch calls waiting for an answer", CoordinatorStatistics::callsInFlight);
        meters.counter("txn.branch.calls.failed", "branch calls that failed", CoordinatorStatistics::callsFailed);
        meters.gauge("txn.lock.held", "rows locked", CoordinatorStatistics::locks);
        meters.gauge("txn.request.keys", "idempotency keys kept", CoordinatorStatistics::requestKeys);
        meters.gauge(
                "txn.request.keys.bytes",
                "what these and their results hold, by estimate",
                CoordinatorStatistics::requestKeyBytes);
        meters.counter(
                "txn.lock.conflicts", "registrations refused because of a lock", CoordinatorStatistics::lockConflicts);
        meters.gauge("txn.lock.waiters", "requests that wait for rows", CoordinatorStatistics::lockWaiters);
        FunctionTimer.builder(
                        "txn.lock.wait",
                        coordinator,
                        it -> it.statistics().lockWaitsGranted(),
                        it -> it.statistics().lockWaitMillis(),
                        TimeUnit.MILLISECONDS)
                .description("waiting for rows that were got in the end")
                .register(registry);
        meters.counter(
                "txn.lock.deadlocks", "requests refused as a deadlock's victim", CoordinatorStatistics::deadlocks);
        meters.counter(
                "txn.lock.waits.over", "requests refused after waiting in vain", CoordinatorStatistics::lockWaitsOver);
        meters.gauge("txn.coordinator.mailbox", "commands waiting to be decided", CoordinatorStatistics::mailbox);
        meters.gauge(
                "txn.coordinator.connections", "connections of registered clients", CoordinatorStatistics::sessions);
        meters.counter(
                "txn.coordinator.registrations.refused",
                "registrations refused",
                CoordinatorStatistics::registrationsRefused);
        meters.counter(
                "txn.coordinator.connections.refused",
                "connections closed before they had registered",
                CoordinatorStatistics::connectionsRefused);
        meters.counter("txn.journal.records", "records made durable", CoordinatorStatistics::journalRecords);
        meters.counter("txn.journal.bytes", "bytes written for these", CoordinatorStatistics::journalBytes);
        FunctionTimer.builder(
                        "txn.journal.fsync",
                        coordinator,
                        it -> it.statistics().fsyncs(),
                        it -> it.statistics().fsyncNanos(),
                        TimeUnit.NANOSECONDS)
                .description("forcing the disk")
                .register(registry);
    }

    private record Meters(MeterRegistry registry, Coordinator coordinator) {

        void counter(String name, String description, ToDoubleFunction<CoordinatorStatistics> figure) {
            FunctionCounter.builder(name, coordinator, it -> figure.applyAsDouble(it.statistics()))
                    .description(description)
                    .register(registry);
        }

        void decided(String outcome, ToDoubleFunction<CoordinatorStatistics> figure) {
            FunctionCounter.builder("txn.global", coordinator, it -> figure.applyAsDouble(it.statistics()))
                    .tag("outcome", outcome)
                    .description("global transactions decided")
                    .register(registry);
        }

        void gauge(String name, String description, ToDoubleFunction<CoordinatorStatistics> figure) {
            Gauge.builder(name, coordinator, it -> figure.applyAsDouble(it.statistics()))
                    .description(description)
                    .register(registry);
        }
    }
}
