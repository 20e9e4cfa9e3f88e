package io.txn.coordinator;

import io.txn.coordinator.access.AccessRules;
import io.txn.coordinator.saga.HttpTargets;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.transport.ServerTls;
import io.txn.protocol.transport.TransportOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link Coordinator} is to run. Immutable; start from {@link #DEFAULTS} and change with the {@code with...} methods. The single defaults are
 * constants, so that others can name them in annotations.
 *
 * @param host the address to listen on
 * @param tcpPort the port to listen on, 0 for any free one
 * @param advertisedAddress {@code host:port} under which clients reach this coordinator; it becomes part of every XID. Null: the address
 *     listened on
 * @param allowUnauthenticated whether an address other than loopback may be listened on although clients need no credentials
 * @param dataDir where the journal lives; created when missing
 * @param transport bounds of the connections
 * @param tls how TLS is spoken on the port; null: it is not
 * @param access who may connect
 * @param registrationTimeout a connection that has not registered after this long is closed
 * @param retry how branch calls are repeated
 * @param limits what there may be at most
 * @param retention how long finished transactions stay visible
 * @param requestKeys how many idempotency keys there may be, and how long they live
 * @param undoLog how applications' undo tables are kept clean
 * @param sagas what HTTP endpoints are called for sagas, and how
 * @param restartGrace how long transactions whose deadline passed while the coordinator was down may still be decided after the start
 */
public record CoordinatorOptions(
        String host,
        int tcpPort,
        @Nullable String advertisedAddress,
        boolean allowUnauthenticated,
        Path dataDir,
        TransportOptions transport,
        @Nullable ServerTls tls,
        AccessRules access,
        Duration registrationTimeout,
        Retry retry,
        Limits limits,
        Retention retention,
        RequestKeyLimits requestKeys,
        UndoLog undoLog,
        Sagas sagas,
        Duration restartGrace) {

    public static final String DEFAULT_HOST = "127.0.0.1";
    public static final int DEFAULT_TCP_PORT = 8091;
    public static final String DEFAULT_DATA_DIR = "txn-data";
    public static final int DEFAULT_REGISTRATION_TIMEOUT_SECONDS = 10;
    public static final int DEFAULT_RESTART_GRACE_SECONDS = 10;

    public static final CoordinatorOptions DEFAULTS = new CoordinatorOptions(
            DEFAULT_HOST,
            DEFAULT_TCP_PORT,
            null,
            false,
            Path.of(DEFAULT_DATA_DIR),
            TransportOptions.DEFAULTS,
            null,
            AccessRules.OPEN,
            Duration.ofSeconds(DEFAULT_REGISTRATION_TIMEOUT_SECONDS),
            Retry.DEFAULTS,
            Limits.DEFAULTS,
            Retention.DEFAULTS,
            RequestKeyLimits.DEFAULTS,
            UndoLog.DEFAULTS,
            Sagas.DEFAULTS,
            Duration.ofSeconds(DEFAULT_RESTART_GRACE_SECONDS));

    public CoordinatorOptions {
        Check.that(!host.isBlank(), "txn.coordinator.tcp.host", host);
        Check.that(tcpPort >= 0 && tcpPort <= 65_535, "txn.coordinator.tcp.port", tcpPort);
        if (advertisedAddress != null) {
            Check.that(isAddress(advertisedAddress), "txn.coordinator.advertised-address", advertisedAddress);
        }
        Check.that(registrationTimeout.toMillis() > 0, "txn.coordinator.tcp.registration-timeout", registrationTimeout);
        Check.that(!restartGrace.isNegative(), "txn.coordinator.restart-grace", restartGrace);
    }

    /** A colon before a port, and short enough to leave room for the number in an XID of 128 characters. */
    private static boolean isAddress(String address) {
        return address.matches("[!-~]{1,96}:[0-9]{1,5}");
    }

    /** Apart from the rest, so that a nested record can be made before the defaults of the whole are. */
    private static final class Check {
        static void that(boolean valid, String key, Object value) {
            if (!valid) {
                throw new TxnException(ErrorCode.BAD_CONFIGURATION, null, "key", key, "value", value);
            }
        }
    }

    public CoordinatorOptions withListen(String newHost, int newTcpPort) {
        return with(draft -> {
            draft.host = newHost;
            draft.tcpPort = newTcpPort;
        });
    }

    public CoordinatorOptions withAdvertisedAddress(@Nullable String value) {
        return with(draft -> draft.advertisedAddress = value);
    }

    public CoordinatorOptions withAllowUnauthenticated(boolean value) {
        return with(draft -> draft.allowUnauthenticated = value);
    }

    public CoordinatorOptions withDataDir(Path value) {
        return with(draft -> draft.dataDir = value);
    }

    public CoordinatorOptions withTransport(TransportOptions value) {
        return with(draft -> draft.transport = value);
    }

    public CoordinatorOptions withTls(@Nullable ServerTls value) {
        return with(draft -> draft.tls = value);
    }

    public CoordinatorOptions withAccess(AccessRules value) {
        return with(draft -> draft.access = value);
    }

    public CoordinatorOptions withRegistrationTimeout(Duration value) {
        return with(draft -> draft.registrationTimeout = value);
    }

    /** Whether whoever connects has to prove who they are: as one of the clients, or by a certificate of a trusted authority. */
    public boolean authenticates() {
        return !access.clients().isEmpty()
                || tls != null && tls.required() && tls.clientAuth() == ServerTls.ClientAuth.NEED;
    }

    public CoordinatorOptions withRetry(Retry value) {
        return with(draft -> draft.retry = value);
    }

    public CoordinatorOptions withLimits(Limits value) {
        return with(draft -> draft.limits = value);
    }

    public CoordinatorOptions withRequestKeys(RequestKeyLimits value) {
        return with(draft -> draft.requestKeys = value);
    }

    public CoordinatorOptions withRetention(Retention value) {
        return with(draft -> draft.retention = value);
    }

    public CoordinatorOptions withUndoLog(UndoLog value) {
        return with(draft -> draft.undoLog = value);
    }

    public CoordinatorOptions withSagas(Sagas value) {
        return with(draft -> draft.sagas = value);
    }

    public CoordinatorOptions withRestartGrace(Duration value) {
        return with(draft -> draft.restartGrace = value);
    }

    private CoordinatorOptions with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.finish();
    }

    /** The components while they are being changed: the one place, beside the header, that names them all. */
    private static final class Draft {
        private String host;
        private int tcpPort;
        private @Nullable String advertisedAddress;
        private boolean allowUnauthenticated;
        private Path dataDir;
        private TransportOptions transport;
        private @Nullable ServerTls tls;
        private AccessRules access;
        private Duration registrationTimeout;
        private Retry retry;
        private Limits limits;
        private Retention retention;
        private RequestKeyLimits requestKeys;
        private UndoLog undoLog;
        private Sagas sagas;
        private Duration restartGrace;

        Draft(CoordinatorOptions from) {
            host = from.host;
            tcpPort = from.tcpPort;
            advertisedAddress = from.advertisedAddress;
            allowUnauthenticated = from.allowUnauthenticated;
            dataDir = from.dataDir;
            transport = from.transport;
            tls = from.tls;
            access = from.access;
            registrationTimeout = from.registrationTimeout;
            retry = from.retry;
            limits = from.limits;
            retention = from.retention;
            requestKeys = from.requestKeys;
            undoLog = from.undoLog;
            sagas = from.sagas;
            restartGrace = from.restartGrace;
        }

        CoordinatorOptions finish() {
            return new CoordinatorOptions(
                    host,
                    tcpPort,
                    advertisedAddress,
                    allowUnauthenticated,
                    dataDir,
                    transport,
                    tls,
                    access,
                    registrationTimeout,
                    retry,
                    limits,
                    retention,
                    requestKeys,
                    undoLog,
                    sagas,
                    restartGrace);
        }
    }

    /**
     * How calls of phase two are repeated.
     *
     * @param callTimeout how long one call may take; Seata clients expect 15 seconds
     * @param initiatorWait how long a commit or rollback waits for its first pass before it is answered with how far it is; must be shorter than
     *     the 30 seconds that initiators wait
     * @param firstDelay the delay after the first failed attempt; each further one doubles it
     * @param maxDelay no delay is longer
     * @param maxAttempts after so many failed attempts a branch waits for a person; 0: it is tried for ever
     */
    public record Retry(
            Duration callTimeout, Duration initiatorWait, Duration firstDelay, Duration maxDelay, int maxAttempts) {

        /** How long clients wait for the answer to a commit or rollback. */
        private static final Duration INITIATORS_PATIENCE = Duration.ofSeconds(30);

        public static final int DEFAULT_CALL_TIMEOUT_SECONDS = 15;
        public static final int DEFAULT_INITIATOR_WAIT_SECONDS = 20;
        public static final int DEFAULT_FIRST_DELAY_MILLIS = 500;
        public static final int DEFAULT_MAX_DELAY_SECONDS = 60;
        public static final int DEFAULT_MAX_ATTEMPTS = 0;

        public static final Retry DEFAULTS = new Retry(
                Duration.ofSeconds(DEFAULT_CALL_TIMEOUT_SECONDS),
                Duration.ofSeconds(DEFAULT_INITIATOR_WAIT_SECONDS),
                Duration.ofMillis(DEFAULT_FIRST_DELAY_MILLIS),
                Duration.ofSeconds(DEFAULT_MAX_DELAY_SECONDS),
                DEFAULT_MAX_ATTEMPTS);

        public Retry {
            Check.that(callTimeout.toMillis() > 0, "txn.coordinator.retry.call-timeout", callTimeout);
            Check.that(
                    initiatorWait.toMillis() > 0 && initiatorWait.compareTo(INITIATORS_PATIENCE) < 0,
                    "txn.coordinator.retry.initiator-wait",
                    initiatorWait);
            Check.that(firstDelay.toMillis() > 0, "txn.coordinator.retry.first-delay", firstDelay);
            Check.that(maxDelay.compareTo(firstDelay) >= 0, "txn.coordinator.retry.max-delay", maxDelay);
            Check.that(maxAttempts >= 0, "txn.coordinator.retry.max-attempts", maxAttempts);
        }
    }

    /**
     * What there may be at most. Beyond it a request is refused; nothing is dropped.
     *
     * @param mailbox commands waiting to be decided; begins, registrations and questions may fill half of it, reports and operators' commands three
     *     quarters, commits and rollbacks all
     * @param mailboxBytes bytes that these commands hold, estimated from above, with the same shares
     * @param unwritten answers waiting for the disk; beyond it no further command is taken from the mailbox
     * @param transactions unfinished global transactions
     * @param branchesPerTransaction branches of one global transaction
     * @param locksPerBranch rows locked by one branch
     * @param textLength characters of a name, resource id, application id or other short text
     * @param applicationDataLength characters of a branch's application data
     * @param callsInFlight branch calls waiting for an answer
     * @param requestsPerConnection requests of one connection that are not answered yet
     * @param resourcesPerConnection resources that one connection registers
     * @param lockWaiters requests that wait for rows; further ones are answered at once
     * @param lockWaitersPerConnection of these, of one connection
     */
    public record Limits(
            int mailbox,
            long mailboxBytes,
            int unwritten,
            int transactions,
            int branchesPerTransaction,
            int locksPerBranch,
            int textLength,
            int applicationDataLength,
            int callsInFlight,
            int requestsPerConnection,
            int resourcesPerConnection,
            int lockWaiters,
            int lockWaitersPerConnection) {

        public static final int DEFAULT_MAILBOX = 131_072;
        public static final int DEFAULT_MAILBOX_MEBIBYTES = 64;
        public static final int DEFAULT_UNWRITTEN = 65_536;
        public static final int DEFAULT_TRANSACTIONS = 2_000_000;
        public static final int DEFAULT_BRANCHES_PER_TRANSACTION = 1_000;
        public static final int DEFAULT_LOCKS_PER_BRANCH = 100_000;
        public static final int DEFAULT_TEXT_LENGTH = 4_000;
        public static final int DEFAULT_APPLICATION_DATA_LENGTH = 1_000_000;
        public static final int DEFAULT_CALLS_IN_FLIGHT = 4_096;
        public static final int DEFAULT_REQUESTS_PER_CONNECTION = 10_000;
        public static final int DEFAULT_RESOURCES_PER_CONNECTION = 10_000;
        public static final int DEFAULT_LOCK_WAITERS = 20_000;
        public static final int DEFAULT_LOCK_WAITERS_PER_CONNECTION = 5_000;

        public static final Limits DEFAULTS = new Limits(
                DEFAULT_MAILBOX,
                (long) DEFAULT_MAILBOX_MEBIBYTES << 20,
                DEFAULT_UNWRITTEN,
                DEFAULT_TRANSACTIONS,
                DEFAULT_BRANCHES_PER_TRANSACTION,
                DEFAULT_LOCKS_PER_BRANCH,
                DEFAULT_TEXT_LENGTH,
                DEFAULT_APPLICATION_DATA_LENGTH,
                DEFAULT_CALLS_IN_FLIGHT,
                DEFAULT_REQUESTS_PER_CONNECTION,
                DEFAULT_RESOURCES_PER_CONNECTION,
                DEFAULT_LOCK_WAITERS,
                DEFAULT_LOCK_WAITERS_PER_CONNECTION);

        public Limits {
            Check.that(mailbox > 0, "txn.coordinator.limits.mailbox", mailbox);
            Check.that(mailboxBytes >= 1 << 20, "txn.coordinator.limits.mailbox-size", mailboxBytes);
            Check.that(unwritten > 0, "txn.coordinator.limits.unwritten", unwritten);
            Check.that(transactions > 0, "txn.coordinator.limits.transactions", transactions);
            Check.that(
                    branchesPerTransaction > 0,
                    "txn.coordinator.limits.branches-per-transaction",
                    branchesPerTransaction);
            Check.that(locksPerBranch > 0, "txn.coordinator.limits.locks-per-branch", locksPerBranch);
            Check.that(textLength > 0, "txn.coordinator.limits.text-length", textLength);
            Check.that(
                    applicationDataLength > 0, "txn.coordinator.limits.application-data-length", applicationDataLength);
            Check.that(callsInFlight >= 2, "txn.coordinator.limits.calls-in-flight", callsInFlight);
            Check.that(
                    requestsPerConnection > 0, "txn.coordinator.limits.requests-per-connection", requestsPerConnection);
            Check.that(
                    resourcesPerConnection > 0,
                    "txn.coordinator.limits.resources-per-connection",
                    resourcesPerConnection);
            Check.that(lockWaiters >= 0, "txn.coordinator.limits.lock-waiters", lockWaiters);
            Check.that(
                    lockWaitersPerConnection >= 0,
                    "txn.coordinator.limits.lock-waiters-per-connection",
                    lockWaitersPerConnection);
        }
    }

    /**
     * How long finished transactions stay visible: until either bound is passed.
     *
     * @param time since the end of the transaction
     * @param transactions finished transactions kept, the youngest ones
     */
    public record Retention(Duration time, int transactions) {

        public static final int DEFAULT_HOURS = 24;
        public static final int DEFAULT_TRANSACTIONS = 10_000;

        public static final Retention DEFAULTS = new Retention(Duration.ofHours(DEFAULT_HOURS), DEFAULT_TRANSACTIONS);

        public Retention {
            Check.that(!time.isNegative(), "txn.coordinator.retention.time", time);
            Check.that(transactions >= 0, "txn.coordinator.retention.transactions", transactions);
        }
    }

    /**
     * By what requests are known, so that a repeated one gets the first outcome. A key that is beyond a bound is refused, none is dropped before its time.
     *
     * @param lifetime since the decision
     * @param most how many there may be
     * @param bytes how much memory they and the results may take, by estimate
     */
    public record RequestKeyLimits(Duration lifetime, int most, long bytes) {

        public static final int DEFAULT_HOURS = 24;
        public static final int DEFAULT_MOST = 100_000;
        public static final int DEFAULT_MEGABYTES = 64;

        public static final RequestKeyLimits DEFAULTS =
                new RequestKeyLimits(Duration.ofHours(DEFAULT_HOURS), DEFAULT_MOST, (long) DEFAULT_MEGABYTES << 20);

        public RequestKeyLimits {
            Check.that(lifetime.toMillis() > 0, "txn.coordinator.request-keys.lifetime", lifetime);
            Check.that(most > 0, "txn.coordinator.request-keys.most", most);
            Check.that(bytes > 0, "txn.coordinator.request-keys.memory", bytes);
        }
    }

    /**
     * Steps of sagas that are HTTP endpoints.
     *
     * @param targets URLs below which endpoints are called (see {@link HttpTargets}); none by default, because whoever may start a saga could else have the coordinator call what only it can reach
     * @param connectTimeout how long a connection may take to come about
     */
    public record Sagas(List<String> targets, Duration connectTimeout) {

        public static final int DEFAULT_CONNECT_TIMEOUT_SECONDS = 3;

        public static final Sagas DEFAULTS = new Sagas(List.of(), Duration.ofSeconds(DEFAULT_CONNECT_TIMEOUT_SECONDS));

        public Sagas {
            targets = List.copyOf(targets);
            try {
                HttpTargets.of(targets);
            } catch (IllegalArgumentException e) {
                throw new TxnException(
                        ErrorCode.BAD_CONFIGURATION,
                        e,
                        "key",
                        "txn.coordinator.saga.http.targets",
                        "value",
                        String.valueOf(e.getMessage()));
            }
            Check.that(connectTimeout.toMillis() > 0, "txn.coordinator.saga.http.connect-timeout", connectTimeout);
        }
    }

    /**
     * How applications are asked to delete what is left over in their undo tables: defence rows, and with Seata's own client every record of that
     * age. The records of unfinished transactions are spared: while there is an old one, more days are kept.
     *
     * @param deletePeriod how often each data source is asked, for the first time after three minutes at most; zero: never
     * @param saveDays younger records stay
     */
    public record UndoLog(Duration deletePeriod, int saveDays) {

        public static final int DEFAULT_DELETE_PERIOD_HOURS = 24;
        public static final int DEFAULT_SAVE_DAYS = 7;

        public static final UndoLog DEFAULTS =
                new UndoLog(Duration.ofHours(DEFAULT_DELETE_PERIOD_HOURS), DEFAULT_SAVE_DAYS);

        public UndoLog {
            Check.that(
                    deletePeriod.isZero() || deletePeriod.toMillis() > 0,
                    "txn.coordinator.undo-log.delete-period",
                    deletePeriod);
            Check.that(saveDays > 0 && saveDays <= Short.MAX_VALUE, "txn.coordinator.undo-log.save-days", saveDays);
        }
    }
}
