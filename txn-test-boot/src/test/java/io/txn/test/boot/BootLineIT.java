package io.txn.test.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.Coordinator;
import io.txn.coordinator.CoordinatorOptions;
import io.txn.coordinator.TransactionQuery;
import io.txn.coordinator.TransactionSummary;
import io.txn.coordinator.machine.TransactionState;
import io.txn.test.Await;
import io.txn.test.Jdks;
import io.txn.test.TestDatabase;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two processes of the packaged application of this line of Spring Boot, one on the JDK of this build and one on Java 25 where that is present, each the opener of a global transaction over both and
 * the other's participant. Requests have virtual threads there. The long form runs a pair of processes on either JDK besides.
 */
@Timeout(600)
class BootLineIT {

    private static final int NEWEST = 25;
    private static final int VIRTUAL_THREADS = 21;
    private static final Duration MAX = Duration.ofSeconds(60);
    private static final Set<String> CLIENTS =
            Set.of("rest-template", "rest-client", "web-client", "http-exchange", "feign");

    /** Of the log of loaded classes: the thread, and the class. */
    private static final Pattern LOADED = Pattern.compile("\\[(\\d+) *] (\\S+) source: .*");

    private static final String CODEC = "io.txn.protocol.codec.Schemas";
    private static final String AHEAD = "/io/txn/spring/autoconfigure/start-classes.txt";

    /** Of the line's major version; StartClassesIT holds it to what a start loads. */
    private static final String AHEAD_OF_SPRING_BOOT =
            "/io/txn/spring/autoconfigure/start-classes-of-spring-boot-%s.txt";

    @TempDir
    static Path directory;

    private static Coordinator coordinator;

    @BeforeAll
    static void start() {
        coordinator = Coordinator.start(
                CoordinatorOptions.DEFAULTS.withListen("127.0.0.1", 0).withDataDir(directory.resolve("coordinator")));
    }

    @AfterAll
    static void stop() {
        coordinator.close();
    }

    @Test
    void aGlobalTransactionOverTwoProcessesCommitsAndRollsBack() {
        Path own = Path.of(System.getProperty("java.home"));
        Optional<Path> newest = Jdks.find(NEWEST);
        if (newest.isEmpty()) {
            System.out.println("NOT RUN on Java " + NEWEST + ": no such JDK was found (set JAVA_HOME_" + NEWEST
                    + "). Both processes run on Java " + Runtime.version().feature() + '.');
        }
        if (Boolean.getBoolean("txn.test.full")) {
            check(own, own);
            newest.ifPresent(home -> check(home, home));
        }
        check(own, newest.orElse(own));
    }

    private static void check(Path firstJdk, Path secondJdk) {
        TestDatabase firstDatabase = Running.database();
        TestDatabase secondDatabase = Running.database();
        Path loaded = Path.of("target", "boot-line", "first.classes").toAbsolutePath();
        Path loadedBySecond = loaded.resolveSibling("second.classes");
        try (Running first = start("first", firstJdk, firstDatabase, log(loaded));
                Running second = start(
                        "second",
                        secondJdk,
                        secondDatabase,
                        log(loadedBySecond),
                        "-Dspring.backgroundpreinitializer.ignore=true")) {
            first.awaitStart();
            second.awaitStart();
            for (Running each : List.of(first, second)) {
                Map<String, String> about = each.get("/about");
                System.out.println(about);
                assertThat(about).containsEntry("boot", Line.boot()).hasEntrySatisfying("starter", file -> assertThat(
                                file)
                        .as("the packaged jar that all lines share")
                        .matches(".*/txn-spring-boot-autoconfigure/target/txn-spring-boot-autoconfigure-[^/]*\\.jar"));
                assertThat(about.get("virtual"))
                        .as("requests are served on virtual threads from Java 21 on")
                        .isEqualTo(Boolean.toString(Integer.parseInt(about.get("java")) >= VIRTUAL_THREADS));
                assertThat(each.warnings()).as("a healthy start").isEmpty();
                // Boot 4 has its health in another place.
                Await.untilPasses("connected behind the start", MAX, () -> assertThat(each.text("/actuator/health"))
                        .contains("\"txn\":{\"status\":\"UP\"}"));
                assertThat(each.text("/actuator/health/readiness")).contains("\"status\":\"UP\"");
                // And Jackson in another version.
                assertThat(each.text("/actuator/configprops/txn"))
                        .contains("127.0.0.1:" + coordinator.tcpPort(), "\"group\":\"TXN\"", "\"password\":\"******\"")
                        .doesNotContain("s3cret");
            }
            checkLoaded(loaded);
            Map<String, Set<String>> withoutHelp = loadedClasses(loadedBySecond);
            assertThat(withoutHelp.get("io.txn.client.TxnClient"))
                    .as("on the main thread where it was switched off")
                    .isEqualTo(withoutHelp.get(BootLineApplication.class.getName()));
            commitAndRollBack(first, second);
            commitAndRollBack(second, first);
            assertThat(second.process().term(Duration.ofSeconds(60)))
                    .as("ends when it is asked to")
                    .isTrue();
        }
    }

    /** What a start is slow with, and does not need, or not on the thread that everything else waits for. */
    private static void checkLoaded(Path log) {
        Map<String, Set<String>> threads = loadedClasses(log);
        assertThat(threads.keySet())
                .contains(CODEC)
                .as("parsers of expressions, registries and servers that nobody asked for")
                .noneMatch(name -> name.startsWith("org.aspectj.weaver.tools.")
                        || name.startsWith("org.aspectj.weaver.patterns.")
                        || name.startsWith("com.alibaba.nacos.client.")
                        || name.startsWith("io.txn.coordinator."));
        assertThat(threads.get(CODEC))
                .as("connecting is another thread's work")
                .doesNotContainAnyElementsOf(threads.get(BootLineApplication.class.getName()));
        checkLoadedAhead(threads);
    }

    private static String log(Path loadedClasses) {
        return "-Xlog:class+load:file=" + loadedClasses + ":tid";
    }

    /** Each class that was loaded, and the threads that loaded it. */
    private static Map<String, Set<String>> loadedClasses(Path log) {
        Map<String, Set<String>> threads = new HashMap<>();
        try (Stream<String> lines = Files.lines(log)) {
            lines.map(LOADED::matcher).filter(Matcher::matches).forEach(line -> threads.computeIfAbsent(
                            line.group(2), name -> new HashSet<>())
                    .add(line.group(1)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return threads;
    }

    /** The starter's classes are loaded by a thread of their own before the start asks for them. */
    private static void checkLoadedAhead(Map<String, Set<String>> threads) {
        String main = String.join("", threads.get(BootLineApplication.class.getName()));
        Set<String> byMain = threads.entrySet().stream()
                .filter(loaded -> loaded.getValue().contains(main))
                .map(Map.Entry::getKey)
                .filter(name -> name.startsWith("io.txn.") && !name.startsWith("io.txn.test.") && !name.contains("$$"))
                .collect(Collectors.toCollection(TreeSet::new));
        List<String> ahead = names(AHEAD);
        assertThat(byMain.stream()
                        .filter(name -> !ahead.contains(name) && !name.endsWith(".StartClasses"))
                        .toList())
                .as("a start asks for these too: add them to %s, where they are asked for", AHEAD)
                .isEmpty();
        if (Runtime.getRuntime().availableProcessors() > 1) {
            // A busy machine may let the main thread come first for some.
            assertThat(byMain).hasSizeLessThan(ahead.size() / 2);
            Set<String> helper = threads.get(ahead.get(0));
            assertThat(threads.entrySet().stream()
                            .filter(loaded -> loaded.getKey().contains("$Proxy")
                                    && loaded.getValue().equals(helper)))
                    .as("the proxies that AT mode stands with in front of the driver's objects")
                    .hasSizeGreaterThanOrEqualTo(4);
            assertThat(names(String.format(AHEAD_OF_SPRING_BOOT, Line.boot().charAt(0))).stream()
                            .filter(name -> threads.getOrDefault(name, Set.of()).equals(helper)))
                    .as("classes of Spring Boot and of what it brings, behind ours")
                    .hasSizeGreaterThan(500);
        }
    }

    private static List<String> names(String resource) {
        try (InputStream names = Objects.requireNonNull(BootLineIT.class.getResourceAsStream(resource))) {
            return new String(names.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .map(line -> line.split(" ")[0]) // behind some stands that they are not linked
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Running start(String name, Path jdk, TestDatabase database, String... jvm) {
        return Running.start(
                database,
                Line.application(
                                Line.classPath(),
                                Stream.concat(
                                        Running.properties(database),
                                        Stream.of(
                                                "txn.coordinator.address=127.0.0.1:" + coordinator.tcpPort(),
                                                "spring.threads.virtual.enabled=true",
                                                "txn.nacos.group=TXN",
                                                "txn.nacos.password=s3cret",
                                                "management.endpoints.web.exposure.include=health,configprops",
                                                "management.endpoint.configprops.show-values=always")))
                        .jdk(jdk)
                        .jvm(jvm),
                Path.of("target", "boot-line", name + ".log"));
    }

    private static void commitAndRollBack(Running opener, Running participant) {
        Set<String> ownBefore = opener.notes();
        Set<String> otherBefore = participant.notes();

        Map<String, String> transactions = opener.purchase("kept", participant, false);

        Set<String> expected = new HashSet<>(CLIENTS);
        expected.add("here");
        assertThat(transactions).containsOnlyKeys(expected);
        assertThat(new HashSet<>(transactions.values()))
                .as("one transaction for all")
                .hasSize(1)
                .doesNotContain("none");
        assertThat(opener.notes()).containsAll(ownBefore).contains("kept-here", "kept-async");
        List<String> kept =
                new ArrayList<>(CLIENTS.stream().map(client -> "kept-" + client).toList());
        assertThat(participant.notes()).containsAll(otherBefore).containsAll(kept);
        Await.until("no undo record is left", MAX, () -> opener.undoRecords() + participant.undoRecords() == 0);

        Set<String> own = opener.notes();
        Set<String> other = participant.notes();
        long rolledBack = rolledBack();
        opener.purchase("undone", participant, true);
        Await.until("rolled back", MAX, () -> rolledBack() == rolledBack + 1);
        assertThat(opener.notes()).isEqualTo(own);
        assertThat(participant.notes()).isEqualTo(other);
        assertThat(opener.undoRecords() + participant.undoRecords()).isZero();
    }

    private static long rolledBack() {
        try {
            return coordinator
                    .transactions(TransactionQuery.all(1000))
                    .get(60, TimeUnit.SECONDS)
                    .transactions()
                    .stream()
                    .map(TransactionSummary::state)
                    .filter(state -> state == TransactionState.ROLLED_BACK)
                    .count();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
