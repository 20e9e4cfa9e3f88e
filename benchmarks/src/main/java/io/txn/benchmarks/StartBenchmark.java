package io.txn.benchmarks;

import io.txn.test.JavaProcess;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.regex.MatchResult;
import java.util.stream.Stream;

/**
 * What the starter adds to the start of an application, on one line of Spring Boot: the application of {@code txn-test-boot} with and without it, in turns, against a coordinator and a database in
 * memory. Without means {@code txn.enabled=false}, so that the class path and the application's own beans are the same.
 */
final class StartBenchmark implements Benchmark {

    private static final Duration MOST = Duration.ofMinutes(3);

    /** What a main thread is called before and after {@code main} returned. */
    private static final Set<String> MAIN = Set.of("java", "DestroyJavaVM");

    @Override
    public String name() {
        return "start";
    }

    @Override
    public String purpose() {
        return "what the starter adds to the start of a Spring Boot application with a web server and a pool";
    }

    @Override
    public Map<String, String> defaults() {
        Map<String, String> defaults = new LinkedHashMap<>();
        defaults.put("rounds", "30");
        defaults.put("warm-up", "2");
        defaults.put("class-path", "");
        defaults.put("tier", "4");
        defaults.put("url", "jdbc:h2:mem:start");
        defaults.put("user", "sa");
        defaults.put("password", "");
        defaults.put(DIRECTORY, "");
        return defaults;
    }

    @Override
    public void run(Options options, Path directory, PrintStream out) throws IOException {
        if (options.text("class-path").isEmpty()) {
            throw new Options.Misused("--class-path= is the application's; benchmarks/run start sets it");
        }
        List<Figures> with = new ArrayList<>();
        List<Figures> without = new ArrayList<>();
        Table table = new Table(
                "round",
                "without ms",
                "with ms",
                "more ms",
                "CPU of main",
                "main kept from a processor",
                "CPU of all threads",
                "load");
        try (CoordinatorProcess coordinator =
                CoordinatorProcess.start(directory.resolve("data"), directory.resolve("coordinator.log"), "256m")) {
            int warmUp = options.number("warm-up");
            for (int round = 1 - warmUp; round <= options.number("rounds"); round++) {
                // Whoever comes first in a round comes second in the next one.
                boolean first = round % 2 == 0;
                Figures one = start(options, first, coordinator.address(), directory);
                Figures other = start(options, !first, coordinator.address(), directory);
                if (round < 1) {
                    continue;
                }
                Figures enabled = first ? one : other;
                Figures disabled = first ? other : one;
                with.add(enabled);
                without.add(disabled);
                table.row(
                        Integer.toString(round),
                        Table.number(disabled.millis(), 0),
                        Table.number(enabled.millis(), 0),
                        Table.number(enabled.millis() - disabled.millis(), 0),
                        Table.number(enabled.mainCpu() - disabled.mainCpu(), 0),
                        Table.number(enabled.mainDelay() - disabled.mainDelay(), 0),
                        Table.number(enabled.cpu() - disabled.cpu(), 0),
                        Machine.load());
            }
        }
        out.print(table);
        out.println("each of the columns behind the second time: with the starter, less without");
        tell("time", with, without, Figures::millis, out);
        tell("CPU of the main thread, which a busy machine disturbs less", with, without, Figures::mainCpu, out);
        tell("main thread ready, and no processor free", with, without, Figures::mainDelay, out);
        tell("CPU of all threads, compilers included", with, without, Figures::cpu, out);
    }

    private static void tell(
            String what, List<Figures> with, List<Figures> without, ToDoubleFunction<Figures> figure, PrintStream out) {
        List<Double> enabled = values(with, figure);
        List<Double> disabled = values(without, figure);
        List<Double> more = new ArrayList<>();
        for (int i = 0; i < enabled.size(); i++) {
            more.add(enabled.get(i) - disabled.get(i));
        }
        Medians.Interval interval = Medians.interval(more);
        out.println(what + ": median without " + number(Medians.of(disabled)) + " ms, with "
                + number(Medians.of(enabled)) + " ms; the starter adds " + number(Medians.of(more))
                + " ms (median of the differences; 95 % confidence: " + number(interval.from()) + " to "
                + number(interval.to()) + "); lower quartiles " + number(Medians.quantile(disabled, 0.25)) + " and "
                + number(Medians.quantile(enabled, 0.25)));
    }

    private static List<Double> values(List<Figures> of, ToDoubleFunction<Figures> figure) {
        return of.stream().mapToDouble(figure).boxed().toList();
    }

    private static String number(double value) {
        return Table.number(value, 0);
    }

    /**
     * Of one start.
     *
     * @param millis from the start of {@code main} to the moment at which the application runs, as it says itself
     * @param mainCpu CPU milliseconds of the main thread until then
     * @param mainDelay milliseconds for which the main thread could have run, and others had the processors
     * @param cpu CPU milliseconds of all threads, also of those that have ended
     */
    private record Figures(double millis, double mainCpu, double mainDelay, double cpu) {}

    private static Figures start(Options options, boolean enabled, String coordinator, Path directory)
            throws IOException {
        Path log = directory.resolve("application.log");
        Files.deleteIfExists(log);
        try (JavaProcess application = JavaProcess.mainClass("io.txn.test.start.StartApplication")
                .classPath(options.text("class-path").replace(';', File.pathSeparatorChar))
                .jvm("-XX:TieredStopAtLevel=" + options.number("tier"))
                .args(
                        "--txn.enabled=" + enabled,
                        "--txn.coordinator.address=" + coordinator,
                        "--spring.datasource.url=" + options.text("url"),
                        "--spring.datasource.username=" + options.text("user"),
                        "--spring.datasource.password=" + options.text("password"))
                .start(log)) {
            MatchResult started = application.awaitLine("Started \\S+ in ([0-9.]+) seconds", MOST);
            double[] main = main(application.pid());
            return new Figures(
                    Double.parseDouble(started.group(1)) * 1000,
                    main[0],
                    main[1],
                    ProcessFigures.of(application.pid()).cpuNanos() / 1e6);
        }
    }

    /** CPU and delay of the thread that ran {@code main}: of those that are named as the program, the one that worked. */
    private static double[] main(long pid) throws IOException {
        double[] most = {0, 0};
        try (Stream<Path> threads = Files.list(Path.of("/proc", Long.toString(pid), "task"))) {
            for (Path thread : threads.toList()) {
                try {
                    if (MAIN.contains(Files.readString(thread.resolve("comm")).strip())) {
                        String[] figures =
                                Files.readString(thread.resolve("schedstat")).split(" ");
                        double cpu = Long.parseLong(figures[0]) / 1e6;
                        if (cpu > most[0]) {
                            most = new double[] {cpu, Long.parseLong(figures[1]) / 1e6};
                        }
                    }
                } catch (IOException gone) {
                    // Others come and go, compilers too; the one that worked is there.
                }
            }
        }
        return most;
    }
}
