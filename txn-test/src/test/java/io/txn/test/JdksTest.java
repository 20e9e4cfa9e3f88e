package io.txn.test;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JdksTest {

    @TempDir
    Path directory;

    @Test
    void theOneThatRunsThisIsFound() {
        assertThat(Jdks.find(Runtime.version().feature())).contains(Path.of(System.getProperty("java.home")));
    }

    @Test
    void whatIsNotThereIsNotFound() {
        assertThat(Jdks.find(9_999)).isEmpty();
    }

    @Test
    void onlyWhatCanBeStartedAndSaysItsVersionIsOne() throws Exception {
        assertThat(Jdks.release(directory)).isZero();
        Files.writeString(directory.resolve("release"), "JAVA_VERSION=\"25.0.1\"\n");
        assertThat(Jdks.release(directory)).isZero();
        Path java = Files.createDirectories(directory.resolve("bin")).resolve("java");
        Files.createFile(java);
        assertThat(java.toFile().setExecutable(true)).isTrue();
        assertThat(Jdks.release(directory)).isEqualTo(25);
        Files.writeString(directory.resolve("release"), "something else");
        assertThat(Jdks.release(directory)).isZero();
    }
}
