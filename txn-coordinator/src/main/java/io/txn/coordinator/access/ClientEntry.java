package io.txn.coordinator.access;

import io.txn.protocol.access.Secret;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who may connect, and how they prove it: by any one of these means. At least one is given.
 *
 * @param name how logs call this client; no two have the same
 * @param tokens secrets of which it shows one; two at a time while they are exchanged
 * @param tokenFile more of them, one a line; read again when the file changes
 * @param accessKey the access key of Seata's digest, with its {@code secretKey}
 * @param certificates subjects accepted: a whole distinguished name, or a pattern for its common name or a subject alternative name
 * @param applications patterns of the application names it may register under; empty: any
 * @param resources patterns of the resources it may register, lock rows of, and be called for; empty: any
 */
public record ClientEntry(
        String name,
        List<Secret> tokens,
        @Nullable Path tokenFile,
        @Nullable String accessKey,
        @Nullable Secret secretKey,
        List<String> certificates,
        List<String> applications,
        List<String> resources) {

    public ClientEntry {
        tokens = List.copyOf(tokens);
        certificates = List.copyOf(certificates);
        applications = List.copyOf(applications);
        resources = List.copyOf(resources);
    }

    /** A client that proves itself by this token, and may do everything. */
    public static ClientEntry ofToken(String name, String token) {
        return new ClientEntry(name, List.of(new Secret(token)), null, null, null, List.of(), List.of(), List.of());
    }
}
