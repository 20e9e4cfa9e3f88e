package io.txn.coordinator.access;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.access.ExtraData;
import io.txn.protocol.access.SeataDigest;
import io.txn.protocol.access.Secret;
import java.net.InetAddress;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides who a connection is. What it shows in its registration counts first, and must hold; its certificate counts when it shows nothing else. Thread-safe;
 * does no IO but in {@link #reload}.
 */
public final class Doorkeeper {

    private static final Logger LOG = LoggerFactory.getLogger(Doorkeeper.class);

    /** How far a digest's time may be from ours. */
    static final Duration DIGEST_WINDOW = Duration.ofMinutes(5);

    private static final int MOST_DIGESTS = 100_000;

    private final AccessRules rules;
    private final boolean tlsOffered;
    private final InstantSource clock;

    /** Digests that were accepted, oldest first, and from where: from elsewhere each is a replay. */
    private final Map<String, Use> used = new LinkedHashMap<>();

    private volatile Clients clients;
    private @Nullable String lastReloadFailure;

    private record Use(InetAddress from, long until) {}

    /**
     * @param tlsOffered whether connections could be encrypted: then those that are not prove themselves by access key only
     * @throws TxnException BAD_CONFIGURATION or CREDENTIALS_UNUSABLE
     */
    public Doorkeeper(AccessRules rules, boolean tlsOffered, InstantSource clock) {
        this.rules = rules;
        this.tlsOffered = tlsOffered;
        this.clock = clock;
        this.clients = Clients.of(rules.clients(), rules.seataResourceManagers());
    }

    /** Whether clients have to prove who they are. */
    public boolean guards() {
        return !rules.clients().isEmpty();
    }

    /** Files that hold tokens. */
    public List<Path> files() {
        List<Path> files = new ArrayList<>();
        for (ClientEntry entry : rules.clients()) {
            if (entry.tokenFile() != null) {
                files.add(entry.tokenFile());
            }
        }
        return files;
    }

    /**
     * Decides about a registration.
     *
     * @param earlier what the connection proved before; null: this is its first registration
     */
    public Admission admit(Presented presented, @Nullable Credential earlier) {
        if (!guards()) {
            return new Admission.Admitted(Credential.NONE);
        }
        Admission shown = identify(presented);
        if (shown instanceof Admission.DependsOnTransactionManager && earlier != null) {
            return permitted(earlier, presented.application());
        }
        if (shown instanceof Admission.Admitted admitted) {
            Identity identity = admitted.credential().identity();
            if (earlier != null && !earlier.identity().name().equals(identity.name())) {
                return Admission.Refused.of(
                        ErrorCode.CLIENT_UNKNOWN,
                        "reason",
                        "the connection has registered as client "
                                + earlier.identity().name() + " before");
            }
            return permitted(admitted.credential(), presented.application());
        }
        return shown;
    }

    /**
     * Decides about a registration without a proof.
     *
     * @param transactionManager what the transaction manager of the same address and application proved; null: none is connected
     */
    public Admission admitBy(Presented presented, @Nullable Credential transactionManager) {
        if (transactionManager != null && transactionManager.proof() instanceof Proof.AccessKey proof) {
            return permitted(
                    new Credential(transactionManager.identity(), new Proof.Borrowed(proof)), presented.application());
        }
        return Admission.Refused.of(
                ErrorCode.CLIENT_UNKNOWN,
                "application",
                presented.application(),
                "reason",
                "it shows no credential, and no transaction manager of this application with an access key is connected from its address");
    }

    /** Whether resource managers may be taken for the client of this credential. */
    public boolean lends(Credential credential) {
        return rules.seataResourceManagers() == SeataResourceManagers.BY_TRANSACTION_MANAGER
                && credential.proof() instanceof Proof.AccessKey;
    }

    private static Admission permitted(Credential credential, String application) {
        return credential.identity().mayBe(application)
                ? new Admission.Admitted(credential)
                : Admission.Refused.of(
                        ErrorCode.APPLICATION_NOT_PERMITTED,
                        "client",
                        credential.identity().name(),
                        "application",
                        application);
    }

    private Admission identify(Presented presented) {
        Clients now = clients;
        String token = presented.extra().get(ExtraData.TOKEN);
        if (token != null) {
            return byToken(now, presented, token);
        }
        String accessKey = presented.extra().get(ExtraData.ACCESS_KEY);
        if (accessKey != null) {
            return byDigest(now, presented, accessKey);
        }
        if (!presented.certificates().isEmpty()) {
            X509Certificate own = presented.certificates().get(0);
            Identity identity = now.byCertificate(own);
            return identity != null
                    ? new Admission.Admitted(new Credential(identity, new Proof.Certificate(presented.certificates())))
                    : unknown(presented, "no client has the certificate of " + own.getSubjectX500Principal());
        }
        return rules.seataResourceManagers() == SeataResourceManagers.BY_TRANSACTION_MANAGER && !presented.encrypted()
                ? new Admission.DependsOnTransactionManager()
                : unknown(presented, "it shows no credential");
    }

    private Admission byToken(Clients now, Presented presented, String token) {
        String fingerprint = Clients.fingerprint(token);
        Identity identity = now.byToken(fingerprint);
        if (!presented.encrypted() && !presented.address().isLoopbackAddress()) {
            if (identity != null) {
                // The answer does not tell whether it is right. A stranger cannot fill the log with this: he has no
                // such token.
                LOG.error(
                        "a token came in plain text over the network: replace it, and give both sides TLS client={} peer={} application={}",
                        identity.name(),
                        presented.address(),
                        presented.application());
            }
            return Admission.Refused.of(ErrorCode.TOKEN_EXPOSED, "application", presented.application());
        } else if (!presented.encrypted() && tlsOffered) {
            return unknown(presented, "a plain connection beside TLS proves itself by access key only");
        }
        return identity == null
                ? unknown(presented, "no client has this token")
                : new Admission.Admitted(new Credential(identity, new Proof.Token(fingerprint)));
    }

    private Admission byDigest(Clients now, Presented presented, String accessKey) {
        Secret secretKey = now.secretKey(accessKey);
        Identity identity = now.byAccessKey(accessKey);
        String digest = presented.extra().get(ExtraData.DIGEST);
        String ip = presented.extra().get(ExtraData.IP);
        Long time = millis(presented.extra().get(ExtraData.TIMESTAMP));
        if (secretKey == null || identity == null) {
            return unknown(presented, "no client has the access key " + brief(accessKey));
        } else if (digest == null
                || time == null
                || !SeataDigest.matches(digest, secretKey, presented.group(), ip == null ? "" : ip, time)) {
            return unknown(presented, "the digest of access key " + accessKey + " is not right");
        }
        long current = clock.millis();
        if (Math.abs(current - time) > DIGEST_WINDOW.toMillis()) {
            return unknown(
                    presented,
                    "the digest of access key " + accessKey + " is " + (current - time) / 1000
                            + " s old by this clock; at most " + DIGEST_WINDOW.toSeconds() + " s are accepted");
        } else if (!firstFrom(presented.address(), digest, current)) {
            return unknown(
                    presented,
                    "the digest of access key " + accessKey
                            + " was used from another address before: somebody may have read it on its way");
        }
        return new Admission.Admitted(new Credential(identity, new Proof.AccessKey(accessKey, secretKey)));
    }

    private synchronized boolean firstFrom(InetAddress address, String digest, long now) {
        Iterator<Use> oldest = used.values().iterator();
        while (oldest.hasNext() && (oldest.next().until < now || used.size() >= MOST_DIGESTS)) {
            oldest.remove();
        }
        // Accepted until its time leaves the window, which may lie ahead by another window.
        Use first = used.putIfAbsent(digest, new Use(address, now + 2 * DIGEST_WINDOW.toMillis()));
        return first == null || first.from.equals(address);
    }

    private static @Nullable Long millis(@Nullable String text) {
        try {
            return text == null ? null : Long.valueOf(text);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static String brief(String text) {
        return text.length() <= 64 ? text : text.substring(0, 64) + '…';
    }

    private static Admission unknown(Presented presented, String reason) {
        return Admission.Refused.of(ErrorCode.CLIENT_UNKNOWN, "application", presented.application(), "reason", reason);
    }

    /**
     * Reads the files again. What is broken leaves everything as it was, and is told once.
     *
     * @return whether clients may have changed: sessions are to be looked at with {@link #renew}
     */
    public boolean reload() {
        try {
            clients = Clients.of(rules.clients(), rules.seataResourceManagers());
            if (failed(null)) {
                LOG.info("the clients' token files can be read again");
            }
            return true;
        } catch (TxnException e) {
            if (failed(e.getMessage())) {
                LOG.error(
                        "the clients' token files have changed and cannot be used: the tokens read before stay in force. {}",
                        e.getMessage());
            }
            return false;
        }
    }

    /** Whether this is news. */
    private synchronized boolean failed(@Nullable String message) {
        String before = lastReloadFailure;
        lastReloadFailure = message;
        return message == null ? before != null : !message.equals(before);
    }

    /**
     * Asks again whether a proof holds.
     *
     * @param certificates those the connection showed
     * @param trust whom TLS trusts now; null: that has not changed
     * @return what it is worth now, or null when it does not hold any more
     */
    public @Nullable Credential renew(
            Credential credential, List<X509Certificate> certificates, @Nullable X509TrustManager trust) {
        if (trust != null && !certificates.isEmpty() && !isTrusted(certificates, trust)) {
            return null;
        }
        if (!guards()) {
            return credential;
        }
        Identity identity = holder(credential.proof());
        return identity == null || !identity.name().equals(credential.identity().name())
                ? null
                : new Credential(identity, credential.proof());
    }

    private @Nullable Identity holder(Proof proof) {
        Clients now = clients;
        if (proof instanceof Proof.Token token) {
            return now.byToken(token.fingerprint());
        } else if (proof instanceof Proof.AccessKey key) {
            Secret secretKey = now.secretKey(key.accessKey());
            return secretKey != null && key.secretKey().equals(secretKey) ? now.byAccessKey(key.accessKey()) : null;
        } else if (proof instanceof Proof.Borrowed borrowed) {
            return holder(borrowed.of());
        } else if (proof instanceof Proof.Certificate certificate) {
            return now.byCertificate(certificate.chain().get(0));
        }
        return null;
    }

    private static boolean isTrusted(List<X509Certificate> chain, X509TrustManager trust) {
        try {
            trust.checkClientTrusted(
                    chain.toArray(X509Certificate[]::new),
                    chain.get(0).getPublicKey().getAlgorithm());
            return true;
        } catch (CertificateException e) {
            return false;
        }
    }
}
