package io.txn.spring.propagation;

import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whose word about global transactions counts: without a key that of hosts in the given networks; with a key whatever is signed, and what comes from networks that
 * were named on purpose. Everything else is dropped, with a line an hour for each reason, so that a stranger fills no log. Thread-safe.
 */
public final class Trust {

    private static final Logger log = LoggerFactory.getLogger(Trust.class);

    private static final int MOST_STRANGERS = 1_000;

    private static final Duration SILENCE = Duration.ofHours(1);

    private final @Nullable Peers named;
    private final Peers near;
    private final @Nullable Signature signature;
    private final Targets targets;
    private final InstantSource clock;

    /** Hosts of strangers that were told of, and when. */
    private final Map<String, Instant> strangers = new ConcurrentHashMap<>();

    private final Map<Reason, Told> told = new EnumMap<>(Reason.class);

    private enum Reason {
        NO_XID,
        NOT_OF_OURS,
        BADLY_SIGNED,
        AMBIGUOUS
    }

    private record Told(Instant at, long silent) {}

    /**
     * @param named the networks that were named on purpose; null when none were, which means this machine and the private networks, as long as there is no key
     * @param signature null when calls are not signed
     */
    public Trust(@Nullable Peers named, @Nullable Signature signature, InstantSource clock) {
        this(named, signature, Targets.nearAnd(List.of(), clock), clock);
    }

    /** @param targets hosts that calls may tell of a global transaction */
    public Trust(@Nullable Peers named, @Nullable Signature signature, Targets targets, InstantSource clock) {
        this.targets = targets;
        this.named = named;
        this.near = Peers.of(Peers.NEAR);
        this.signature = signature;
        this.clock = clock;
    }

    /** Signs what leaves; null when calls are not signed. */
    @Nullable
    Signature signature() {
        return signature;
    }

    /** Whether to believe a call; if not, it has been said, or was said within the hour. */
    boolean accepts(@Nullable InetAddress from, String xid, @Nullable String remaining, @Nullable String signed) {
        if (named != null && from != null && named.contain(from)) {
            return true;
        }
        if (signature != null) {
            String problem = signature.problem(signed, xid, remaining);
            if (problem != null) {
                drop(Reason.BADLY_SIGNED, from, problem);
            }
            return problem == null;
        }
        if (named == null && from != null && (near.contain(from) || Peers.isOwn(from))) {
            return true;
        }
        drop(
                Reason.NOT_OF_OURS,
                from,
                "it comes from outside of "
                        + (named == null ? "this machine and the private networks" : "txn.propagation.peers"));
        return false;
    }

    /** Whether it is known whom a call would tell; if not, a name has to be looked up, which blocks. */
    boolean knows(@Nullable String host) {
        return targets.knows(host);
    }

    /** Whether a call to this host tells of its transaction; if not, it has been said, or was said within the hour. */
    boolean tells(@Nullable String host) {
        if (targets.contain(host)) {
            return true;
        }
        Instant now = clock.instant();
        if (strangers.size() >= MOST_STRANGERS) {
            strangers.values().removeIf(told -> now.isAfter(told.plus(SILENCE)));
        }
        String name = String.valueOf(host);
        Instant told = strangers.get(name);
        if ((told == null ? strangers.size() < MOST_STRANGERS : now.isAfter(told.plus(SILENCE)))) {
            strangers.put(name, now);
            log.warn(
                    "a call to {} goes without its global transaction, because that is no host that may learn of it; a service"
                            + " whose work belongs to the transaction is named in txn.propagation.targets, besides those near by",
                    name);
        }
        return false;
    }

    /** What stands where an XID belongs is none. The text itself is a stranger's: it does not belong into a log. */
    void noXid(@Nullable InetAddress from, String header, int length, @Nullable String problem) {
        drop(Reason.NO_XID, from, "its " + header + " of " + length + " characters is no XID: " + problem);
    }

    /** A header came several times, with different values. */
    void ambiguous(@Nullable InetAddress from, String header) {
        drop(Reason.AMBIGUOUS, from, "it has several different values of " + header);
    }

    private void drop(Reason reason, @Nullable InetAddress from, String problem) {
        Long before = since(reason);
        if (before != null) {
            log.warn(
                    "dropped the global transaction that a call brought from {}: {}; {} such calls went without a line since"
                            + " the last one. Whose calls belong here is said by txn.propagation.peers and"
                            + " txn.propagation.key; no such line follows for an hour",
                    from == null ? "an unknown address" : from.getHostAddress(),
                    problem,
                    before);
        }
    }

    /** How many were not told since the last line; null when it is too early for another. */
    private synchronized @Nullable Long since(Reason reason) {
        Instant now = clock.instant();
        Told last = told.get(reason);
        if (last != null && now.isBefore(last.at().plus(SILENCE))) {
            told.put(reason, new Told(last.at(), last.silent() + 1));
            return null;
        }
        told.put(reason, new Told(now, 0));
        return last == null ? 0 : last.silent();
    }
}
