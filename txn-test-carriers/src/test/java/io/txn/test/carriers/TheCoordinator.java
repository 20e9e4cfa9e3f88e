package io.txn.test.carriers;

import io.txn.coordinator.Coordinator;
import io.txn.coordinator.CoordinatorOptions;
import io.txn.coordinator.TransactionQuery;
import io.txn.coordinator.TransactionSummary;
import io.txn.test.Await;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** The one coordinator that the applications of all tests in this JVM use; it ends with the JVM. */
final class TheCoordinator {

    static final Duration LONG = Duration.ofSeconds(60);

    private static final Coordinator COORDINATOR = start();

    private TheCoordinator() {}

    private static Coordinator start() {
        try {
            Path data = Files.createTempDirectory(Path.of("target"), "coordinator");
            CoordinatorOptions.Retry retry = new CoordinatorOptions.Retry(
                    Duration.ofSeconds(5), Duration.ofSeconds(5), Duration.ofMillis(50), Duration.ofMillis(200), 0);
            Coordinator coordinator = Coordinator.start(CoordinatorOptions.DEFAULTS
                    .withListen("127.0.0.1", 0)
                    .withDataDir(data)
                    .withRetry(retry)
                    .withRestartGrace(Duration.ofMillis(100)));
            Runtime.getRuntime().addShutdownHook(new Thread(coordinator::close));
            return coordinator;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** An application of its own, on a free port if it is one of the web. */
    static ConfigurableApplicationContext run(Class<?> application, WebApplicationType type, String... more) {
        return new SpringApplicationBuilder(application)
                .web(type)
                .properties(
                        "server.port=0",
                        "server.address=127.0.0.1",
                        "spring.main.banner-mode=off",
                        "spring.application.name=shop",
                        "logging.level.root=warn",
                        "txn.coordinator.address=127.0.0.1:" + COORDINATOR.tcpPort())
                .properties(more)
                .run();
    }

    /** The one transaction of this name, once it has ended. */
    static TransactionSummary ended(String name) {
        Await.until(name + " ended", LONG, () -> transaction(name).endedAt() != null);
        return transaction(name);
    }

    static TransactionSummary transaction(String name) {
        List<TransactionSummary> found = transactions().stream()
                .filter(transaction -> transaction.name().equals(name))
                .toList();
        if (found.size() != 1) {
            throw new AssertionError(found.size() + " transactions are named " + name);
        }
        return found.get(0);
    }

    static List<TransactionSummary> transactions() {
        try {
            return COORDINATOR
                    .transactions(TransactionQuery.all(1_000))
                    .get(LONG.toSeconds(), TimeUnit.SECONDS)
                    .transactions();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
