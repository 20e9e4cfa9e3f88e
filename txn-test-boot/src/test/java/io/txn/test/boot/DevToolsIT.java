package io.txn.test.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.test.Await;
import io.txn.test.TestDatabase;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.util.FileSystemUtils;

/** Spring Boot's dev-tools restart the application within its JVM when a file changes: afterwards everything is there once, and the classes of the run before are gone. */
@Timeout(600)
@EnabledIf(value = "io.txn.test.boot.Line#isTriedInFull", disabledReason = "in the long form")
class DevToolsIT {

    /** Two of the client and their other ends, a listening one for the coordinator and one for the web, four of the pool. */
    private static final int CONNECTIONS_OF_ONE = 10;

    /** {@code txn.client.branch-workers}, one that looks something up, one that looks at deadlines, and those that wait a while for more to do. */
    private static final int WORKERS_OF_ONE = 12;

    @TempDir
    static Path directory;

    @Test
    void aRestartLeavesNothingBehind() throws Exception {
        TestDatabase database = Running.database();
        // Only classes in directories are restarted, and only here may a file change.
        Path classes = directory.resolve("classes");
        FileSystemUtils.copyRecursively(Line.classes(), classes);
        String classPath =
                String.join(File.pathSeparator, classes.toString(), Line.libraries(), Line.jar("spring-boot-devtools"));
        try (Running application = Running.start(
                database,
                Line.application(
                                classPath,
                                Stream.concat(
                                        Running.properties(database),
                                        Stream.of(
                                                "txn.embedded.enabled=true",
                                                "spring.jmx.enabled=true",
                                                "spring.datasource.hikari.maximum-pool-size=4",
                                                "spring.datasource.hikari.minimum-idle=4",
                                                "spring.datasource.hikari.register-mbeans=true",
                                                // Reactor's threads live as long as the JVM, and hold the run that made
                                                // them.
                                                "peers.without=web-client",
                                                "spring.devtools.livereload.enabled=false",
                                                "spring.devtools.restart.poll-interval=200ms",
                                                "spring.devtools.restart.quiet-period=100ms")))
                        // Spring's caches hold classes softly: they are to go as if memory were short.
                        .jvm("-XX:SoftRefLRUPolicyMSPerMB=0"),
                Path.of("target", "boot-line", "dev-tools.log"))) {
            application.awaitStart();
            application.purchase("before", application, false);
            Map<String, String> first = census(application, 0);
            assertThat(first.get("threads")).contains("txn");
            workers(first);
            assertThat(first.remove("loaders")).isEqualTo("1");
            int connections = Integer.parseInt(first.remove("connections"));

            int restarts = Boolean.getBoolean("txn.test.full") ? 5 : 2;
            for (int restart = 1; restart <= restarts; restart++) {
                restart(application, classes, restart);
                application.purchase("after-" + restart, application, false);
                Set<String> kept = application.notes();
                assertThat(kept).contains("after-" + restart + "-feign");
                application.purchase("undone", application, true);
                Await.until("rolled back", Running.START, () -> application.undoRecords() == 0);
                assertThat(application.notes()).isEqualTo(kept);
                int number = restart;
                Await.untilPasses("nothing is left of the run before", Running.START, () -> {
                    Map<String, String> now = census(application, number);
                    // HTTP clients and the pool keep some more or less open; one more client, coordinator and pool are
                    // more than these.
                    int more = Integer.parseInt(now.remove("connections")) - connections;
                    assertThat(more).as("more connections").isLessThan(CONNECTIONS_OF_ONE);
                    assertThat(Integer.parseInt(now.remove("loaders")))
                            .as("this run's classes, and the first one's, which Spring Boot's shutdown hook holds")
                            .isLessThanOrEqualTo(2);
                    assertThat(workers(now)).as("workers").isLessThanOrEqualTo(WORKERS_OF_ONE);
                    assertThat(now).isEqualTo(first);
                });
            }
            assertThat(application.warnings().filter(line -> line.contains("io.txn")))
                    .isEmpty();
        }
    }

    private static int workers(Map<String, String> census) {
        return Pattern.compile("=(\\d+)")
                .matcher(census.remove("workers"))
                .results()
                .mapToInt(count -> Integer.parseInt(count.group(1)))
                .sum();
    }

    private static void restart(Running application, Path classes, int number) throws IOException {
        Files.writeString(classes.resolve("changed.txt"), "change " + number);
        Await.until("restart " + number, Running.START, () -> started(application) == number + 1);
    }

    private static long started(Running application) {
        return Pattern.compile("Started BootLineApplication in ")
                .matcher(application.process().output())
                .results()
                .count();
    }

    /** What there is in this run of the application, without what the JVM opens for itself as it goes on. */
    private static Map<String, String> census(Running application, int restarts) {
        Map<String, String> census = new LinkedHashMap<>(application.get("/census"));
        assertThat(census.remove("restarts")).isEqualTo(Integer.toString(restarts));
        return census;
    }
}
