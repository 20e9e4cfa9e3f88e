package io.txn.spring.propagation;

import org.springframework.http.client.ClientHttpRequestFactory;

/** What can be done for calls under way of one kind of client, before it is used. */
public interface RequestFactories {

    /** Has the calls of this factory end with their transaction, if it is of the kind; done again, it changes nothing. */
    void bound(ClientHttpRequestFactory factory);
}
