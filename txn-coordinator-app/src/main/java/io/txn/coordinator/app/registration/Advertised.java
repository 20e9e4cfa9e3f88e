package io.txn.coordinator.app.registration;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Map;

/**
 * How applications reach this coordinator. A host name stays a name.
 *
 * @param host without brackets
 * @param port for applications
 * @param metadata what they, and people, may want to know
 */
public record Advertised(String host, int port, Map<String, String> metadata) {

    public Advertised {
        metadata = Map.copyOf(metadata);
    }

    /** Of {@code host:port}, an IPv6 address in brackets. */
    public static Advertised of(String address, Map<String, String> metadata) {
        int colon = address.lastIndexOf(':');
        String host = address.substring(0, colon);
        return new Advertised(
                host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host,
                Integer.parseInt(address.substring(colon + 1)),
                metadata);
    }

    /** {@code host:port}. */
    public String address() {
        return (host.indexOf(':') < 0 ? host : '[' + host + ']') + ':' + port;
    }

    /**
     * Refuses to tell others a loopback address.
     *
     * @param servers of the registry, {@code host:port} or URLs
     * @throws TxnException BAD_CONFIGURATION
     */
    public void refuseLoopbackBeyond(List<String> servers) {
        if (isLoopback(host) && !servers.stream().allMatch(server -> isLoopback(hostOf(server)))) {
            throw new TxnException(
                    ErrorCode.BAD_CONFIGURATION,
                    null,
                    "key",
                    "txn.coordinator.advertised-address",
                    "value",
                    address(),
                    "reason",
                    "it is this machine's loopback address, and applications would look it up in the registry "
                            + Registry.shown(servers)
                            + " and call themselves");
        }
    }

    private static String hostOf(String server) {
        String text = Registry.shown(List.of(server.strip()));
        try {
            URI url = URI.create(text.contains("://") ? text : "tcp://" + text);
            return url.getHost() == null ? text : url.getHost();
        } catch (IllegalArgumentException e) {
            return text;
        }
    }

    private static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false; // a name that only resolves elsewhere is not this machine
        }
    }
}
