package io.txn.spring.autoconfigure;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.transport.ClientTls;
import io.txn.protocol.transport.TlsContext;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.ssl.NoSuchSslBundleException;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundles;

/**
 * TLS with coordinators out of an SSL bundle. Follows the bundle where it has {@code reload-on-update}: connections that come after a change use it; one that
 * becomes unusable leaves the one before in force.
 */
final class ClientSsl {

    private static final Logger log = LoggerFactory.getLogger(ClientSsl.class);
    private static final String KEY = "txn.client.ssl.bundle";

    private ClientSsl() {}

    /** Null when it is not wanted. */
    static @Nullable ClientTls of(ClientProperties.Ssl ssl, @Nullable SslBundles bundles) {
        String name = ssl.bundle();
        boolean named = name != null && !name.isBlank();
        Boolean enabled = ssl.enabled();
        if (enabled == null ? !named : !enabled) {
            return null;
        }
        if (name == null || !named) {
            TlsContext publicAuthorities = TlsContext.of(defaultContext());
            return new ClientTls(() -> publicAuthorities, ssl.serverName());
        }
        if (bundles == null) {
            throw invalid("there are no SSL bundles: they need spring-boot-autoconfigure's SslAutoConfiguration", null);
        }
        AtomicReference<TlsContext> current = new AtomicReference<>();
        try {
            current.set(context(bundles.getBundle(name)));
        } catch (NoSuchSslBundleException e) {
            throw invalid(
                    "there is no SSL bundle " + name + ": see spring.ssl.bundle.pem and spring.ssl.bundle.jks", e);
        } catch (IllegalStateException | IllegalArgumentException e) {
            throw invalid("the SSL bundle " + name + " cannot be read: " + deepest(e), e);
        }
        bundles.addBundleUpdateHandler(name, changed -> {
            try {
                current.set(context(changed));
                log.info("the SSL bundle {} has changed: new connections to coordinators use it", name);
            } catch (RuntimeException e) {
                log.error(
                        "the SSL bundle {} has changed and cannot be used: what was read before stays in force",
                        name,
                        e);
            }
        });
        return new ClientTls(current::get, ssl.serverName());
    }

    private static TlsContext context(SslBundle bundle) {
        return new TlsContext(
                bundle.createSslContext(),
                list(bundle.getOptions().getEnabledProtocols()),
                list(bundle.getOptions().getCiphers()),
                null);
    }

    private static SSLContext defaultContext() {
        try {
            return SSLContext.getDefault();
        } catch (NoSuchAlgorithmException e) {
            throw invalid("Java has no default TLS context: " + e.getMessage(), e);
        }
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

    private static TxnException invalid(String problem, @Nullable Throwable cause) {
        return new TxnException(ErrorCode.BAD_CONFIGURATION, cause, "key", KEY, "problem", problem);
    }
}
