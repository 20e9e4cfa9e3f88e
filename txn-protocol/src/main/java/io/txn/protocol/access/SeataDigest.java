package io.txn.protocol.access;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The proof of Seata's transaction managers, version {@value #VERSION}: HMAC-SHA256 of group, address and time under a key derived from the secret key in
 * four steps. It covers neither the application's name nor the connection, so whoever reads it can use it until its time is over.
 */
public final class SeataDigest {

    /** What a client says in {@link ExtraData#AUTH_VERSION}. */
    public static final String VERSION = "V4";

    private static final String ALGORITHM = "HmacSHA256";
    private static final DateTimeFormatter DAY =
            DateTimeFormatter.ofPattern("yyyyMMdd").withZone(ZoneOffset.UTC);

    private SeataDigest() {}

    /** The digest in Base64. */
    public static String of(Secret secretKey, String group, String ip, long timestampMillis) {
        byte[] key = ("aliyun_v4" + secretKey.reveal()).getBytes(StandardCharsets.UTF_8);
        key = hmac(key, DAY.format(Instant.ofEpochMilli(timestampMillis)));
        key = hmac(key, "cn-beijing");
        key = hmac(key, "seata");
        key = hmac(key, "aliyun_v4_request");
        return Base64.getEncoder().encodeToString(hmac(key, group + ',' + ip + ',' + timestampMillis));
    }

    /** Whether {@code digest} is the one; takes the same time however much of it is right. */
    public static boolean matches(String digest, Secret secretKey, String group, String ip, long timestampMillis) {
        return MessageDigest.isEqual(
                digest.getBytes(StandardCharsets.UTF_8),
                of(secretKey, group, ip, timestampMillis).getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] hmac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(key, ALGORITHM));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new AssertionError("every Java has " + ALGORITHM, e);
        }
    }
}
