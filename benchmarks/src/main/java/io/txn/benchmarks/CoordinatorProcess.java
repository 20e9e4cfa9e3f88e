package io.txn.benchmarks;

import io.txn.test.Await;
import io.txn.test.JavaProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A {@link CoordinatorMain} that was started, and what can be read from outside. Thread-safe. */
final class CoordinatorProcess implements AutoCloseable {

    private static final Duration START_WAIT = Duration.ofSeconds(300);
    private static final Duration SETTLE_WAIT = Duration.ofSeconds(60);
    private static final Pattern HEAP_USED = Pattern.compile("garbage-first heap.* used (\\d+)K");

    private final JavaProcess process;
    private final int port;
    private final URI control;
    private final Duration startTime;
    private final HttpClient http = HttpClient.newHttpClient();

    private CoordinatorProcess(JavaProcess process, int port, int controlPort, Duration startTime) {
        this.process = process;
        this.port = port;
        this.control = URI.create("http://127.0.0.1:" + controlPort + '/');
        this.startTime = startTime;
    }

    /**
     * Starts a coordinator; returns when it serves, which with a journal to replay may take a while.
     *
     * @param sagaTargets URLs below which it may call steps of sagas
     */
    static CoordinatorProcess start(Path dataDir, Path log, String heap, String... sagaTargets) {
        long start = System.nanoTime();
        List<String> arguments = new ArrayList<>(List.of(dataDir.toString(), "0"));
        arguments.addAll(List.of(sagaTargets));
        JavaProcess process = JavaProcess.mainClass(CoordinatorMain.class)
                .jvm(serverFlags(heap))
                .args(arguments.toArray(String[]::new))
                .start(log);
        try {
            MatchResult ready = process.awaitLine("^ready (\\d+) (\\d+)$", START_WAIT);
            return new CoordinatorProcess(
                    process,
                    Integer.parseInt(ready.group(1)),
                    Integer.parseInt(ready.group(2)),
                    Duration.ofNanos(System.nanoTime() - start));
        } catch (RuntimeException | Error e) {
            process.close();
            throw e;
        }
    }

    /** What a server's JVM is started with: the compilers and the collector it would choose by itself, which test processes do without. */
    static String[] serverFlags(String heap) {
        return new String[] {"-XX:TieredStopAtLevel=4", "-XX:-UseSerialGC", "-XX:+UseG1GC", "-Xmx" + heap};
    }

    int port() {
        return port;
    }

    String address() {
        return "127.0.0.1:" + port;
    }

    long pid() {
        return process.pid();
    }

    /** From the fork to the first moment at which it serves. */
    Duration startTime() {
        return startTime;
    }

    Statistics statistics() {
        try {
            HttpRequest request = HttpRequest.newBuilder(control)
                    .timeout(Duration.ofSeconds(30))
                    .build();
            return Statistics.parse(
                    http.send(request, HttpResponse.BodyHandlers.ofString()).body());
        } catch (IOException e) {
            throw new UncheckedIOException("the coordinator does not tell its statistics", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    ProcessFigures figures() {
        return ProcessFigures.of(pid());
    }

    /** Waits until every transaction is finished: commits of AT branches go on after the answer. */
    Statistics settled() {
        Await.until(
                "every transaction is finished", SETTLE_WAIT, () -> statistics().unfinished() == 0);
        return statistics();
    }

    /** Bytes of the heap that are in use after a full collection. */
    long liveHeap() {
        jcmd("GC.run");
        Matcher used = HEAP_USED.matcher(jcmd("GC.heap_info"));
        if (!used.find()) {
            throw new IllegalStateException("no figure in the answer of GC.heap_info");
        }
        return Long.parseLong(used.group(1)) * 1024;
    }

    /** Gives the JVM a diagnostic command; what it answers. */
    String jcmd(String... command) {
        String[] line = new String[command.length + 2];
        line[0] = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        line[1] = Long.toString(pid());
        System.arraycopy(command, 0, line, 2, command.length);
        try {
            Process jcmd = new ProcessBuilder(line).redirectErrorStream(true).start();
            String answer = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (jcmd.waitFor() != 0) {
                throw new IllegalStateException("jcmd " + String.join(" ", command) + " failed: " + answer);
            }
            return answer;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot run jcmd", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** SIGKILL. */
    @Override
    public void close() {
        process.close();
    }
}
