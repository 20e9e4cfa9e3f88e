package io.txn.client.jdbc;

import io.txn.client.jdbc.xa.XaBranches;
import io.txn.client.jdbc.xa.XaId;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares, now and then, what databases hold prepared with what coordinators know, on a thread of its own. Thread-safe.
 *
 * <p>A prepared branch of ours is an orphan when two looks in a row have found it and its coordinator says that its transaction is over or was never there: a coordinator that lost its
 * data, or a process that stood still and prepared when everything had been ended. Nobody will end it, and it keeps its rows. What a coordinator still has to end is never touched.
 */
public final class XaReconciler implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(XaReconciler.class);

    /** How often by default, as a text that configuration metadata can quote. */
    public static final String INTERVAL = "PT60S";

    /** What becomes of orphans. */
    public enum Orphans {
        /** They are counted and named in the log, and a person ends them. */
        REPORT,
        /** They are taken back. Not where coordinators that this application does not know share the database and the address. */
        ROLL_BACK
    }

    private final Duration interval;
    private final Orphans policy;
    private final List<XaResource> resources = new CopyOnWriteArrayList<>();
    private final Map<XaResource, Set<XaId>> seen = new ConcurrentHashMap<>();
    private final Map<XaResource, Set<XaId>> orphans = new ConcurrentHashMap<>();
    private final AtomicLong rolledBack = new AtomicLong();
    private final AtomicLong looks = new AtomicLong();
    private final ScheduledThreadPoolExecutor thread;

    /** @param interval how often databases are looked at; first at once */
    public XaReconciler(Duration interval, Orphans policy) {
        this.interval = interval;
        this.policy = policy;
        // One that has nothing to do has no thread.
        thread = new ScheduledThreadPoolExecutor(1, task -> {
            Thread made = new Thread(task, "txn-xa");
            made.setDaemon(true);
            return made;
        });
    }

    /** Looks after the database of this one too. */
    public void add(AtDataSource dataSource) {
        XaResource resource = dataSource.xa();
        if (!resource.canBeReconciled()
                || resources.stream().anyMatch(known -> known.resourceId().equals(resource.resourceId()))) {
            return;
        }
        resources.add(resource);
        // What never works so has orphans of others at most, and need not make a start slower.
        long first = resource.resource().options().xa() ? 0 : interval.toNanos();
        var unused =
                thread.scheduleWithFixedDelay(() -> look(resource), first, interval.toNanos(), TimeUnit.NANOSECONDS);
    }

    private void look(XaResource resource) {
        try {
            lookNow(resource);
            looks.incrementAndGet();
        } catch (SQLException | RuntimeException e) {
            // An account that may not list them has none: XA is refused at its start.
            LOG.debug(
                    "prepared branches could not be compared, the next look tries again resource={}",
                    resource.resourceId(),
                    e);
        }
    }

    private void lookNow(XaResource resource) throws SQLException {
        Set<XaId> now = resource.listed();
        Set<XaId> before = seen.put(resource, now);
        Set<XaId> nobodys = new HashSet<>();
        for (XaId id : now) {
            if (before != null && before.contains(id) && isOrphan(resource, id)) {
                nobodys.add(id);
            }
        }
        if (!nobodys.isEmpty()) {
            nobodys.retainAll(resource.listed()); // what was ended while the coordinator was asked
        }
        if (policy == Orphans.ROLL_BACK) {
            nobodys.removeIf(id -> takenBack(resource, id));
        }
        Set<XaId> known = orphans.put(resource, nobodys);
        for (XaId id : nobodys) {
            if (known == null || !known.contains(id)) {
                LOG.error(
                        "{} {}: resource={} branch={} xid={}. {}",
                        ErrorCode.XA_ORPHAN.id(),
                        ErrorCode.XA_ORPHAN.sentence(),
                        resource.resourceId(),
                        id,
                        id.xid(),
                        ErrorCode.XA_ORPHAN.fix());
            }
        }
    }

    private static boolean isOrphan(XaResource resource, XaId id) {
        try {
            return resource.isOrphan(id);
        } catch (TxnException e) {
            LOG.debug("nobody can be asked about a prepared branch branch={} cause={}", id, e.getMessage());
            return false;
        }
    }

    private boolean takenBack(XaResource resource, XaId id) {
        if (id.xid() == null) {
            return false; // nobody was asked
        }
        try {
            XaBranches.Found found = resource.takeBackOrphan(id);
            if (found == XaBranches.Found.UNKNOWN) {
                return true; // somebody else was faster
            }
            if (found == XaBranches.Found.ENDED) {
                rolledBack.incrementAndGet();
                LOG.warn(
                        "a prepared branch without a coordinator was rolled back resource={} branch={} xid={}",
                        resource.resourceId(),
                        id,
                        id.xid());
                return true;
            }
        } catch (SQLException e) {
            LOG.warn(
                    "a prepared branch without a coordinator could not be rolled back, the next look tries again resource={} branch={} cause={}",
                    resource.resourceId(),
                    id,
                    e.toString());
        }
        return false;
    }

    /** The orphans that the last looks found and left, as their databases name them. */
    public Set<String> orphans() {
        Set<String> all = new TreeSet<>();
        orphans.values().forEach(some -> some.forEach(id -> all.add(id.toString())));
        return all;
    }

    /** How often a database was looked at since the start. */
    public long looks() {
        return looks.get();
    }

    /** How many orphans were rolled back since the start. */
    public long rolledBack() {
        return rolledBack.get();
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
