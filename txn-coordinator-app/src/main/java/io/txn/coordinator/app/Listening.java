package io.txn.coordinator.app;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What may be listened on, and under which address others find it. */
final class Listening {

    private static final Logger log = LoggerFactory.getLogger(Listening.class);

    private Listening() {}

    /**
     * A listener.
     *
     * @param key sets its address
     * @param address null: it listens everywhere
     * @param guard what stands between it and a stranger
     */
    record Listener(String key, @Nullable InetAddress address, Guard guard) {

        boolean isExposed() {
            return address == null || !address.isLoopbackAddress();
        }

        String text() {
            return address == null ? "all interfaces" : address.getHostAddress();
        }
    }

    /** What stands between a listener and a stranger. */
    enum Guard {
        /** Nothing. */
        NONE,
        /** A token, which everybody on the way can read. */
        TOKEN,
        /** A token that only the coordinator can read. */
        TOKEN_AND_TLS,
        /** Credentials of applications, on connections that everybody on the way can read. */
        CREDENTIALS,
        /** Credentials of applications, on connections that only both ends can read. */
        CREDENTIALS_AND_TLS
    }

    static InetAddress resolve(String key, String host) {
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw new TxnException(ErrorCode.BAD_CONFIGURATION, e, "key", key, "value", host, "reason", "no such host");
        }
    }

    /** @throws TxnException EXPOSED_WITHOUT_CREDENTIALS when one that is not guarded is reachable from elsewhere and that was not allowed */
    static void check(List<Listener> listeners, boolean allowUnauthenticated) {
        for (Listener listener : listeners) {
            if (listener.isExposed()) {
                checkExposed(listener, allowUnauthenticated);
            }
        }
    }

    private static void checkExposed(Listener listener, boolean allowUnauthenticated) {
        switch (listener.guard()) {
            case NONE -> {
                if (!allowUnauthenticated) {
                    throw new TxnException(
                            ErrorCode.EXPOSED_WITHOUT_CREDENTIALS,
                            null,
                            "key",
                            listener.key(),
                            "address",
                            listener.text());
                }
                log.warn(
                        "Listening beyond loopback, and TCP clients need no credentials: only a network that is trusted may reach this port. key={} address={}",
                        listener.key(),
                        listener.text());
            }
            case TOKEN ->
                log.warn(
                        "The admin API listens beyond loopback in plain HTTP: whoever can read the network can read its token. Set server.ssl.*, or put a proxy with TLS before it. key={} address={}",
                        listener.key(),
                        listener.text());
            case CREDENTIALS ->
                log.warn(
                        "Listening beyond loopback in plain text: whoever can read the network sees what applications and coordinator say, and can use a Seata digest until its time is over. Tokens are refused there. Set txn.coordinator.tcp.ssl.bundle, or let plain connections pass through a tunnel. key={} address={}",
                        listener.key(),
                        listener.text());
            case TOKEN_AND_TLS, CREDENTIALS_AND_TLS -> {
                // as it should be
            }
        }
    }

    /**
     * The address to hand out when none was configured, and a line in the log that says which and why.
     *
     * @param host as configured
     * @param listening what that resolves to
     * @return null when the port is yet to be chosen: then the host as configured, with the port that was bound
     */
    static @Nullable String inferAdvertisedAddress(String host, InetAddress listening, int port) {
        if (listening.isAnyLocalAddress()) {
            return firstOfThisMachine(port);
        }
        if (port == 0) {
            return null;
        }
        String advertised;
        String reason;
        if (listening.isLoopbackAddress()) {
            advertised = bracketed(listening.getHostAddress()) + ':' + port;
            reason =
                    "it is loopback that is listened on, so only applications on this machine can reach the coordinator";
        } else {
            advertised = bracketed(host) + ':' + port;
            reason = "it is the address listened on";
        }
        log.info("Advertised address inferred: {}. advertised={}", reason, advertised);
        return advertised;
    }

    private static String bracketed(String host) {
        return host.indexOf(':') < 0 || host.startsWith("[") ? host : '[' + host + ']';
    }

    private static String firstOfThisMachine(int port) {
        if (port == 0) {
            throw mustBeSet("the coordinator listens on all interfaces and on any free port", null);
        }
        Candidate chosen =
                candidates().findFirst().orElseThrow(() -> mustBeSet("no interface but loopback is up", null));
        String advertised = chosen.address().getHostAddress() + ':' + port;
        log.info(
                "Advertised address inferred: all interfaces are listened on, and {} is the first one with an IPv4 address; set txn.coordinator.advertised-address if applications reach this machine by another one. advertised={}",
                chosen.nic(),
                advertised);
        return advertised;
    }

    private static TxnException mustBeSet(String reason, @Nullable Throwable cause) {
        return new TxnException(
                ErrorCode.BAD_CONFIGURATION,
                cause,
                "key",
                "txn.coordinator.advertised-address",
                "reason",
                "it must be set: " + reason);
    }

    private record Candidate(int index, String nic, InetAddress address) {}

    /** In the order of the interfaces' indexes, so that the answer is the same after every start. */
    private static Stream<Candidate> candidates() {
        try {
            return NetworkInterface.networkInterfaces()
                    .filter(Listening::isUp)
                    .flatMap(Listening::candidates)
                    .sorted(Comparator.comparingInt(Candidate::index));
        } catch (SocketException e) {
            throw mustBeSet("the interfaces of this machine cannot be listed", e);
        }
    }

    private static Stream<Candidate> candidates(NetworkInterface nic) {
        return nic.inetAddresses()
                .filter(address -> address instanceof Inet4Address && !address.isLinkLocalAddress())
                .map(address -> new Candidate(nic.getIndex(), nic.getName(), address));
    }

    private static boolean isUp(NetworkInterface nic) {
        try {
            return nic.isUp() && !nic.isLoopback();
        } catch (SocketException e) {
            return false; // it has just gone
        }
    }
}
