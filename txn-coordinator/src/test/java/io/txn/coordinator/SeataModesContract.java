package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import io.txn.protocol.codec.FrameKind;
import io.txn.protocol.codec.UnreadableFrame;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.Message;
import io.txn.test.Await;
import io.txn.test.DatabaseKind;
import io.txn.test.SeataClient;
import io.txn.test.SeataClient.Mode;
import io.txn.test.SeataClient.Source;
import io.txn.test.SeataClient.Version;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every mode of a real Seata client, in a process of its own, against a whole coordinator over TCP: what the client observes, and what is in the
 * databases. Three of them, each with one account of 100: under AT, under XA, and without Seata for TCC actions and saga steps.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(180)
abstract class SeataModesContract {

    /** What only the long form of the build runs. */
    static final String FULL = "txn.test.full";

    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int AT = 0;
    private static final int XA = 1;

    private static final String TAKE_TEN = "UPDATE account SET balance = balance - 10 WHERE id = 1";
    private static final String GIVE_TEN = "UPDATE account SET balance = balance + 10 WHERE id = 1";
    private static final String READ = "SELECT balance, frozen FROM account WHERE id = 1";
    private static final String READ_LOCKED = READ + " FOR UPDATE";
    private static final String FREEZE = "UPDATE account SET balance = balance - 10, frozen = frozen + 10 WHERE id = 1";
    private static final String CONFIRM = "UPDATE account SET frozen = frozen - 10 WHERE id = 1";
    private static final String CANCEL = "UPDATE account SET balance = balance + 10, frozen = frozen - 10 WHERE id = 1";

    private final Version version;
    private final DatabaseKind kind;

    private TestDatabase at;
    private TestDatabase xa;
    private TestDatabase plain;
    private Coordinator coordinator;
    private WireTap tap;
    private SeataClient client;
    private Path directory;

    SeataModesContract(Version version, DatabaseKind kind) {
        this.version = version;
        this.kind = kind;
    }

    private TestDatabase database() {
        return kind == DatabaseKind.POSTGRESQL
                ? TestDatabases.postgres()
                : TestDatabases.mariaDb().withMySqlDriver();
    }

    @BeforeAll
    void start(@TempDir Path temporary) {
        directory = temporary;
        at = database();
        xa = database();
        plain = database();
        at.execute(SeataClient.undoTable(kind));
        for (TestDatabase database : List.of(at, xa, plain)) {
            database.execute(
                    "CREATE TABLE account (id INT PRIMARY KEY, balance INT NOT NULL, frozen INT NOT NULL)",
                    "INSERT INTO account VALUES (1, 100, 0)");
        }
        coordinator = Coordinator.start(CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", 0)
                .withDataDir(directory.resolve("coordinator"))
                .withUndoLog(new CoordinatorOptions.UndoLog(Duration.ofSeconds(2), 1))
                .withRetry(new CoordinatorOptions.Retry(
                        Duration.ofSeconds(15),
                        Duration.ofSeconds(5),
                        Duration.ofMillis(200),
                        Duration.ofMillis(500),
                        0)));
        tap = new WireTap(coordinator.tcpPort());
        client = SeataClient.start(
                version,
                tap.address(),
                "shop",
                directory.resolve("client"),
                List.of(new Source(Mode.AT, at), new Source(Mode.XA, xa), new Source(Mode.NONE, plain)));
    }

    @AfterAll
    void stop() {
        if (client != null) {
            client.close();
        }
        if (tap != null) {
            tap.close();
        }
        if (coordinator != null) {
            coordinator.close();
        }
    }

    @BeforeEach
    void reset() {
        for (TestDatabase database : List.of(at, xa, plain)) {
            database.execute("UPDATE account SET balance = 100, frozen = 0");
        }
        tap.forget();
    }

    /** So that one test that fails does not make others wait for its locks. */
    @AfterEach
    void decideWhatIsOpen() {
        client.failNext(0);
        for (TransactionSummary open : coordinator
                .transactions(new TransactionQuery(TransactionState.ACTIVE, null, null, 100, null))
                .join()
                .transactions()) {
            client.rollback(open.xid().value());
        }
    }

    // What is seen

    private static List<String> rows(TestDatabase database, String query) {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            List<String> result = new ArrayList<>();
            while (rows.next()) {
                List<String> row = new ArrayList<>();
                for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                    row.add(rows.getString(i));
                }
                result.add(String.join(" ", row));
            }
            return result;
        } catch (SQLException e) {
            throw new IllegalStateException(query, e);
        }
    }

    /** Balance and frozen amount. */
    private static String account(TestDatabase database) {
        return rows(database, "SELECT balance, frozen FROM account WHERE id = 1")
                .get(0);
    }

    private void awaitNoUndoRecord() {
        Await.until("no undo record is left", PATIENCE, () -> rows(at, "SELECT xid FROM undo_log WHERE log_status = 0")
                .isEmpty());
    }

    /** The prepared branches of {@code xid} that the database itself knows. */
    private List<String> prepared(String xid) {
        return kind == DatabaseKind.POSTGRESQL
                ? rows(xa, "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()")
                : rows(xa, "XA RECOVER").stream()
                        .filter(branch -> branch.contains(xid))
                        .toList();
    }

    /** As initiator and as resource manager; other processes are gone. */
    private void awaitOnlyTheClient() {
        Await.until(
                "only the client's two connections are left",
                PATIENCE,
                () -> coordinator.statistics().sessions() == 2
                        && tap.connections().size() == 2);
    }

    private TransactionDetail detail(String xid) {
        return coordinator.transaction(new Xid(xid)).join().orElseThrow();
    }

    private TransactionState state(String xid) {
        return detail(xid).summary().state();
    }

    private void awaitState(String xid, TransactionState state) {
        Await.until(xid + " is " + state, PATIENCE, () -> state(xid) == state);
    }

    // TCC

    @Test
    void aTccActionIsConfirmedBeforeTheCommitIsAnswered() {
        String xid = client.begin(MINUTE);
        client.tcc(xid, FREEZE, CONFIRM, CANCEL);
        client.tcc(xid, FREEZE, CONFIRM, CANCEL);
        assertThat(account(plain)).isEqualTo("80 20");
        assertThat(detail(xid).branches())
                .hasSize(2)
                .allSatisfy(branch -> assertThat(branch.type()).isEqualTo(BranchType.TCC))
                .allSatisfy(branch -> assertThat(branch.resourceId()).isEqualTo("tccAction"));

        assertThat(client.commit(xid)).isEqualTo("Committed");

        assertThat(account(plain)).isEqualTo("80 0");
        assertThat(client.status(xid)).isEqualTo("Finished");
        assertThat(client.commit(xid)).isEqualTo("Committed");
        assertThat(account(plain)).isEqualTo("80 0");
    }

    @Test
    void aTccActionIsCancelledBeforeTheRollbackIsAnswered() {
        String xid = client.begin(MINUTE);
        client.tcc(xid, FREEZE, CONFIRM, CANCEL);

        assertThat(client.rollback(xid)).isEqualTo("Rollbacked");

        assertThat(account(plain)).isEqualTo("100 0");
        assertThat(client.commit(xid)).isEqualTo("Finished");
        assertThat(account(plain)).isEqualTo("100 0");
    }

    /** The client's template looks at nothing but the status, so the status must be one that it takes for a failure. */
    @Test
    void aCommitOfATransactionThatIsStillRollingBackFailsLoudly() {
        client.failNext(1_000);

        assertThatThrownBy(() -> client.template(false, "tcc " + String.join(";", FREEZE, CONFIRM, CANCEL), "rollback"))
                .isInstanceOf(SeataClient.Failed.class)
                .hasMessageContaining("ExecutionException/CommitFailure")
                .hasMessageContaining("TmTransactionException/CommitHeuristic");

        String xid = onlyRollingBack();
        assertThat(client.status(xid)).isEqualTo("RollbackRetrying");
        assertThat(client.commit(xid)).isEqualTo("Finished");
        assertThat(client.rollback(xid)).isEqualTo("RollbackRetrying");
        assertThat(account(plain)).isEqualTo("90 10");
        client.failNext(0);
        awaitState(xid, TransactionState.ROLLED_BACK);
        assertThat(account(plain)).isEqualTo("100 0");
    }

    private String onlyRollingBack() {
        List<TransactionSummary> found = coordinator
                .transactions(new TransactionQuery(TransactionState.ROLLING_BACK, null, null, 10, null))
                .join()
                .transactions()
                .stream()
                .filter(summary -> "template".equals(summary.name()))
                .toList();
        assertThat(found).hasSize(1);
        return found.get(0).xid().value();
    }

    @Test
    @EnabledIfSystemProperty(named = FULL, matches = "true")
    void aConfirmThatFailsIsRepeatedUntilItWorks() {
        String xid = client.begin(MINUTE);
        client.tcc(xid, FREEZE, CONFIRM, CANCEL);
        client.failNext(3);

        assertThat(client.commit(xid)).isEqualTo("CommitRetrying");

        awaitState(xid, TransactionState.COMMITTED);
        assertThat(account(plain)).isEqualTo("90 0");
    }

    @Test
    @EnabledIfSystemProperty(named = FULL, matches = "true")
    void aTccTransactionThatPassesItsDeadlineIsCancelled() {
        String xid = client.begin(Duration.ofSeconds(2));
        client.tcc(xid, FREEZE, CONFIRM, CANCEL);

        awaitState(xid, TransactionState.ROLLED_BACK);

        assertThat(account(plain)).isEqualTo("100 0");
        assertThat(client.commit(xid)).isEqualTo("TimeoutRollbacked");
    }

    // XA

    @Test
    void anXaBranchIsPreparedAndCommittedByTheDatabase() {
        String xid = client.begin(MINUTE);
        client.execute(xid, XA, TAKE_TEN);
        assertThat(detail(xid).branches()).singleElement().satisfies(branch -> assertThat(branch.type())
                .isEqualTo(BranchType.XA));
        assertThat(prepared(xid)).hasSize(1);
        assertThat(account(xa)).as("what others see").isEqualTo("100 0");

        assertThat(client.commit(xid)).isEqualTo("Committed");

        assertThat(account(xa)).isEqualTo("90 0");
        assertThat(prepared(xid)).isEmpty();
    }

    @Test
    void anXaBranchIsPreparedAndRolledBackByTheDatabase() {
        String xid = client.begin(MINUTE);
        client.execute(xid, XA, TAKE_TEN);
        assertThat(prepared(xid)).hasSize(1);

        assertThat(client.rollback(xid)).isEqualTo("Rollbacked");

        assertThat(account(xa)).isEqualTo("100 0");
        assertThat(prepared(xid)).isEmpty();
    }

    /**
     * PostgreSQL's driver says that there is nothing to commit, and the client reports it. MySQL's does not, but MariaDB finds nothing to commit, and it goes as in
     * the next test.
     */
    @Test
    void anXaBranchThatOnlyReadIsNotPrepared() {
        String xid = client.begin(MINUTE);
        boolean reported = kind == DatabaseKind.POSTGRESQL;
        assertThat(reported ? client.executeReadOnly(xid, XA, READ) : client.execute(xid, XA, READ))
                .isEqualTo("[100 0]");
        assertThat(detail(xid).branches()).hasSize(1);

        String answer = client.commit(xid);

        if (reported) {
            assertThat(answer).isEqualTo("Committed");
            assertThat(tap.sent(Message.BranchReportRequest.class))
                    .singleElement()
                    .satisfies(report -> assertThat(report.status()).isEqualTo(BranchStatus.PHASE_ONE_READ_ONLY));
            assertThat(tap.received(Message.BranchCommitRequest.class)).noneMatch(call -> xid.equals(call.xid()));
            awaitState(xid, TransactionState.COMMITTED);
            // The driver had it prepared all the same, and nobody will ever end it.
            prepared(xid).forEach(left -> xa.execute("ROLLBACK PREPARED '" + left + "'"));
        } else {
            assertThat(answer).isEqualTo("CommitRetrying");
            Await.until("the client does not find it", PATIENCE, () -> commitAnswers(xid)
                    .contains(BranchStatus.PHASE_TWO_COMMIT_FAILED_XAER_NOTA_RETRYABLE));
            assertThat(state(xid)).isEqualTo(TransactionState.COMMITTING);
        }
    }

    /** What the client answered to the calls of phase two. */
    private List<BranchStatus> commitAnswers(String xid) {
        return tap.sent(Message.BranchCommitResponse.class).stream()
                .filter(answer -> xid.equals(answer.xid()))
                .map(Message.BranchCommitResponse::status)
                .toList();
    }

    /**
     * The client cannot know a branch that a person ended in the database; it is asked again until the longest time that a prepared branch may stay
     * invisible has passed.
     */
    @Test
    @Timeout(360)
    @EnabledIfSystemProperty(named = FULL, matches = "true")
    void anXaBranchThatWasEndedByHandHoldsUpItsTransactionForAWhileOnly() {
        assumeTrue(kind != DatabaseKind.POSTGRESQL, "one database is enough");
        Duration timeout = MINUTE;
        TestDatabase own = database();
        own.execute(
                "CREATE TABLE account (id INT PRIMARY KEY, balance INT NOT NULL, frozen INT NOT NULL)",
                "INSERT INTO account VALUES (1, 100, 0), (2, 100, 0)");
        List<Source> sources = List.of(new Source(Mode.XA, own));
        long begun = System.nanoTime();
        String committed;
        String rolledBack;
        try (SeataClient other =
                SeataClient.start(version, tap.address(), "till", directory.resolve("till"), sources)) {
            committed = other.begin(timeout);
            other.execute(committed, 0, TAKE_TEN);
            rolledBack = other.begin(timeout);
            other.execute(rolledBack, 0, "UPDATE account SET balance = balance - 10 WHERE id = 2");
            other.process().kill9();
        }
        awaitOnlyTheClient();
        endByHand(own, committed, "COMMIT");
        endByHand(own, rolledBack, "ROLLBACK");
        assertThat(client.commit(committed)).isEqualTo("CommitRetrying");
        assertThat(client.rollback(rolledBack)).isEqualTo("RollbackRetrying");
        tap.forget();

        try (SeataClient other =
                SeataClient.start(version, tap.address(), "till", directory.resolve("till-again"), sources)) {
            assertThat(other.status(committed)).isEqualTo("CommitRetrying");
            Await.until(
                    "both ended",
                    Duration.ofSeconds(150),
                    () -> state(committed) == TransactionState.COMMITTED
                            && state(rolledBack) == TransactionState.ROLLED_BACK);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - begun))
                .as("not before a branch of this time-out could have shown up")
                .isGreaterThan(timeout.plusSeconds(60));
        assertThat(commitAnswers(committed))
                .isNotEmpty()
                .containsOnly(BranchStatus.PHASE_TWO_COMMIT_FAILED_XAER_NOTA_RETRYABLE);
        assertThat(tap.sent(Message.BranchRollbackResponse.class))
                .extracting(Message.BranchRollbackResponse::status)
                .isNotEmpty()
                .containsOnly(BranchStatus.PHASE_TWO_ROLLBACK_FAILED_XAER_NOTA_RETRYABLE);
        assertThat(rows(own, "SELECT balance FROM account ORDER BY id")).containsExactly("90", "100");
    }

    /** Ends the only prepared branch of {@code xid}, as a person would who sees it in the database. */
    private static void endByHand(TestDatabase database, String xid, String end) {
        List<String> found = rows(database, "XA RECOVER FORMAT='SQL'").stream()
                .map(branch -> branch.substring(branch.indexOf('X')))
                .filter(branch -> branch.contains(HexFormat.of().formatHex(xid.getBytes(StandardCharsets.UTF_8))))
                .toList();
        assertThat(found).hasSize(1);
        database.execute("XA " + end + " " + found.get(0));
    }

    @Test
    @EnabledIfSystemProperty(named = FULL, matches = "true")
    void anXaTransactionThatPassesItsDeadlineIsRolledBackByTheDatabase() {
        String xid = client.begin(Duration.ofSeconds(3));
        client.execute(xid, XA, TAKE_TEN);
        assertThat(prepared(xid)).hasSize(1);

        awaitState(xid, TransactionState.ROLLED_BACK);

        assertThat(account(xa)).isEqualTo("100 0");
        assertThat(prepared(xid)).isEmpty();
        assertThat(client.commit(xid)).isEqualTo("TimeoutRollbacked");
    }

    @Test
    @EnabledIfSystemProperty(named = FULL, matches = "true")
    void aStatementThatFailsUnderXaLeavesNothingPrepared() {
        String xid = client.begin(MINUTE);
        assertThatThrownBy(() -> client.execute(xid, XA, TAKE_TEN, "UPDATE nowhere SET balance = 1"))
                .isInstanceOf(SeataClient.Failed.class);

        assertThat(client.rollback(xid)).isEqualTo("Rollbacked");

        assertThat(account(xa)).isEqualTo("100 0");
        assertThat(prepared(xid)).isEmpty();
    }

    // All together

    @Test
    @EnabledIfSystemProperty(named = FULL, matches = "true")
    void branchesOfAllModesEndTogether() {
        String tcc = "tcc " + String.join(";", FREEZE, CONFIRM, CANCEL);
        String committed = client.template(false, AT + " " + TAKE_TEN, tcc, XA + " " + TAKE_TEN);
        awaitState(committed, TransactionState.COMMITTED);
        assertThat(List.of(account(at), account(plain), account(xa))).containsExactly("90 0", "90 0", "90 0");
        awaitNoUndoRecord();

        assertThatThrownBy(() -> client.template(true, AT + " " + TAKE_TEN, tcc, XA + " " + TAKE_TEN))
                .isInstanceOf(SeataClient.Failed.class)
                .hasMessageContaining("ExecutionException/RollbackDone")
                .hasMessageContaining("the business failed");
        assertThat(List.of(account(at), account(plain), account(xa))).containsExactly("90 0", "90 0", "90 0");
        awaitNoUndoRecord();
    }

    // AT

    @Test
    @EnabledIfSystemProperty(named = FULL, matches = "true")
    void anAtBranchIsCommittedOrUndone() {
        String xid = client.begin(MINUTE);
        client.execute(xid, AT, TAKE_TEN, "INSERT INTO account VALUES (2, 5, 5)");
        assertThat(account(at)).isEqualTo("90 0");
        assertThat(client.rollback(xid)).isEqualTo("Rollbacked");
        assertThat(rows(at, "SELECT id, balance FROM account")).containsExactly("1 100");

        String kept = client.begin(MINUTE);
        client.execute(kept, AT, TAKE_TEN);
        assertThat(client.commit(kept)).isEqualTo("Committed");
        awaitState(kept, TransactionState.COMMITTED);
        assertThat(account(at)).isEqualTo("90 0");
        awaitNoUndoRecord();
    }

    @Test
    @EnabledIfSystemProperty(named = FULL, matches = "true")
    void anAtTransactionThatPassesItsDeadlineIsUndone() {
        String xid = client.begin(Duration.ofSeconds(2));
        client.execute(xid, AT, TAKE_TEN);

        awaitState(xid, TransactionState.ROLLED_BACK);

        assertThat(account(at)).isEqualTo("100 0");
        assertThat(client.commit(xid)).isEqualTo("TimeoutRollbacked");
        awaitNoUndoRecord();
    }

    @Test
    @EnabledIfSystemProperty(named = FULL, matches = "true")
    void aLockedRowIsRefusedWithLockKeyConflict() {
        String holder = client.begin(MINUTE);
        client.execute(holder, AT, TAKE_TEN);
        String other = client.begin(MINUTE);

        assertThatThrownBy(() -> client.executeAutoCommit(other, AT, TAKE_TEN))
                .isInstanceOf(SeataClient.Failed.class)
                .hasMessageContaining("LockConflictException/LockKeyConflict");

        assertThat(client.rollback(other)).isEqualTo("Rollbacked");
        assertThat(client.rollback(holder)).isEqualTo("Rollbacked");
        assertThat(account(at)).isEqualTo("100 0");
    }

    /** A local transaction that only asks whether its rows are free, inside and outside of a global one. */
    @Test
    void whoOnlyAsksForLocksIsRefusedUntilTheHolderHasCommitted() {
        String holder = client.begin(MINUTE);
        client.execute(holder, AT, TAKE_TEN);
        String reader = client.begin(MINUTE);

        assertThatThrownBy(() -> client.globalLock(AT, TAKE_TEN))
                .isInstanceOf(SeataClient.Failed.class)
                .hasMessageContaining("LockConflictException");
        assertThatThrownBy(() -> client.globalLock(AT, READ_LOCKED))
                .isInstanceOf(SeataClient.Failed.class)
                .hasMessageContaining("LockConflictException");
        assertThat(tap.sent(Message.GlobalLockQueryRequest.class))
                .hasSizeGreaterThan(2)
                .allSatisfy(query -> assertThat(query.xid()).isNullOrEmpty())
                .allSatisfy(query -> assertThat(query.lockKey()).isEqualTo("account:1"));
        tap.forget();
        assertThatThrownBy(() -> client.execute(reader, AT, READ_LOCKED))
                .isInstanceOf(SeataClient.Failed.class)
                .hasMessageContaining("LockConflictException");
        assertThat(tap.sent(Message.GlobalLockQueryRequest.class))
                .isNotEmpty()
                .allSatisfy(query -> assertThat(query.xid()).isEqualTo(reader));
        assertThat(account(at)).isEqualTo("90 0");
        assertThat(client.execute(holder, AT, READ_LOCKED)).as("its own row").isEqualTo("[90 0]");

        assertThat(client.commit(holder)).isEqualTo("Committed");

        assertThat(client.globalLock(AT, READ_LOCKED)).isEqualTo("[90 0]");
        assertThat(client.execute(reader, AT, READ_LOCKED)).isEqualTo("[90 0]");
        assertThat(client.globalLock(AT, TAKE_TEN)).isEqualTo("[1]");
        assertThat(account(at)).isEqualTo("80 0");
        assertThat(detail(reader).branches()).as("reading registers nothing").isEmpty();
        assertThat(client.rollback(reader)).isEqualTo("Rollbacked");
        awaitNoUndoRecord();
    }

    /**
     * A process that has a resource no more, or not yet, but is registered for it, answers the call of phase two with a frame that ends after its head
     * (a mistake of the client). The coordinator asks the next one.
     */
    @Test
    void aBranchThatOneProcessCannotUndoIsUndoneByAnother() throws Exception {
        TestDatabase own = database();
        own.execute(SeataClient.undoTable(kind));
        own.execute(
                "CREATE TABLE account (id INT PRIMARY KEY, balance INT NOT NULL, frozen INT NOT NULL)",
                "INSERT INTO account VALUES (1, 100, 0)");
        List<Source> sources = List.of(new Source(Mode.AT, own), new Source(Mode.NONE, own));
        String xid;
        String resource;
        try (SeataClient neighbour =
                SeataClient.start(version, tap.address(), "shop", directory.resolve("neighbour"), sources)) {
            xid = neighbour.begin(Duration.ofMinutes(5));
            neighbour.execute(xid, AT, TAKE_TEN);
            resource = detail(xid).branches().get(0).resourceId();
            neighbour.process().kill9();
        }
        awaitOnlyTheClient();
        tap.forget();
        client.announce(resource);
        Await.until("it is announced", PATIENCE, () -> tap.received(Message.RegisterRmResponse.class).stream()
                .anyMatch(Message.RegisterRmResponse::identified));

        CompletableFuture<String> answer =
                CompletableFuture.supplyAsync(() -> client.rollback(xid), task -> new Thread(task).start());

        Await.until("the client's answer that cannot be read", PATIENCE, () -> {
            sendSomethingBehindIt();
            return tap.frames().stream()
                    .anyMatch(passed -> passed.fromClient()
                            && passed.frame() instanceof UnreadableFrame frame
                            && frame.kind() == FrameKind.RESPONSE);
        });
        assertThat(answer.get(30, TimeUnit.SECONDS)).isIn("Rollbacking", "RollbackRetrying");
        Await.until("it is tried again", PATIENCE, () -> client.status(xid).equals("RollbackRetrying"));
        assertThat(account(own)).isEqualTo("90 0");
        assertThat(state(xid)).isEqualTo(TransactionState.ROLLING_BACK);
        try (SeataClient neighbour =
                SeataClient.start(version, tap.address(), "shop", directory.resolve("neighbour-again"), sources)) {
            assertThat(neighbour.process().isAlive()).isTrue();
            Await.until("it is rolled back", PATIENCE, () -> {
                sendSomethingBehindIt();
                return state(xid) == TransactionState.ROLLED_BACK;
            });
        }
        assertThat(account(own)).isEqualTo("100 0");
        assertThat(rows(own, "SELECT xid FROM undo_log WHERE log_status = 0")).isEmpty();
    }

    /** An answer that ends after its head is only seen with what comes after it, the next ping at the latest. */
    private void sendSomethingBehindIt() {
        client.globalLock(AT, READ_LOCKED);
    }

    // Connections

    /** Initiators merge their requests too when they are told to. */
    @Test
    void anInitiatorThatMergesItsRequestsIsServed() {
        try (WireTap merging = new WireTap(coordinator.tcpPort());
                SeataClient initiator = SeataClient.start(
                        version,
                        merging.address(),
                        "initiator",
                        directory.resolve("initiator"),
                        List.of(),
                        "-Dtransport.enableTmClientBatchSendRequest=true")) {
            String kept = initiator.begin(MINUTE);
            client.execute(kept, AT, TAKE_TEN);
            assertThat(initiator.status(kept)).isEqualTo("Begin");
            assertThat(initiator.commit(kept)).isEqualTo("Committed");
            String undone = initiator.begin(MINUTE);
            client.execute(undone, AT, TAKE_TEN);
            assertThat(initiator.rollback(undone)).isEqualTo("Rollbacked");
            assertThat(account(at)).isEqualTo("90 0");
            assertThat(initiator.commit(coordinator.advertisedAddress() + ":4711"))
                    .isEqualTo("Finished");

            List<String> all = IntStream.range(0, 8)
                    .parallel()
                    .mapToObj(i -> {
                        String xid = initiator.begin(MINUTE);
                        assertThat(initiator.commit(xid)).isEqualTo("Committed");
                        return xid;
                    })
                    .toList();
            assertThat(all).doesNotHaveDuplicates();

            assertThat(merging.sent(Message.MergedRequest.class).stream()
                            .flatMap(merged -> merged.requests().stream())
                            .map(Message::getClass))
                    .contains(
                            Message.GlobalBeginRequest.class,
                            Message.GlobalStatusRequest.class,
                            Message.GlobalCommitRequest.class,
                            Message.GlobalRollbackRequest.class);
            boolean inOneFrame = version == Version.V2_0;
            assertThat(merging.received(Message.MergedResponse.class).isEmpty()).isEqualTo(!inOneFrame);
            assertThat(merging.received(Message.GlobalBeginResponse.class).isEmpty())
                    .isEqualTo(inOneFrame);
        }
        awaitNoUndoRecord();
    }

    @Test
    @EnabledIfSystemProperty(named = FULL, matches = "true")
    void anIdleClientStaysConnected() {
        try (WireTap quiet = new WireTap(coordinator.tcpPort());
                SeataClient idle = SeataClient.start(
                        version,
                        quiet.address(),
                        "idle",
                        directory.resolve("idle"),
                        List.of(new Source(Mode.AT, at)))) {
            String before = idle.begin(MINUTE);
            idle.execute(before, AT, TAKE_TEN);
            assertThat(idle.commit(before)).isEqualTo("Committed");
            awaitState(before, TransactionState.COMMITTED);
            Set<Integer> connections = quiet.connections();
            assertThat(connections).hasSize(2);
            quiet.forget();

            // A client pings when it has sent nothing for ten seconds.
            Await.until("each connection was idle for 40 seconds", Duration.ofSeconds(150), () -> connections.stream()
                    .allMatch(connection -> quiet.pings(connection) >= 4));

            assertThat(quiet.connections()).isEqualTo(connections);
            String after = idle.begin(MINUTE);
            idle.execute(after, AT, TAKE_TEN);
            assertThat(idle.commit(after)).isEqualTo("Committed");
            awaitState(after, TransactionState.COMMITTED);
            assertThat(account(at)).isEqualTo("80 0");
            assertThat(quiet.connections()).isEqualTo(connections);
            awaitNoUndoRecord();
        }
    }

    /** The holder's undo needs the row that the other one has locked in its open local transaction: waiting would never end. */
    @Test
    @EnabledIfSystemProperty(named = FULL, matches = "true")
    void aRowWhoseHolderRollsBackIsRefusedAtOnce() throws Exception {
        String holder = client.begin(MINUTE);
        client.execute(holder, AT, TAKE_TEN);
        String other = client.begin(MINUTE);
        CompletableFuture<String> undone;
        try (Connection blocker = at.dataSource().getConnection();
                Statement statement = blocker.createStatement()) {
            blocker.setAutoCommit(false);
            // Keeps the undo from beginning.
            statement
                    .executeQuery("SELECT * FROM undo_log WHERE xid = '" + holder + "' FOR UPDATE")
                    .close();
            undone = CompletableFuture.supplyAsync(() -> client.rollback(holder), task -> new Thread(task).start());
            awaitState(holder, TransactionState.ROLLING_BACK);

            long before = System.nanoTime();
            assertThatThrownBy(() -> client.execute(other, AT, TAKE_TEN))
                    .isInstanceOf(SeataClient.Failed.class)
                    .hasMessageContaining("LockConflictException/LockKeyConflictFailFast");
            assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(5));
            blocker.rollback();
        }
        assertThat(undone.get(30, TimeUnit.SECONDS)).isIn("Rollbacked", "RollbackRetrying");
        awaitState(holder, TransactionState.ROLLED_BACK);
        assertThat(client.rollback(other)).isEqualTo("Rollbacked");
        assertThat(account(at)).isEqualTo("100 0");
        awaitNoUndoRecord();
    }

    @Test
    @EnabledIfSystemProperty(named = FULL, matches = "true")
    void oldUndoRecordsAreDeletedWhenTheCoordinatorAsks() {
        String columns =
                "INSERT INTO undo_log (branch_id, xid, context, rollback_info, log_status, log_created, log_modified) ";
        at.execute(
                columns
                        + "VALUES (1, 'old', 'serializer=jackson', '{}', 1, '2020-01-01 00:00:00', '2020-01-01 00:00:00')",
                columns + "VALUES (2, 'new', 'serializer=jackson', '{}', 1, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)");

        Await.until("the old record is deleted", PATIENCE, () -> rows(at, "SELECT xid FROM undo_log WHERE xid = 'old'")
                .isEmpty());

        assertThat(rows(at, "SELECT xid FROM undo_log WHERE xid = 'new'")).hasSize(1);
    }

    // Sagas

    @Test
    void anAnnotatedSagaIsKeptOrCompensated() {
        assumeTrue(version != Version.V2_0, "the client is too old for annotated sagas");
        String kept = client.begin(MINUTE);
        client.saga(kept, TAKE_TEN, GIVE_TEN);
        assertThat(detail(kept).branches()).singleElement().satisfies(branch -> assertThat(branch.type())
                .isEqualTo(BranchType.SAGA_ANNOTATION));
        assertThat(client.commit(kept)).isEqualTo("Committed");
        assertThat(account(plain)).isEqualTo("90 0");

        String compensated = client.begin(MINUTE);
        client.saga(compensated, TAKE_TEN, GIVE_TEN);
        client.saga(compensated, TAKE_TEN, GIVE_TEN);
        assertThat(account(plain)).isEqualTo("70 0");
        assertThat(client.rollback(compensated)).isEqualTo("Rollbacked");
        assertThat(account(plain)).isEqualTo("90 0");
    }

    @Test
    @EnabledIfSystemProperty(named = FULL, matches = "true")
    void anAnnotatedSagaThatPassesItsDeadlineIsCompensatedHoweverOftenThatFails() {
        assumeTrue(version != Version.V2_0, "the client is too old for annotated sagas");
        String retried = client.begin(Duration.ofSeconds(2));
        client.saga(retried, TAKE_TEN, GIVE_TEN);
        client.failNext(2);
        awaitState(retried, TransactionState.ROLLED_BACK);
        assertThat(account(plain)).isEqualTo("100 0");
    }

    @Test
    @EnabledIfSystemProperty(named = FULL, matches = "true")
    void aSagaEndsAsItsInitiatorReports() {
        String forward = client.begin("$Saga_shop", MINUTE);
        assertThat(client.report(forward, "Committed")).isEqualTo("Committed");
        assertThat(state(forward)).isEqualTo(TransactionState.COMMITTED);
        assertThat(client.status(forward)).isEqualTo("Finished");

        String backward = client.begin("$Saga_shop", MINUTE);
        assertThat(client.report(backward, "Rollbacked")).isEqualTo("Rollbacked");
        assertThat(state(backward)).isEqualTo(TransactionState.ROLLED_BACK);

        String none = client.begin(MINUTE);
        assertThat(client.report(none, "Committed")).isEqualTo("Begin");
        assertThat(state(none)).isEqualTo(TransactionState.ACTIVE);

        String unknown = coordinator.advertisedAddress() + ":4711";
        assertThat(client.report(unknown, "CommitRetrying")).isEqualTo("CommitRetrying");
    }
}
