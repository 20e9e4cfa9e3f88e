package io.txn.test.boot;

import io.txn.test.JavaProcess;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;

/** What the build made for this line of Spring Boot. */
final class Line {

    static final String MAIN = "io.txn.test.boot.BootLineApplication";

    private Line() {}

    /** The version of Spring Boot. */
    static String boot() {
        return System.getProperty("boot-line");
    }

    /** Whether what costs a minute is tried on this line: always on the newest, on the others in the long form. */
    static boolean isTriedInFull() {
        return Boolean.getBoolean("txn.test.full") || boot().startsWith("4.1.");
    }

    /** The application as it is packaged, and its libraries. */
    static String classPath() {
        return System.getProperty("application.jar") + File.pathSeparator + libraries();
    }

    /** The directory that the application's classes were compiled to. */
    static Path classes() {
        return Path.of(System.getProperty("application.classes"));
    }

    static String libraries() {
        try {
            return Files.readString(Path.of(System.getProperty("application.classpath")))
                    .strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A jar that only the tests know. */
    static String jar(String name) {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> entry.contains(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError(name + " is not on the class path of the tests"));
    }

    static JavaProcess.Builder application(String classPath, Stream<String> properties) {
        return JavaProcess.mainClass(MAIN)
                .classPath(classPath)
                .args(properties.map(property -> "--" + property).toArray(String[]::new));
    }
}
