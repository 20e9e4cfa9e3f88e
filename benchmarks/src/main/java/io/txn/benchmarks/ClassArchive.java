package io.txn.benchmarks;

import io.txn.test.JavaProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** An archive of the classes that a start loads, which later starts map instead: as Spring Boot's documentation recommends it, and ours. */
final class ClassArchive {

    private ClassArchive() {}

    /** Starts the program once, with one flag more, and returns when it is ready. */
    interface Training {
        JavaProcess start(String flag) throws Exception;
    }

    /**
     * Makes one, when the program that was started for it ends.
     *
     * @return the flags by which later starts of the same program use it, or end where the JVM rejects it: it would go on without it, and say nothing
     */
    static List<String> train(Path archive, Duration most, Training training) throws Exception {
        try (JavaProcess program = training.start("-XX:ArchiveClassesAtExit=" + archive)) {
            if (!program.term(most) || !Files.exists(archive)) {
                throw new IllegalStateException("there is no archive: " + program.output());
            }
        }
        return List.of("-XX:SharedArchiveFile=" + archive, "-Xshare:on");
    }
}
