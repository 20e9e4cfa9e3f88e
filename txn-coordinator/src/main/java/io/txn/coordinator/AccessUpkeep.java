package io.txn.coordinator;

import io.txn.coordinator.access.Doorkeeper;
import io.txn.coordinator.seata.SeataAdapter;
import io.txn.protocol.access.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after who may connect while the coordinator runs: notices changed token files within seconds, and ends what waits for a transaction manager in vain. Has
 * a thread of its own, where clients are configured at all.
 */
final class AccessUpkeep implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(AccessUpkeep.class);
    private static final long PERIOD_SECONDS = 1;

    private final Doorkeeper doorkeeper;
    private final SeataAdapter adapter;
    private final ScheduledExecutorService timer;

    /**
     * Fingerprints of the files' contents; null at first, for they may have changed since the doorkeeper read them. Contents and not times: a replaced link
     * may be older than what it replaces.
     */
    private @Nullable List<String> seen;

    private AccessUpkeep(Doorkeeper doorkeeper, SeataAdapter adapter) {
        this.doorkeeper = doorkeeper;
        this.adapter = adapter;
        this.timer = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "txn-access");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Begins, or returns null when there is nothing to look after. */
    static @Nullable AccessUpkeep start(Doorkeeper doorkeeper, SeataAdapter adapter) {
        if (!doorkeeper.guards()) {
            return null;
        }
        AccessUpkeep upkeep = new AccessUpkeep(doorkeeper, adapter);
        upkeep.timer.scheduleWithFixedDelay(upkeep::look, PERIOD_SECONDS, PERIOD_SECONDS, TimeUnit.SECONDS);
        return upkeep;
    }

    private void look() {
        try {
            adapter.endParking();
            List<String> now = fingerprints();
            if (!now.equals(seen)) {
                boolean first = seen == null;
                seen = now;
                if (doorkeeper.reload()) {
                    if (!first) {
                        LOG.info("the clients' token files have changed and were read again");
                    }
                    adapter.renew(null);
                }
            }
        } catch (RuntimeException e) {
            // An exception would end the schedule; the next round does what this one did not.
            LOG.error("could not look after the clients' credentials, the next round will", e);
        }
    }

    private List<String> fingerprints() {
        List<String> fingerprints = new ArrayList<>();
        for (Path file : doorkeeper.files()) {
            String fingerprint;
            try {
                fingerprint = HexFormat.of()
                        .formatHex(Secret.fingerprint(Files.readString(file, StandardCharsets.ISO_8859_1)));
            } catch (IOException e) {
                fingerprint = "unreadable"; // what to make of that is the doorkeeper's business
            }
            fingerprints.add(fingerprint);
        }
        return fingerprints;
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
