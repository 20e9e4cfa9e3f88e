package io.txn.spring.propagation;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * What a call says of a global transaction, signed with a key that all services share: HMAC-SHA-256 over the XID, the remaining time and the time of sending. Not over the
 * receiver's name, which proxies and load balancers change on the way: whoever reads a signed header can use it for as long as it is fresh, and could have read the XID anyway.
 * Thread-safe.
 */
public final class Signature {

    /** How old, or how far ahead by the sender's clock, a signature may be. */
    public static final Duration FRESH = Duration.ofMinutes(5);

    private static final int SHORTEST_KEY = 16;
    private static final String VERSION = "1";
    private static final String ALGORITHM = "HmacSHA256";

    private final List<SecretKeySpec> keys;
    private final InstantSource clock;

    /**
     * @param keys the first signs, each is good for what arrives, so that a key can be replaced while services run
     * @throws TxnException BAD_CONFIGURATION when one is too short
     */
    public Signature(List<String> keys, InstantSource clock) {
        this.keys = keys.stream().map(Signature::key).toList();
        this.clock = clock;
    }

    private static SecretKeySpec key(String text) {
        byte[] bytes = text.trim().getBytes(StandardCharsets.UTF_8);
        if (bytes.length < SHORTEST_KEY) {
            throw new TxnException(
                    ErrorCode.BAD_CONFIGURATION,
                    null,
                    "key",
                    "txn.propagation.key",
                    "problem",
                    "it has " + bytes.length + " bytes; at least " + SHORTEST_KEY + " are needed");
        }
        return new SecretKeySpec(bytes, ALGORITHM);
    }

    /** The header of a call that is sent now. */
    String sign(String xid, @Nullable String remaining) {
        String sent = Long.toString(clock.millis());
        byte[] code = code(keys.get(0), xid, remaining, sent);
        return VERSION
                + ':'
                + sent
                + ':'
                + Base64.getUrlEncoder().withoutPadding().encodeToString(code);
    }

    /** What is wrong with a signature that arrived; null when nothing is. */
    @Nullable
    String problem(@Nullable String header, String xid, @Nullable String remaining) {
        if (header == null) {
            return "it is not signed";
        }
        String[] parts = header.split(":", 4);
        if (parts.length != 3 || !parts[0].equals(VERSION) || !parts[1].matches("\\d{1,15}")) {
            return "its signature is of no known form";
        }
        byte[] code;
        try {
            code = Base64.getUrlDecoder().decode(parts[2]);
        } catch (IllegalArgumentException e) {
            return "its signature is of no known form";
        }
        if (keys.stream().noneMatch(key -> MessageDigest.isEqual(code(key, xid, remaining, parts[1]), code))) {
            return "its signature is not made with a key of txn.propagation.key";
        }
        Duration age = Duration.between(Instant.ofEpochMilli(Long.parseLong(parts[1])), clock.instant());
        return age.abs().compareTo(FRESH) > 0
                ? "it was signed " + age.toSeconds() + " s ago by the clocks of the two machines"
                : null;
    }

    private static byte[] code(SecretKeySpec key, String xid, @Nullable String remaining, String sent) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            String text = "txn-propagation\n" + xid + '\n' + (remaining == null ? "" : remaining) + '\n' + sent;
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new AssertionError("every Java has " + ALGORITHM, e);
        }
    }
}
