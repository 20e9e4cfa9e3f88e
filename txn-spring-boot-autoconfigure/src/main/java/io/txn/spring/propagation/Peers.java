package io.txn.spring.propagation;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Networks whose hosts may bring global transactions along. Immutable. */
public final class Peers {

    /** This machine, and the addresses that are not routed between organisations. */
    public static final List<String> NEAR = List.of(
            "127.0.0.0/8",
            "::1",
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "169.254.0.0/16",
            "100.64.0.0/10",
            "fc00::/7",
            "fe80::/10");

    /** IPv4 with all four parts, or anything with a colon; a name is never looked up. */
    private static final Pattern ADDRESS =
            Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(%\\w+)?");

    private final List<Network> networks;

    private record Network(byte[] address, int bits) {

        boolean contains(byte[] other) {
            if (other.length != address.length) {
                return false;
            }
            for (int bit = 0; bit < bits; bit++) {
                int mask = 0x80 >> bit % 8;
                if ((address[bit / 8] & mask) != (other[bit / 8] & mask)) {
                    return false;
                }
            }
            return true;
        }
    }

    private Peers(List<Network> networks) {
        this.networks = networks;
    }

    /**
     * @param networks addresses ({@code 10.1.2.3}, {@code ::1}) and networks ({@code 10.1.0.0/16}, {@code fd00::/8})
     * @throws TxnException BAD_CONFIGURATION when one is neither
     */
    public static Peers of(List<String> networks) {
        return new Peers(networks.stream().map(String::trim).map(Peers::network).toList());
    }

    private static Network network(String text) {
        int slash = text.indexOf('/');
        InetAddress address = address(slash < 0 ? text : text.substring(0, slash));
        if (address == null) {
            throw refused(text, "it is neither an address nor a network such as 10.1.0.0/16");
        }
        byte[] bytes = address.getAddress();
        int most = bytes.length * 8;
        if (slash < 0) {
            return new Network(bytes, most);
        }
        String bits = text.substring(slash + 1);
        if (!bits.matches("\\d{1,3}") || Integer.parseInt(bits) > most) {
            throw refused(text, "after the slash stands a number from 0 to " + most);
        }
        return new Network(bytes, Integer.parseInt(bits));
    }

    private static TxnException refused(String text, String problem) {
        return new TxnException(
                ErrorCode.BAD_CONFIGURATION,
                null,
                "key",
                "txn.propagation.peers or txn.propagation.targets",
                "value",
                text,
                "problem",
                problem);
    }

    /** The address that a text spells; null when it spells none. */
    static @Nullable InetAddress address(@Nullable String text) {
        if (text == null || !ADDRESS.matcher(text).matches()) {
            return null;
        }
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            return null;
        }
    }

    /** Whether there is a network at all. */
    boolean any() {
        return !networks.isEmpty();
    }

    /** Whether an address is one of this machine's: those with public addresses call themselves under these. */
    static boolean isOwn(InetAddress address) {
        try {
            return NetworkInterface.getByInetAddress(address) != null;
        } catch (SocketException e) {
            return false;
        }
    }

    /** Whether an address is of one of the networks. IPv4 that came over IPv6 is IPv4. */
    boolean contain(InetAddress address) {
        byte[] bytes = address.getAddress();
        return networks.stream().anyMatch(network -> network.contains(bytes));
    }
}
