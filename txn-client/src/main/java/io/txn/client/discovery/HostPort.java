package io.txn.client.discovery;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;

/**
 * The address of one coordinator, {@code host:port}. A host name stays a name; an IPv6 address is written in brackets.
 *
 * @param host a name or an address, without brackets
 * @param port 1 to 65535
 */
public record HostPort(String host, int port) {

    public HostPort {
        if (host.isBlank() || !isHost(host)) {
            throw invalid(host + ':' + port, "the host is missing or holds a character that no host name has");
        }
        if (port < 1 || port > 65535) {
            throw invalid(host + ':' + port, "the port is not between 1 and 65535");
        }
    }

    private static boolean isHost(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c <= ' ' || c >= 127 || "/@[]?#,".indexOf(c) >= 0) {
                return false;
            }
        }
        return true;
    }

    /**
     * Reads {@code host:port}.
     *
     * @throws TxnException {@link ErrorCode#BAD_CONFIGURATION} naming the text and what is wrong with it
     */
    public static HostPort parse(String text) {
        String trimmed = text.trim();
        int colon = trimmed.lastIndexOf(':');
        if (colon <= 0) {
            throw invalid(trimmed, "it is not of the form host:port");
        }
        String host = trimmed.substring(0, colon);
        boolean bracketed = host.length() > 2 && host.startsWith("[") && host.endsWith("]");
        if (!bracketed && host.indexOf(':') >= 0) {
            throw invalid(
                    trimmed,
                    "it is not of the form host:port (no scheme in front; an IPv6 address stands in brackets)");
        }
        int port;
        try {
            port = Integer.parseInt(trimmed.substring(colon + 1));
        } catch (NumberFormatException e) {
            throw invalid(trimmed, "the port is not a number");
        }
        return new HostPort(bracketed ? host.substring(1, host.length() - 1) : host, port);
    }

    private static TxnException invalid(String text, String problem) {
        return new TxnException(ErrorCode.BAD_CONFIGURATION, null, "address", text, "problem", problem);
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? '[' + host + ']' : host) + ':' + port;
    }
}
