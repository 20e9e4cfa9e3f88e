package io.txn.client.rpc;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.access.ExtraData;
import io.txn.protocol.access.SeataDigest;
import io.txn.protocol.access.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/**
 * How this process proves to coordinators who it is, beside the certificate it may show. Immutable; asked anew for each connection, so a changed file
 * serves the connections that come after it. Has no text that tells a secret.
 */
public sealed interface Credentials {

    /** Nothing is shown. */
    Credentials NONE = new None();

    /** A token; it leaves this machine over TLS only. */
    static Credentials token(String token) {
        return new Token(new Secret(token));
    }

    /** A token that stands in a file: its first line that is not empty. */
    static Credentials tokenFile(Path file) {
        return new TokenFile(file);
    }

    /** Seata's digest. The secret key stays here; the digest can be used by whoever reads it until its time is over. */
    static Credentials accessKey(String accessKey, String secretKey) {
        return new AccessKey(accessKey, new Secret(secretKey));
    }

    /** No credentials. */
    record None() implements Credentials {}

    record Token(Secret token) implements Credentials {

        public Token {
            requireLine("token", token.reveal());
        }
    }

    record TokenFile(Path file) implements Credentials {}

    record AccessKey(String accessKey, Secret secretKey) implements Credentials {

        public AccessKey {
            requireLine("access-key", accessKey);
            requireLine("secret-key", secretKey.reveal());
        }
    }

    private static void requireLine(String key, String value) {
        if (value.isBlank() || value.chars().anyMatch(c -> c < ' ')) {
            throw new TxnException(
                    ErrorCode.BAD_CONFIGURATION,
                    null,
                    "key",
                    "txn.client." + key,
                    "problem",
                    "it is empty or has control characters");
        }
    }

    /** Whether whoever reads the connection could use what is shown for ever. */
    default boolean secret() {
        return this instanceof Token || this instanceof TokenFile;
    }

    /**
     * What a registration carries, in the form of Seata's transaction managers.
     *
     * @param ip the address of this side
     * @throws TxnException CREDENTIALS_UNUSABLE
     */
    default ExtraData shown(String group, String ip, InstantSource clock) {
        ExtraData data = new ExtraData();
        if (this instanceof Token token) {
            data.with(ExtraData.TOKEN, token.token().reveal());
        } else if (this instanceof TokenFile file) {
            data.with(ExtraData.TOKEN, firstLine(file.file()));
        } else if (this instanceof AccessKey key) {
            long now = clock.millis();
            return data.with(ExtraData.ACCESS_KEY, key.accessKey())
                    .with(ExtraData.DIGEST, SeataDigest.of(key.secretKey(), group, ip, now))
                    .with(ExtraData.TIMESTAMP, Long.toString(now))
                    .with(ExtraData.AUTH_VERSION, SeataDigest.VERSION)
                    .with(ExtraData.GROUP, group)
                    .with(ExtraData.IP, ip);
        }
        return data.with(ExtraData.GROUP, group);
    }

    private static String firstLine(Path file) {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1)
                    .lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .findFirst()
                    .orElseThrow(() -> unusable(file, null, "it holds no token"));
        } catch (IOException e) {
            throw unusable(file, e, "it cannot be read: " + e.getClass().getSimpleName());
        }
    }

    private static TxnException unusable(Path file, @Nullable IOException cause, String reason) {
        return new TxnException(ErrorCode.CREDENTIALS_UNUSABLE, cause, "file", file, "reason", reason);
    }
}
