package io.txn.spring.autoconfigure;

import io.txn.spring.propagation.Peers;
import io.txn.spring.propagation.Signature;
import io.txn.spring.propagation.Targets;
import io.txn.spring.propagation.Trust;
import java.time.InstantSource;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * How the XID travels between services.
 *
 * @param outgoing whether calls of RestTemplate, RestClient, WebClient, OpenFeign, gRPC and Dubbo carry the XID and the time that is left
 * @param incoming whether the XID that a request brings is taken over
 * @param peers addresses and networks whose hosts may bring an XID along, with a key even unsigned; this machine and the private networks unless set or a key is
 * @param targets hosts that calls tell of the global transaction besides all whose address is not public: names (stock, *.example.com, * for all), addresses and networks
 * @param targetsOnly whether calls tell those named in targets, and nobody else, however near
 * @param key signs what calls say of the global transaction, and is asked of those that arrive: the same in all services, at least 16 bytes, without commas. Of several the first signs and each is accepted
 * @param tasks whether tasks of Spring's executors, and so @Async methods, work in the global transaction of whoever handed them over, which waits for them before it commits
 */
@ConfigurationProperties("txn.propagation")
record PropagationProperties(
        @DefaultValue("true") boolean outgoing,
        @DefaultValue("true") boolean incoming,
        @Nullable List<String> peers,
        @Nullable List<String> targets,
        @DefaultValue("false") boolean targetsOnly,
        @Nullable List<String> key,
        @DefaultValue("true") boolean tasks) {

    /** What is bound where nothing is set; a test compares the two. */
    static PropagationProperties defaults() {
        return new PropagationProperties(true, true, null, null, false, null, true);
    }

    /** Whose word counts. */
    Trust trust() {
        List<String> hosts = targets == null ? List.of() : targets;
        return new Trust(
                peers == null || peers.isEmpty() ? null : Peers.of(peers),
                key == null || key.isEmpty() ? null : new Signature(key, InstantSource.system()),
                targetsOnly
                        ? Targets.only(hosts, InstantSource.system())
                        : Targets.nearAnd(hosts, InstantSource.system()),
                InstantSource.system());
    }
}
