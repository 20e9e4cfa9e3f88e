package io.txn.test.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.test.JavaProcess;
import io.txn.test.TestDatabase;
import java.io.File;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Holds the list of what the starter loads ahead of Spring Boot and of what it brings to what a usual start loads on this line: a servlet application with a pool, health and metrics, without the starter. What only others
 * have is taken off the class path.
 *
 * <p>{@code -Dtxn.start-classes.update=true} writes the lists anew: that of Spring Boot 3 on 3.5, that of Spring Boot 4 on 4.1.
 */
@Timeout(600)
class StartClassesIT {

    private static final String LIST =
            "txn-spring-boot-autoconfigure/src/main/resources/io/txn/spring/autoconfigure/start-classes-of-spring-boot-%s.txt";
    private static final Pattern UNUSUAL = Pattern.compile(
            ".*/(feign|spring-cloud|spring-boot-(starter-)?web(flux|client)|spring-webflux|reactor|httpc|nacos)[^/]*");
    private static final Pattern OWNERS = Pattern.compile(
            "(org\\.springframework|org\\.apache\\.(catalina|coyote|juli|naming|tomcat)|com\\.zaxxer\\.hikari"
                    + "|com\\.fasterxml\\.jackson|tools\\.jackson|io\\.micrometer|ch\\.qos\\.logback|org\\.slf4j|jakarta)\\..*");

    private static final Pattern LOADED = Pattern.compile("\\[(\\d+) *] (\\S+) source: (\\S+).*");
    private static final String PREPARED = "org.springframework.boot.context.event.ApplicationEnvironmentPreparedEvent";
    private static final String APPLICATION = "io.txn.test.start.StartApplication";

    /** What a start loads when the environment is prepared, in this order. */
    private static final Set<String> loaded = new LinkedHashSet<>();

    private static final Set<String> loadedAtAnyTime = new HashSet<>();
    private static String classPath;

    @BeforeAll
    static void start() throws IOException {
        classPath = Stream.of(Line.classPath().split(File.pathSeparator))
                .filter(entry -> !UNUSUAL.matcher(entry).matches())
                .collect(Collectors.joining(File.pathSeparator));
        Path log = Path.of("target", "boot-line", "start.classes").toAbsolutePath();
        Files.deleteIfExists(log);
        Files.createDirectories(log.getParent());
        Path output = log.resolveSibling("start.log");
        Files.deleteIfExists(output);
        TestDatabase database = Running.database();
        // Nobody loads anything ahead, so that the order is the main thread's.
        try (JavaProcess application = JavaProcess.mainClass(APPLICATION)
                .classPath(classPath)
                .jvm(
                        "-Dspring.backgroundpreinitializer.ignore=true",
                        "-Xlog:class+load:file=" + log + ":tid:filecount=0")
                .args(Stream.concat(Running.properties(database), Stream.of("txn.enabled=false"))
                        .map(property -> "--" + property)
                        .toArray(String[]::new))
                .start(output)) {
            application.awaitLine("Started StartApplication in ", Running.START);
        }
        read(log);
    }

    private static void read(Path log) throws IOException {
        String main = "";
        boolean prepared = false;
        for (String line : Files.readAllLines(log)) {
            Matcher load = LOADED.matcher(line);
            if (load.matches()) {
                String name = load.group(2);
                loadedAtAnyTime.add(name);
                if (name.equals(APPLICATION)) {
                    main = load.group(1);
                }
                if (prepared && load.group(1).equals(main) && isListed(name, load.group(3))) {
                    loaded.add(name);
                }
                prepared |= name.equals(PREPARED);
            }
        }
        assertThat(loaded).hasSizeGreaterThan(2000);
    }

    /** No class that is made while it runs. */
    private static boolean isListed(String name, String source) {
        return source.startsWith("file:")
                && OWNERS.matcher(name).matches()
                && !name.contains("$$")
                && !name.contains("/");
    }

    /** A class that is loaded for nothing makes the start dearer, and nobody would see it. */
    @Test
    void aStartLoadsWhatIsLoadedAhead() throws IOException {
        Path list = list();
        if (Boolean.getBoolean("txn.start-classes.update")) {
            write(list);
        }
        try (URLClassLoader there = new URLClassLoader(
                Arrays.stream(classPath.split(File.pathSeparator))
                        .map(StartClassesIT::url)
                        .toArray(URL[]::new),
                null)) {
            List<String> ahead = Files.readAllLines(list);
            assertThat(ahead).doesNotHaveDuplicates();
            List<String> inVain = without(
                    ahead,
                    name -> loadedAtAnyTime.contains(name)
                            || there.getResource(name.replace('.', '/') + ".class") == null);
            assertThat(inVain.size())
                    .as("listed in %s, and not loaded by a start: %s", list, inVain)
                    .isLessThan(ahead.size() / 20);
            List<String> missing = without(loaded, ahead::contains);
            assertThat(missing.size())
                    .as("loaded by a start, and not listed in %s: %s", list, missing)
                    .isLessThan(ahead.size() / 10);
        }
    }

    private static List<String> without(Collection<String> names, Predicate<String> left) {
        return names.stream().filter(left.negate()).toList();
    }

    private static void write(Path list) throws IOException {
        if (!Line.boot().startsWith("4.0.")) {
            Files.write(list, loaded);
        }
    }

    private static Path list() {
        Path project = Path.of("").toAbsolutePath().getParent().getParent();
        return project.resolve(String.format(LIST, Line.boot().charAt(0)));
    }

    private static URL url(String jar) {
        try {
            return Path.of(jar).toUri().toURL();
        } catch (MalformedURLException e) {
            throw new IllegalArgumentException(jar, e);
        }
    }
}
