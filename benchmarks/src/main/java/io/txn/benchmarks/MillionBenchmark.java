package io.txn.benchmarks;

import io.txn.test.Await;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** Opens many transactions and leaves them open: what one more costs, what each holds of the heap, how long a restart takes. */
final class MillionBenchmark implements Benchmark {

    private static final int BRANCHES = 2;
    private static final int PARTS = 10;
    private static final Duration PART_LIMIT = Duration.ofMinutes(10);

    @Override
    public String name() {
        return "million";
    }

    @Override
    public String purpose() {
        return "cost, heap and restart of our coordinator with many open transactions of 2 branches and 2 rows";
    }

    @Override
    public Map<String, String> defaults() {
        Map<String, String> defaults = new LinkedHashMap<>();
        defaults.put("transactions", "1000000");
        defaults.put("concurrency", "256");
        defaults.put("connections", "4");
        defaults.put("heap", "2g");
        defaults.put(DIRECTORY, "");
        return defaults;
    }

    @Override
    public void run(Options options, Path directory, PrintStream out) {
        int transactions = options.number("transactions");
        String heap = options.text("heap");
        Path data = directory.resolve("data");
        Path log = directory.resolve("coordinator.log");
        try (CoordinatorProcess coordinator = CoordinatorProcess.start(data, log, heap)) {
            long emptyHeap = coordinator.liveHeap();
            out.print(open(options, transactions, coordinator));
            check(transactions, coordinator.statistics());
            long fullHeap = coordinator.liveHeap();
            out.println("start with an empty journal: " + millis(coordinator.startTime()));
            out.println("live heap: " + mebibytes(fullHeap) + ", empty " + mebibytes(emptyHeap)
                    + "; for each open transaction " + (fullHeap - emptyHeap) / Math.max(1, transactions) + " bytes");
        }
        try (CoordinatorProcess again = CoordinatorProcess.start(data, directory.resolve("again.log"), heap)) {
            out.println("restart after kill -9, from the fork to serving: " + millis(again.startTime()));
            Await.until(
                    "all are there",
                    Duration.ofSeconds(30),
                    () -> again.statistics().unfinished() == transactions);
            check(transactions, again.statistics());
            out.println(
                    "all " + transactions + " are there with their locks; live heap " + mebibytes(again.liveHeap()));
        }
    }

    private static Table open(Options options, int transactions, CoordinatorProcess coordinator) {
        Table table = new Table("opened", "tx/s", "p50 ms", "p99 ms", "CPU us/tx", "load");
        try (LightClient client = LightClient.connect("127.0.0.1", coordinator.port(), options.number("connections"))) {
            Load load = new Load(client, 1);
            long opened = 0;
            for (int part = 1; part <= PARTS; part++) {
                long target = (long) transactions * part / PARTS;
                ProcessFigures before = coordinator.figures();
                Load.Result result = load.run(Workload.of(options.number("concurrency"), BRANCHES, PART_LIMIT)
                        .withMost(target - opened)
                        .thatLeavesOpen());
                ProcessFigures used = coordinator.figures().since(before);
                opened += result.ended();
                table.row(
                        Long.toString(opened),
                        Table.number(result.perSecond(), 0),
                        Table.number(result.latencyMillis(50), 2),
                        Table.number(result.latencyMillis(99), 2),
                        Table.number(used.cpuNanos() / 1e3 / Math.max(1, result.ended()), 0),
                        Machine.load());
            }
        }
        return table;
    }

    private static void check(long transactions, Statistics statistics) {
        if (statistics.unfinished() != transactions || statistics.locks() != BRANCHES * transactions) {
            throw new IllegalStateException("not " + transactions + " open transactions: " + statistics);
        }
    }

    private static String mebibytes(long bytes) {
        return Table.number(bytes / 1024.0 / 1024.0, 0) + " MiB";
    }

    private static String millis(Duration time) {
        return Table.number(time.toMillis(), 0) + " ms";
    }
}
