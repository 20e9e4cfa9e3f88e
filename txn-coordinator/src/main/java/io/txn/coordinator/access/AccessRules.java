package io.txn.coordinator.access;

import java.util.List;

/**
 * Who may connect.
 *
 * @param clients empty: everybody
 * @param seataResourceManagers what becomes of registrations that cannot carry a proof
 */
public record AccessRules(List<ClientEntry> clients, SeataResourceManagers seataResourceManagers) {

    /** Everybody. */
    public static final AccessRules OPEN = new AccessRules(List.of(), SeataResourceManagers.REFUSE);

    public AccessRules {
        clients = List.copyOf(clients);
    }
}
