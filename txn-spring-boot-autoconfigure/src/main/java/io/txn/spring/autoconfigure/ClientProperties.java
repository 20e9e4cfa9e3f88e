package io.txn.spring.autoconfigure;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.TxnClientOptions;
import io.txn.client.jdbc.AtOptions;
import io.txn.client.rpc.Credentials;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * How this application takes part in global transactions.
 *
 * @param applicationId the name under which the coordinator and its operators know this application; spring.application.name when unset
 * @param serviceGroup the transaction service group that is announced; matters only when the coordinator is a Seata server
 * @param defaultTimeout after which a global transaction is rolled back when its annotation names no timeout; shorter frees locks of hung
 *     calls earlier, longer lets slow ones finish
 * @param requestTimeout how long one answer of the coordinator may take; too short turns a slow disk into failures, too long hides a hung one
 * @param connectWait how long a call waits for a connection while there is none; long enough for a coordinator to restart, and as long as threads may pile up
 * @param startWait how long a start that fails fast waits for a coordinator, which may be starting in the same moment
 * @param decisionWait how long the answer to a commit or rollback is pursued over lost connections before its outcome is called unknown; long
 *     enough for a coordinator to restart, and one and a half times as long as a coordinator takes to carry the decision out
 * @param lockWait how long a row that another global transaction holds is waited for; 0 gives up at once. The rows of the local transaction stay
 *     locked in the database meanwhile, and the coordinator does not see deadlocks through these: so it should be shorter than the time for which the
 *     database lets others wait (innodb_lock_wait_timeout, lock_timeout)
 * @param shutdownTimeout how long a stopping application lets the global transactions it launched and the branch calls that run come to their
 *     end; together with the web server's own graceful shutdown it must fit into what the platform grants between SIGTERM and SIGKILL
 * @param failFast whether a start without any coordinator fails, or goes on and keeps trying
 * @param branchWorkers how many branches of this application are finished at a time; each uses a database connection while it works
 * @param branchQueue how many more branch calls of one resource may wait for a worker; the coordinator is told to try again beyond that
 * @param token by which the coordinator knows this application (txn.coordinator.clients); sent over TLS or to this machine only
 * @param tokenFile file with the token, read for each connection; instead of txn.client.token
 * @param accessKey access key, for a coordinator or Seata server that asks for one
 * @param secretKey secret key that goes with the access key
 * @param causeMessages whether the cause that the coordinator keeps of a rollback repeats the messages of exceptions; false where they may hold what does
 *     not belong there, such as data of persons: then it names classes and methods only
 * @param ssl TLS with coordinators
 */
@ConfigurationProperties("txn.client")
record ClientProperties(
        @Nullable String applicationId,
        @DefaultValue(TxnClientOptions.SERVICE_GROUP) String serviceGroup,
        @DefaultValue(GlobalTransactionOptions.TIMEOUT) Duration defaultTimeout,
        @DefaultValue(TxnClientOptions.REQUEST_TIMEOUT) Duration requestTimeout,
        @DefaultValue(TxnClientOptions.CONNECT_WAIT) Duration connectWait,
        @DefaultValue(TxnClientOptions.START_WAIT) Duration startWait,
        @DefaultValue(TxnClientOptions.DECISION_WAIT) Duration decisionWait,
        @DefaultValue(AtOptions.LOCK_WAIT) Duration lockWait,
        @DefaultValue(TxnClientOptions.SHUTDOWN_TIMEOUT) Duration shutdownTimeout,
        @DefaultValue(TxnClientOptions.FAIL_FAST) boolean failFast,
        @DefaultValue(TxnClientOptions.BRANCH_WORKERS) int branchWorkers,
        @DefaultValue(TxnClientOptions.BRANCH_QUEUE) int branchQueue,
        @Nullable String token,
        @Nullable Path tokenFile,
        @Nullable String accessKey,
        @Nullable String secretKey,
        @DefaultValue(TxnClientOptions.CAUSE_MESSAGES) boolean causeMessages,
        @DefaultValue Ssl ssl) {

    /**
     * @param enabled whether TLS is spoken; when unset, if there is a bundle
     * @param bundle name of the SSL bundle (spring.ssl.bundle) with the authorities that are trusted, and this application's own certificate if
     *     coordinators want one; when unset, the authorities that Java trusts
     * @param serverName name that stands in the coordinator's certificate, where its address is given or registered as a number; when unset, the host
     *     that is connected to
     */
    record Ssl(
            @Nullable Boolean enabled,
            @Nullable String bundle,
            @Nullable String serverName) {}

    /** What is bound where nothing is set; a test compares the two. */
    static ClientProperties defaults() {
        return new ClientProperties(
                null,
                TxnClientOptions.SERVICE_GROUP,
                Duration.parse(GlobalTransactionOptions.TIMEOUT),
                Duration.parse(TxnClientOptions.REQUEST_TIMEOUT),
                Duration.parse(TxnClientOptions.CONNECT_WAIT),
                Duration.parse(TxnClientOptions.START_WAIT),
                Duration.parse(TxnClientOptions.DECISION_WAIT),
                Duration.parse(AtOptions.LOCK_WAIT),
                Duration.parse(TxnClientOptions.SHUTDOWN_TIMEOUT),
                Boolean.parseBoolean(TxnClientOptions.FAIL_FAST),
                Integer.parseInt(TxnClientOptions.BRANCH_WORKERS),
                Integer.parseInt(TxnClientOptions.BRANCH_QUEUE),
                null,
                null,
                null,
                null,
                Boolean.parseBoolean(TxnClientOptions.CAUSE_MESSAGES),
                new Ssl(null, null, null));
    }

    private Credentials credentials() {
        int given = (token == null ? 0 : 1) + (tokenFile == null ? 0 : 1) + (accessKey == null ? 0 : 1);
        if (given > 1) {
            throw invalid("token", "only one of token, token-file and access-key is set");
        } else if ((accessKey == null) != (secretKey == null)) {
            throw invalid("access-key", "access-key and secret-key go together");
        } else if (token != null) {
            return Credentials.token(token);
        } else if (tokenFile != null) {
            return Credentials.tokenFile(tokenFile);
        }
        return accessKey == null || secretKey == null ? Credentials.NONE : Credentials.accessKey(accessKey, secretKey);
    }

    private static TxnException invalid(String key, String problem) {
        return new TxnException(ErrorCode.BAD_CONFIGURATION, null, "key", "txn.client." + key, "problem", problem);
    }

    /** Without the secrets. */
    @Override
    public String toString() {
        return "ClientProperties[applicationId=" + applicationId + ']';
    }

    TxnClientOptions toOptions(String applicationName) {
        return TxnClientOptions.of(applicationId == null ? applicationName : applicationId)
                .withServiceGroup(serviceGroup)
                .withRequestTimeout(requestTimeout)
                .withConnectWait(connectWait)
                .withCauseMessages(causeMessages)
                .withStartWait(startWait)
                .withDecisionWait(decisionWait)
                .withShutdownTimeout(shutdownTimeout)
                .withFailFast(failFast)
                .withBranchWorkers(branchWorkers, branchQueue)
                .withCredentials(credentials());
    }
}
