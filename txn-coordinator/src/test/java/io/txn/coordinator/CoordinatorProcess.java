package io.txn.coordinator;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * A coordinator in a process of its own, to be killed: {@code <data directory> <port> <clock file>}. Says {@code serving} when it serves. Its clock is the
 * system's and what stands in the clock file, so that a test can make it jump.
 */
public final class CoordinatorProcess {

    private CoordinatorProcess() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        int port = Integer.parseInt(args[1]);
        MappedByteBuffer offset = clock(Path.of(args[2]));
        Coordinator coordinator = Coordinator.start(
                CoordinatorOptions.DEFAULTS
                        .withListen("127.0.0.1", port)
                        .withDataDir(Path.of(args[0]))
                        .withSagas(new CoordinatorOptions.Sagas(
                                args.length > 3 ? List.of(args[3]) : List.of(), Duration.ofSeconds(2)))
                        .withRestartGrace(Duration.ofMillis(500))
                        .withRetry(new CoordinatorOptions.Retry(
                                Duration.ofSeconds(2),
                                Duration.ofSeconds(5),
                                Duration.ofMillis(50),
                                Duration.ofMillis(500),
                                0)),
                () -> Instant.ofEpochMilli(System.currentTimeMillis() + offset.getLong(0)));
        System.out.println("serving " + coordinator.tcpPort());
        new CountDownLatch(1).await();
    }

    /** Milliseconds by which the clock is wrong: eight bytes, shared between processes. */
    static MappedByteBuffer clock(Path file) throws IOException {
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return channel.map(FileChannel.MapMode.READ_WRITE, 0, Long.BYTES);
        }
    }
}
