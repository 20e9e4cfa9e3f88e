package io.txn.test;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import javax.security.auth.x500.X500Principal;
import org.jspecify.annotations.Nullable;

/**
 * A certificate authority of one test: it and all it issues are made on the spot, live for a day, and never leave the test's directory. Elliptic
 * curves, because their keys are made in a moment.
 */
public final class TestAuthority {

    private static final byte[] ECDSA_SHA256 = Der.sequence(Der.oid(1, 2, 840, 10045, 4, 3, 2));
    private static final char[] NO_PASSWORD = "not-a-secret".toCharArray();
    private static final Duration DAY = Duration.ofDays(1);

    private final KeyPair keys;
    private final X509Certificate certificate;

    /** @param name its common name */
    public TestAuthority(String name) {
        this.keys = keyPair();
        Instant now = Instant.now();
        this.certificate = certificate(
                "CN=" + name, "CN=" + name, keys, keys.getPrivate(), now.minus(DAY), now.plus(DAY), true, List.of());
    }

    /** A key and the certificate for it. */
    public record Issued(PrivateKey key, X509Certificate certificate, X509Certificate authority) {

        /** Writes the certificate to {@code certificate} and its key to {@code key}, as PEM; each file is exchanged at once. */
        public void writePem(Path certificateFile, Path keyFile) {
            write(certificateFile, pem("CERTIFICATE", encoded(certificate)) + pem("CERTIFICATE", encoded(authority)));
            write(keyFile, pem("PRIVATE KEY", key.getEncoded()));
        }
    }

    /** A certificate valid now. {@code names} are host names and addresses. */
    public Issued issue(String commonName, String... names) {
        Instant now = Instant.now();
        return issue(commonName, now.minus(DAY), now.plus(DAY), names);
    }

    /** A certificate that was valid until a minute ago. */
    public Issued issueExpired(String commonName, String... names) {
        Instant now = Instant.now();
        return issue(commonName, now.minus(DAY), now.minus(Duration.ofMinutes(1)), names);
    }

    private Issued issue(String commonName, Instant from, Instant to, String... names) {
        KeyPair own = keyPair();
        X509Certificate issued = certificate(
                certificate.getSubjectX500Principal().getName(),
                "CN=" + commonName,
                own,
                keys.getPrivate(),
                from,
                to,
                false,
                List.of(names));
        return new Issued(own.getPrivate(), issued, certificate);
    }

    /** Writes its own certificate as PEM, for those who are to trust it. */
    public void writePem(Path file) {
        write(file, pem("CERTIFICATE", encoded(certificate)));
    }

    /** A context that shows {@code own} and trusts these authorities. */
    public static SSLContext context(@Nullable Issued own, TestAuthority... trusted) {
        try {
            KeyManager[] keyManagers = null;
            if (own != null) {
                KeyStore store = emptyStore();
                store.setKeyEntry(
                        "own", own.key(), NO_PASSWORD, new X509Certificate[] {own.certificate(), own.authority()});
                KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
                factory.init(store, NO_PASSWORD);
                keyManagers = factory.getKeyManagers();
            }
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keyManagers, new X509TrustManager[] {trust(trusted)}, null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Trusts what these authorities issue, and nothing else. */
    public static X509TrustManager trust(TestAuthority... trusted) {
        try {
            KeyStore store = emptyStore();
            for (int i = 0; i < trusted.length; i++) {
                store.setCertificateEntry("authority-" + i, trusted[i].certificate);
            }
            if (trusted.length == 0) {
                // A store may not be empty: an authority that nobody else knows.
                store.setCertificateEntry("nobody", new TestAuthority("nobody").certificate);
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            return (X509TrustManager) factory.getTrustManagers()[0];
        } catch (GeneralSecurityException | IOException e) {
            throw new AssertionError(e);
        }
    }

    private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private static KeyPair keyPair() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static X509Certificate certificate(
            String issuer,
            String subject,
            KeyPair keys,
            PrivateKey signer,
            Instant from,
            Instant to,
            boolean authority,
            List<String> names) {
        byte[] body = Der.sequence(
                Der.tagged(0xA0, Der.integer(BigInteger.TWO)),
                Der.integer(new BigInteger(63, new SecureRandom()).add(BigInteger.ONE)),
                ECDSA_SHA256,
                new X500Principal(issuer).getEncoded(),
                Der.sequence(Der.time(from), Der.time(to)),
                new X500Principal(subject).getEncoded(),
                keys.getPublic().getEncoded(),
                Der.tagged(0xA3, extensions(authority, names)));
        try {
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(signer);
            signature.update(body);
            byte[] whole = Der.sequence(body, ECDSA_SHA256, Der.bits(signature.sign()));
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(whole));
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] extensions(boolean authority, List<String> names) {
        List<byte[]> extensions = new ArrayList<>();
        extensions.add(Der.sequence(
                Der.oid(2, 5, 29, 19), Der.yes(), Der.octets(authority ? Der.sequence(Der.yes()) : Der.sequence())));
        if (!names.isEmpty()) {
            byte[][] alternatives =
                    names.stream().map(TestAuthority::alternative).toArray(byte[][]::new);
            extensions.add(Der.sequence(Der.oid(2, 5, 29, 17), Der.octets(Der.sequence(alternatives))));
        }
        return Der.sequence(extensions.toArray(byte[][]::new));
    }

    private static byte[] alternative(String name) {
        if (name.matches("[0-9.]+|.*:.*")) {
            try {
                return Der.tagged(0x87, InetAddress.getByName(name).getAddress());
            } catch (UnknownHostException e) {
                throw new IllegalArgumentException(name, e);
            }
        }
        return Der.tagged(0x82, name.getBytes(StandardCharsets.US_ASCII));
    }

    private static byte[] encoded(X509Certificate certificate) {
        try {
            return certificate.getEncoded();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static String pem(String type, byte[] content) {
        return "-----BEGIN " + type + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content)
                + "\n-----END " + type + "-----\n";
    }

    private static void write(Path file, String text) {
        try {
            Path temporary = file.resolveSibling(file.getFileName() + ".new");
            Files.writeString(temporary, text);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
