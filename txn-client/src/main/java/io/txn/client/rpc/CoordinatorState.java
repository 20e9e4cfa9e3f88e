package io.txn.client.rpc;

import io.txn.client.discovery.HostPort;
import io.txn.protocol.extension.Feature;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How it stands with one coordinator, for people.
 *
 * @param connected whether a connection for global transactions is live
 * @param features the extensions that were agreed on; empty: a Seata server, or not connected
 * @param version of its jars; null when it does not say
 * @param ahead how far its clock was ahead of ours when it registered us; null when it does not say
 * @param uncertainty half of the time that its answer took: {@code ahead} is no truer than this; null with it
 * @param failure why there is no connection; null when there is one, or while the first try is under way
 */
public record CoordinatorState(
        HostPort address,
        boolean connected,
        Set<Feature> features,
        @Nullable String version,
        @Nullable Duration ahead,
        @Nullable Duration uncertainty,
        @Nullable Throwable failure) {

    public CoordinatorState {
        features = Set.copyOf(features);
    }

    /** Of one to which nobody has connected yet. */
    static CoordinatorState unconnected(HostPort address) {
        return new CoordinatorState(address, false, Set.of(), null, null, null, null);
    }

    /** The failure in a few words, or null. */
    public @Nullable String reason() {
        return failure == null ? null : Link.reason(failure);
    }

    /** The part of the failure that somebody has to mend before another try can work, or null. */
    public io.txn.protocol.@Nullable TxnException refusal() {
        return Link.refusal(failure);
    }
}
