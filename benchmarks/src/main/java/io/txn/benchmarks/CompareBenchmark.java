package io.txn.benchmarks;

import io.txn.test.SeataClient;
import io.txn.test.SeataServer;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Begin, register branches of one row each, commit: the real Seata client against our coordinator, the same against a real Seata server, and the light
 * client against our coordinator, in turns.
 *
 * <p>The CPU of a server is taken from the first begin until every branch has committed, because both carry out commits after they are answered.
 */
final class CompareBenchmark implements Benchmark {

    private static final Duration SETTLE = Duration.ofSeconds(45);
    private static final String[] CLIENT_FLAGS = {
        "-XX:TieredStopAtLevel=4", "-XX:-UseSerialGC", "-XX:+UseG1GC", "-Xmx512m"
    };

    @Override
    public String name() {
        return "compare";
    }

    @Override
    public String purpose() {
        return "our coordinator beside a Seata server 2.0.0, both under the real Seata client 2.6.0";
    }

    @Override
    public Map<String, String> defaults() {
        Map<String, String> defaults = new LinkedHashMap<>();
        defaults.put("concurrency", "1,8,32,64");
        defaults.put("branches", "0,2,8");
        defaults.put("hot-rows", "0,16");
        defaults.put("rounds", "3");
        defaults.put("seconds", "2");
        defaults.put("warm-up", "50000");
        defaults.put("connections", "2");
        defaults.put("heap", "1g");
        defaults.put(DIRECTORY, "");
        return defaults;
    }

    /** One series in one round. */
    private record Figures(
            double perSecond,
            double serverCpu,
            double kernelShare,
            double clientCpu,
            double p50,
            double p99,
            double p999,
            double rolledBack) {}

    /** Something that does a workload and takes figures. */
    private interface Series {
        Figures run(Workload workload);
    }

    @Override
    public void run(Options options, Path directory, PrintStream out) {
        String heap = options.text("heap");
        try (CoordinatorProcess ours = CoordinatorProcess.start(
                        directory.resolve("data"), directory.resolve("coordinator.log"), heap);
                SeataServer theirs =
                        SeataServer.start(directory.resolve("seata"), CoordinatorProcess.serverFlags(heap));
                SeataClient toOurs = SeataClient.startForLoad(
                        ours.address(), "to-ours", directory.resolve("to-ours"), CLIENT_FLAGS);
                SeataClient toTheirs = SeataClient.startForLoad(
                        theirs.address(), "to-theirs", directory.resolve("to-theirs"), CLIENT_FLAGS);
                LightClient light = LightClient.connect("127.0.0.1", ours.port(), options.number("connections"))) {
            Load load = new Load(light, 1);
            Map<String, Series> series = new LinkedHashMap<>();
            series.put(
                    "Seata client, Seata server",
                    workload -> real(toTheirs, theirs.process().pid(), workload));
            series.put("Seata client, coordinator", workload -> real(toOurs, ours.pid(), workload));
            series.put("light client, coordinator", workload -> light(load, ours, workload));
            Workload warmUp = Workload.of(32, 2, CoordinatorBenchmark.WARM_UP_LIMIT);
            series.values().forEach(each -> each.run(warmUp.withMost(options.number("warm-up"))));
            for (Workload workload : Workload.each(options)) {
                out.print(compare(series, workload, options.number("rounds")));
            }
        }
    }

    private static Table compare(Map<String, Series> series, Workload workload, int times) {
        Map<String, List<Figures>> rounds = new LinkedHashMap<>();
        for (int round = 0; round < times; round++) {
            series.forEach((name, each) ->
                    rounds.computeIfAbsent(name, n -> new ArrayList<>()).add(each.run(workload)));
        }
        Table table = new Table(
                workload.concurrency() + " concurrent, " + workload.branches() + " branches"
                        + (workload.hotRows() == 0 ? "" : ", " + workload.hotRows() + " hot rows"),
                "tx/s",
                "x",
                "server CPU us/tx",
                "x",
                "of it kernel",
                "client CPU us/tx",
                "p50 ms",
                "p99 ms",
                "p99.9 ms",
                "given up",
                "load");
        List<Figures> base = rounds.values().iterator().next();
        rounds.forEach((name, all) -> table.row(
                name,
                Table.number(median(all, Figures::perSecond), 0),
                Table.number(ratio(all, base, Figures::perSecond), 2),
                Table.number(median(all, Figures::serverCpu), 0),
                Table.number(ratio(all, base, Figures::serverCpu), 2),
                Table.number(100 * median(all, Figures::kernelShare), 0) + " %",
                Table.number(median(all, Figures::clientCpu), 0),
                Table.number(median(all, Figures::p50), 2),
                Table.number(median(all, Figures::p99), 2),
                Table.number(median(all, Figures::p999), 2),
                Table.number(median(all, Figures::rolledBack), 0),
                Machine.load()));
        return table;
    }

    private static double median(List<Figures> rounds, ToDouble figure) {
        return Medians.of(rounds.stream().map(figure::of).toList());
    }

    /** The median of the ratios within each round, which a load that comes and goes moves less than the ratio of medians. */
    private static double ratio(List<Figures> rounds, List<Figures> base, ToDouble figure) {
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < rounds.size(); i++) {
            ratios.add(figure.of(rounds.get(i)) / figure.of(base.get(i)));
        }
        return Medians.of(ratios);
    }

    private interface ToDouble {
        Double of(Figures figures);
    }

    private static Figures real(SeataClient client, long serverPid, Workload workload) {
        ProcessFigures server = ProcessFigures.of(serverPid);
        ProcessFigures clientBefore = ProcessFigures.of(client.process().pid());
        Map<String, Long> result = client.load(
                workload.concurrency(),
                workload.branches(),
                workload.hotRows(),
                workload.time(),
                workload.most(),
                SETTLE);
        ProcessFigures used = ProcessFigures.of(serverPid).since(server);
        ProcessFigures clientUsed = ProcessFigures.of(client.process().pid()).since(clientBefore);
        if (!figure(result, "branches").equals(figure(result, "branchesCommitted"))) {
            throw new IllegalStateException("not every branch has committed within " + SETTLE + ": " + result);
        }
        double n = Math.max(1, figure(result, "transactions"));
        return new Figures(
                n * 1e9 / figure(result, "nanos"),
                used.cpuNanos() / n / 1e3,
                (double) used.kernelNanos() / Math.max(1, used.cpuNanos()),
                clientUsed.cpuNanos() / n / 1e3,
                figure(result, "p50") / 1e6,
                figure(result, "p99") / 1e6,
                figure(result, "p999") / 1e6,
                figure(result, "rolledBack"));
    }

    private static Long figure(Map<String, Long> result, String name) {
        Long value = result.get(name);
        if (value == null) {
            throw new IllegalStateException("no " + name + " in " + result);
        }
        return value;
    }

    private static Figures light(Load load, CoordinatorProcess coordinator, Workload workload) {
        ProcessFigures server = coordinator.figures();
        ProcessFigures self = ProcessFigures.of(ProcessHandle.current().pid());
        Load.Result result = load.run(workload);
        coordinator.settled();
        ProcessFigures used = coordinator.figures().since(server);
        ProcessFigures selfUsed =
                ProcessFigures.of(ProcessHandle.current().pid()).since(self);
        double n = Math.max(1, result.ended());
        return new Figures(
                result.perSecond(),
                used.cpuNanos() / n / 1e3,
                (double) used.kernelNanos() / Math.max(1, used.cpuNanos()),
                selfUsed.cpuNanos() / n / 1e3,
                result.latencyMillis(50),
                result.latencyMillis(99),
                result.latencyMillis(99.9),
                result.rolledBack());
    }
}
