package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.TransactionContext;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.jdbc.AtDataSource;
import io.txn.client.jdbc.AtOptions;
import io.txn.coordinator.TransactionSummary;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.test.Await;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Why a transaction was rolled back, as the caller, the coordinator and its operators learn it. */
@Timeout(180)
class CauseIT {

    private static final Duration LONG = Duration.ofSeconds(60);
    private static final TestDatabase DATABASE = TestDatabases.h2();

    @TempDir
    static Path directory;

    private static TestCoordinator coordinator;
    private static TxnClient open;
    private static TxnClient discreet;
    private static AtDataSource source;

    @BeforeAll
    static void start() {
        DATABASE.execute("CREATE TABLE stock (id INT PRIMARY KEY, amount INT)", "INSERT INTO stock VALUES (1, 100)");
        coordinator = TestCoordinator.start(directory);
        open = client(TxnClientOptions.of("shop"));
        discreet = client(TxnClientOptions.of("discreet").withCauseMessages(false));
        source = AtDataSource.wrap(DATABASE.dataSource(), AtOptions.DEFAULTS, open.contexts(), open.resources());
        source.prepare();
    }

    private static TxnClient client(TxnClientOptions options) {
        return TxnClient.start(options, AddressListLocator.of(List.of(coordinator.address())));
    }

    @AfterAll
    static void stop() {
        discreet.close();
        open.close();
        coordinator.close();
    }

    private static Integer write() throws SQLException {
        try (Connection connection = source.getConnection();
                Statement statement = connection.createStatement()) {
            return statement.executeUpdate("UPDATE stock SET amount = amount - 1 WHERE id = 1");
        }
    }

    private static TransactionSummary ended(String name) {
        Await.until("it ended", LONG, () -> coordinator.transactions().stream()
                .anyMatch(each -> each.name().equals(name) && each.endedAt() != null));
        return coordinator.transaction(name);
    }

    @Test
    void theCallerFindsTheOutcomeAtItsExceptionAndOperatorsFindTheException() {
        IllegalStateException own =
                new IllegalStateException("no stock", new IllegalArgumentException("item of ann@example.com"));
        Throwable thrown =
                catchThrowable(() -> open.transactions().execute(GlobalTransactionOptions.named("told"), () -> {
                    write();
                    throw own;
                }));
        assertThat(thrown).isSameAs(own);
        TransactionSummary summary = ended("told");
        assertThat(own.getSuppressed()).singleElement().isInstanceOfSatisfying(TxnException.class, outcome -> {
            assertThat(outcome.code()).isEqualTo(ErrorCode.ROLLED_BACK);
            assertThat(outcome.facts())
                    .containsEntry("xid", summary.xid())
                    .containsEntry("timeout", Duration.ofSeconds(60))
                    .containsKey("elapsed");
            assertThat(outcome.facts().get("slowest").toString()).startsWith("branch of jdbc:h2:");
        });
        assertThat(summary.cause())
                .startsWith("shop told: java.lang.IllegalStateException: no stock, "
                        + "caused by java.lang.IllegalArgumentException: item of ann@example.com [")
                .containsPattern("\\[\\d+ ms of 60000 ms; slowest: branch of jdbc:h2:\\S+ \\d+ ms\\]$");
    }

    @Test
    void whatExceptionsSayStaysHereIfThatIsWanted() {
        IllegalStateException own =
                new IllegalStateException("no stock", new IllegalArgumentException("item of ann@example.com"));
        assertThat(catchThrowable(
                        () -> discreet.transactions().execute(GlobalTransactionOptions.named("discreet"), () -> {
                            throw own;
                        })))
                .isSameAs(own);
        // Nothing was done in it, so its coordinator never heard of it: one that is known is marked.
        Throwable marked = catchThrowable(
                () -> discreet.transactions().execute(GlobalTransactionOptions.named("discreet mark"), () -> {
                    TransactionContext context = discreet.contexts().current();
                    Xid known = context.xid();
                    TransactionContext participant = TransactionContext.participant(known);
                    participant.participation().worked();
                    discreet.transactions().failed(participant, "Door.open", own);
                    return null;
                }));
        assertThat(marked).isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.code())
                .isEqualTo(ErrorCode.ROLLED_BACK_ONLY));
        assertThat(ended("discreet mark").cause())
                .contains(
                        "discreet Door.open: java.lang.IllegalStateException, caused by java.lang.IllegalArgumentException")
                .doesNotContain("no stock")
                .doesNotContain("ann@example.com");
    }

    @Test
    void pastTheDeadlineABranchRefusesToCommitAndThatIsTheCause() throws Exception {
        CountDownLatch known = new CountDownLatch(1);
        Throwable thrown = catchThrowable(() -> open.transactions()
                .execute(GlobalTransactionOptions.named("late").withTimeout(Duration.ofMillis(300)), () -> {
                    write();
                    TransactionContext own = open.contexts().current();
                    Await.until("the deadline passed", LONG, () -> own.expired(Instant.now()));
                    known.countDown();
                    return write();
                }));
        assertThat(known.getCount()).isZero();
        assertThat(thrown).as("the branch refuses to commit").isInstanceOf(SQLException.class);
        assertThat(thrown).hasMessageContaining(ErrorCode.TRANSACTION_TIMED_OUT.id());
        // Whoever is first: the coordinator at the deadline, or the opener that saw it pass.
        assertThat(ended("late").cause()).containsPattern("not decided within its timeout of \\d+ ms|TXN-TX");
        Await.until("it is undone", LONG, () -> amount() == 100);
    }

    private static int amount() {
        try (Connection connection = DATABASE.dataSource().getConnection();
                Statement statement = connection.createStatement();
                java.sql.ResultSet rows = statement.executeQuery("SELECT amount FROM stock WHERE id = 1")) {
            rows.next();
            return rows.getInt(1);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void oneExceptionThatIsThrownAgainAndAgainDoesNotGrow() {
        IllegalStateException shared = new IllegalStateException("always the same");
        for (int i = 0; i < 20; i++) {
            assertThat(catchThrowable(() -> open.transactions().execute(GlobalTransactionOptions.named("again"), () -> {
                        throw shared;
                    })))
                    .isSameAs(shared);
        }
        assertThat(shared.getSuppressed()).hasSizeBetween(1, 8);
    }
}
