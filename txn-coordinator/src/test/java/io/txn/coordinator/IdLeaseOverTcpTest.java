package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.Xid;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.IdLease;
import io.txn.protocol.extension.LockWait;
import io.txn.protocol.extension.RequestId;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.TransactionExceptionCode;
import io.txn.test.Await;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Ids that are lent: transactions and branches that their client names before the coordinator hears of them. */
@Timeout(120)
class IdLeaseOverTcpTest {

    private static final String DB = "jdbc:h2:mem:storage";
    private static final IdLease.Beginning PURCHASE = new IdLease.Beginning("purchase", 60_000);

    @TempDir
    Path dataDir;

    private Coordinator coordinator;
    private HandDrivenClient client;

    @BeforeEach
    void start() throws Exception {
        start(0);
    }

    private void start(int port) throws Exception {
        coordinator = Coordinator.start(
                CoordinatorOptions.DEFAULTS.withListen("127.0.0.1", port).withDataDir(dataDir));
        client = new HandDrivenClient(coordinator.tcpPort());
        client.connection()
                .request(
                        new Message.RegisterRmRequest("2.5.0", "shop", "default_tx_group", null, DB),
                        Feature.announced(),
                        HandDrivenClient.PATIENCE)
                .join();
    }

    @AfterEach
    void stop() {
        client.close();
        coordinator.close();
    }

    private static Frame get(CompletableFuture<Frame> frame) throws Exception {
        return frame.get(60, TimeUnit.SECONDS);
    }

    private IdLease lease(int count) throws Exception {
        Map<String, String> head = new HashMap<>();
        IdLease.ask(count, head);
        return IdLease.lent(get(client.connection()
                        .request(new Message.GlobalBeginRequest(60_000, "first"), head, HandDrivenClient.PATIENCE))
                .head());
    }

    private static Xid xid(IdLease lease, int place) {
        String first = lease.first().value();
        return Xid.of(first.substring(0, first.lastIndexOf(':')), lease.id(place));
    }

    private CompletableFuture<Frame> register(Xid xid, long branch, String rows, Map<String, String> more) {
        Map<String, String> head = new HashMap<>(more);
        if (branch != 0) {
            IdLease.nameBranch(branch, head);
        }
        return client.connection()
                .request(
                        new Message.BranchRegisterRequest(xid.value(), BranchType.AT, DB, rows, null),
                        head,
                        HandDrivenClient.PATIENCE);
    }

    private static Map<String, String> beginning(IdLease.Beginning how) {
        Map<String, String> head = new HashMap<>();
        IdLease.begin(how, head);
        return head;
    }

    private static Message.BranchRegisterResponse answer(CompletableFuture<Frame> frame) throws Exception {
        return (Message.BranchRegisterResponse) get(frame).body();
    }

    private TransactionDetail detail(Xid xid) {
        return coordinator.transaction(xid).join().orElseThrow();
    }

    @Test
    void theFirstBranchBringsItsTransactionAndBothHaveTheNamesTheyCameWith() throws Exception {
        IdLease lease = lease(10);
        assertThat(lease.count()).isEqualTo(10);
        Xid xid = xid(lease, 0);
        assertThat(coordinator.transaction(xid).join()).isEmpty();

        Message.BranchRegisterResponse first = answer(register(xid, lease.id(1), "t:1", beginning(PURCHASE)));
        // Whoever has not heard yet that it is begun says it again.
        Message.BranchRegisterResponse second = answer(register(xid, lease.id(5), "t:2", beginning(PURCHASE)));
        Message.BranchRegisterResponse third = answer(register(xid, 0, "t:3", Map.of()));

        assertThat(first.outcome().succeeded()).isTrue();
        assertThat(first.branchId()).isEqualTo(lease.id(1));
        assertThat(second.branchId()).isEqualTo(lease.id(5));
        assertThat(third.branchId()).isGreaterThanOrEqualTo(lease.id(10));
        assertThat(detail(xid).summary().name()).isEqualTo("purchase");
        assertThat(coordinator.statistics().begun()).isEqualTo(2);
        assertThat(client.commit(xid.value())).isEqualTo(GlobalStatus.COMMITTED);
    }

    @Test
    void nobodyElseGetsTheIdsThatWereLent() throws Exception {
        IdLease one = lease(10);
        IdLease other = lease(20_000);
        assertThat(other.count()).isEqualTo(IdLease.MAX);
        Xid plain = new Xid(client.begin(60_000));

        assertThat(other.first().number()).isGreaterThanOrEqualTo(one.id(10));
        assertThat(plain.number()).isGreaterThanOrEqualTo(other.id(other.count()));
    }

    @Test
    void aBeginMayNameItsTransactionToo() throws Exception {
        IdLease lease = lease(10);
        for (int i = 0; i < 2; i++) {
            Map<String, String> head = new HashMap<>();
            IdLease.nameTransaction(xid(lease, 3), head);
            Message.GlobalBeginResponse begun = (Message.GlobalBeginResponse) get(client.connection()
                            .request(
                                    new Message.GlobalBeginRequest(60_000, "purchase"),
                                    head,
                                    HandDrivenClient.PATIENCE))
                    .body();
            assertThat(begun.outcome().succeeded()).isTrue();
            assertThat(begun.xid()).isEqualTo(xid(lease, 3).value());
        }
        assertThat(coordinator.statistics().begun()).isEqualTo(2);
        assertThat(answer(register(xid(lease, 3), 0, "t:1", beginning(PURCHASE)))
                        .outcome()
                        .succeeded())
                .isTrue();
    }

    @Test
    void whatWasNotLentIsRefused() throws Exception {
        IdLease lease = lease(10);
        Xid xid = xid(lease, 0);
        assertThat(answer(register(xid, lease.id(1), "t:1", beginning(PURCHASE)))
                        .outcome()
                        .succeeded())
                .isTrue();
        long next = lease.id(11); // behind the ten and the transaction that came with them
        for (long branch : new long[] {lease.id(1), next, lease.id(10_000), xid.number(), 1, Long.MAX_VALUE}) {
            Message.BranchRegisterResponse refused = answer(register(xid, branch, "t:2", Map.of()));
            assertThat(refused.outcome().succeeded()).as("branch %d", branch).isFalse();
            assertThat(ErrorCode.BAD_REQUEST.isNamedIn(refused.outcome().message()))
                    .as(refused.outcome().message())
                    .isTrue();
        }
        Message.BranchRegisterResponse beyond = answer(register(xid(lease, 10_000), 0, "t:2", beginning(PURCHASE)));
        assertThat(beyond.outcome().succeeded()).isFalse();
        assertThat(ErrorCode.BAD_REQUEST.isNamedIn(beyond.outcome().message())).isTrue();
        Message.BranchRegisterResponse taken =
                answer(register(xid, 0, "t:2", beginning(new IdLease.Beginning("another", 60_000))));
        assertThat(taken.outcome().succeeded())
                .as("it is there, and that is what counts")
                .isTrue();
        Message.BranchRegisterResponse elsewhere =
                answer(register(Xid.of("10.0.0.9:8091", lease.id(4)), 0, "t:2", beginning(PURCHASE)));
        assertThat(elsewhere.outcome().exceptionCode())
                .isEqualTo(TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_EXIST);
        Message.BranchRegisterResponse unnamed = answer(register(xid(lease, 6), 0, "t:2", Map.of()));
        assertThat(unnamed.outcome().exceptionCode()).isEqualTo(TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_EXIST);
        assertThat(coordinator.statistics().begun()).isEqualTo(2);
    }

    @Test
    void aFieldThatMakesNoSenseIsRefused() throws Exception {
        Xid xid = new Xid(client.begin(60_000));
        for (Map<String, String> head : java.util.List.of(
                Map.of("lease-ids", "many"),
                Map.of("branch-id", "-1"),
                Map.of("branch-id", "99999999999999999999"),
                Map.of("begin-name", "purchase"),
                Map.of("begin-name", "purchase", "begin-timeout", "3000000000"))) {
            Message.BranchRegisterResponse refused = answer(register(xid, 0, "t:1", head));
            assertThat(ErrorCode.BAD_REQUEST.isNamedIn(refused.outcome().message()))
                    .as("%s", head)
                    .isTrue();
        }
        assertThat(answer(register(xid, 0, "t:1", Map.of())).outcome().succeeded())
                .isTrue();
    }

    @Test
    void aTransactionThatCameWithItsBranchWaitsForRowsLikeAnyOther() throws Exception {
        IdLease lease = lease(10);
        Xid holder = xid(lease, 0);
        assertThat(answer(register(holder, lease.id(1), "t:1", beginning(PURCHASE)))
                        .outcome()
                        .succeeded())
                .isTrue();
        Map<String, String> head = beginning(PURCHASE);
        LockWait.write(60_000, head);
        CompletableFuture<Frame> waiting = register(xid(lease, 2), lease.id(3), "t:1", head);
        Await.until(
                "one waits",
                HandDrivenClient.PATIENCE,
                () -> coordinator.statistics().lockWaiters() == 1);

        client.commit(holder.value());

        assertThat(answer(waiting).branchId()).isEqualTo(lease.id(3));
    }

    @Test
    void anIdThatWasRefusedARowMayBeUsedAgain() throws Exception {
        IdLease lease = lease(10);
        Xid holder = xid(lease, 0);
        answer(register(holder, lease.id(1), "t:1", beginning(PURCHASE)));
        Xid other = xid(lease, 2);
        Message.BranchRegisterResponse refused = answer(register(other, lease.id(3), "t:1", beginning(PURCHASE)));
        assertThat(refused.outcome().exceptionCode()).isEqualTo(TransactionExceptionCode.LOCK_KEY_CONFLICT);
        client.commit(holder.value());

        assertThat(answer(register(other, lease.id(3), "t:1", beginning(PURCHASE)))
                        .branchId())
                .isEqualTo(lease.id(3));
        assertThat(client.rollback(other.value())).isNotNull();
    }

    @Test
    void theSameRequestAskedAgainFindsItsBranch() throws Exception {
        IdLease lease = lease(10);
        Map<String, String> head = beginning(PURCHASE);
        RequestId.write(7, head);
        for (int i = 0; i < 2; i++) {
            assertThat(answer(register(xid(lease, 0), lease.id(1), "t:1", head)).branchId())
                    .isEqualTo(lease.id(1));
        }
        assertThat(coordinator.statistics().branchesRegistered()).isEqualTo(1);
    }

    @Test
    void aTransactionThatWasEndedIsNotBegunAgain() throws Exception {
        IdLease lease = lease(10);
        Xid xid = xid(lease, 0);
        answer(register(xid, lease.id(1), "t:1", beginning(PURCHASE)));
        client.commit(xid.value());

        assertThat(answer(register(xid, lease.id(2), "t:2", beginning(PURCHASE)))
                        .outcome()
                        .succeeded())
                .isFalse();
    }

    @Test
    void afterARestartTheyAreStillLentAndStillGood() throws Exception {
        IdLease lease = lease(10);
        answer(register(xid(lease, 0), lease.id(1), "t:1", beginning(PURCHASE)));
        int port = coordinator.tcpPort();
        stop();
        start(port);

        assertThat(detail(xid(lease, 0)).summary().state()).isEqualTo(TransactionState.ACTIVE);
        Xid fresh = new Xid(client.begin(60_000));
        assertThat(fresh.number()).isGreaterThanOrEqualTo(lease.id(10));
        assertThat(answer(register(xid(lease, 4), lease.id(5), "t:5", beginning(PURCHASE)))
                        .branchId())
                .isEqualTo(lease.id(5));
    }

    @Test
    void aDecisionThatOvertakesTheFirstBranchIsKeptAndTheBranchIsRefused() throws Exception {
        IdLease lease = lease(10);
        Message.GlobalCommitResponse committed = (Message.GlobalCommitResponse) get(client.connection()
                        .request(
                                new Message.GlobalCommitRequest(xid(lease, 0).value(), null),
                                beginning(PURCHASE),
                                HandDrivenClient.PATIENCE))
                .body();
        Message.GlobalRollbackResponse rolledBack = (Message.GlobalRollbackResponse) get(client.connection()
                        .request(
                                new Message.GlobalRollbackRequest(xid(lease, 1).value(), null),
                                beginning(PURCHASE),
                                HandDrivenClient.PATIENCE))
                .body();
        assertThat(committed.status()).isEqualTo(GlobalStatus.COMMITTED);
        assertThat(rolledBack.status()).isEqualTo(GlobalStatus.ROLLED_BACK);
        for (int i = 0; i < 2; i++) {
            assertThat(answer(register(xid(lease, i), lease.id(2 + i), "t:1", beginning(PURCHASE)))
                            .outcome()
                            .exceptionCode())
                    .isEqualTo(TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_ACTIVE);
        }
        assertThat(coordinator.statistics().locks()).isZero();
        assertThat(coordinator.statistics().branchesRegistered()).isZero();
    }

    @Test
    void whoDidNotAnnounceItSeesPlainSeata() throws Exception {
        IdLease lease = lease(10);
        try (HandDrivenClient seata = new HandDrivenClient(coordinator.tcpPort())) {
            seata.connection()
                    .request(
                            new Message.RegisterRmRequest("2.5.0", "other", "default_tx_group", null, DB),
                            Map.of(),
                            HandDrivenClient.PATIENCE)
                    .join();
            Map<String, String> head = beginning(PURCHASE);
            IdLease.ask(10, head);
            Frame answer = get(seata.connection()
                    .request(
                            new Message.BranchRegisterRequest(xid(lease, 0).value(), BranchType.AT, DB, "t:1", null),
                            head,
                            HandDrivenClient.PATIENCE));
            assertThat(((Message.BranchRegisterResponse) answer.body())
                            .outcome()
                            .exceptionCode())
                    .isEqualTo(TransactionExceptionCode.GLOBAL_TRANSACTION_NOT_EXIST);
            assertThat(answer.head()).isEmpty();
        }
    }
}
