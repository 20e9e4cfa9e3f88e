package io.txn.protocol.access;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** A text that is not to be seen: it shows in no log and no exception, and comparing it takes the same time however much of it is right. */
public final class Secret {

    private final String text;

    public Secret(String text) {
        this.text = text;
    }

    /** The secret itself, for whoever has to send it or compute with it. */
    public String reveal() {
        return text;
    }

    /** SHA-256 of it, by which it can be looked up without a comparison that tells how far it got. */
    public byte[] fingerprint() {
        return fingerprint(text);
    }

    /** SHA-256 of a text that may be a secret. */
    public static byte[] fingerprint(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Secret secret && MessageDigest.isEqual(fingerprint(), secret.fingerprint());
    }

    @Override
    public int hashCode() {
        return Secret.class.hashCode();
    }

    @Override
    public String toString() {
        return "(hidden)";
    }
}
