package io.txn.coordinator;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;

/** A coordinator in a process of its own, to be killed: {@code <data directory> <port>}. Says {@code serving} when it serves. */
public final class CoordinatorProcess {

    private CoordinatorProcess() {}

    public static void main(String[] args) throws InterruptedException {
        int port = Integer.parseInt(args[1]);
        Coordinator coordinator = Coordinator.start(CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", port)
                .withDataDir(Path.of(args[0]))
                .withRestartGrace(Duration.ofMillis(500))
                .withRetry(new CoordinatorOptions.Retry(
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(5),
                        Duration.ofMillis(50),
                        Duration.ofMillis(500),
                        0)));
        System.out.println("serving " + coordinator.tcpPort());
        new CountDownLatch(1).await();
    }
}
