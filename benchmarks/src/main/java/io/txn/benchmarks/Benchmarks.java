package io.txn.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The command line: the name of a benchmark, then its options. */
public final class Benchmarks {

    private static final List<Benchmark> ALL = List.of(
            new CoordinatorBenchmark(),
            new CompareBenchmark(),
            new JournalBenchmark(),
            new MillionBenchmark(),
            new AtBenchmark(),
            new SagaBenchmark(),
            new StartBenchmark(),
            new CoordinatorStartBenchmark());

    private Benchmarks() {}

    /** Exit code 0: figures were taken; 2: the command line makes no sense; 1: something went wrong. */
    public static void main(String[] args) throws Exception {
        try {
            Benchmark benchmark = ALL.stream()
                    .filter(candidate -> args.length > 0 && candidate.name().equals(args[0]))
                    .findFirst()
                    .orElseThrow(() -> new Options.Misused("Which benchmark?"));
            Options options = Options.parse(benchmark.defaults(), List.of(args).subList(1, args.length));
            run(benchmark, options, System.out);
        } catch (Options.Misused e) {
            System.err.println(e.getMessage());
            System.err.print(help());
            System.exit(2);
        }
        // Event loops and the like are daemons, HTTP clients are not always.
        System.exit(0);
    }

    /** Runs a benchmark in a directory of its own, which is gone afterwards. */
    static void run(Benchmark benchmark, Options options, PrintStream out) throws Exception {
        String where = options.text(Benchmark.DIRECTORY);
        Path directory = where.isEmpty()
                ? Files.createTempDirectory("txn-benchmark-")
                : Files.createTempDirectory(Files.createDirectories(Path.of(where)), "txn-benchmark-");
        out.println(benchmark.name() + "  " + Machine.describe() + "  directory=" + directory.getParent());
        try {
            benchmark.run(options, directory, out);
            out.println("load at the end: " + Machine.load());
        } finally {
            delete(directory);
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    private static String help() {
        StringBuilder text = new StringBuilder("\nbenchmarks/run <benchmark> [--option=value ...]\n");
        for (Benchmark benchmark : ALL) {
            text.append('\n')
                    .append(benchmark.name())
                    .append(": ")
                    .append(benchmark.purpose())
                    .append('\n');
            for (Map.Entry<String, String> option : benchmark.defaults().entrySet()) {
                text.append("  --")
                        .append(option.getKey())
                        .append('=')
                        .append(option.getValue())
                        .append('\n');
            }
        }
        return text.toString();
    }
}
