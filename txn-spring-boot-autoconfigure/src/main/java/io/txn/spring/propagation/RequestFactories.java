package io.txn.spring.propagation;

import org.jspecify.annotations.Nullable;
import org.springframework.http.client.ClientHttpRequestFactory;

/** What can be done for calls under way of one kind of client, before it is used. */
public interface RequestFactories {

    /** Has the calls of this factory end with their transaction, if it is of the kind; done again, it changes nothing. */
    void bound(ClientHttpRequestFactory factory);

    /** How to end the reading of the answer that the calling thread got last, where an interrupt does not; null where it does. Told once. */
    default @Nullable Runnable cancellation() {
        return null;
    }
}
