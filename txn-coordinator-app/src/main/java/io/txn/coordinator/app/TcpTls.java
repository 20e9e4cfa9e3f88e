package io.txn.coordinator.app;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.transport.ServerTls;
import io.txn.protocol.transport.TlsContext;
import java.security.KeyStore;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.ssl.NoSuchSslBundleException;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundles;

/**
 * TLS of the TCP port out of an SSL bundle. Follows the bundle where it has {@code reload-on-update}; one that becomes unusable leaves the one before in
 * force. Thread-safe.
 */
final class TcpTls {

    private static final Logger log = LoggerFactory.getLogger(TcpTls.class);
    private static final String KEY = CoordinatorProperties.PREFIX + ".tcp.ssl.bundle";

    private final String name;
    private final boolean asksClients;
    private final AtomicReference<TlsContext> current;
    private final ServerTls tls;
    private volatile Runnable changed = () -> {};

    private TcpTls(String name, CoordinatorProperties.TcpSsl ssl, SslBundle bundle) {
        this.name = name;
        this.asksClients = ssl.clientAuth() != ServerTls.ClientAuth.NONE;
        this.current = new AtomicReference<>(context(bundle));
        this.tls = new ServerTls(current::get, ssl.clientAuth(), ssl.required());
    }

    /** Null when none is configured. */
    static @Nullable TcpTls of(CoordinatorProperties.TcpSsl ssl, SslBundles bundles) {
        String name = ssl.bundle();
        if (name == null || name.isBlank()) {
            if (ssl.clientAuth() != ServerTls.ClientAuth.NONE || !ssl.required()) {
                throw invalid("without a bundle nobody speaks TLS, so client-auth and required have no meaning", null);
            }
            return null;
        }
        TcpTls tls;
        try {
            tls = new TcpTls(name, ssl, bundles.getBundle(name));
        } catch (NoSuchSslBundleException e) {
            throw invalid(
                    "there is no SSL bundle " + name + ": see spring.ssl.bundle.pem and spring.ssl.bundle.jks", e);
        }
        bundles.addBundleUpdateHandler(name, tls::update);
        return tls;
    }

    ServerTls tls() {
        return tls;
    }

    /** @param action told after keys or trust have changed */
    void onChange(Runnable action) {
        changed = action;
    }

    private void update(SslBundle bundle) {
        try {
            current.set(context(bundle));
        } catch (RuntimeException e) {
            log.error(
                    "The SSL bundle of the TCP port has changed and cannot be used: the certificate read before stays in force. bundle={}",
                    name,
                    e);
            return;
        }
        log.info("The SSL bundle of the TCP port has changed: new connections use it. bundle={}", name);
        changed.run();
    }

    private TlsContext context(SslBundle bundle) {
        KeyStore keys;
        KeyStore trust;
        TlsContext context;
        try {
            keys = bundle.getStores().getKeyStore();
            trust = bundle.getStores().getTrustStore();
            context = new TlsContext(
                    bundle.createSslContext(),
                    list(bundle.getOptions().getEnabledProtocols()),
                    list(bundle.getOptions().getCiphers()),
                    trustManager(bundle));
        } catch (IllegalStateException | IllegalArgumentException e) {
            throw invalid("the SSL bundle " + name + " cannot be read: " + deepest(e), e);
        }
        if (keys == null) {
            throw invalid(
                    "the SSL bundle " + name + " has no keystore: a server needs a certificate with its key", null);
        }
        if (asksClients && trust == null) {
            // Java would trust every public authority then.
            throw invalid(
                    "the SSL bundle " + name
                            + " has no truststore: with client-auth it says whose certificates clients may have",
                    null);
        }
        return context;
    }

    private static @Nullable X509TrustManager trustManager(SslBundle bundle) {
        for (TrustManager manager : bundle.getManagers().getTrustManagers()) {
            if (manager instanceof X509TrustManager x509) {
                return x509;
            }
        }
        return null;
    }

    private static List<String> list(String @Nullable [] values) {
        return values == null ? List.of() : Arrays.asList(values);
    }

    private static String deepest(Throwable failure) {
        Throwable cause = failure;
        for (int depth = 0; depth < 16 && cause.getCause() != null; depth++) {
            cause = cause.getCause();
        }
        return cause.toString();
    }

    private static TxnException invalid(String reason, @Nullable Throwable cause) {
        return new TxnException(ErrorCode.BAD_CONFIGURATION, cause, "key", KEY, "reason", reason);
    }
}
