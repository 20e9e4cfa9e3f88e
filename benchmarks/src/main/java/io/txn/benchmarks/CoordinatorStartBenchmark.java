package io.txn.benchmarks;

import io.txn.test.JavaProcess;
import io.txn.test.Ports;
import java.io.IOException;
import java.io.PrintStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * From the start of the coordinator's process to the moment at which its TCP port accepts, and at which it says that it is ready: its executable jar as it is, and as the page on operating it says
 * that it starts faster, in turns, each time on an empty data directory. Then what it does while nobody asks anything.
 */
final class CoordinatorStartBenchmark implements Benchmark {

    private static final Duration MOST = Duration.ofMinutes(3);
    private static final int LOOK_MILLIS = 2;

    /** Of a processor: a thread that is so busy while nobody asks anything spins. */
    private static final double SPINNING = 0.5;

    @Override
    public String name() {
        return "coordinator-start";
    }

    @Override
    public String purpose() {
        return "the start of the coordinator's executable jar to ready, as it is and unpacked with an archive of its classes; what it does when idle";
    }

    @Override
    public Map<String, String> defaults() {
        Map<String, String> defaults = new LinkedHashMap<>();
        defaults.put("rounds", "15");
        defaults.put("warm-up", "1");
        defaults.put("jar", "");
        // Both compilers and G1, not what processes of tests run with.
        defaults.put("flags", "-XX:TieredStopAtLevel=4 -XX:-UseSerialGC -XX:+UseG1GC -Xmx1g");
        defaults.put("idle", "10");
        defaults.put("settle", "10");
        defaults.put(DIRECTORY, "");
        return defaults;
    }

    @Override
    public void run(Options options, Path directory, PrintStream out) throws Exception {
        if (options.text("jar").isEmpty()) {
            throw new Options.Misused(
                    "--jar= is the coordinator's executable jar; benchmarks/run coordinator-start sets it");
        }
        Path jar = Path.of(options.text("jar")).toAbsolutePath();
        List<String> flags = Stream.of(options.text("flags").split(" "))
                .filter(flag -> !flag.isEmpty())
                .toList();
        List<Way> ways = List.of(new Way("jar", jar, flags), archived(jar, flags, directory));
        Map<Way, List<Figures>> taken = new LinkedHashMap<>();
        Table table = new Table("round", "way", "TCP ms", "ready ms", "CPU ms", "of it main", "load");
        for (int round = 1 - options.number("warm-up"); round <= options.number("rounds"); round++) {
            // Whoever comes first in a round comes second in the next one.
            List<Way> turn = round % 2 == 0 ? ways : List.of(ways.get(1), ways.get(0));
            for (Way way : turn) {
                Path data = directory.resolve("data-" + round + '-' + ways.indexOf(way));
                try (Started started = start(way, data, directory.resolve("coordinator.log"))) {
                    Figures figures = started.figures();
                    if (round < 1) {
                        continue;
                    }
                    taken.computeIfAbsent(way, first -> new ArrayList<>()).add(figures);
                    table.row(
                            Integer.toString(round),
                            way.name(),
                            Table.number(figures.tcp(), 0),
                            Table.number(figures.ready(), 0),
                            Table.number(figures.cpu(), 0),
                            Table.number(figures.mainCpu(), 0),
                            Machine.load());
                }
            }
        }
        out.print(table);
        List<Figures> jars = Objects.requireNonNull(taken.get(ways.get(0)));
        List<Figures> archives = Objects.requireNonNull(taken.get(ways.get(1)));
        tell("TCP accepts", jars, archives, Figures::tcp, out);
        tell("ready", jars, archives, Figures::ready, out);
        tell("CPU", jars, archives, Figures::cpu, out);
        tell("of it the main thread", jars, archives, Figures::mainCpu, out);
        idle(options, ways.get(0), directory, out);
    }

    /** The three commands of the page on operating it. */
    private static Way archived(Path jar, List<String> flags, Path directory) throws Exception {
        Path unpacked = directory.resolve("unpacked");
        try (JavaProcess extract = JavaProcess.jar(jar)
                .jvm("-Djarmode=tools")
                .args("extract", "--destination", unpacked.toString())
                .start(directory.resolve("extract.log"))) {
            if (!extract.waitFor(MOST) || extract.exitCode().orElse(1) != 0) {
                throw new IllegalStateException("the jar cannot be unpacked: " + extract.output());
            }
        }
        Path program = unpacked.resolve(String.valueOf(jar.getFileName()));
        List<String> use = ClassArchive.train(directory.resolve("classes.jsa"), MOST, flag -> start(
                        new Way("training", program, and(flags, List.of(flag))),
                        directory.resolve("training"),
                        directory.resolve("training.log"))
                .process());
        return new Way("unpacked, archive", program, and(flags, use));
    }

    private static List<String> and(List<String> flags, List<String> further) {
        return Stream.concat(flags.stream(), further.stream()).toList();
    }

    private static void tell(
            String what,
            List<Figures> jars,
            List<Figures> archives,
            ToDoubleFunction<Figures> figure,
            PrintStream out) {
        List<Double> less = new ArrayList<>();
        for (int i = 0; i < jars.size(); i++) {
            less.add(figure.applyAsDouble(jars.get(i)) - figure.applyAsDouble(archives.get(i)));
        }
        Medians.Interval interval = Medians.interval(less);
        out.println(what + ": jar " + median(jars, figure) + " ms, unpacked with archive " + median(archives, figure)
                + " ms (medians); less by " + Table.number(Medians.of(less), 0)
                + " ms (median of the differences; 95 % confidence: " + Table.number(interval.from(), 0) + " to "
                + Table.number(interval.to(), 0) + ")");
    }

    private static String median(List<Figures> of, ToDoubleFunction<Figures> figure) {
        return Table.number(Medians.of(of.stream().mapToDouble(figure).boxed().toList()), 0);
    }

    private record Way(String name, Path jar, List<String> flags) {}

    /**
     * Of one start, in milliseconds from before the process was made.
     *
     * @param tcp to the moment at which the TCP port accepts
     * @param ready to the moment at which it says over HTTP that it is
     * @param cpu of the process until then
     * @param mainCpu of its main thread
     */
    private record Figures(double tcp, double ready, double cpu, double mainCpu) {}

    private record Started(JavaProcess process, Figures figures) implements AutoCloseable {
        @Override
        public void close() {
            process.close();
        }
    }

    private static Started start(Way way, Path data, Path log) throws IOException, InterruptedException {
        Files.createDirectories(data);
        int http = Ports.free();
        int tcp = Ports.free();
        long begun = System.nanoTime();
        JavaProcess process = JavaProcess.jar(way.jar())
                .jvm(way.flags().toArray(String[]::new))
                .directory(data)
                .args("--server.port=" + http, "--txn.coordinator.tcp.port=" + tcp)
                .start(log);
        try {
            while (!accepts(tcp)) {
                pause(process, begun);
            }
            double accepted = millisSince(begun);
            URI readiness = URI.create("http://127.0.0.1:" + http + "/actuator/health/readiness");
            while (!ready(readiness)) {
                pause(process, begun);
            }
            return new Started(
                    process,
                    new Figures(
                            accepted,
                            millisSince(begun),
                            ProcessFigures.of(process.pid()).cpuNanos() / 1e6,
                            ThreadFigures.main(ThreadFigures.of(process.pid()).values())
                                            .cpuNanos()
                                    / 1e6));
        } catch (RuntimeException | Error | IOException | InterruptedException e) {
            process.close();
            throw e;
        }
    }

    private static double millisSince(long begun) {
        return (System.nanoTime() - begun) / 1e6;
    }

    private static void pause(JavaProcess process, long begun) throws InterruptedException {
        if (!process.isAlive() || millisSince(begun) > MOST.toMillis()) {
            throw new IllegalStateException("it does not start: " + process.output());
        }
        Thread.sleep(LOOK_MILLIS);
    }

    private static boolean accepts(int port) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean ready(URI readiness) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) readiness.toURL().openConnection();
        try {
            return connection.getResponseCode() == HttpURLConnection.HTTP_OK;
        } catch (IOException e) {
            return false;
        } finally {
            connection.disconnect();
        }
    }

    /** What its threads do while nobody asks anything; fails when one spins. */
    private static void idle(Options options, Way way, Path directory, PrintStream out)
            throws IOException, InterruptedException {
        if (options.number("idle") == 0) {
            return;
        }
        try (Started started = start(way, directory.resolve("idle"), directory.resolve("idle.log"))) {
            long pid = started.process().pid();
            // Compilers finish what the start has left them.
            Thread.sleep(options.seconds("settle").toMillis());
            Map<String, ThreadFigures> before = ThreadFigures.of(pid);
            long begun = System.nanoTime();
            Thread.sleep(options.seconds("idle").toMillis());
            Map<String, ThreadFigures> after = ThreadFigures.of(pid);
            double seconds = (System.nanoTime() - begun) / 1e9;
            List<ThreadFigures> threads = new ArrayList<>();
            after.forEach(
                    (number, thread) -> threads.add(thread.since(before.getOrDefault(number, thread.since(thread)))));
            threads.sort(Comparator.comparingLong(ThreadFigures::wakeUps).reversed());
            Table table = new Table("idle: thread", "wake-ups/s", "CPU ms/s");
            row(table, "all " + threads.size(), threads, seconds);
            threads.stream()
                    .filter(thread -> thread.wakeUps() > 0)
                    .forEach(thread -> row(table, thread.name(), List.of(thread), seconds));
            out.print(table);
            threads.stream()
                    .filter(thread -> (thread.cpuNanos() + thread.waitNanos()) / 1e9 > SPINNING * seconds)
                    .findFirst()
                    .ifPresent(thread -> {
                        throw new IllegalStateException("a thread spins: " + thread);
                    });
        }
    }

    private static void row(Table table, String name, List<ThreadFigures> threads, double seconds) {
        table.row(
                name,
                Table.number(threads.stream().mapToLong(ThreadFigures::wakeUps).sum() / seconds, 1),
                Table.number(threads.stream().mapToLong(ThreadFigures::cpuNanos).sum() / 1e6 / seconds, 2));
    }
}
