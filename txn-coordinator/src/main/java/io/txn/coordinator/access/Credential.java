package io.txn.coordinator.access;

/** Who a connection proved to be, with its proof. Immutable; has no text that tells a secret. */
public final class Credential {

    /** Where no clients are configured. */
    public static final Credential NONE = new Credential(Identity.ANYBODY, new Proof.Nothing());

    private final Identity identity;
    private final Proof proof;

    Credential(Identity identity, Proof proof) {
        this.identity = identity;
        this.proof = proof;
    }

    public Identity identity() {
        return identity;
    }

    Proof proof() {
        return proof;
    }

    @Override
    public String toString() {
        return identity + " by " + proof.getClass().getSimpleName();
    }
}
