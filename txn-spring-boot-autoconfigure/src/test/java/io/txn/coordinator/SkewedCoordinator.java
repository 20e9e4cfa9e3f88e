package io.txn.coordinator;

import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;

/** A real coordinator on a machine whose clock goes wrong. */
public final class SkewedCoordinator {

    private SkewedCoordinator() {}

    public static Coordinator start(Path dataDir, Duration ahead) {
        InstantSource right = InstantSource.system();
        return Coordinator.start(
                CoordinatorOptions.DEFAULTS.withListen("127.0.0.1", 0).withDataDir(dataDir),
                () -> right.instant().plus(ahead));
    }
}
