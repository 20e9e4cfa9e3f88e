package io.txn.coordinator.machine;

/**
 * A process of an application, as one of its connections showed it.
 *
 * @param host the address it came from, as text
 */
public record ClientId(String application, String host, int port) {
    @Override
    public String toString() {
        return application + ':' + host + ':' + port;
    }
}
