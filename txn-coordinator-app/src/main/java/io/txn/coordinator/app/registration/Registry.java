package io.txn.coordinator.app.registration;

import java.util.List;
import java.util.stream.Collectors;

/**
 * The talk with one registry: what differs between them. Called by one thread, which is that of a {@link Registration}; may block for some seconds, and may throw whatever
 * its library throws. Its text names the registry and the service, without what is secret.
 */
public interface Registry {

    /** What a look found. */
    enum Presence {
        /** The registry is there, and lists this coordinator. */
        LISTED,
        /** The registry does not answer. Registering anew is its library's business, or comes with {@link #FORGOTTEN} later. */
        AWAY,
        /** The registry is there, and has forgotten this coordinator. */
        FORGOTTEN
    }

    /** Servers as logs may show them: without users and passwords, which may stand before a host. */
    static String shown(List<String> servers) {
        return servers.stream()
                .map(server -> server.replaceFirst("^(.*?//)?.*@", "$1"))
                .collect(Collectors.joining(","));
    }

    /** Makes this coordinator known. Repeated, when the registry forgot it. */
    void join(Advertised self) throws Exception;

    /** Called every second while it is known: keeps it known, and tells how that stands. */
    Presence look() throws Exception;

    /** Takes this coordinator out. */
    void leave() throws Exception;

    /** Ends the talk; nothing is called afterwards. */
    void close() throws Exception;
}
