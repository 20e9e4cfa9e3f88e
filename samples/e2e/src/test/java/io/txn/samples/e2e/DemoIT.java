package io.txn.samples.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.samples.demo.Demo;
import io.txn.test.JavaProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The demo as a newcomer runs it, on embedded databases; and that it can tell wrong figures from right ones. */
@EnabledIfSystemProperty(named = "txn.test.wide", matches = "true")
class DemoIT {

    private static final Duration MAX = Duration.ofMinutes(8);

    @Test
    void endsWithZeroWhenEveryFigureIsRightAndLeavesNoProcess() throws IOException {
        try (JavaProcess demo = demo("demo", Map.of())) {
            assertThat(demo.waitFor(MAX)).as("ended in time").isTrue();
            assertThat(demo.output()).containsPattern("All \\d+ figures are right");
            assertThat(demo.exitCode()).as(demo.output()).hasValue(0);
            List<Long> pids = Pattern.compile("^  \\w+ +http://\\S+ +(\\d+)$", Pattern.MULTILINE)
                    .matcher(demo.output())
                    .results()
                    .map((MatchResult line) -> Long.parseLong(line.group(1)))
                    .toList();
            assertThat(pids).hasSize(5);
            assertThat(pids)
                    .noneMatch(pid ->
                            ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isPresent());
        }
    }

    /** In the long form only: it boots everything once more. */
    @Test
    @EnabledIfSystemProperty(named = "txn.test.full", matches = "true")
    void endsWithAnotherStatusWhenTheServicesRunWithoutGlobalTransactions() throws IOException {
        try (JavaProcess demo = demo("demo-wrong", Map.of("TXN_ENABLED", "false"))) {
            assertThat(demo.waitFor(MAX)).as("ended in time").isTrue();
            assertThat(demo.output()).contains("The demo failed: ").doesNotContain("figures are right");
            assertThat(demo.exitCode()).hasValue(1);
        }
    }

    private static JavaProcess demo(String name, Map<String, String> environment) throws IOException {
        Path data = Shop.data(name).toAbsolutePath();
        JavaProcess.Builder demo = JavaProcess.mainClass(Demo.class)
                .jvm("-Dtxn.demo.root=" + Path.of("../..").toAbsolutePath().normalize())
                .jvm("-Dtxn.demo.data=" + data, "-Dtxn.demo.ports=free");
        environment.forEach(demo::env);
        return demo.start(data.resolveSibling(data.getFileName() + ".log"));
    }
}
