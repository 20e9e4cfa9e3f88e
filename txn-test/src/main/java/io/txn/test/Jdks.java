package io.txn.test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The JDKs of this machine, for tests that start processes on another one than their own. Stateless. */
public final class Jdks {

    private Jdks() {}

    /**
     * The home of a JDK of this feature release: that of this JVM, else the one that the system property {@code txn.test.jdk.<release>} or the environment variable {@code JAVA_HOME_<release>} names,
     * else one in the places where installers put them.
     */
    public static Optional<Path> find(int release) {
        List<Path> homes = new ArrayList<>();
        homes.add(Path.of(System.getProperty("java.home")));
        add(homes, System.getProperty("txn.test.jdk." + release));
        add(homes, System.getenv("JAVA_HOME_" + release));
        add(homes, System.getenv("JAVA_HOME_" + release + "_X64"));
        Path user = Path.of(System.getProperty("user.home"));
        for (Path parent : List.of(
                Path.of("/usr/lib/jvm"),
                Path.of("/opt"),
                Path.of("/opt/java"),
                user.resolve(".jdks"),
                user.resolve(".sdkman/candidates/java"),
                user.resolve(".m2/jdks"))) {
            homes.addAll(children(parent));
        }
        return homes.stream().filter(home -> release(home) == release).findFirst();
    }

    private static void add(List<Path> homes, @Nullable String home) {
        if (home != null && !home.isBlank()) {
            homes.add(Path.of(home));
        }
    }

    private static List<Path> children(Path directory) {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> children = Files.list(directory)) {
            return children.sorted().toList();
        } catch (IOException e) {
            return List.of(); // a directory that may not be read holds no JDK for us
        }
    }

    /** The feature release of a JDK that can be started, 0 where there is none. */
    static int release(Path home) {
        Path file = home.resolve("release");
        if (!Files.isExecutable(home.resolve("bin").resolve("java")) || !Files.isRegularFile(file)) {
            return 0;
        }
        Properties properties = new Properties();
        try (var reader = Files.newBufferedReader(file)) {
            properties.load(reader);
            String version = properties.getProperty("JAVA_VERSION", "").replace("\"", "");
            return version.isEmpty() ? 0 : Runtime.Version.parse(version).feature();
        } catch (IOException | IllegalArgumentException e) {
            return 0; // not a file of the form that JDKs have
        }
    }
}
