package io.txn.client;

import io.txn.client.observation.TxnObserver;
import io.txn.client.rpc.Backoff;
import io.txn.client.rpc.Credentials;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.transport.ClientTls;
import io.txn.protocol.transport.TransportOptions;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link TxnClient} needs to know. Immutable; start from {@link #of} and change what differs.
 *
 * @param applicationId the name under which the coordinator and its operators know this application
 * @param serviceGroup the transaction service group that is announced; matters to Seata servers only
 * @param requestTimeout how long one answer of the coordinator may take
 * @param connectWait how long a call waits for a connection while there is none
 * @param startWait how long a start that fails fast waits for a coordinator
 * @param decisionWait how long the answer to a commit or rollback is pursued over lost connections before its outcome is called unknown;
 *     one try may use two thirds of it, because a coordinator may carry the decision out before it answers
 * @param shutdownTimeout how long {@link TxnClient#close} lets the global transactions that this process launched, and the branch calls that run,
 *     come to their end
 * @param failFast whether a start without any coordinator fails, or goes on and keeps trying
 * @param branchWorkers how many branches of this process are finished at a time
 * @param branchQueue how many more branch calls of one resource may wait for a worker
 * @param reconnect how a broken connection is tried again
 * @param transport limits of the transport
 * @param tls how TLS is spoken with coordinators; null: it is not
 * @param credentials how this process proves to coordinators who it is
 * @param causeMessages whether causes of rollbacks that the coordinator keeps repeat what exceptions say, and not their classes alone
 * @param observer sees what the client does
 */
public record TxnClientOptions(
        String applicationId,
        String serviceGroup,
        Duration requestTimeout,
        Duration connectWait,
        Duration startWait,
        Duration decisionWait,
        Duration shutdownTimeout,
        boolean failFast,
        int branchWorkers,
        int branchQueue,
        Backoff reconnect,
        TransportOptions transport,
        @Nullable ClientTls tls,
        Credentials credentials,
        boolean causeMessages,
        TxnObserver observer) {

    // The defaults as texts, so that configuration metadata can quote them: each stands here and nowhere else.

    public static final String SERVICE_GROUP = "default_tx_group";
    public static final String REQUEST_TIMEOUT = "PT15S";
    public static final String CONNECT_WAIT = "PT10S";
    public static final String START_WAIT = "PT30S";
    public static final String DECISION_WAIT = "PT45S";
    public static final String SHUTDOWN_TIMEOUT = "PT10S";
    public static final String FAIL_FAST = "true";
    public static final String BRANCH_WORKERS = "8";
    public static final String BRANCH_QUEUE = "1000";
    public static final String CAUSE_MESSAGES = "true";

    private static final Backoff RECONNECT = new Backoff(Duration.ofMillis(200), Duration.ofSeconds(10));

    /**
     * A handful of connections needs no event loop a processor. Whoever was silent for five seconds is asked whether it is there, and left alone when it says nothing for five more: it hangs,
     * and another coordinator could serve.
     */
    private static final TransportOptions TRANSPORT =
            TransportOptions.DEFAULTS.withIoThreads(2).withIdle(Duration.ofSeconds(5), Duration.ofSeconds(10));

    public TxnClientOptions {
        requireName("application-id", applicationId);
        requireName("service-group", serviceGroup);
        requirePositive("request-timeout", requestTimeout);
        requirePositive("decision-wait", decisionWait);
        requireWait("connect-wait", connectWait);
        requireWait("start-wait", startWait);
        requireWait("shutdown-timeout", shutdownTimeout);
        if (branchWorkers < 1 || branchWorkers > 1000) {
            throw invalid("branch-workers", branchWorkers, "there are 1 to 1000 workers");
        }
        if (branchQueue < 1 || branchQueue > 1_000_000) {
            throw invalid("branch-queue", branchQueue, "the queue has 1 to 1000000 places");
        }
    }

    /** The defaults for an application of this name. */
    public static TxnClientOptions of(String applicationId) {
        return new TxnClientOptions(
                applicationId,
                SERVICE_GROUP,
                Duration.parse(REQUEST_TIMEOUT),
                Duration.parse(CONNECT_WAIT),
                Duration.parse(START_WAIT),
                Duration.parse(DECISION_WAIT),
                Duration.parse(SHUTDOWN_TIMEOUT),
                Boolean.parseBoolean(FAIL_FAST),
                Integer.parseInt(BRANCH_WORKERS),
                Integer.parseInt(BRANCH_QUEUE),
                RECONNECT,
                TRANSPORT,
                null,
                Credentials.NONE,
                Boolean.parseBoolean(CAUSE_MESSAGES),
                TxnObserver.NONE);
    }

    public TxnClientOptions withServiceGroup(String value) {
        Draft draft = new Draft(this);
        draft.serviceGroup = value;
        return draft.finish();
    }

    public TxnClientOptions withRequestTimeout(Duration value) {
        Draft draft = new Draft(this);
        draft.requestTimeout = value;
        return draft.finish();
    }

    public TxnClientOptions withConnectWait(Duration value) {
        Draft draft = new Draft(this);
        draft.connectWait = value;
        return draft.finish();
    }

    public TxnClientOptions withStartWait(Duration value) {
        Draft draft = new Draft(this);
        draft.startWait = value;
        return draft.finish();
    }

    public TxnClientOptions withDecisionWait(Duration value) {
        Draft draft = new Draft(this);
        draft.decisionWait = value;
        return draft.finish();
    }

    public TxnClientOptions withShutdownTimeout(Duration value) {
        Draft draft = new Draft(this);
        draft.shutdownTimeout = value;
        return draft.finish();
    }

    public TxnClientOptions withFailFast(boolean value) {
        Draft draft = new Draft(this);
        draft.failFast = value;
        return draft.finish();
    }

    public TxnClientOptions withBranchWorkers(int workers, int queue) {
        Draft draft = new Draft(this);
        draft.branchWorkers = workers;
        draft.branchQueue = queue;
        return draft.finish();
    }

    public TxnClientOptions withReconnect(Backoff value) {
        Draft draft = new Draft(this);
        draft.reconnect = value;
        return draft.finish();
    }

    public TxnClientOptions withTransport(TransportOptions value) {
        Draft draft = new Draft(this);
        draft.transport = value;
        return draft.finish();
    }

    public TxnClientOptions withTls(@Nullable ClientTls value) {
        Draft draft = new Draft(this);
        draft.tls = value;
        return draft.finish();
    }

    public TxnClientOptions withCredentials(Credentials value) {
        Draft draft = new Draft(this);
        draft.credentials = value;
        return draft.finish();
    }

    public TxnClientOptions withCauseMessages(boolean value) {
        Draft draft = new Draft(this);
        draft.causeMessages = value;
        return draft.finish();
    }

    public TxnClientOptions withObserver(TxnObserver value) {
        Draft draft = new Draft(this);
        draft.observer = value;
        return draft.finish();
    }

    /** The components while they are being changed: the one place, beside the header, that names them all. */
    private static final class Draft {
        private String applicationId;
        private String serviceGroup;
        private Duration requestTimeout;
        private Duration connectWait;
        private Duration startWait;
        private Duration decisionWait;
        private Duration shutdownTimeout;
        private boolean failFast;
        private int branchWorkers;
        private int branchQueue;
        private Backoff reconnect;
        private TransportOptions transport;
        private @Nullable ClientTls tls;
        private Credentials credentials;
        private boolean causeMessages;
        private TxnObserver observer;

        Draft(TxnClientOptions from) {
            applicationId = from.applicationId;
            serviceGroup = from.serviceGroup;
            requestTimeout = from.requestTimeout;
            connectWait = from.connectWait;
            startWait = from.startWait;
            decisionWait = from.decisionWait;
            shutdownTimeout = from.shutdownTimeout;
            failFast = from.failFast;
            branchWorkers = from.branchWorkers;
            branchQueue = from.branchQueue;
            reconnect = from.reconnect;
            transport = from.transport;
            tls = from.tls;
            credentials = from.credentials;
            causeMessages = from.causeMessages;
            observer = from.observer;
        }

        TxnClientOptions finish() {
            return new TxnClientOptions(
                    applicationId,
                    serviceGroup,
                    requestTimeout,
                    connectWait,
                    startWait,
                    decisionWait,
                    shutdownTimeout,
                    failFast,
                    branchWorkers,
                    branchQueue,
                    reconnect,
                    transport,
                    tls,
                    credentials,
                    causeMessages,
                    observer);
        }
    }

    private static void requireName(String key, String value) {
        if (value.isBlank() || value.length() > 128 || value.chars().anyMatch(c -> c < ' ')) {
            throw invalid(key, value, "it has 1 to 128 characters and no control characters");
        }
    }

    private static void requirePositive(String key, Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw invalid(key, value, "a time limit is positive");
        }
    }

    private static void requireWait(String key, Duration value) {
        if (value.isNegative()) {
            throw invalid(key, value, "a wait is not negative");
        }
    }

    private static TxnException invalid(String key, Object value, String problem) {
        return new TxnException(
                ErrorCode.BAD_CONFIGURATION, null, "key", "txn.client." + key, "value", value, "problem", problem);
    }
}
