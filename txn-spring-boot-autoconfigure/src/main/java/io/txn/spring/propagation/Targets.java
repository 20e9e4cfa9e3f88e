package io.txn.spring.propagation;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Hosts that calls may tell of a global transaction: those near by, which are all but those with a public address, and those that are named; or the named ones alone. A name that
 * cannot be looked up is not that of a stranger, but of a service that a load balancer knows, or of whoever is behind a forward proxy. What was looked up is remembered for a minute.
 * Thread-safe.
 */
public final class Targets {

    private static final Duration REMEMBERED = Duration.ofMinutes(1);
    private static final int MOST_REMEMBERED = 1_000;

    private static final Pattern NAME = Pattern.compile("(\\*|[\\w-]+)(\\.[\\w-]+)*\\.?");

    private final List<String> names;
    private final boolean near;
    private final Peers networks;
    private final Resolver resolver;
    private final InstantSource clock;
    private final Map<String, Answer> answers = new ConcurrentHashMap<>();

    private record Answer(boolean allowed, Instant until) {}

    /** How names become addresses. */
    interface Resolver {
        InetAddress[] addresses(String host) throws UnknownHostException;
    }

    private Targets(List<String> names, boolean near, Peers networks, Resolver resolver, InstantSource clock) {
        this.names = names;
        this.near = near;
        this.networks = networks;
        this.resolver = resolver;
        this.clock = clock;
    }

    /**
     * Whoever is no stranger (service names, this machine, the private networks), and those that are named.
     *
     * @param patterns names ({@code stock}, {@code *.example.com}, {@code *} for all), addresses and networks
     * @throws TxnException BAD_CONFIGURATION when one is none of these
     */
    public static Targets nearAnd(List<String> patterns, InstantSource clock) {
        return nearAnd(patterns, InetAddress::getAllByName, clock);
    }

    static Targets nearAnd(List<String> patterns, Resolver resolver, InstantSource clock) {
        return of(patterns, true, resolver, clock);
    }

    /**
     * Those that are named, and nobody else.
     *
     * @throws TxnException BAD_CONFIGURATION when none is, or one is nothing that {@link #nearAnd} knows
     */
    public static Targets only(List<String> patterns, InstantSource clock) {
        if (patterns.isEmpty()) {
            throw new TxnException(
                    ErrorCode.BAD_CONFIGURATION,
                    null,
                    "key",
                    "txn.propagation.targets-only",
                    "problem",
                    "no call could go with its global transaction, because txn.propagation.targets names nobody");
        }
        return of(patterns, false, InetAddress::getAllByName, clock);
    }

    private static Targets of(List<String> patterns, boolean near, Resolver resolver, InstantSource clock) {
        List<String> names = new ArrayList<>();
        List<String> networks = new ArrayList<>(near ? Peers.NEAR : List.of());
        for (String pattern : patterns) {
            String text = pattern.trim().toLowerCase(Locale.ROOT);
            if (text.indexOf('/') >= 0 || Peers.address(text) != null) {
                networks.add(text);
            } else if (NAME.matcher(text).matches()) {
                names.add(text);
            } else {
                throw new TxnException(
                        ErrorCode.BAD_CONFIGURATION,
                        null,
                        "key",
                        "txn.propagation.targets",
                        "value",
                        pattern,
                        "problem",
                        "it is neither a name such as *.example.com nor an address nor a network such as 10.1.0.0/16");
            }
        }
        return new Targets(names, near, Peers.of(networks), resolver, clock);
    }

    /** The host of a URL, also where it has letters that Java does not expect in one; null when it has none. */
    static @Nullable String hostOf(URI url) {
        if (url.getHost() != null) {
            return url.getHost();
        }
        String authority = url.getRawAuthority();
        return authority == null ? null : authority.replaceFirst("^.*@", "").replaceFirst(":\\d*$", "");
    }

    /** The same of a text, which may be {@code host:port} alone. */
    static @Nullable String hostOf(String url) {
        try {
            return hostOf(URI.create(url.contains("://") ? url : "tcp://" + url));
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** Whether the answer is known without a look-up, for which an event loop cannot wait. */
    boolean knows(@Nullable String host) {
        if (host == null) {
            return true;
        }
        String name = plain(host);
        if (Peers.address(name) != null || isNamed(name)) {
            return true;
        }
        Answer known = answers.get(name);
        return !needsAddress(name) || known != null && clock.instant().isBefore(known.until());
    }

    /** Whether a call to this host may tell. May look a name up. */
    boolean contain(@Nullable String host) {
        if (host == null) {
            return near || names.contains("*");
        }
        String name = plain(host);
        InetAddress address = Peers.address(name);
        if (address != null) {
            return isOurs(address) || isNamed(name);
        }
        if (isNamed(name)) {
            return true;
        }
        if (!needsAddress(name)) {
            return near;
        }
        Answer known = answers.get(name);
        if (known == null || !clock.instant().isBefore(known.until())) {
            known = new Answer(lookedUp(name), clock.instant().plus(REMEMBERED));
            if (answers.size() >= MOST_REMEMBERED) {
                answers.clear();
            }
            answers.put(name, known);
        }
        return known.allowed();
    }

    /** Lower case, without the brackets of IPv6 and the dot at the end. */
    private static String plain(String host) {
        String name = host.toLowerCase(Locale.ROOT);
        name = name.startsWith("[") && name.endsWith("]") ? name.substring(1, name.length() - 1) : name;
        return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    }

    private boolean isNamed(String name) {
        return names.stream()
                .anyMatch(pattern -> pattern.equals("*")
                        || (pattern.startsWith("*.")
                                ? name.endsWith(pattern.substring(1))
                                : plain(pattern).equals(name)));
    }

    /** A name without a dot is one of this network, whatever it leads to. */
    private boolean needsAddress(String name) {
        return near ? name.indexOf('.') >= 0 : networks.any();
    }

    private boolean lookedUp(String name) {
        try {
            for (InetAddress address : resolver.addresses(name)) {
                if (!isOurs(address)) {
                    return false;
                }
            }
            return true;
        } catch (UnknownHostException e) {
            return near;
        }
    }

    private boolean isOurs(InetAddress address) {
        return networks.contain(address) || near && (address.isAnyLocalAddress() || Peers.isOwn(address));
    }
}
