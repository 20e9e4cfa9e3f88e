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

    /** A listener by the key that sets its address; without an address it listens everywhere. */
    record Listener(String key, @Nullable InetAddress address) {

        boolean isExposed() {
            return address == null || !address.isLoopbackAddress();
        }
    }

    static InetAddress resolve(String key, String host) {
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw new TxnException(ErrorCode.BAD_CONFIGURATION, e, "key", key, "value", host, "reason", "no such host");
        }
    }

    /** @throws TxnException EXPOSED_WITHOUT_CREDENTIALS when one of them is reachable from elsewhere and that was not allowed */
    static void check(List<Listener> listeners, boolean allowUnauthenticated) {
        for (Listener listener : listeners) {
            if (!listener.isExposed()) {
                continue;
            }
            InetAddress address = listener.address();
            String text = address == null ? "all interfaces" : address.getHostAddress();
            if (!allowUnauthenticated) {
                throw new TxnException(
                        ErrorCode.EXPOSED_WITHOUT_CREDENTIALS, null, "key", listener.key(), "address", text);
            }
            log.warn(
                    "Listening beyond loopback, and TCP clients need no credentials: only a network that is trusted may reach this port. key={} address={}",
                    listener.key(),
                    text);
        }
    }

    /**
     * The address to hand out when none was configured.
     *
     * @return null: the one listened on, with the port that was bound
     */
    static @Nullable String inferAdvertisedAddress(InetAddress listening, int port) {
        if (!listening.isAnyLocalAddress()) {
            return null;
        }
        if (port == 0) {
            throw new TxnException(
                    ErrorCode.BAD_CONFIGURATION,
                    null,
                    "key",
                    "txn.coordinator.advertised-address",
                    "reason",
                    "it must be set when listening on all interfaces and on any free port");
        }
        Candidate chosen = candidates()
                .findFirst()
                .orElseThrow(() -> new TxnException(
                        ErrorCode.BAD_CONFIGURATION,
                        null,
                        "key",
                        "txn.coordinator.advertised-address",
                        "reason",
                        "it must be set: no interface but loopback is up"));
        String host = chosen.address().getHostAddress();
        log.info(
                "Advertised address inferred: listening on all interfaces, and {} is the first one with an IPv4 address; set txn.coordinator.advertised-address if applications reach this machine by another one. advertised={}:{}",
                chosen.nic(),
                host,
                port);
        return host + ':' + port;
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
            throw new TxnException(
                    ErrorCode.BAD_CONFIGURATION,
                    e,
                    "key",
                    "txn.coordinator.advertised-address",
                    "reason",
                    "it must be set: the interfaces of this machine cannot be listed");
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
