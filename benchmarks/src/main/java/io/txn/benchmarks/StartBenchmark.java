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
        defaults.put("rounds", "15");
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
        Table table = new Table("round", "without ms", "with ms", "more ms", "of it CPU of main", "load");
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
                        Machine.load());
            }
        }
        out.print(table);
        tell("time", with, without, Figures::millis, out);
        tell("CPU of the main thread, which a busy machine disturbs less", with, without, Figures::mainCpu, out);
    }

    private static void tell(
            String what, List<Figures> with, List<Figures> without, ToDoubleFunction<Figures> figure, PrintStream out) {
        List<Double> more = new ArrayList<>();
        for (int i = 0; i < with.size(); i++) {
            more.add(figure.applyAsDouble(with.get(i)) - figure.applyAsDouble(without.get(i)));
        }
        out.println(what + ": median without " + median(without, figure) + " ms, with " + median(with, figure)
                + " ms; the starter adds " + Table.number(Medians.of(more), 0) + " ms (median of the differences)");
    }

    private static String median(List<Figures> of, ToDoubleFunction<Figures> figure) {
        return Table.number(Medians.of(of.stream().mapToDouble(figure).boxed().toList()), 0);
    }

    /**
     * Of one start.
     *
     * @param millis from the start of {@code main} to the moment at which the application runs, as it says itself
     * @param mainCpu CPU milliseconds of the main thread until then
     */
    private record Figures(double millis, double mainCpu) {}

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
            return new Figures(Double.parseDouble(started.group(1)) * 1000, mainCpu(application.pid()));
        }
    }

    /** Of the thread that ran {@code main}: of those that are named as the program, the one that worked. */
    private static double mainCpu(long pid) throws IOException {
        double most = 0;
        try (Stream<Path> threads = Files.list(Path.of("/proc", Long.toString(pid), "task"))) {
            for (Path thread : threads.toList()) {
                try {
                    if (MAIN.contains(Files.readString(thread.resolve("comm")).strip())) {
                        String cpu =
                                Files.readString(thread.resolve("schedstat")).split(" ")[0];
                        most = Math.max(most, Long.parseLong(cpu) / 1e6);
                    }
                } catch (IOException gone) {
                    // Others come and go, compilers too; the one that worked is there.
                }
            }
        }
        return most;
    }
}
