package io.txn.spring.propagation;

import io.grpc.Metadata;
import java.util.Locale;

/** The headers of a global transaction as keys of gRPC's metadata, which have lower case. */
final class GrpcKeys {

    private GrpcKeys() {}

    static Metadata.Key<String> of(String header) {
        return Metadata.Key.of(header.toLowerCase(Locale.ROOT), Metadata.ASCII_STRING_MARSHALLER);
    }
}
