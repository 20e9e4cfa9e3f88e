package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.txn.client.jdbc.undo.UndoTable;
import io.txn.client.rm.Branch;
import io.txn.client.rm.BranchResult;
import io.txn.protocol.Xid;
import io.txn.test.Await;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Phase two on connections of its own: out of the pool's way, few, and cheap. */
abstract class PhaseTwoConnectionsContract extends AtContract {

    private static final Duration LONG = Duration.ofSeconds(60);

    /** Makes the connections beside the pool. */
    CountingDataSource own;

    @BeforeEach
    void giveConnectionsOfItsOwn() {
        own = new CountingDataSource(database.dataSource());
        wrap(options(), own);
    }

    void wrap(AtOptions options) {
        wrap(options, own);
    }

    private void wrap(AtOptions options, CountingDataSource forPhaseTwo) {
        at.close();
        at = AtDataSource.wrap(counter, options, contexts, manager, forPhaseTwo, adjust());
        at.prepare();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void aPoolFullOfLockWaitersDoesNotHoldUpARollback(int size) throws Exception {
        HikariConfig config = new HikariConfig();
        config.setDataSource(database.dataSource());
        config.setMaximumPoolSize(size);
        config.setConnectionTimeout(LONG.toMillis());
        ExecutorService threads = Executors.newCachedThreadPool();
        try (HikariDataSource pool = new HikariDataSource(config)) {
            at = AtDataSource.wrap(
                    pool, options().withLockRetry(100_000, Duration.ofMillis(5)), contexts, manager, own, adjust());
            at.prepare();
            behindTheBack("INSERT INTO account (id, owner, amount) VALUES (4, 'd', 0), (5, 'e', 0), (6, 'f', 0)");
            Xid undone = begin();
            committed(undone, "UPDATE account SET amount = 0 WHERE id = 1");
            Xid holder = begin();
            committed(holder, "UPDATE account SET amount = 7 WHERE id > 1");
            List<Future<?>> waiters = new ArrayList<>();
            for (int i = 0; i < size; i++) {
                String update = "UPDATE account SET amount = 1 WHERE id = " + (2 + i);
                Xid waiter = begin();
                // With its connection, until the holder ends.
                waiters.add(threads.submit(() -> committed(waiter, update)));
            }
            Await.until(
                    "every connection of the pool is taken",
                    LONG,
                    () -> pool.getHikariPoolMXBean().getActiveConnections() == size);

            BranchResult result = CompletableFuture.supplyAsync(() -> manager.rollback(undone), threads)
                    .get(LONG.toSeconds(), TimeUnit.SECONDS);

            assertThat(result.done()).isTrue();
            assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isEqualTo(size);
            assertThat(accounts()).contains(ROW_1);
            assertThat(manager.commit(holder).done()).isTrue();
            for (Future<?> waiter : waiters) {
                waiter.get(LONG.toSeconds(), TimeUnit.SECONDS);
            }
            at.close();
        } finally {
            threads.shutdownNow();
            threads.awaitTermination(LONG.toSeconds(), TimeUnit.SECONDS);
        }
    }

    @Test
    void aCommitIsOneStatementOnAConnectionThatIsKept() {
        for (int i = 0; i < 3; i++) {
            Xid xid = begin();
            committed(xid, "UPDATE account SET amount = amount + 1 WHERE id = 1");
            counter.reset();
            own.reset();

            assertThat(manager.commit(xid).done()).isTrue();

            assertThat(counter.sent()).isEmpty();
            if (i > 0) {
                assertThat(own.sent()).singleElement().asString().startsWith("DELETE FROM ");
            }
        }
        assertThat(own.connections()).isEqualTo(1);
        assertThat(undoRows()).isZero();
    }

    @Test
    void manyRecordsAreDeletedByOneStatement() throws SQLException {
        List<UndoTable.Key> keys = new ArrayList<>();
        for (int i = 0; i < 37; i++) {
            Xid xid = begin();
            committed(xid, "UPDATE account SET amount = amount + 1 WHERE id = 1");
            manager.branches(xid).forEach(branch -> keys.add(new UndoTable.Key(xid, branch.id(), 1)));
            if (i < 36) {
                manager.releaseLocks(xid);
            }
        }
        Xid other = begin();
        committed(other, "UPDATE account SET amount = amount + 1 WHERE id = 2");
        at.phaseTwo().delete(keys.subList(0, 1));
        own.reset();

        at.phaseTwo().delete(keys.subList(1, 37));

        assertThat(own.sent()).singleElement().asString().startsWith("DELETE FROM ");
        assertThat(undoRows()).isEqualTo(1);
    }

    @Test
    void aRecordOfOthersThatSomebodyLockedHoldsUpNoGroup() throws SQLException {
        wrap(options().withPhaseTwoWaitMax(Duration.ofSeconds(1)));
        List<UndoTable.Key> keys = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            Xid xid = begin();
            committed(xid, "UPDATE account SET amount = amount + 1 WHERE id = 1");
            manager.branches(xid).forEach(branch -> keys.add(new UndoTable.Key(xid, branch.id(), 1)));
            manager.releaseLocks(xid);
        }
        Xid other = begin();
        committed(other, "UPDATE account SET amount = amount + 1 WHERE id = 2");
        try (Connection locking = database.dataSource().getConnection();
                Statement statement = locking.createStatement()) {
            locking.setAutoCommit(false);
            statement.execute("SELECT 1 FROM undo_log WHERE xid = '" + other.value() + "' FOR UPDATE");

            at.phaseTwo().delete(keys);

            locking.rollback();
        }
        assertThat(undoRows()).isEqualTo(1);
    }

    @Test
    void aRecordThatSomebodyLockedDoesNotHoldUpTheOthersOfItsGroup() throws SQLException {
        wrap(options().withPhaseTwoWaitMax(Duration.ofMillis(200)), own);
        List<Branch> branches = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            Xid xid = begin();
            committed(xid, "UPDATE account SET amount = amount + 1 WHERE id = 1");
            branches.add(manager.branches(xid).get(0).asBranch());
            manager.releaseLocks(xid);
        }
        List<Boolean> done;
        try (Connection other = database.dataSource().getConnection();
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement
                    .executeQuery("SELECT * FROM undo_log WHERE xid = '"
                            + branches.get(2).xid() + "' AND branch_id = "
                            + branches.get(2).id().value() + " FOR UPDATE")
                    .close();

            done = manager.onlyResource().commitAll(branches).stream()
                    .map(BranchResult::done)
                    .toList();
            other.rollback();
        }
        assertThat(done).containsExactly(true, true, false, true, true);
        assertThat(undoRows()).isEqualTo(1);
        assertThat(manager.onlyResource().commit(branches.get(2)).done()).isTrue();
        assertThat(undoRows()).isZero();
    }

    @Test
    void rollbacksAndCommitsShareTheConnectionAndLeaveNothingBehindOnIt() {
        for (int i = 0; i < 3; i++) {
            Xid rolledBack = begin();
            committed(rolledBack, "UPDATE account SET amount = 0 WHERE id = 1", "DELETE FROM account WHERE id = 3");
            assertRolledBack(rolledBack);
            Xid nothingThere = begin();
            committed(nothingThere, "UPDATE account SET amount = 0 WHERE id = 1");
            behindTheBack("DELETE FROM undo_log", "UPDATE account SET amount = 100 WHERE id = 1");
            assertRolledBack(nothingThere);
            assertThat(undoRows()).isEqualTo(1);
            behindTheBack("DELETE FROM undo_log");
            Xid committed = begin();
            committed(committed, "UPDATE account SET owner = owner WHERE id = 2");
            assertThat(manager.commit(committed).done()).isTrue();
        }
        assertThat(accounts()).containsExactly(ROW_1, ROW_2, ROW_3);
        assertThat(own.connections()).isEqualTo(1);
    }

    @Test
    void aConnectionThatFailedIsNotUsedAgain() {
        Xid xid = begin();
        committed(xid, "UPDATE account SET amount = 0 WHERE id = 1");
        Branch branch = manager.branches(xid).get(0).asBranch();
        own.failOn(event -> {
            if (event.startsWith("DELETE")) {
                throw new SQLException("the network is gone", "08006");
            }
        });
        assertThat(manager.onlyResource().commit(branch).done()).isFalse();
        own.failOn(event -> {});

        assertThat(manager.onlyResource().commit(branch).done()).isTrue();
        assertThat(own.connections()).isEqualTo(2);
        assertThat(undoRows()).isZero();
    }

    @Test
    void connectionsToAnotherDatabaseAreNotUsed() {
        CountingDataSource elsewhere = new CountingDataSource(freshDatabase().dataSource());
        wrap(options(), elsewhere);
        for (int i = 0; i < 2; i++) {
            Xid xid = begin();
            committed(xid, "UPDATE account SET amount = 0 WHERE id = 1");
            assertRolledBack(xid);
        }
        assertThat(accounts()).contains(ROW_1);
        assertThat(elsewhere.connections()).isEqualTo(1);
    }

    @Test
    void thePoolHelpsOutWhereNoneCanBeMadeBesideIt() {
        CountingDataSource broken = new CountingDataSource(null);
        wrap(options(), broken);
        Xid xid = begin();
        committed(xid, "UPDATE account SET amount = 0 WHERE id = 1");
        assertRolledBack(xid);
        assertThat(broken.connections()).isEqualTo(1);
    }

    @Test
    void noConnectionsOfItsOwnWhenTheOptionsSaySo() {
        wrap(options().withPhaseTwoConnections(0), own);
        Xid xid = begin();
        committed(xid, "UPDATE account SET amount = 0 WHERE id = 1");
        assertRolledBack(xid);
        assertThat(own.connections()).isZero();
    }
}
