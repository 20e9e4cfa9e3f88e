package io.txn.spring.autoconfigure;

import io.txn.client.TxnClientOptions;

/** Changes what the client was configured with; beans of this type are applied in their order before the client starts. */
@FunctionalInterface
public interface TxnClientOptionsCustomizer {

    TxnClientOptions customize(TxnClientOptions options);
}
