package io.txn.benchmarks;

import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.ToDoubleFunction;
import org.HdrHistogram.Histogram;

/**
 * Sagas of two HTTP steps: our coordinator, which forces its journal to the disk before it answers, and, when one is named, a dtm server beside it, in turns under the same load with the same endpoints.
 */
final class SagaBenchmark implements Benchmark {

    private static final String DTM = "dtm";
    private static final String OURS = "coordinator";
    private static final Duration END_WAIT = Duration.ofSeconds(120);
    private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(5);

    @Override
    public String name() {
        return "saga";
    }

    @Override
    public String purpose() {
        return "sagas of two HTTP steps, driven by our coordinator and by a dtm server that is running";
    }

    @Override
    public Map<String, String> defaults() {
        Map<String, String> defaults = new LinkedHashMap<>();
        defaults.put("concurrency", "1,8,32,64");
        defaults.put("rounds", "3");
        defaults.put("seconds", "5");
        defaults.put("most", "0");
        defaults.put("warm-up", "20000");
        defaults.put("dtm-warm-up", "2000");
        defaults.put("connections", "2");
        defaults.put("heap", "1g");
        defaults.put(DTM, "");
        defaults.put("dtm-pid", "");
        defaults.put("recording", "");
        defaults.put(DIRECTORY, "");
        return defaults;
    }

    /** One side in one round; {@code fsyncs} is not known of a dtm. */
    private record Figures(
            double perSecond, double cpu, double kernelShare, double p50, double p99, double calls, double fsyncs) {}

    @Override
    public void run(Options options, Path directory, PrintStream out) throws Exception {
        try (StepServer steps = new StepServer();
                CoordinatorProcess coordinator = CoordinatorProcess.start(
                        directory.resolve("data"),
                        directory.resolve("coordinator.log"),
                        options.text("heap"),
                        steps.url());
                LightClient client =
                        LightClient.connect("127.0.0.1", coordinator.port(), options.number("connections"))) {
            Map<String, SagaSide> sides = new LinkedHashMap<>();
            if (!options.text(DTM).isEmpty()) {
                String pid = options.text("dtm-pid");
                sides.put(
                        DTM,
                        new SagaSide.Dtm(
                                URI.create(options.text(DTM)),
                                pid.isEmpty() ? null : Long.valueOf(options.number("dtm-pid")),
                                steps.url()));
            }
            sides.put(OURS, new SagaSide.Ours(coordinator, client, steps.url()));
            for (Map.Entry<String, SagaSide> side : sides.entrySet()) {
                int most = options.number(side.getKey().equals(DTM) ? "dtm-warm-up" : "warm-up");
                load(side.getValue(), 32, CoordinatorBenchmark.WARM_UP_LIMIT, most);
            }
            String recording = options.text("recording");
            if (!recording.isEmpty()) {
                coordinator.jcmd("JFR.start", "name=benchmark", "settings=profile");
            }
            for (int concurrency : options.numbers("concurrency")) {
                out.print(compare(sides, coordinator, steps, concurrency, options));
            }
            if (!recording.isEmpty()) {
                Path file = Path.of(recording).toAbsolutePath();
                coordinator.jcmd("JFR.dump", "name=benchmark", "filename=" + file);
                out.println("recording: " + file + " (" + Files.size(file) + " bytes)");
            }
        }
    }

    private static Table compare(
            Map<String, SagaSide> sides,
            CoordinatorProcess coordinator,
            StepServer steps,
            int concurrency,
            Options options)
            throws Exception {
        Map<String, List<Figures>> rounds = new LinkedHashMap<>();
        for (int round = 0; round < Math.max(1, options.number("rounds")); round++) {
            for (Map.Entry<String, SagaSide> side : sides.entrySet()) {
                Figures figures = measure(side.getValue(), coordinator, steps, concurrency, options);
                rounds.computeIfAbsent(side.getKey(), name -> new ArrayList<>()).add(figures);
            }
        }
        Table table = new Table(
                concurrency + " concurrent",
                "sagas/s",
                "x",
                "server CPU us/saga",
                "x",
                "of it kernel",
                "p50 ms",
                "p99 ms",
                "calls/saga",
                "fsyncs/saga",
                "load");
        List<Figures> base = rounds.values().iterator().next();
        rounds.forEach((name, all) -> table.row(
                name,
                Table.number(median(all, Figures::perSecond), 0),
                Table.number(ratio(all, base, Figures::perSecond), 2),
                Table.number(median(all, Figures::cpu), 0),
                Table.number(ratio(all, base, Figures::cpu), 2),
                Table.number(100 * median(all, Figures::kernelShare), 0) + " %",
                Table.number(median(all, Figures::p50), 2),
                Table.number(median(all, Figures::p99), 2),
                Table.number(median(all, Figures::calls), 2),
                Table.number(median(all, Figures::fsyncs), 2),
                Machine.load()));
        return table;
    }

    private static double median(List<Figures> rounds, ToDoubleFunction<Figures> figure) {
        return Medians.of(
                rounds.stream().map(round -> figure.applyAsDouble(round)).toList());
    }

    /** The median of the ratios within each round. */
    private static double ratio(List<Figures> rounds, List<Figures> base, ToDoubleFunction<Figures> figure) {
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < rounds.size(); i++) {
            ratios.add(figure.applyAsDouble(rounds.get(i)) / figure.applyAsDouble(base.get(i)));
        }
        return Medians.of(ratios);
    }

    private static Figures measure(
            SagaSide side, CoordinatorProcess coordinator, StepServer steps, int concurrency, Options options)
            throws Exception {
        long a = steps.calls("a");
        long b = steps.calls("b");
        Statistics before = coordinator.statistics();
        ProcessFigures idle = side.figures();
        int most = options.number("most");
        Result result = load(side, concurrency, options.seconds("seconds"), most == 0 ? Long.MAX_VALUE : most);
        ProcessFigures used = side.figures().since(idle);
        Statistics after = coordinator.statistics();
        long n = result.latency.getTotalCount();
        long first = steps.calls("a") - a;
        long second = steps.calls("b") - b;
        boolean isOurs = side instanceof SagaSide.Ours;
        if (first < n || second < n || steps.calls("undo-a") + steps.calls("undo-b") > 0) {
            throw new IllegalStateException(n + " sagas, but " + first + " and " + second + " calls of their steps");
        } else if (after.committed() - before.committed() != (isOurs ? n : 0)) {
            throw new IllegalStateException("the coordinator counts otherwise: " + n + ", " + before + ", " + after);
        }
        double each = Math.max(1, n);
        return new Figures(
                n * 1e9 / result.nanos,
                used.cpuNanos() == 0 ? Double.NaN : used.cpuNanos() / each / 1e3,
                (double) used.kernelNanos() / Math.max(1, used.cpuNanos()),
                result.latency.getValueAtPercentile(50) / 1e6,
                result.latency.getValueAtPercentile(99) / 1e6,
                (first + second) / each,
                isOurs ? (after.fsyncs() - before.fsyncs()) / each : Double.NaN);
    }

    /** @param nanos from the first start to the last end */
    private record Result(Histogram latency, long nanos) {}

    private static Result load(SagaSide side, int concurrency, Duration time, long most) throws Exception {
        ExecutorService callers = Executors.newFixedThreadPool(concurrency, work -> {
            Thread thread = new Thread(work, "caller");
            thread.setDaemon(true);
            return thread;
        });
        List<SagaSide.Caller> ways = new ArrayList<>();
        try {
            for (int i = 0; i < concurrency; i++) {
                ways.add(side.open(i));
            }
            AtomicLong tickets = new AtomicLong();
            long start = System.nanoTime();
            List<Callable<Histogram>> work = new ArrayList<>();
            ways.forEach(way -> work.add(() -> oneAfterTheOther(way, start, time, tickets, most)));
            Histogram latency = new Histogram(LONGEST_NANOS, 3);
            for (Future<Histogram> one :
                    callers.invokeAll(work, time.plus(END_WAIT).toNanos(), TimeUnit.NANOSECONDS)) {
                latency.add(one.get());
            }
            return new Result(latency, System.nanoTime() - start);
        } finally {
            callers.shutdownNow();
            for (SagaSide.Caller way : ways) {
                way.close();
            }
        }
    }

    private static Histogram oneAfterTheOther(
            SagaSide.Caller way, long start, Duration time, AtomicLong tickets, long most) throws Exception {
        Histogram latency = new Histogram(LONGEST_NANOS, 3);
        while (System.nanoTime() - start < time.toNanos() && tickets.incrementAndGet() <= most) {
            long began = System.nanoTime();
            way.saga();
            latency.recordValue(System.nanoTime() - began);
        }
        return latency;
    }
}
