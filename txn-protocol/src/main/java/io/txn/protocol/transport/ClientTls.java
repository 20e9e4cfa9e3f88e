package io.txn.protocol.transport;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * How a client speaks TLS. The server's certificate must be for the host that is connected to, or for {@code serverName}.
 *
 * @param context the keys and trust of the moment; asked for each connection: must not block
 * @param serverName the name that stands in servers' certificates, where addresses come from a registry that knows only numbers; null: the host
 *     connected to
 */
public record ClientTls(
        Supplier<TlsContext> context, @Nullable String serverName) {}
