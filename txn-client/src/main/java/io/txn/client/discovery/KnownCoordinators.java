package io.txn.client.discovery;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a registry has said so far: the part that all locators share, so that each is only the talk with its registry. Thread-safe.
 *
 * <p>Addresses are ordered the same way in every process. The last known ones stay when the registry is away, and when it says that nobody is there. Each
 * change is one line of log; what stays as it is, is none.
 */
public final class KnownCoordinators {

    private static final Logger log = LoggerFactory.getLogger(KnownCoordinators.class);

    /** On the first day it is the coordinator that was not told. */
    static final String NOBODY =
            "nobody is registered there; a coordinator registers where its own txn.coordinator.nacos, .etcd or .eureka says";

    private static final Comparator<HostPort> ORDER =
            Comparator.comparing(HostPort::host).thenComparingInt(HostPort::port);

    private final String where;
    private final List<Consumer<List<HostPort>>> listeners = new CopyOnWriteArrayList<>();
    private volatile List<HostPort> current = List.of();
    private volatile String problem = "it has not answered yet";

    // Guarded by this.
    private boolean heard;
    private boolean away;
    private boolean gone;
    private boolean closed;

    /** @param where what is searched, for log lines and messages */
    public KnownCoordinators(String where) {
        this.where = where;
    }

    /** See {@link CoordinatorLocator#current}. */
    public List<HostPort> current() {
        return current;
    }

    /** See {@link CoordinatorLocator#onChange}. */
    public void onChange(Consumer<List<HostPort>> listener) {
        listeners.add(listener);
    }

    /** See {@link CoordinatorLocator#description}. */
    public String description() {
        return where + (current.isEmpty() ? " (" + problem + ")" : "");
    }

    /** The registry answered, with these. Listeners are told on the calling thread when it is a change. */
    public synchronized void are(Collection<HostPort> found) {
        if (closed) {
            return;
        }
        if (!heard || away) {
            problem = NOBODY;
        }
        back();
        List<HostPort> usable = found.stream().distinct().sorted(ORDER).toList();
        if (usable.isEmpty()) {
            if (!current.isEmpty() && !gone) {
                gone = true;
                log.info("no coordinator is listed in {} any more; keeps to the last known {}", where, current);
            }
            return;
        }
        if (usable.equals(current)) {
            if (gone) {
                log.info("coordinators in {} are listed again: {}", where, usable);
            }
            gone = false;
            return;
        }
        gone = false;
        List<HostPort> left = new ArrayList<>(current);
        left.removeAll(usable);
        if (left.isEmpty()) {
            log.info("coordinators in {} are {}", where, usable);
        } else {
            log.info("coordinators in {} are {}; no longer there: {}", where, usable, left);
        }
        current = usable;
        listeners.forEach(listener -> listener.accept(usable));
    }

    /**
     * Why nobody was found. Said once for each reason, as long as nobody is known.
     *
     * @param reason null: no more is known than that nobody is there
     */
    public synchronized void nobodyBecause(@Nullable String reason) {
        String now = reason == null ? NOBODY : reason;
        if (!closed && current.isEmpty() && !now.equals(problem)) {
            problem = now;
            if (reason != null) {
                log.warn("no coordinator was found in {}: {}", where, reason);
            }
        }
    }

    /** The registry cannot be asked. One line for the first time in a row. */
    public synchronized void away(String reason) {
        if (closed) {
            return;
        }
        problem = "it cannot be followed: " + reason;
        if (!away) {
            away = true;
            log.warn(
                    "cannot follow coordinators in {}; keeps trying{}: {}",
                    where,
                    current.isEmpty() ? "" : ", and goes on with " + current,
                    reason);
        } else {
            log.debug("still cannot follow coordinators in {}: {}", where, reason);
        }
    }

    private void back() {
        if (!heard || away) {
            log.info("following coordinators in {}{}", where, heard ? " again" : "");
        }
        heard = true;
        away = false;
    }

    /** Takes and tells nothing more. */
    public synchronized void close() {
        closed = true;
        listeners.clear();
    }
}
