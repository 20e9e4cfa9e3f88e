package io.txn.coordinator.app;

import io.txn.coordinator.CoordinatorOptions;
import io.txn.coordinator.access.AccessRules;
import io.txn.coordinator.access.ClientEntry;
import io.txn.coordinator.access.SeataResourceManagers;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.access.Secret;
import io.txn.protocol.transport.ServerTls;
import io.txn.protocol.transport.TransportOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * The coordinator's configuration. An unknown key below this prefix is an error, so that a misspelt one does not go unnoticed. The defaults are
 * those of {@link CoordinatorOptions}.
 *
 * @param dataDir Directory of the journal and the admin token; created when missing. One coordinator at a time uses it.
 * @param journal Where acknowledged facts are kept. "file": in the data directory.
 * @param advertisedAddress Address (host:port) under which applications reach this coordinator; it becomes part of every XID and is what a registry
 *     is told. When it is not set, the address listened on.
 * @param allowUnauthenticated Whether txn.coordinator.tcp.host may be an address other than loopback although txn.coordinator.clients names nobody.
 *     Whoever reaches the TCP port can then begin, commit and roll back transactions.
 * @param clients Who may connect to the TCP port. When none is named, whoever reaches it.
 * @param seataResourceManagers What becomes of Seata's resource managers, whose registration carries no credentials: "refuse", or
 *     "by-transaction-manager": one is taken for the client whose transaction manager, of the same address and application, is connected with its access key.
 * @param restartGrace How long transactions whose deadline passed while the coordinator was down may still be decided by their applications after
 *     the start.
 * @param shutdownTimeout How long a coordinator that is told to stop goes on serving what was begun. Must fit into what the platform grants between
 *     SIGTERM and SIGKILL, with ten seconds to spare.
 * @param tcp Where applications connect.
 * @param retry How calls of phase two are repeated.
 * @param limits What there may be at most. Beyond a limit a request is refused; nothing is dropped.
 * @param retention How long finished transactions stay visible.
 * @param requestKeys Idempotency keys.
 * @param undoLog How applications' undo tables are kept clean.
 * @param saga Sagas that the coordinator drives.
 * @param nacos Registration in Nacos.
 * @param eureka Registration in Eureka.
 * @param etcd Registration in etcd.
 */
@ConfigurationProperties(prefix = CoordinatorProperties.PREFIX, ignoreUnknownFields = false)
record CoordinatorProperties(
        @DefaultValue(CoordinatorOptions.DEFAULT_DATA_DIR) Path dataDir,
        @DefaultValue("file") JournalKind journal,
        @Nullable String advertisedAddress,
        @DefaultValue("false") boolean allowUnauthenticated,

        @DefaultValue(CoordinatorOptions.DEFAULT_RESTART_GRACE_SECONDS + "s")
        Duration restartGrace,

        @DefaultValue("10s") Duration shutdownTimeout,
        @DefaultValue Tcp tcp,
        @DefaultValue List<Client> clients,
        @DefaultValue("refuse") SeataResourceManagers seataResourceManagers,
        @DefaultValue Retry retry,
        @DefaultValue Limits limits,
        @DefaultValue Retention retention,
        @DefaultValue RequestKeys requestKeys,
        @DefaultValue UndoLog undoLog,
        @DefaultValue Saga saga,
        @DefaultValue Nacos nacos,
        @DefaultValue Eureka eureka,
        @DefaultValue Etcd etcd) {

    static final String PREFIX = "txn.coordinator";

    /** Kinds of journal. */
    enum JournalKind {
        /** Segment files in the data directory. */
        FILE
    }

    /** @param http Steps that are HTTP endpoints. */
    record Saga(@DefaultValue SagaHttp http) {}

    /**
     * @param targets URLs (scheme, host, port, and the first segments of the path) below which the coordinator calls HTTP endpoints that are steps of sagas. When there is none, it
     *     calls none: whoever may start a saga could else have it call what only it can reach.
     * @param connectTimeout How long a connection to such an endpoint may take to come about.
     */
    record SagaHttp(
            @DefaultValue List<String> targets,

            @DefaultValue(CoordinatorOptions.Sagas.DEFAULT_CONNECT_TIMEOUT_SECONDS + "s")
            Duration connectTimeout) {}

    /**
     * @param host Address to listen on. Anything but loopback needs txn.coordinator.clients.
     * @param port Port to listen on; 0 takes any free one, which is of use in tests only.
     * @param registrationTimeout A connection that has not registered after this long is closed.
     * @param maxFrameSize Longest frame that is read or written, 1KB to 8MB; a record of the journal is not longer either.
     * @param maxConnections Connections at a time; further ones are closed at once.
     * @param maxUnregisteredConnections Connections at a time that have not registered yet; for a further one the one that has waited longest is closed.
     * @param maxUnregisteredConnectionsPerAddress The same for those of one address; with IPv6, of one network of 64 bits.
     * @param readTimeout A connection that brings no complete frame for this long is closed; applications ping every five seconds.
     * @param writeBufferSize Answers that one connection has not taken, beyond which nothing is read from it; from eight times as much on it is closed.
     * @param slowReaderTimeout A connection that stays above that for this long is closed.
     * @param ssl TLS on this port.
     */
    record Tcp(
            @DefaultValue(CoordinatorOptions.DEFAULT_HOST) String host,

            @DefaultValue("" + CoordinatorOptions.DEFAULT_TCP_PORT)
            int port,

            @DefaultValue(CoordinatorOptions.DEFAULT_REGISTRATION_TIMEOUT_SECONDS + "s")
            Duration registrationTimeout,

            @DefaultValue("8MB") DataSize maxFrameSize,
            @DefaultValue("10000") int maxConnections,
            @DefaultValue("1000") int maxUnregisteredConnections,
            @DefaultValue("250") int maxUnregisteredConnectionsPerAddress,
            @DefaultValue("15s") Duration readTimeout,
            @DefaultValue("1MB") DataSize writeBufferSize,
            @DefaultValue("10s") Duration slowReaderTimeout,
            @DefaultValue TcpSsl ssl) {

        TransportOptions toOptions() {
            check(
                    maxFrameSize.toBytes() >= 1024
                            && maxFrameSize.toBytes() <= TransportOptions.DEFAULTS.maxFrameBytes(),
                    "max-frame-size",
                    maxFrameSize);
            check(maxConnections > 0, "max-connections", maxConnections);
            check(maxUnregisteredConnections > 0, "max-unregistered-connections", maxUnregisteredConnections);
            check(
                    maxUnregisteredConnectionsPerAddress > 0,
                    "max-unregistered-connections-per-address",
                    maxUnregisteredConnectionsPerAddress);
            check(readTimeout.toMillis() > 0, "read-timeout", readTimeout);
            check(
                    writeBufferSize.toBytes() >= 1024 && writeBufferSize.toBytes() <= 1 << 30,
                    "write-buffer-size",
                    writeBufferSize);
            check(slowReaderTimeout.toMillis() > 0, "slow-reader-timeout", slowReaderTimeout);
            int high = (int) writeBufferSize.toBytes();
            return TransportOptions.DEFAULTS
                    .withMaxFrameBytes((int) maxFrameSize.toBytes())
                    .withMaxConnections(maxConnections)
                    .withMaxUnregistered(maxUnregisteredConnections, maxUnregisteredConnectionsPerAddress)
                    .withIdle(TransportOptions.DEFAULTS.writeIdle(), readTimeout)
                    .withWriteBuffer(high / 4, high, slowReaderTimeout);
        }

        private static void check(boolean valid, String key, Object value) {
            if (!valid) {
                throw new TxnException(
                        ErrorCode.BAD_CONFIGURATION, null, "key", PREFIX + ".tcp." + key, "value", value);
            }
        }
    }

    /**
     * @param bundle Name of the SSL bundle (spring.ssl.bundle) with the certificate of the TCP port. When it is not set, the port speaks plain.
     * @param clientAuth Whether applications have to show a certificate of an authority in the bundle's truststore: none, want or need.
     * @param required Whether plain connections are refused. Seata's clients cannot speak TLS: with false they share the port, and prove themselves by
     *     access key.
     */
    record TcpSsl(
            @Nullable String bundle,
            @DefaultValue("none") ServerTls.ClientAuth clientAuth,
            @DefaultValue("true") boolean required) {}

    /**
     * @param name How logs call this client.
     * @param token Secrets of which it shows one (txn.client.token); two at a time while they are exchanged. At least 16 characters.
     * @param tokenFile File with more of them, one a line; it is read again when it changes.
     * @param accessKey Access key of Seata's clients (seata.access-key).
     * @param secretKey Secret key of Seata's clients (seata.secret-key).
     * @param certificate Subjects of certificates it may show: patterns for common and alternative names, or distinguished names as items of a list.
     * @param applications Application names it may register under, with "*" for any characters. When it is not set, any.
     * @param resources Resources it may register and lock rows of, with "*" for any characters. When it is not set, any.
     */
    record Client(
            String name,
            @DefaultValue List<String> token,
            @Nullable Path tokenFile,
            @Nullable String accessKey,
            @Nullable String secretKey,
            @DefaultValue List<String> certificate,
            @DefaultValue List<String> applications,
            @DefaultValue List<String> resources) {

        ClientEntry toEntry() {
            // Boot divides a text at its commas, and the parts of a name would be names of their own: others than the
            // one that
            // was meant.
            if (certificate.size() > 1
                    && certificate.stream().allMatch(part -> part.matches("\\s*[A-Za-z0-9.]+\\s*=[^,]*"))) {
                throw new TxnException(
                        ErrorCode.BAD_CONFIGURATION,
                        null,
                        "key",
                        PREFIX + ".clients.certificate",
                        "client",
                        name,
                        "reason",
                        "a distinguished name with commas has to be an item of a list: certificate: [\"CN=...,O=...\"], or certificate[0]=CN=...,O=...");
            }
            return new ClientEntry(
                    name,
                    token.stream().map(Secret::new).toList(),
                    tokenFile,
                    accessKey,
                    secretKey == null ? null : new Secret(secretKey),
                    certificate,
                    applications,
                    resources);
        }

        /** Without the secrets. */
        @Override
        public String toString() {
            return toEntry().toString();
        }
    }

    /**
     * @param callTimeout How long one call may take. Much lower than an application's slowest undo, and calls are repeated while they still run.
     * @param initiatorWait How long a commit or rollback waits for its first pass before it is answered with how far it is. Must be shorter than the
     *     30 seconds that applications wait.
     * @param firstDelay Delay after the first failed attempt; each further one doubles it.
     * @param maxDelay Longest delay between two attempts.
     * @param maxAttempts After so many failed attempts a branch waits for a person; 0 tries for ever.
     */
    record Retry(
            @DefaultValue(CoordinatorOptions.Retry.DEFAULT_CALL_TIMEOUT_SECONDS + "s")
            Duration callTimeout,

            @DefaultValue(CoordinatorOptions.Retry.DEFAULT_INITIATOR_WAIT_SECONDS + "s")
            Duration initiatorWait,

            @DefaultValue(CoordinatorOptions.Retry.DEFAULT_FIRST_DELAY_MILLIS + "ms")
            Duration firstDelay,

            @DefaultValue(CoordinatorOptions.Retry.DEFAULT_MAX_DELAY_SECONDS + "s")
            Duration maxDelay,

            @DefaultValue("" + CoordinatorOptions.Retry.DEFAULT_MAX_ATTEMPTS)
            int maxAttempts) {}

    /**
     * @param mailbox Commands waiting to be decided. Begins, registrations and questions may fill half of it, reports and operators' commands three
     *     quarters, commits and rollbacks all.
     * @param mailboxSize Memory that these commands may hold, with the same shares.
     * @param unwritten Answers waiting for the disk; beyond it no further command is decided.
     * @param transactions Unfinished global transactions.
     * @param branchesPerTransaction Branches of one global transaction.
     * @param locksPerBranch Rows locked by one branch.
     * @param textLength Characters of a name, resource id, application id or other short text.
     * @param applicationDataLength Characters of a branch's application data.
     * @param callsInFlight Branch calls waiting for an answer.
     * @param requestsPerConnection Requests of one connection that are not answered yet.
     * @param resourcesPerConnection Resources that one connection registers.
     * @param lockWaiters Requests that wait for rows somebody else holds; further ones are refused at once. 0: nobody waits.
     * @param lockWaitersPerConnection The same for those of one connection.
     */
    record Limits(
            @DefaultValue("" + CoordinatorOptions.Limits.DEFAULT_MAILBOX)
            int mailbox,

            @DefaultValue(CoordinatorOptions.Limits.DEFAULT_MAILBOX_MEBIBYTES + "MB")
            DataSize mailboxSize,

            @DefaultValue("" + CoordinatorOptions.Limits.DEFAULT_UNWRITTEN)
            int unwritten,

            @DefaultValue("" + CoordinatorOptions.Limits.DEFAULT_TRANSACTIONS)
            int transactions,

            @DefaultValue("" + CoordinatorOptions.Limits.DEFAULT_BRANCHES_PER_TRANSACTION)
            int branchesPerTransaction,

            @DefaultValue("" + CoordinatorOptions.Limits.DEFAULT_LOCKS_PER_BRANCH)
            int locksPerBranch,

            @DefaultValue("" + CoordinatorOptions.Limits.DEFAULT_TEXT_LENGTH)
            int textLength,

            @DefaultValue("" + CoordinatorOptions.Limits.DEFAULT_APPLICATION_DATA_LENGTH)
            int applicationDataLength,

            @DefaultValue("" + CoordinatorOptions.Limits.DEFAULT_CALLS_IN_FLIGHT)
            int callsInFlight,

            @DefaultValue("" + CoordinatorOptions.Limits.DEFAULT_REQUESTS_PER_CONNECTION)
            int requestsPerConnection,

            @DefaultValue("" + CoordinatorOptions.Limits.DEFAULT_RESOURCES_PER_CONNECTION)
            int resourcesPerConnection,

            @DefaultValue("" + CoordinatorOptions.Limits.DEFAULT_LOCK_WAITERS)
            int lockWaiters,

            @DefaultValue("" + CoordinatorOptions.Limits.DEFAULT_LOCK_WAITERS_PER_CONNECTION)
            int lockWaitersPerConnection) {}

    /**
     * @param time How long after its end a transaction stays visible.
     * @param transactions How many finished transactions stay visible, the youngest ones.
     */
    record Retention(
            @DefaultValue(CoordinatorOptions.Retention.DEFAULT_HOURS + "h")
            Duration time,

            @DefaultValue("" + CoordinatorOptions.Retention.DEFAULT_TRANSACTIONS)
            int transactions) {}

    /**
     * @param lifetime How long after the decision a repeated request of the same key gets the first outcome; later it is a new request.
     * @param most How many keys there may be; beyond that, a begin with a key is refused.
     * @param memory How much memory keys and stored results may take; beyond that, a begin with a key is refused, and a result is left out.
     */
    record RequestKeys(
            @DefaultValue(CoordinatorOptions.RequestKeyLimits.DEFAULT_HOURS + "h")
            Duration lifetime,

            @DefaultValue("" + CoordinatorOptions.RequestKeyLimits.DEFAULT_MOST)
            int most,

            @DefaultValue(CoordinatorOptions.RequestKeyLimits.DEFAULT_MEGABYTES + "MB")
            DataSize memory) {}

    /**
     * @param deletePeriod How often the applications of each data source are asked to delete old left-overs of their undo tables, for the first time
     *     after three minutes at most; 0 never asks. Records of unfinished transactions are spared.
     * @param saveDays Days for which records stay in any case.
     */
    record UndoLog(
            @DefaultValue(CoordinatorOptions.UndoLog.DEFAULT_DELETE_PERIOD_HOURS + "h")
            Duration deletePeriod,

            @DefaultValue("" + CoordinatorOptions.UndoLog.DEFAULT_SAVE_DAYS)
            int saveDays) {}

    /**
     * @param serverAddr Addresses of the Nacos servers (host:port, separated by commas). When it is not set, the coordinator is not registered.
     * @param namespace Id of the namespace; empty is the public one. Applications must look in the same one.
     * @param group Group of the service.
     * @param service Name of the service that applications look up.
     * @param cluster Cluster of the instance.
     * @param username User name, if the Nacos servers ask for one.
     * @param password Password of that user.
     * @param accessKey Access key, if the Nacos servers ask for one.
     * @param secretKey Secret key that goes with the access key.
     * @param seata A second instance, for Seata's clients.
     */
    record Nacos(
            @Nullable String serverAddr,
            @DefaultValue("") String namespace,
            @DefaultValue("DEFAULT_GROUP") String group,
            @DefaultValue("txn-coordinator") String service,
            @DefaultValue("DEFAULT") String cluster,
            @Nullable String username,
            @Nullable String password,
            @Nullable String accessKey,
            @Nullable String secretKey,
            @DefaultValue SeataNames seata) {

        /** Without what is secret. */
        @Override
        public String toString() {
            return "Nacos[service=" + service + ", group=" + group + ", username=" + username + ']';
        }
    }

    /**
     * @param enabled Whether the coordinator also registers under the names by which Seata's clients look for their server.
     * @param service Name of the service that Seata's clients look up (seata.registry.nacos.application).
     * @param group Group of that service (seata.registry.nacos.group).
     * @param cluster Cluster of the instance: what their service.vgroup-mapping leads to.
     */
    record SeataNames(
            @DefaultValue("false") boolean enabled,
            @DefaultValue("seata-server") String service,
            @DefaultValue("SEATA_GROUP") String group,
            @DefaultValue("default") String cluster) {}

    /**
     * @param urls URLs of the Eureka servers (http://host:8761/eureka). When none is set, the coordinator is not registered.
     * @param service Name of the service that applications look up.
     */
    record Eureka(
            @DefaultValue List<String> urls,
            @DefaultValue("txn-coordinator") String service) {

        /** Without the URLs, in which passwords may stand. */
        @Override
        public String toString() {
            return "Eureka[service=" + service + ']';
        }
    }

    /**
     * @param endpoints URLs of the servers of one etcd (http://host:2379). When none is set, the coordinator is not registered.
     * @param cluster Name under which coordinators register together (txn.etcd.cluster of applications).
     * @param username User name, if etcd asks for one.
     * @param password Password of that user.
     */
    record Etcd(
            @DefaultValue List<String> endpoints,
            @DefaultValue("default") String cluster,
            @Nullable String username,
            @Nullable String password) {

        /** Without the URLs, in which passwords may stand, and the password. */
        @Override
        public String toString() {
            return "Etcd[cluster=" + cluster + ", username=" + username + ']';
        }
    }

    /** The same for the library; TLS is still to be added, and the advertised address to be inferred when it is not set. */
    CoordinatorOptions toOptions() {
        return CoordinatorOptions.DEFAULTS
                .withListen(tcp.host(), tcp.port())
                .withAdvertisedAddress(advertisedAddress)
                .withAllowUnauthenticated(allowUnauthenticated)
                .withRegistrationTimeout(tcp.registrationTimeout())
                .withAccess(
                        new AccessRules(clients.stream().map(Client::toEntry).toList(), seataResourceManagers))
                .withTransport(tcp.toOptions())
                .withDataDir(dataDir)
                .withRestartGrace(restartGrace)
                .withRetry(new CoordinatorOptions.Retry(
                        retry.callTimeout(),
                        retry.initiatorWait(),
                        retry.firstDelay(),
                        retry.maxDelay(),
                        retry.maxAttempts()))
                .withLimits(new CoordinatorOptions.Limits(
                        limits.mailbox(),
                        limits.mailboxSize().toBytes(),
                        limits.unwritten(),
                        limits.transactions(),
                        limits.branchesPerTransaction(),
                        limits.locksPerBranch(),
                        limits.textLength(),
                        limits.applicationDataLength(),
                        limits.callsInFlight(),
                        limits.requestsPerConnection(),
                        limits.resourcesPerConnection(),
                        limits.lockWaiters(),
                        limits.lockWaitersPerConnection()))
                .withRetention(new CoordinatorOptions.Retention(retention.time(), retention.transactions()))
                .withRequestKeys(new CoordinatorOptions.RequestKeyLimits(
                        requestKeys.lifetime(),
                        requestKeys.most(),
                        requestKeys.memory().toBytes()))
                .withUndoLog(new CoordinatorOptions.UndoLog(undoLog.deletePeriod(), undoLog.saveDays()))
                .withSagas(new CoordinatorOptions.Sagas(
                        saga.http().targets(), saga.http().connectTimeout()));
    }
}
