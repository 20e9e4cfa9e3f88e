package io.txn.protocol.transport;

import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Keys and trust for TLS connections, as they are at one moment. The transport asks for it anew for each connection, so a changed certificate serves the
 * connections that come after it. Immutable.
 *
 * @param context what Java makes engines of
 * @param protocols versions to speak; empty: TLS 1.3 and 1.2
 * @param ciphers cipher suites to speak; empty: Java's own choice
 * @param trust who is trusted, to ask about connections that are open already; null: they are not asked about
 */
public record TlsContext(
        SSLContext context,
        List<String> protocols,
        List<String> ciphers,
        @Nullable X509TrustManager trust) {

    private static final String[] DEFAULT_PROTOCOLS = {"TLSv1.3", "TLSv1.2"};

    public TlsContext {
        protocols = List.copyOf(protocols);
        ciphers = List.copyOf(ciphers);
    }

    /** With Java's own choice of versions and ciphers. */
    public static TlsContext of(SSLContext context) {
        return new TlsContext(context, List.of(), List.of(), null);
    }

    /** An engine that serves; no host name is expected of clients. */
    SSLEngine serving(ServerTls.ClientAuth clientAuth) {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(false);
        SSLParameters parameters = parameters(engine);
        switch (clientAuth) {
            case NONE -> parameters.setNeedClientAuth(false);
            case WANT -> parameters.setWantClientAuth(true);
            case NEED -> parameters.setNeedClientAuth(true);
        }
        engine.setSSLParameters(parameters);
        return engine;
    }

    /** An engine that connects, and accepts no certificate but one for this name. */
    SSLEngine connecting(String host, int port) {
        SSLEngine engine = context.createSSLEngine(host, port);
        engine.setUseClientMode(true);
        SSLParameters parameters = parameters(engine);
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        engine.setSSLParameters(parameters);
        return engine;
    }

    private SSLParameters parameters(SSLEngine engine) {
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setProtocols(protocols.isEmpty() ? DEFAULT_PROTOCOLS : protocols.toArray(String[]::new));
        if (!ciphers.isEmpty()) {
            parameters.setCipherSuites(ciphers.toArray(String[]::new));
        }
        return parameters;
    }
}
