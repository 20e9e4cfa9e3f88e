package io.txn.spring.autoconfigure;

import io.txn.coordinator.Coordinator;
import io.txn.coordinator.CoordinatorOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.context.SmartLifecycle;

/**
 * The coordinator that runs in production, in this process: same code, same protocol over a socket on 127.0.0.1, same journal. It is there for development and tests: it ends with the
 * application, and who else uses it is cut off then.
 *
 * <p>At the end it lets go on what is under way while the client still answers, and leaves after the client. A temporary journal is deleted unless it holds something that is not finished: rows that were
 * written under an undecided transaction can be put back by nobody else.
 */
final class EmbeddedCoordinator implements SmartLifecycle, DisposableBean {

    private static final Logger log = LoggerFactory.getLogger(EmbeddedCoordinator.class);

    private static final String HOST = "127.0.0.1";

    private final EmbeddedProperties properties;
    private final Path directory;
    private final Coordinator coordinator;
    private volatile boolean running;

    private EmbeddedCoordinator(EmbeddedProperties properties, Path directory, Coordinator coordinator) {
        this.properties = properties;
        this.directory = directory;
        this.coordinator = coordinator;
    }

    /** Starts it; serves when this returns. Addresses that are configured besides are named as not used. */
    static EmbeddedCoordinator start(EmbeddedProperties properties, List<String> unused) {
        Path directory = properties.dataDir() == null
                ? temporary()
                : properties.dataDir().toAbsolutePath().normalize();
        Coordinator coordinator;
        try {
            coordinator = Coordinator.start(CoordinatorOptions.DEFAULTS
                    .withListen(HOST, properties.port())
                    .withDataDir(directory));
        } catch (RuntimeException | Error e) {
            if (properties.dataDir() == null) {
                delete(directory);
            }
            throw e;
        }
        log.info(
                "an embedded coordinator runs within this application and ends with it; for development and tests only address={}:{} data={}{}",
                HOST,
                coordinator.tcpPort(),
                properties.dataDir() == null ? "temporary" : directory,
                unused.isEmpty() ? "" : " notUsed=" + String.join(",", unused));
        return new EmbeddedCoordinator(properties, directory, coordinator);
    }

    private static Path temporary() {
        try {
            return Files.createTempDirectory("txn-embedded-");
        } catch (IOException e) {
            throw new UncheckedIOException("no temporary directory for the embedded coordinator", e);
        }
    }

    String address() {
        return HOST + ':' + coordinator.tcpPort();
    }

    boolean healthy() {
        return coordinator.healthy();
    }

    /** It runs since its bean was made. */
    @Override
    public void start() {
        running = true;
    }

    /** Before the client stops, which carries out what is decided. */
    @Override
    public void stop() {
        coordinator.drain(properties.shutdownTimeout());
        running = false;
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    /** The last but one to stop; the client is the last. */
    @Override
    public int getPhase() {
        return Integer.MIN_VALUE + 1;
    }

    /** As the client: it does not begin anew after it was drained. */
    public boolean isPauseable() {
        return false;
    }

    @Override
    public void destroy() {
        long unfinished = coordinator.statistics().unfinished();
        coordinator.close();
        if (properties.dataDir() != null) {
            return;
        }
        if (unfinished == 0) {
            delete(directory);
        } else {
            log.warn(
                    "the embedded coordinator ends with transactions that are not finished; their journal is kept, and they go on in a start with txn.embedded.data-dir={} unfinished={}",
                    directory,
                    unfinished);
        }
    }

    private static void delete(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | UncheckedIOException e) {
            // Nothing depends on it, and the application ends in any case.
            log.info("a temporary directory could not be deleted directory={} because={}", directory, e.toString());
        }
    }
}
