package io.txn.spring.autoconfigure;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * How the XID travels between services.
 *
 * @param outgoing whether requests of RestTemplate, RestClient, WebClient and OpenFeign carry the XID and the time that is left
 * @param incoming whether the header TX_XID of a request is taken over; switch it off where strangers can call
 */
@ConfigurationProperties("txn.propagation")
record PropagationProperties(
        @DefaultValue("true") boolean outgoing,
        @DefaultValue("true") boolean incoming) {}
