package io.txn.coordinator.access;

import io.txn.protocol.LogText;
import io.txn.protocol.access.Secret;
import java.security.cert.X509Certificate;
import java.util.List;

/** By what a connection proved who it is; kept to ask again when clients or trust change. */
sealed interface Proof {

    /** No clients were configured. */
    record Nothing() implements Proof {}

    /** @param fingerprint SHA-256 in hexadecimal digits */
    record Token(String fingerprint) implements Proof {
        @Override
        public String toString() {
            return "Token";
        }
    }

    /** Seata's digest, under the secret key of that time. */
    record AccessKey(String accessKey, Secret secretKey) implements Proof {}

    /** @param chain the peer's own certificate first */
    record Certificate(List<X509Certificate> chain) implements Proof {
        @Override
        public String toString() {
            return "Certificate[" + LogText.oneLine(chain.get(0).getSubjectX500Principal()) + ']';
        }
    }

    /** A transaction manager of the same place proved itself by this. */
    record Borrowed(AccessKey of) implements Proof {}
}
