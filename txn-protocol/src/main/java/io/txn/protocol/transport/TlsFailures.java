package io.txn.protocol.transport;

import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.nio.channels.ClosedChannelException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import org.jspecify.annotations.Nullable;

/** What Java and Netty say about a handshake that failed, in our words. */
final class TlsFailures {

    private static final int MOST_CAUSES = 16;

    private TlsFailures() {}

    /** @param peer whom the handshake was with, for the message */
    static TxnException of(Throwable failure, Object peer) {
        return new TxnException(code(failure), failure, "peer", peer, "reason", reason(failure));
    }

    /** The deepest message: those around it only repeat it. */
    static String reason(Throwable failure) {
        Throwable deepest = failure;
        for (int depth = 0; depth < MOST_CAUSES && deepest.getCause() != null; depth++) {
            deepest = deepest.getCause();
        }
        return deepest.getMessage() == null ? deepest.getClass().getSimpleName() : deepest.getMessage();
    }

    private static ErrorCode code(Throwable failure) {
        ErrorCode found = null;
        Throwable cause = failure;
        // The deepest one that is known says most: an expired certificate is wrapped into one that is not trusted.
        for (int depth = 0; depth < MOST_CAUSES && cause != null; depth++) {
            ErrorCode code = codeOf(cause);
            found = code == null || found == ErrorCode.TLS_NAME_MISMATCH ? found : code;
            cause = cause.getCause();
        }
        return found == null ? ErrorCode.TLS_FAILED : found;
    }

    private static @Nullable ErrorCode codeOf(Throwable cause) {
        String message = cause.getMessage() == null ? "" : cause.getMessage();
        if (cause instanceof CertificateExpiredException || cause instanceof CertificateNotYetValidException) {
            return ErrorCode.TLS_CERTIFICATE_EXPIRED;
        } else if (cause instanceof CertificateException
                && (message.startsWith("No subject alternative") || message.startsWith("No name matching"))) {
            return ErrorCode.TLS_NAME_MISMATCH; // Java has no type of its own for it
        } else if (cause instanceof CertificateException || cause instanceof CertPathValidatorException) {
            return ErrorCode.TLS_UNTRUSTED;
        } else if (message.startsWith("Received fatal alert")
                || message.startsWith("(") && message.contains("Received fatal alert")) {
            return ErrorCode.TLS_REFUSED;
        } else if (cause instanceof NotSslRecordException
                || cause instanceof SslHandshakeTimeoutException
                || cause instanceof ClosedChannelException
                || message.startsWith("Connection closed while SSL/TLS handshake")) {
            return ErrorCode.TLS_NOT_SPOKEN;
        }
        return null;
    }
}
