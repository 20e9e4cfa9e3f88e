package io.txn.spring.autoconfigure;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * How the XID travels between services.
 *
 * @param outgoing whether requests of RestTemplate, RestClient, WebClient and OpenFeign carry the XID and the time that is left
 * @param incoming whether the header TX_XID of a request is taken over; switch it off where strangers can call
 * @param tasks whether tasks of Spring's executors, and so @Async methods, work in the global transaction of whoever handed them over, which waits for them before it commits
 */
@ConfigurationProperties("txn.propagation")
record PropagationProperties(
        @DefaultValue("true") boolean outgoing,
        @DefaultValue("true") boolean incoming,
        @DefaultValue("true") boolean tasks) {}
