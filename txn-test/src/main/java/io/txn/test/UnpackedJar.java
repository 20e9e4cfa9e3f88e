package io.txn.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * An executable jar of Spring Boot as it starts faster: unpacked, which saves a third of the CPU of a start, and with an archive of the classes that a start
 * loads, which saves another third. Both are made once a build, by the first JVM that asks, while others wait for it. Without an archive, because none could be
 * made or it does not fit, the program starts all the same. Thread-safe: the lock of the cache is between processes only.
 */
final class UnpackedJar {

    /** Small and quick to start, as all the programs of tests are. */
    static final List<String> SMALL_JVM = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m");

    private static final String ARCHIVE = "classes.jsa";
    private static final Duration READY_WAIT = Duration.ofSeconds(120);
    private static final Duration END_WAIT = Duration.ofSeconds(60);

    private UnpackedJar() {}

    /** What starts the program, behind {@code java} and its options; without an archive, which costs as much as it saves in four starts. */
    static synchronized List<String> program(BinaryCache cache, Path jar) {
        return List.of("-jar", unpacked(cache, jar).toString());
    }

    /**
     * The same with an archive.
     *
     * @param training arguments of a start of its own that is ended as soon as it says that it has started; asked for at most once a build
     */
    static synchronized List<String> program(BinaryCache cache, Path jar, Supplier<List<String>> training) {
        Path program = unpacked(cache, jar);
        // An archive knows its jar by the path, so it is made when that has its last name.
        Path archive = cache.get(keyOf(jar) + "-classes", empty -> train(program, training.get(), empty))
                .resolve(ARCHIVE);
        List<String> command = new ArrayList<>();
        if (Files.exists(archive)) {
            command.add("-XX:SharedArchiveFile=" + archive);
        }
        command.addAll(List.of("-jar", program.toString()));
        return command;
    }

    private static Path unpacked(BinaryCache cache, Path jar) {
        return cache.get(keyOf(jar), empty -> {
                    removeOlder(empty, jar);
                    unpack(jar, empty);
                })
                .resolve(fileName(jar));
    }

    private static String keyOf(Path jar) {
        return nameOf(jar) + '@' + fingerprint(jar);
    }

    private static String fileName(Path jar) {
        return String.valueOf(jar.getFileName());
    }

    private static String nameOf(Path jar) {
        String file = fileName(jar);
        return "program-" + (file.endsWith(".jar") ? file.substring(0, file.length() - 4) : file);
    }

    /** Another jar, or another JDK, is another entry. */
    private static String fingerprint(Path jar) {
        try {
            return Integer.toHexString(Objects.hash(
                    jar.toAbsolutePath().normalize().toString(),
                    Files.size(jar),
                    Files.getLastModifiedTime(jar).toMillis(),
                    System.getProperty("java.home"),
                    Runtime.version().toString()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What earlier builds left of the same program: a hundred megabytes each. */
    private static void removeOlder(Path empty, Path jar) throws IOException {
        Path directory = Objects.requireNonNull(empty.getParent());
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, nameOf(jar) + "@*")) {
            for (Path entry : entries) {
                if (Files.isDirectory(entry) && !entry.equals(empty)) {
                    Scratch.delete(entry);
                }
            }
        }
    }

    private static void unpack(Path jar, Path empty) throws IOException {
        Path log = empty.resolve("unpack.log");
        int exit = Platform.run(
                empty,
                log,
                List.of(
                        java(),
                        "-Djarmode=tools",
                        "-jar",
                        jar.toAbsolutePath().toString(),
                        "extract",
                        "--force",
                        "--destination",
                        empty.toString()));
        if (exit != 0 || !Files.exists(empty.resolve(fileName(jar)))) {
            throw new IOException(jar + " cannot be unpacked, exit code " + exit + ":\n" + Files.readString(log));
        }
    }

    private static void train(Path program, List<String> arguments, Path empty) throws IOException {
        Path part = empty.resolve(ARCHIVE + ".part");
        List<String> command = new ArrayList<>();
        command.add(java());
        command.addAll(SMALL_JVM);
        command.addAll(List.of("-XX:ArchiveClassesAtExit=" + part, "-jar", program.toString()));
        command.addAll(arguments);
        Path scratch = Scratch.directory("training");
        Path log = empty.resolve("training.log");
        try (ManagedProcess process =
                ManagedProcess.start(new ProcessBuilder(command).directory(scratch.toFile()), log, "KILL", scratch)) {
            process.awaitLine("Started \\w+ in ", READY_WAIT);
            if (process.term(END_WAIT) && Files.exists(part)) {
                Files.move(part, empty.resolve(ARCHIVE));
            }
        } catch (AssertionError e) {
            // Slower, and as right: a test that needs the program will say what is wrong with it.
            System.out.println("no archive of classes for " + program + ": " + e.getMessage());
        } finally {
            Files.deleteIfExists(part);
            Scratch.delete(scratch);
        }
    }

    private static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }
}
