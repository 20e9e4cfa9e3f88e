package io.txn.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One process this JVM started, its output in a file. It cannot outlive this JVM: a {@link Guard} kills it when the JVM
 * is gone. Always signalled by its own id. Thread-safe.
 */
final class ManagedProcess implements AutoCloseable {

    private static final Duration KILL_WAIT = Duration.ofSeconds(30);

    private final Process process;
    private final Path log;
    private final Guard guard;

    private ManagedProcess(Process process, Path log, Guard guard) {
        this.process = process;
        this.log = log;
        this.guard = guard;
    }

    /**
     * @param log receives standard output and error, appended
     * @param signal what the guard sends first should this JVM die
     * @param scratch deleted by the guard should this JVM die, or null
     */
    static ManagedProcess start(ProcessBuilder builder, Path log, String signal, @Nullable Path scratch) {
        try {
            Path parent = log.toAbsolutePath().getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            Process process = builder.redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                    .start();
            process.getOutputStream().close();
            Guard guard = Guard.over(process.pid(), signal, scratch);
            process.onExit().thenRunAsync(guard::close); // its id may soon belong to another process
            return new ManagedProcess(process, log, guard);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start " + builder.command(), e);
        }
    }

    long pid() {
        return process.pid();
    }

    Path log() {
        return log;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    OptionalInt exitCode() {
        return process.isAlive() ? OptionalInt.empty() : OptionalInt.of(process.exitValue());
    }

    /** SIGKILL; returns when the process is gone. */
    void kill9() {
        process.destroyForcibly();
        if (!waitFor(KILL_WAIT)) {
            throw new AssertionError("process " + pid() + " is still there " + KILL_WAIT + " after SIGKILL");
        }
    }

    /** SIGTERM, then SIGKILL when it has not ended in time; returns whether it ended by itself. */
    boolean term(Duration max) {
        process.destroy();
        if (waitFor(max)) {
            return true;
        }
        kill9();
        return false;
    }

    /** SIGSTOP: the process is there, its connections stay open, and it does nothing. */
    void pause() {
        signal("STOP");
    }

    /** SIGCONT. */
    void resume() {
        signal("CONT");
    }

    void signal(String name) {
        try {
            int exit = new ProcessBuilder("/bin/sh", "-c", "kill -s \"$0\" \"$1\"", name, Long.toString(pid()))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
            if (exit != 0) {
                throw new IllegalStateException("cannot send SIG" + name + " to process " + pid());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while signalling process " + pid(), e);
        }
    }

    boolean waitFor(Duration max) {
        try {
            return process.waitFor(max.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for process " + pid(), e);
        }
    }

    String output() {
        try {
            return Files.exists(log) ? new String(Files.readAllBytes(log), StandardCharsets.UTF_8) : "";
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + log, e);
        }
    }

    /**
     * Waits for a line the regular expression is found in; fails at once, with the end of the output, when the process
     * ends first.
     */
    MatchResult awaitLine(String regex, Duration max) {
        Pattern pattern = Pattern.compile(regex, Pattern.MULTILINE);
        MatchResult[] found = new MatchResult[1];
        Await.until("process " + pid() + " prints " + regex + " into " + log, max, () -> {
            boolean alive = isAlive(); // asked before reading, so that what a dying process wrote last is seen
            Matcher matcher = pattern.matcher(output());
            if (matcher.find()) {
                found[0] = matcher.toMatchResult();
                return true;
            }
            if (!alive) {
                throw new AssertionError("process " + pid() + " ended with exit code " + process.exitValue()
                        + " before it printed " + regex + "; its output ends with:\n" + tail(4_000));
            }
            return false;
        });
        return found[0];
    }

    /** The last part of the output, for messages. */
    String tail(int characters) {
        String output = output();
        return output.substring(Math.max(0, output.length() - characters));
    }

    @Override
    public void close() {
        if (process.isAlive()) {
            kill9();
        }
        guard.close();
    }
}
