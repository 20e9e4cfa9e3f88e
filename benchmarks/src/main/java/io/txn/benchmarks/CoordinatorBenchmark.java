package io.txn.benchmarks;

import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The coordinator under the light client, over TCP, by concurrency, branches and kind of rows. */
final class CoordinatorBenchmark implements Benchmark {

    /** Warming up is a number of transactions, because that is what the JVM's compilers go by; they take a third of the CPU before. */
    static final Duration WARM_UP_LIMIT = Duration.ofMinutes(2);

    private static final long SEED = 1;

    @Override
    public String name() {
        return "coordinator";
    }

    @Override
    public String purpose() {
        return "throughput, latency, CPU, bytes and syncs of our coordinator under a light client";
    }

    @Override
    public Map<String, String> defaults() {
        Map<String, String> defaults = new LinkedHashMap<>();
        defaults.put("concurrency", "1,8,32,64");
        defaults.put("branches", "0,2,8");
        defaults.put("hot-rows", "0,16");
        defaults.put("seconds", "3");
        defaults.put("warm-up", "100000");
        defaults.put("open", "20000");
        defaults.put("connections", "2");
        defaults.put("heap", "1g");
        defaults.put("recording", "");
        defaults.put(DIRECTORY, "");
        return defaults;
    }

    @Override
    public void run(Options options, Path directory, PrintStream out) throws Exception {
        try (CoordinatorProcess coordinator = CoordinatorProcess.start(
                        directory.resolve("data"), directory.resolve("coordinator.log"), options.text("heap"));
                LightClient client =
                        LightClient.connect("127.0.0.1", coordinator.port(), options.number("connections"))) {
            Load load = new Load(client, SEED);
            load.run(Workload.of(32, 2, WARM_UP_LIMIT).withMost(options.number("warm-up")));
            coordinator.settled();
            String recording = options.text("recording");
            if (!recording.isEmpty()) {
                coordinator.jcmd("JFR.start", "name=benchmark", "settings=profile");
            }
            out.print(measure(options, coordinator, load, client.mayWait()));
            out.print(open(options, coordinator, load));
            if (!recording.isEmpty()) {
                Path file = Path.of(recording).toAbsolutePath();
                coordinator.jcmd("JFR.dump", "name=benchmark", "filename=" + file);
                out.println("recording: " + file + " (" + Files.size(file) + " bytes)");
            }
        }
    }

    private static Table measure(Options options, CoordinatorProcess coordinator, Load load, boolean mayWait) {
        Table table = new Table(
                "rows",
                "branches",
                "concurrent",
                "tx/s",
                "p50 ms",
                "p99 ms",
                "p99.9 ms",
                "longest ms",
                "CPU us/tx",
                "of it kernel",
                "allocated B/tx",
                "journal B/tx",
                "records/tx",
                "fsyncs/tx",
                "conflicts/tx",
                "given up",
                "load");
        for (Workload workload : Workload.each(options)) {
            table.row(row(workload, coordinator, load));
            if (workload.hotRows() > 0 && mayWait) {
                table.row(row(workload.withWaiting(true), coordinator, load));
            }
        }
        return table;
    }

    /** What open transactions hold. They stay open until the coordinator's process ends with the run. */
    private static Table open(Options options, CoordinatorProcess coordinator, Load load) {
        Table table = new Table("rows", "branches", "left open", "heap B for each");
        int transactions = options.number("open");
        for (int branches : transactions == 0 ? List.<Integer>of() : options.numbers("branches")) {
            long before = coordinator.liveHeap();
            long opened = load.run(Workload.of(64, branches, WARM_UP_LIMIT)
                            .withMost(transactions)
                            .thatLeavesOpen())
                    .ended();
            table.row(
                    "unique",
                    Integer.toString(branches),
                    Long.toString(opened),
                    Table.number((coordinator.liveHeap() - before) / (double) Math.max(1, opened), 0));
        }
        return table;
    }

    private static String[] row(Workload workload, CoordinatorProcess coordinator, Load load) {
        Statistics before = coordinator.statistics();
        ProcessFigures idle = coordinator.figures();
        Load.Result result = load.run(workload);
        Statistics after = coordinator.settled();
        ProcessFigures used = coordinator.figures().since(idle);
        if (after.committed() - before.committed() != result.ended() || after.locks() != 0) {
            throw new IllegalStateException(
                    "the coordinator counts otherwise: " + result + ", before " + before + ", after " + after);
        }
        double n = Math.max(1, result.ended());
        return new String[] {
            workload.hotRows() == 0
                    ? "unique"
                    : workload.hotRows() + (workload.waiting() ? " hot, waiting" : " hot, asking again"),
            Integer.toString(workload.branches()),
            Integer.toString(workload.concurrency()),
            Table.number(result.perSecond(), 0),
            Table.number(result.latencyMillis(50), 2),
            Table.number(result.latencyMillis(99), 2),
            Table.number(result.latencyMillis(99.9), 2),
            Table.number(result.latencyMillis(100), 0),
            Table.number(used.cpuNanos() / n / 1e3, 0),
            Table.number(100.0 * used.kernelNanos() / Math.max(1, used.cpuNanos()), 0) + " %",
            Table.number((after.allocatedBytes() - before.allocatedBytes()) / n, 0),
            Table.number((after.journalBytes() - before.journalBytes()) / n, 0),
            Table.number((after.journalRecords() - before.journalRecords()) / n, 2),
            Table.number((after.fsyncs() - before.fsyncs()) / n, 2),
            Table.number(result.lockConflicts() / n, 2),
            Long.toString(result.rolledBack()),
            Machine.load()
        };
    }
}
