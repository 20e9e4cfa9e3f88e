package io.txn.test.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.Coordinator;
import io.txn.coordinator.CoordinatorOptions;
import io.txn.test.Await;
import io.txn.test.JavaProcess;
import io.txn.test.TestDatabase;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/**
 * The application is processed ahead of time as Spring Boot's build plugin does it, and then runs on the JVM from what that made, with a coordinator beside it or inside: bean definitions are code, and no configuration
 * class is read any more.
 */
@Timeout(600)
@EnabledIf(value = "io.txn.test.boot.Line#isTriedInFull", disabledReason = "in the long form")
class AotIT {

    @TempDir
    static Path directory;

    @Test
    void theApplicationRunsFromWhatIsGeneratedAheadOfTime() throws Exception {
        TestDatabase database = Running.database();
        List<String> properties = Stream.concat(Running.properties(database), Stream.of("boot-line.saga=true"))
                .toList();
        Path made = directory.resolve("beside");
        String classPath = processed(made, properties);
        Path resources = made.resolve("resources");
        // Nothing on a JVM asks for these; a native image would.
        assertThat(resources.resolve("META-INF/native-image/io.txn/sagas/serialization-config.json"))
                .content()
                .contains("\"lambdaCapturingTypes\":[{\"name\":\"io.txn.test.boot.Noting\"}]");
        try (Stream<Path> files = Files.walk(resources)) {
            assertThat(files.filter(file ->
                            file.endsWith("reflect-config.json") || file.endsWith("reachability-metadata.json")))
                    .anySatisfy(file -> assertThat(file).content().contains("tearOut"));
        }

        try (Coordinator coordinator = Coordinator.start(CoordinatorOptions.DEFAULTS
                        .withListen("127.0.0.1", 0)
                        .withDataDir(directory.resolve("coordinator")));
                Running application = Running.start(
                        database,
                        // Where it is, is said now and not when the code was made.
                        Line.application(
                                        classPath,
                                        Stream.concat(
                                                properties.stream(),
                                                Stream.of(
                                                        "txn.coordinator.address=127.0.0.1:" + coordinator.tcpPort())))
                                .jvm("-Dspring.aot.enabled=true"),
                        Path.of("target", "boot-line", "aot.log"))) {
            application.awaitStart();
            assertThat(application.get("/about")).containsEntry("aot", "true");
            assertThat(application.process().output())
                    .contains("Starting AOT-processed BootLineApplication")
                    .contains("data source takes part in global transactions");
            assertThat(application.warnings()).isEmpty();
            // Its own peer: the clients carry the transaction out, the filter takes it in.
            assertThat(Set.copyOf(
                            application.purchase("kept", application, false).values()))
                    .as("one transaction for all")
                    .hasSize(1)
                    .doesNotContain("none");
            Await.until("no undo record is left", Duration.ofSeconds(60), () -> application.undoRecords() == 0);
            Set<String> kept = application.notes();
            assertThat(kept).contains("kept-here", "kept-async", "kept-feign", "kept-http-exchange");
            application.purchase("undone", application, true);
            Await.until("rolled back", Duration.ofSeconds(60), () -> application.undoRecords() == 0);
            assertThat(application.notes()).isEqualTo(kept);
            // The definition's references to methods are looked into by code that was made ahead of time.
            assertThat(application.saga("saga", false)).containsEntry("state", "COMPENSATED");
            assertThat(application.notes()).isEqualTo(kept);
            assertThat(application.saga("saga", true)).containsEntry("state", "DONE");
            assertThat(application.notes()).contains("saga").containsAll(kept);
        }
    }

    /** One key, set when the code is made and when it runs: the coordinator and what finds it are definitions that were made ahead of time, too. */
    @Test
    void theApplicationRunsWithItsCoordinatorInside() throws Exception {
        TestDatabase database = Running.database();
        List<String> properties = Stream.concat(Running.properties(database), Stream.of("txn.embedded.enabled=true"))
                .toList();
        String classPath = processed(directory.resolve("inside"), properties);
        try (Running application = Running.start(
                database,
                Line.application(classPath, properties.stream()).jvm("-Dspring.aot.enabled=true"),
                Path.of("target", "boot-line", "aot-embedded.log"))) {
            application.awaitStart();
            assertThat(application.process().output())
                    .contains("Starting AOT-processed BootLineApplication")
                    .containsOnlyOnce("an embedded coordinator runs within this application");
            assertThat(application.warnings()).isEmpty();
            application.purchase("kept", application, false);
            Await.until("no undo record is left", Duration.ofSeconds(60), () -> application.undoRecords() == 0);
            Set<String> kept = application.notes();
            assertThat(kept).contains("kept-here", "kept-async", "kept-feign", "kept-http-exchange");
            application.purchase("undone", application, true);
            Await.until("rolled back", Duration.ofSeconds(60), () -> application.undoRecords() == 0);
            assertThat(application.notes()).isEqualTo(kept);
        }
    }

    /** Processes the application with these properties; the class path on which it runs from what that made. */
    private static String processed(Path into, List<String> properties) throws IOException {
        Path sources = into.resolve("sources");
        Path resources = into.resolve("resources");
        Path classes = into.resolve("classes");
        try (JavaProcess processing = JavaProcess.mainClass("org.springframework.boot.SpringApplicationAotProcessor")
                .classPath(Line.classPath())
                .args(Line.MAIN, sources.toString(), resources.toString(), classes.toString(), "io.txn", "boot-line")
                .args(properties.stream().map(property -> "--" + property).toArray(String[]::new))
                .start(Path.of("target", "boot-line", "aot-processing-" + into.getFileName() + ".log"))) {
            assertThat(processing.waitFor(Running.START)).isTrue();
            assertThat(processing.exitCode()).as(processing.output()).hasValue(0);
        }
        compile(sources, classes);
        return String.join(File.pathSeparator, classes.toString(), resources.toString(), Line.classPath());
    }

    private static void compile(Path sources, Path classes) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        List<String> arguments = new ArrayList<>(List.of(
                "-proc:none",
                "-parameters",
                "-nowarn",
                "-d",
                classes.toString(),
                "-cp",
                classes + File.pathSeparator + Line.classPath()));
        try (Stream<Path> files = Files.walk(sources)) {
            files.map(Path::toString).filter(file -> file.endsWith(".java")).forEach(arguments::add);
        }
        assertThat(compiler.run(null, null, null, arguments.toArray(String[]::new)))
                .as("the generated sources compile")
                .isZero();
    }
}
