package io.txn.coordinator.access;

import io.txn.protocol.access.ExtraData;
import java.net.InetAddress;
import java.security.cert.X509Certificate;
import java.util.List;

/**
 * What a connection shows when it registers.
 *
 * @param certificates those of its TLS session, its own first; empty: none
 * @param application the name it gives itself
 * @param group the transaction service group it names
 * @param extra its extra data
 */
public record Presented(
        InetAddress address,
        boolean encrypted,
        List<X509Certificate> certificates,
        String application,
        String group,
        ExtraData extra) {}
