package io.txn.client.discovery;

/**
 * What was seen at one step of the way to coordinators through a registry.
 *
 * @param kind which step
 * @param passed whether the way went on
 * @param seen what was looked for and what was found, in a few words for people
 */
public record LookupStep(Kind kind, boolean passed, String seen) {

    /** The steps, in the order in which they are gone. */
    public enum Kind {
        /** The registry's host name leads to an address. */
        NAME,
        /** The registry takes connections there. */
        CONNECTION,
        /** It takes this user. */
        CREDENTIALS,
        /** It has the namespace. */
        NAMESPACE,
        /** Somebody is or was registered under the service's name. */
        SERVICE,
        /** One of those can be used. */
        INSTANCE
    }
}
