package io.txn.coordinator.access;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** A client as a connection proved to be it, and what it may do. Immutable. */
public final class Identity {

    /** Everybody, where no clients are configured. */
    public static final Identity ANYBODY = new Identity("", Patterns.ANY, Patterns.ANY);

    private final String name;
    private final Patterns applications;
    private final Patterns resources;

    Identity(String name, Patterns applications, Patterns resources) {
        this.name = name;
        this.applications = applications;
        this.resources = resources;
    }

    /** The name of its entry; empty for {@link #ANYBODY}. */
    public String name() {
        return name;
    }

    public boolean mayBe(String application) {
        return applications.match(application);
    }

    public boolean mayUse(String resource) {
        return resources.match(resource);
    }

    /**
     * The id under which the coordinator knows a request of this client. Clients choose ids of 64 bits and may see, or guess, those of others; so what is looked up and recorded
     * is a digest of the client's name and its id: the same after a restart, and another one for every other client.
     *
     * @param chosen by the client; 0: none
     * @return {@code chosen} where it is 0 or nobody has to prove who he is
     */
    public long ownRequestId(long chosen) {
        if (chosen == 0 || name.isEmpty()) {
            return chosen;
        }
        byte[] text = name.getBytes(StandardCharsets.UTF_8);
        ByteBuffer all =
                ByteBuffer.allocate(text.length + Long.BYTES).putLong(chosen).put(text);
        long own = ByteBuffer.wrap(sha256().digest(all.array())).getLong();
        return own == 0 ? 1 : own;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }

    @Override
    public String toString() {
        return name.isEmpty() ? "anybody" : name;
    }
}
