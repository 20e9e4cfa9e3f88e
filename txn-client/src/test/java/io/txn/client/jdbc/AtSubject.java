package io.txn.client.jdbc;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import io.txn.client.jdbc.corpus.Forgetful;
import io.txn.client.jdbc.corpus.Subject;
import io.txn.client.rm.BranchResult;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.message.BranchStatus;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import javax.sql.DataSource;

/** The AT proxy of this project, with a coordinator in memory. */
final class AtSubject implements Subject, Forgetful {

    private static final Set<ErrorCode> REFUSALS = Set.of(
            ErrorCode.STATEMENT_NOT_SUPPORTED,
            ErrorCode.TABLE_WITHOUT_KEY,
            ErrorCode.KEY_UPDATE_REFUSED,
            ErrorCode.VALUE_NOT_SUPPORTED);
    private static final int TRIES = 3;

    private final DataSource physical;
    private final ContextCarrier contexts = new ContextCarrier();
    private final InMemoryResourceManager manager = new InMemoryResourceManager();
    private final AtDataSource at;
    private Duration ahead = Duration.ZERO;
    private Xid xid;
    private ContextCarrier.Scope scope;

    AtSubject(DataSource physical) {
        this.physical = physical;
        at = AtDataSource.wrap(
                physical,
                AtOptions.DEFAULTS
                        .withLockRetry(3, Duration.ofMillis(5))
                        .withColumnsLeftToTriggers(Set.of("kept"))
                        .withPhaseTwoWaitMax(Duration.ofSeconds(1))
                        .withClock(() -> Instant.now().plus(ahead)),
                contexts,
                manager);
        at.prepare();
    }

    @Override
    public void forget() {
        ahead = ahead.plus(AtOptions.DEFAULTS.metadataMaxAge()).plusSeconds(1);
    }

    @Override
    public DataSource dataSource() {
        return at;
    }

    @Override
    public void begin() {
        xid = manager.begin();
        scope = contexts.bind(TransactionContext.participant(xid));
    }

    @Override
    public void unbind() {
        scope.close();
    }

    @Override
    public String commit() {
        return ending(manager.commit(xid));
    }

    @Override
    public String rollback() {
        BranchResult result = manager.rollback(xid);
        for (int i = 1; i < TRIES && result.status() == BranchStatus.PHASE_TWO_ROLLBACK_FAILED_RETRYABLE; i++) {
            result = manager.rollback(xid);
        }
        return ending(result);
    }

    private static String ending(BranchResult result) {
        if (result.done()) {
            return "";
        }
        boolean forEver = result.status() == BranchStatus.PHASE_TWO_ROLLBACK_FAILED_UNRETRYABLE
                || result.status() == BranchStatus.PHASE_TWO_COMMIT_FAILED_UNRETRYABLE;
        return (forEver ? "attention " : "retry ") + result.cause();
    }

    @Override
    public String refusal(Throwable failure) {
        String text = String.valueOf(failure.getMessage());
        ErrorCode code = AtContract.codeOf(failure);
        boolean complete =
                code != null && REFUSALS.contains(code) && failure instanceof SQLException && text.contains("Fix: ");
        if (complete && code == ErrorCode.STATEMENT_NOT_SUPPORTED) {
            complete = text.contains("reason=") && text.contains("rewrite=");
        }
        return complete ? text : "";
    }

    @Override
    public String undoTable() {
        try (Connection connection = physical.getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM undo_log")) {
            rows.next();
            return rows.getInt(1) == 0 ? "" : rows.getInt(1) + " rows";
        } catch (SQLException e) {
            throw new TxnException(ErrorCode.NO_UNDO_TABLE, e);
        }
    }
}
