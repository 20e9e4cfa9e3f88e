package io.txn.spring.propagation;

import feign.Capability;
import feign.Client;

/** Wraps the client of each OpenFeign client, whichever it is, outside load balancing. */
public final class XidFeignCapability implements Capability {

    private final Outgoing outgoing;

    public XidFeignCapability(Outgoing outgoing) {
        this.outgoing = outgoing;
    }

    @Override
    public Client enrich(Client client) {
        return client instanceof XidFeignClient ? client : new XidFeignClient(client, outgoing);
    }
}
