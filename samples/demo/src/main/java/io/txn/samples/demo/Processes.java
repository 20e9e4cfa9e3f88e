package io.txn.samples.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** The running programs of the shop. Stopped by {@link #close()}, each by its own id. Thread-safe. */
final class Processes implements AutoCloseable {

    private static final Duration START_WAIT = Duration.ofMinutes(4);
    private static final Duration STOP_WAIT = Duration.ofSeconds(10);
    private static final Duration PAUSE = Duration.ofMillis(100);
    private static final int LAST_LINES = 25;

    private final ShopPlan plan;
    private final ShopClient client;
    private final Map<Program, Process> running = new EnumMap<>(Program.class);
    private boolean closed;

    Processes(ShopPlan plan, ShopClient client) {
        this.plan = plan;
        this.client = client;
    }

    /** Starts the coordinator, then the services at once; returns when all answer that they are ready. */
    void start() throws IOException {
        start(Program.COORDINATOR);
        awaitReady(Program.COORDINATOR);
        for (Program program : Program.values()) {
            if (program.isService()) {
                start(program);
            }
        }
        for (Program program : Program.values()) {
            awaitReady(program);
        }
    }

    private synchronized void start(Program program) throws IOException {
        if (closed) {
            throw new DemoFailure("stopped while starting");
        }
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // Five small JVMs on a laptop: quick to start matters, top speed does not.
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m"));
        command.addAll(List.of("-jar", plan.jar(program).toString()));
        command.addAll(plan.arguments(program));
        Path log = plan.log(program);
        Files.createDirectories(plan.data().resolve("logs"));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(plan.data().toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().putAll(plan.environment(program));
        running.put(program, builder.start());
    }

    synchronized long pid(Program program) {
        return process(program).pid();
    }

    private synchronized Process process(Program program) {
        Process process = running.get(program);
        if (process == null) {
            throw new IllegalStateException("the " + program.title() + " was not started");
        }
        return process;
    }

    private void awaitReady(Program program) throws IOException {
        Process process = process(program);
        long deadline = System.nanoTime() + START_WAIT.toNanos();
        while (true) {
            if (!process.isAlive()) {
                throw new DemoFailure(ended(program, process) + " while starting. " + lastLines(program));
            }
            try {
                if (client.isReady(program)) {
                    return;
                }
            } catch (IOException e) {
                // nobody listens yet: ask again until the deadline
            }
            if (System.nanoTime() - deadline > 0) {
                throw new DemoFailure("the " + program.title() + " was not ready after " + START_WAIT.toMinutes()
                        + " minutes. " + lastLines(program));
            }
            LockSupport.parkNanos(PAUSE.toNanos());
        }
    }

    private static String ended(Program program, Process process) {
        return "the " + program.title() + " ended with exit code " + process.exitValue();
    }

    /** Why a request failed: the end of a program, when there is one that has ended. */
    synchronized DemoFailure explain(IOException failure) throws IOException {
        for (Map.Entry<Program, Process> entry : running.entrySet()) {
            if (!entry.getValue().isAlive()) {
                return new DemoFailure(
                        ended(entry.getKey(), entry.getValue()) + ". " + lastLines(entry.getKey()), failure);
            }
        }
        return new DemoFailure(String.valueOf(failure.getMessage()), failure);
    }

    private String lastLines(Program program) throws IOException {
        List<String> lines = Files.readAllLines(plan.log(program));
        List<String> last = lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size());
        return "The last lines of " + plan.log(program) + ":\n" + String.join("\n", last);
    }

    /** Asks all to end, the services before the coordinator, and kills what has not ended in time. */
    @Override
    public synchronized void close() {
        closed = true;
        List<Program> order = new ArrayList<>(List.of(Program.values()));
        order.remove(Program.COORDINATOR);
        end(order);
        end(List.of(Program.COORDINATOR));
        running.clear();
    }

    private void end(List<Program> programs) {
        List<Process> processes = programs.stream()
                .filter(running::containsKey)
                .map(this::process)
                .toList();
        processes.forEach(Process::destroy);
        for (Process process : processes) {
            try {
                if (!process.waitFor(STOP_WAIT.toMillis(), TimeUnit.MILLISECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }
}
