package io.txn.benchmarks;

import io.txn.test.JavaProcess;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.regex.MatchResult;
import java.util.stream.Stream;

/**
 * What the starter adds to the start of an application, on one line of Spring Boot: the application of {@code txn-test-boot} with and without it, in turns, against a coordinator and a database in
 * memory. Without means {@code txn.enabled=false}, so that the class path and the application's own beans are the same. The same once more with an archive of classes, with and without each with
 * one of its own: what a start costs that was made to be fast.
 */
final class StartBenchmark implements Benchmark {

    private static final Duration MOST = Duration.ofMinutes(10);

    @Override
    public String name() {
        return "start";
    }

    @Override
    public String purpose() {
        return "what the starter adds to the start of a Spring Boot application with a web server and a pool, as it is and with an archive of its classes";
    }

    @Override
    public Map<String, String> defaults() {
        Map<String, String> defaults = new LinkedHashMap<>();
        defaults.put("rounds", "30");
        defaults.put("warm-up", "2");
        defaults.put("class-path", "");
        defaults.put("classes", "jars,archive");
        defaults.put("tier", "4");
        defaults.put("url", "jdbc:h2:mem:start");
        defaults.put("user", "sa");
        defaults.put("password", "");
        defaults.put(DIRECTORY, "");
        return defaults;
    }

    @Override
    public void run(Options options, Path directory, PrintStream out) throws Exception {
        if (options.text("class-path").isEmpty()) {
            throw new Options.Misused("--class-path= is the application's; benchmarks/run start sets it");
        }
        List<Pairs> comparisons = new ArrayList<>();
        try (CoordinatorProcess coordinator =
                CoordinatorProcess.start(directory.resolve("data"), directory.resolve("coordinator.log"), "256m")) {
            Application application = new Application(options, coordinator.address(), directory);
            for (String classes : options.text("classes").split(",")) {
                comparisons.add(
                        switch (classes) {
                            case "jars" -> new Pairs(classes, List.of(), List.of());
                            case "archive" -> new Pairs(classes, application.archive(false), application.archive(true));
                            default -> throw new Options.Misused("--classes= are from jars, archive or both");
                        });
            }
            int warmUp = options.number("warm-up");
            for (int round = 1 - warmUp; round <= options.number("rounds"); round++) {
                for (Pairs pairs : comparisons) {
                    pairs.take(application, round);
                }
            }
        }
        comparisons.forEach(pairs -> pairs.tell(out));
    }

    /** Starts with the starter and without it, in turns. Not thread-safe. */
    private static final class Pairs {

        private final String classes;
        private final List<String> flagsWithout;
        private final List<String> flagsWith;
        private final List<Figures> without = new ArrayList<>();
        private final List<Figures> with = new ArrayList<>();
        private final Table table;

        Pairs(String classes, List<String> flagsWithout, List<String> flagsWith) {
            this.classes = classes;
            this.flagsWithout = flagsWithout;
            this.flagsWith = flagsWith;
            this.table = new Table(
                    "classes from " + classes + ": round",
                    "without ms",
                    "with ms",
                    "more ms",
                    "CPU of main",
                    "main kept from a processor",
                    "CPU of all threads",
                    "load");
        }

        /** Rounds before the first only warm the machine up. */
        void take(Application application, int round) throws IOException {
            // Whoever comes first in a round comes second in the next one.
            boolean first = round % 2 == 0;
            Figures one = start(application, first);
            Figures other = start(application, !first);
            if (round < 1) {
                return;
            }
            Figures enabled = first ? one : other;
            Figures disabled = first ? other : one;
            with.add(enabled);
            without.add(disabled);
            table.row(
                    Integer.toString(round),
                    number(disabled.millis()),
                    number(enabled.millis()),
                    number(enabled.millis() - disabled.millis()),
                    number(enabled.mainCpu() - disabled.mainCpu()),
                    number(enabled.mainDelay() - disabled.mainDelay()),
                    number(enabled.cpu() - disabled.cpu()),
                    Machine.load());
        }

        private Figures start(Application application, boolean enabled) throws IOException {
            Path log = application.directory().resolve("application.log");
            Files.deleteIfExists(log);
            try (JavaProcess process = application.start(enabled, enabled ? flagsWith : flagsWithout, log)) {
                return Figures.of(process);
            }
        }

        void tell(PrintStream out) {
            out.print(table);
            out.println("each of the columns behind the second time: with the starter, less without");
            tell("time from main on, as Spring Boot reports it", Figures::millis, out);
            tell("time from the start of the JVM on", Figures::processMillis, out);
            tell("CPU of the main thread, which a busy machine disturbs less", Figures::mainCpu, out);
            tell("main thread ready, and no processor free", Figures::mainDelay, out);
            tell("CPU of all threads", Figures::cpu, out);
            tell("of it first compiler (C1)", Figures::firstCompiler, out);
            tell("of it second compiler (C2)", Figures::secondCompiler, out);
            tell("of it the rest but the main thread, also what has ended", Figures::rest, out);
        }

        private void tell(String what, ToDoubleFunction<Figures> figure, PrintStream out) {
            List<Double> enabled = values(with, figure);
            List<Double> disabled = values(without, figure);
            List<Double> more = new ArrayList<>();
            for (int i = 0; i < enabled.size(); i++) {
                more.add(enabled.get(i) - disabled.get(i));
            }
            Medians.Interval interval = Medians.interval(more);
            out.println("classes from " + classes + ", " + what + ": median without " + number(Medians.of(disabled))
                    + " ms, with " + number(Medians.of(enabled)) + " ms; the starter adds " + number(Medians.of(more))
                    + " ms (median of the differences; 95 % confidence: " + number(interval.from()) + " to "
                    + number(interval.to()) + "); lower quartiles " + number(Medians.quantile(disabled, 0.25))
                    + " and " + number(Medians.quantile(enabled, 0.25)));
        }

        private static List<Double> values(List<Figures> of, ToDoubleFunction<Figures> figure) {
            return of.stream().mapToDouble(figure).boxed().toList();
        }

        private static String number(double value) {
            return Table.number(value, 0);
        }
    }

    /**
     * Of one start.
     *
     * @param millis from the start of {@code main} to the moment at which the application runs, as it says itself
     * @param processMillis the same from the start of the JVM on, which has mapped an archive of classes before {@code main}
     * @param mainCpu CPU milliseconds of the main thread until shortly after, when that line has come
     * @param mainDelay milliseconds for which the main thread could have run, and others had the processors
     * @param cpu CPU milliseconds of all threads, also of those that have ended
     * @param firstCompiler of them the compiler's for code that is met for the first times
     * @param secondCompiler of them the compiler's for code that is busy: it has more to do than a start has time for
     */
    private record Figures(
            double millis,
            double processMillis,
            double mainCpu,
            double mainDelay,
            double cpu,
            double firstCompiler,
            double secondCompiler) {

        static Figures of(JavaProcess process) {
            MatchResult started =
                    process.awaitLine("Started \\S+ in ([0-9.]+) seconds \\(process running for ([0-9.]+)\\)", MOST);
            Collection<ThreadFigures> threads = ThreadFigures.of(process.pid()).values();
            ThreadFigures main = ThreadFigures.main(threads);
            return new Figures(
                    Double.parseDouble(started.group(1)) * 1000,
                    Double.parseDouble(started.group(2)) * 1000,
                    main.cpuNanos() / 1e6,
                    main.waitNanos() / 1e6,
                    ProcessFigures.of(process.pid()).cpuNanos() / 1e6,
                    ThreadFigures.cpuNanos(threads, "C1 Compiler") / 1e6,
                    ThreadFigures.cpuNanos(threads, "C2 Compiler") / 1e6);
        }

        double rest() {
            return cpu - mainCpu - firstCompiler - secondCompiler;
        }
    }

    private record Application(Options options, String coordinator, Path directory) {

        JavaProcess start(boolean enabled, List<String> flags, Path log) {
            return JavaProcess.mainClass("io.txn.test.start.StartApplication")
                    .classPath(options.text("class-path").replace(';', File.pathSeparatorChar))
                    .jvm(Stream.concat(Stream.of("-XX:TieredStopAtLevel=" + options.number("tier")), flags.stream())
                            .toArray(String[]::new))
                    .args(
                            "--txn.enabled=" + enabled,
                            "--txn.coordinator.address=" + coordinator,
                            "--spring.datasource.url=" + options.text("url"),
                            "--spring.datasource.username=" + options.text("user"),
                            "--spring.datasource.password=" + options.text("password"))
                    .start(log);
        }

        /** The flags for starts with the classes of one start of the same kind. */
        List<String> archive(boolean enabled) throws Exception {
            String name = enabled ? "with" : "without";
            return ClassArchive.train(directory.resolve(name + ".jsa"), MOST, flag -> {
                JavaProcess process = start(enabled, List.of(flag), directory.resolve("training-" + name + ".log"));
                try {
                    Figures.of(process);
                    return process;
                } catch (RuntimeException | Error e) {
                    process.close();
                    throw e;
                }
            });
        }
    }
}
