package io.txn.coordinator.seata;

import io.txn.coordinator.access.Credential;
import io.txn.coordinator.access.Identity;
import io.txn.coordinator.engine.Caller;
import io.txn.coordinator.machine.ClientId;
import io.txn.protocol.BranchType;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.transport.RpcConnection;
import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A registered connection. One connection may be TM and RM at once, and may register more resources later.
 *
 * <p>The resources are guarded by {@link Sessions}; the rest is immutable, but for the credential, which may be renewed.
 */
final class Session implements Caller {

    /** Clients from 2.3.0 on take the answers to a merged request one by one. */
    private static final long SINGLE_ANSWERS_SINCE = version("2.3.0");

    /** Steps of annotated sagas are a type of branch that older clients cannot read: what holds one is no message to them. */
    private static final long ANNOTATED_SAGAS_SINCE = version("2.3.0");

    final RpcConnection connection;
    final ClientId client;

    /** The transaction service group it named; part of the resource of a saga's engine. */
    final String group;

    final boolean takesSingleAnswers;

    private final boolean knowsAnnotatedSagas;

    /** Its requests that are not answered yet. */
    final AtomicInteger waiting = new AtomicInteger();

    /** The same of those that may wait for rows. */
    final AtomicInteger waitingForRows = new AtomicInteger();

    private volatile Credential credential;

    private volatile Set<Feature> features = Set.of();

    /** What this connection itself registered; guarded by {@link Sessions}. */
    final Set<String> resources = new HashSet<>();

    Session(
            RpcConnection connection,
            @Nullable String application,
            @Nullable String serviceGroup,
            @Nullable String clientVersion,
            Credential credential) {
        this.connection = connection;
        this.credential = credential;
        InetSocketAddress remote = connection.remoteAddress();
        this.client = new ClientId(
                application == null ? "" : application, remote.getAddress().getHostAddress(), remote.getPort());
        this.group = serviceGroup == null ? "" : serviceGroup;
        long version = version(clientVersion);
        this.takesSingleAnswers = version >= SINGLE_ANSWERS_SINCE;
        this.knowsAnnotatedSagas = version >= ANNOTATED_SAGAS_SINCE;
    }

    /**
     * A version as a number that compares like it: at most four parts of digits, each with an optional {@code -suffix}; 0 when it is not of that form.
     */
    static long version(@Nullable String text) {
        if (text == null || !text.matches("\\d{1,4}(-[^.]*)?(\\.\\d{1,4}(-[^.]*)?){0,3}")) {
            return 0;
        }
        long number = 0;
        String[] parts = text.split("\\.");
        for (int i = 0; i < 4; i++) {
            number = number * 10_000 + (i < parts.length ? Long.parseLong(parts[i].replaceFirst("-.*", "")) : 0);
        }
        return number;
    }

    /** Whether branches of this type can be spoken of with this client. */
    boolean knows(BranchType type) {
        return type != BranchType.SAGA_ANNOTATION || knowsAnnotatedSagas;
    }

    /** Whether this extension was agreed on. */
    boolean has(Feature feature) {
        return features.contains(feature);
    }

    void agreed(Set<Feature> value) {
        features = value;
    }

    @Override
    public boolean isOpen() {
        return connection.isOpen();
    }

    /** Who it proved to be. */
    Credential credential() {
        return credential;
    }

    void renewed(Credential value) {
        credential = value;
    }

    Identity identity() {
        return credential.identity();
    }

    /** The resource under which an engine of Seata's state machine in this application is registered. */
    String sagaEngine() {
        return client.application() + '#' + group;
    }

    @Override
    public String toString() {
        return client.toString();
    }
}
