package io.txn.test;

import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Supplier;
import java.util.regex.MatchResult;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A Java program in a process of its own: started with the JDK of this JVM unless another one is given, its output in a file, to be killed, stopped
 * and asked.
 * It never outlives this JVM. Thread-safe.
 *
 * <pre>{@code
 * try (JavaProcess coordinator = JavaProcess.jar(jar).args("--server.port=" + port).start(log)) {
 *     coordinator.awaitLine("Started .* in", Duration.ofSeconds(90));
 *     coordinator.kill9();
 * }
 * }</pre>
 */
public final class JavaProcess implements AutoCloseable {

    private final Builder builder;
    private final ManagedProcess process;

    private JavaProcess(Builder builder, ManagedProcess process) {
        this.builder = builder;
        this.process = process;
    }

    /** A program in an executable jar. */
    public static Builder jar(Path jar) {
        return new Builder(List.of("-jar", jar.toString()));
    }

    /** A program in an executable jar of Spring Boot, unpacked once a build where that keeps its servers: two thirds of the CPU of a start. */
    public static Builder unpacked(Path jar) {
        return program(UnpackedJar.program(BinaryCache.ofBuild(), jar));
    }

    /**
     * The same with an archive of its classes: less than half of the CPU of a start, for a program that is started many times.
     *
     * @param training arguments with which the program is started, and ended as soon as it says so, to learn its classes; asked for at most once a build
     */
    public static Builder unpacked(Path jar, Supplier<List<String>> training) {
        return program(UnpackedJar.program(BinaryCache.ofBuild(), jar, training));
    }

    /** A program by what stands behind {@code java} and its options. */
    static Builder program(List<String> program) {
        return new Builder(program);
    }

    /** The coordinator of this executable jar, unpacked and with an archive of its classes. */
    public static Builder coordinator(Path jar) {
        return unpacked(
                jar, () -> List.of("--server.port=" + Ports.free(), "--txn.coordinator.tcp.port=" + Ports.free()));
    }

    /** A program by its main class, on the class path of this JVM unless another one is given. */
    public static Builder mainClass(Class<?> main) {
        return mainClass(main.getName());
    }

    /** A program by its main class, on the class path of this JVM unless another one is given. */
    public static Builder mainClass(String main) {
        return new Builder(List.of(main)).classPath(System.getProperty("java.class.path"));
    }

    /** The same program with the same arguments, environment and log once more, after this one has ended. */
    public JavaProcess again() {
        if (isAlive()) {
            throw new IllegalStateException("process " + pid() + " is still running");
        }
        return builder.start(log());
    }

    public long pid() {
        return process.pid();
    }

    /** The file with standard output and standard error, of every run that used it. */
    public Path log() {
        return process.log();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Empty while it runs; 128 + signal number when a signal ended it. */
    public OptionalInt exitCode() {
        return process.exitCode();
    }

    /** SIGKILL; returns when the process is gone. */
    public void kill9() {
        process.kill9();
    }

    /** SIGTERM; SIGKILL when it has not ended in time. Returns whether it ended by itself. */
    public boolean term(Duration max) {
        return process.term(max);
    }

    /** SIGSTOP: the process is there, its connections stay open, and it does nothing until {@link #resume()}. */
    public void pause() {
        process.pause();
    }

    /** SIGCONT. */
    public void resume() {
        process.resume();
    }

    /** Waits for the end; returns whether it came in time. */
    public boolean waitFor(Duration max) {
        return process.waitFor(max);
    }

    /** What is in the log so far. */
    public String output() {
        return process.output();
    }

    /**
     * Waits for output in which the regular expression is found ({@code ^} and {@code $} match at lines). Fails at once
     * when the process ends first.
     */
    public MatchResult awaitLine(String regex, Duration max) {
        return process.awaitLine(regex, max);
    }

    /** Kills the process if it still runs, and waits for its end. */
    @Override
    public void close() {
        process.close();
    }

    /** What to start and how; each method changes and returns this builder. Not thread-safe. */
    public static final class Builder {

        private final List<String> program;
        private final List<String> jvmArguments = new ArrayList<>();
        private final List<String> arguments = new ArrayList<>();
        private final Map<String, String> environment = new LinkedHashMap<>();
        private Path home = Path.of(System.getProperty("java.home"));
        private @Nullable String classPath;
        private @Nullable Path directory;

        private Builder(List<String> program) {
            this.program = program;
            // Tests start many small JVMs on few cores: quick to start matters, top speed and big heaps do not.
            jvmArguments.addAll(UnpackedJar.SMALL_JVM);
        }

        /** Further JVM flags; a later one overrides an earlier one, also the defaults for a small and quick JVM. */
        public Builder jvm(String... flags) {
            jvmArguments.addAll(List.of(flags));
            return this;
        }

        /** The home of the JDK to start it with, see {@link Jdks}. */
        public Builder jdk(Path home) {
            this.home = home;
            return this;
        }

        public Builder args(String... arguments) {
            this.arguments.addAll(List.of(arguments));
            return this;
        }

        public Builder env(String name, String value) {
            environment.put(name, value);
            return this;
        }

        public Builder directory(Path directory) {
            this.directory = directory;
            return this;
        }

        /** Empty: none is passed on the command line; for the one that puts it into an argument file. */
        public Builder classPath(String classPath) {
            this.classPath = classPath;
            return this;
        }

        public Builder classPath(List<Path> entries) {
            return classPath(entries.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator)));
        }

        /** Starts the process; its output is appended to the file, whose directories are created. */
        public JavaProcess start(Path log) {
            List<String> command = new ArrayList<>();
            command.add(home.resolve("bin").resolve("java").toString());
            command.addAll(jvmArguments);
            if (classPath != null && !classPath.isEmpty()) {
                command.add("-cp");
                command.add(classPath);
            }
            command.addAll(program);
            command.addAll(arguments);
            ProcessBuilder process = new ProcessBuilder(command);
            process.environment().putAll(environment);
            if (directory != null) {
                process.directory(directory.toFile());
            }
            return new JavaProcess(this, ManagedProcess.start(process, log, "KILL", null));
        }
    }
}
