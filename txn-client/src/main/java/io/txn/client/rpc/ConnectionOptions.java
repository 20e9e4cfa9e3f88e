package io.txn.client.rpc;

import io.txn.client.observation.TxnObserver;
import io.txn.protocol.transport.ClientTls;
import io.txn.protocol.transport.TransportOptions;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How this process introduces itself and how long it waits.
 *
 * @param applicationId the name under which the coordinator knows this application
 * @param serviceGroup the transaction service group it announces
 * @param requestTimeout how long an answer may take
 * @param connectWait how long a request waits for a connection while there is none
 * @param reconnect how a broken connection is tried again
 * @param transport limits of the transport
 * @param tls how TLS is spoken; null: it is not
 * @param credentials how this process proves who it is
 * @param observer sees each request
 */
public record ConnectionOptions(
        String applicationId,
        String serviceGroup,
        Duration requestTimeout,
        Duration connectWait,
        Backoff reconnect,
        TransportOptions transport,
        @Nullable ClientTls tls,
        Credentials credentials,
        TxnObserver observer) {}
