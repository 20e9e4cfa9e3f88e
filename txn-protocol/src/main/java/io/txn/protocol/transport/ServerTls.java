package io.txn.protocol.transport;

import java.util.function.Supplier;

/**
 * How a server speaks TLS.
 *
 * @param context the keys and trust of the moment; asked for each connection, on its event loop: must not block
 * @param clientAuth whether clients have to show a certificate
 * @param required whether plain connections are refused; otherwise they are told apart by their first byte, and whoever handles them finds
 *     {@link RpcConnection#encrypted()} false
 */
public record ServerTls(Supplier<TlsContext> context, ClientAuth clientAuth, boolean required) {

    /** What is asked of clients. */
    public enum ClientAuth {
        /** No certificate. */
        NONE,
        /** A certificate if they have one; one that is not trusted ends the handshake. */
        WANT,
        /** A certificate. */
        NEED
    }
}
