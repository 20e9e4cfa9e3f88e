package io.txn.samples.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.samples.demo.Demo;
import io.txn.test.JavaProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The demo as a newcomer runs it, on embedded databases; and that it can tell wrong figures from right ones. */
class DemoIT {

    private static final Duration MAX = Duration.ofMinutes(8);

    @Test
    void endsWithZeroWhenEveryFigureIsRightAndLeavesNoProcess() throws IOException {
        try (JavaProcess demo = demo("demo").start(Path.of("target/demo.log"))) {
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

    @Test
    void endsWithAnotherStatusWhenTheServicesRunWithoutGlobalTransactions() throws IOException {
        try (JavaProcess demo =
                demo("demo-wrong").env("TXN_ENABLED", "false").start(Path.of("target/demo-wrong.log"))) {
            assertThat(demo.waitFor(MAX)).as("ended in time").isTrue();
            assertThat(demo.output()).contains("The demo failed: ").doesNotContain("figures are right");
            assertThat(demo.exitCode()).hasValue(1);
        }
    }

    private static JavaProcess.Builder demo(String name) throws IOException {
        return JavaProcess.mainClass(Demo.class)
                .jvm("-Dtxn.demo.root=" + Path.of("../..").toAbsolutePath().normalize())
                .jvm("-Dtxn.demo.data=" + Shop.data(name).toAbsolutePath());
    }
}
