package io.txn.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BinaryCacheTest {

    private static final Duration MAX = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    /** Unpacks one entry in several pieces, and says which process did. */
    static final class Unpack {

        private Unpack() {}

        public static void main(String[] arguments) {
            Path place = BinaryCache.in(Path.of(arguments[0])).get("server-1", empty -> {
                for (int file = 0; file < 200; file++) {
                    Files.writeString(
                            empty.resolve("file" + file),
                            Long.toString(ProcessHandle.current().pid()));
                }
            });
            System.out.println("complete: " + count(place));
        }
    }

    private static int count(Path place) {
        try (var files = Files.list(place)) {
            return (int) files.count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void manyProcessesAtOnceFindOneCompleteDirectoryThatOneOfThemUnpacked() throws IOException {
        List<JavaProcess> processes = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            processes.add(JavaProcess.mainClass(Unpack.class)
                    .args(directory.resolve("cache").toString())
                    .start(directory.resolve("log" + i)));
        }
        for (JavaProcess process : processes) {
            process.awaitLine("^complete: 200$", MAX);
        }
        Path place = directory.resolve("cache/server-1");
        String one = Files.readString(place.resolve("file0"));
        for (int file = 0; file < 200; file++) {
            assertThat(place.resolve("file" + file)).hasContent(one);
        }
        processes.forEach(JavaProcess::close);
    }

    @Test
    void whatAKilledProcessLeftHalfDoneIsThrownAway() throws IOException {
        Files.createDirectories(directory.resolve("server-1.part/old"));
        Path place = BinaryCache.in(directory).get("server-1", empty -> Files.writeString(empty.resolve("new"), "new"));
        assertThat(place.resolve("new")).exists();
        assertThat(place.resolve("old")).doesNotExist();
    }

    @Test
    void aFailedUnpackingLeavesNothingThatLooksComplete() {
        BinaryCache cache = BinaryCache.in(directory);
        assertThatThrownBy(() -> cache.get("server-1", empty -> {
                    Files.writeString(empty.resolve("half"), "half");
                    throw new IOException("disk full");
                }))
                .hasRootCauseMessage("disk full");
        assertThat(directory.resolve("server-1")).doesNotExist();
        assertThat(cache.get("server-1", empty -> Files.writeString(empty.resolve("whole"), "")))
                .isDirectoryNotContaining("glob:**half");
    }
}
