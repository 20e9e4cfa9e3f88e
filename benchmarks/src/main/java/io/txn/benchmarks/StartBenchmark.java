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
import java.util.regex.MatchResult;

/**
 * What the starter adds to the start of an application, on one line of Spring Boot: the application of {@code txn-test-boot} with and without it, in turns, against a coordinator and a database in
 * memory. Without means {@code txn.enabled=false}, so that the class path and the application's own beans are the same.
 */
final class StartBenchmark implements Benchmark {

    private static final Duration MOST = Duration.ofMinutes(3);

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
        defaults.put(DIRECTORY, "");
        return defaults;
    }

    @Override
    public void run(Options options, Path directory, PrintStream out) throws IOException {
        String classPath = options.text("class-path");
        if (classPath.isEmpty()) {
            throw new Options.Misused("--class-path= is the application's; benchmarks/run start sets it");
        }
        List<Double> with = new ArrayList<>();
        List<Double> without = new ArrayList<>();
        List<Double> more = new ArrayList<>();
        Table table = new Table("round", "without ms", "with ms", "more ms", "load");
        try (CoordinatorProcess coordinator =
                CoordinatorProcess.start(directory.resolve("data"), directory.resolve("coordinator.log"), "256m")) {
            int warmUp = options.number("warm-up");
            for (int round = 1 - warmUp; round <= options.number("rounds"); round++) {
                // Whoever comes first in a round comes second in the next one.
                boolean first = round % 2 == 0;
                double one = start(classPath, first, coordinator.address(), directory);
                double other = start(classPath, !first, coordinator.address(), directory);
                if (round < 1) {
                    continue;
                }
                double enabled = first ? one : other;
                double disabled = first ? other : one;
                with.add(enabled);
                without.add(disabled);
                more.add(enabled - disabled);
                table.row(
                        Integer.toString(round),
                        Table.number(disabled, 0),
                        Table.number(enabled, 0),
                        Table.number(enabled - disabled, 0),
                        Machine.load());
            }
        }
        out.print(table);
        out.println("median without " + Table.number(Medians.of(without), 0) + " ms, with "
                + Table.number(Medians.of(with), 0) + " ms; the starter adds " + Table.number(Medians.of(more), 0)
                + " ms (median of the differences)");
    }

    /** Milliseconds from the start of {@code main} to the moment at which the application runs, as it says itself. */
    private static double start(String classPath, boolean enabled, String coordinator, Path directory)
            throws IOException {
        Path log = directory.resolve("application.log");
        Files.deleteIfExists(log);
        try (JavaProcess application = JavaProcess.mainClass("io.txn.test.start.StartApplication")
                .classPath(classPath.replace(';', File.pathSeparatorChar))
                .jvm("-XX:TieredStopAtLevel=4")
                .args(
                        "--txn.enabled=" + enabled,
                        "--txn.coordinator.address=" + coordinator,
                        "--spring.datasource.url=jdbc:h2:mem:start")
                .start(log)) {
            MatchResult started = application.awaitLine("Started \\S+ in ([0-9.]+) seconds", MOST);
            return Double.parseDouble(started.group(1)) * 1000;
        }
    }
}
