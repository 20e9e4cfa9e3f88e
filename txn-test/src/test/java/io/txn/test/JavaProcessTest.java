package io.txn.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JavaProcessTest {

    private static final Duration MAX = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    @Test
    void passesArgumentsAndEnvironmentAndKeepsTheOutput() {
        try (JavaProcess process = JavaProcess.mainClass(Greeter.class)
                .args("world")
                .env("GREETER_PLACE", "here")
                .start(directory.resolve("deep/er/log"))) {
            assertThat(process.awaitLine("^hello (\\w+) from (\\w+)$", MAX).group(2))
                    .isEqualTo("here");
            assertThat(process.exitCode()).isEmpty();
        }
    }

    @Test
    void killedProcessIsGoneAndCanBeStartedAgain() {
        JavaProcess first = JavaProcess.mainClass(Greeter.class).args("again").start(directory.resolve("log"));
        first.awaitLine("^ready$", MAX);
        first.kill9();
        assertThat(first.exitCode()).hasValue(128 + 9);
        try (JavaProcess second = first.again()) {
            assertThat(second.pid()).isNotEqualTo(first.pid());
            second.awaitLine("^ready\\n(.*\\n)*ready$", MAX);
        }
    }

    @Test
    void termEndsItInOrder() {
        try (JavaProcess process =
                JavaProcess.mainClass(Greeter.class).args("x").start(directory.resolve("log"))) {
            process.awaitLine("^ready$", MAX);
            assertThat(process.term(MAX)).isTrue();
            assertThat(process.exitCode()).hasValue(128 + 15);
        }
    }

    @Test
    void waitingForOutputEndsWhenTheProcessEnds() {
        try (JavaProcess process =
                JavaProcess.mainClass(Greeter.class).args("exit", "7").start(directory.resolve("log"))) {
            assertThatThrownBy(() -> process.awaitLine("never printed", Duration.ofHours(1)))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("exit code 7")
                    .hasMessageContaining("hello exit");
        }
    }

    @Test
    void pausedProcessIsAliveButDoesNotEndOnTermUntilResumed() {
        try (JavaProcess process =
                JavaProcess.mainClass(Greeter.class).args("x").start(directory.resolve("log"))) {
            process.awaitLine("^ready$", MAX);
            process.pause();
            assertThat(process.isAlive()).isTrue();
            process.resume();
            assertThat(process.term(MAX)).isTrue();
        }
    }

    @Test
    void processDiesWithTheJvmThatStartedItEvenWhenThatIsKilled() {
        JavaProcess parent = JavaProcess.mainClass(Greeter.class)
                .args("children", directory.resolve("child.log").toString())
                .start(directory.resolve("log"));
        long child = Long.parseLong(parent.awaitLine("^child is (\\d+)$", MAX).group(1));
        assertThat(ProcessHandle.of(child)).isPresent();
        parent.kill9();
        Await.until("the child is gone", MAX, () -> ProcessHandle.of(child)
                .filter(ProcessHandle::isAlive)
                .isEmpty());
    }
}
