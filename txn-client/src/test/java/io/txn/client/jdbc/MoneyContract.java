package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import io.txn.client.rm.BranchResult;
import io.txn.protocol.Xid;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.Test;

/** Many global transactions at once over few rows, committed and rolled back at random: every balance is the sum of what was committed. */
abstract class MoneyContract extends AtContract {

    private static final int ACCOUNTS = 8;
    private static final int THREADS = 6;
    private static final long SEED = Long.getLong("txn.test.seed", System.nanoTime() & 0xffff_ffffL);

    @Override
    AtOptions options() {
        return AtOptions.DEFAULTS.withLockRetry(10, Duration.ofMillis(2)).withPhaseTwoWaitMax(Duration.ofSeconds(5));
    }

    @Test
    void everyBalanceIsTheSumOfWhatWasCommitted() throws Exception {
        behindTheBack("DELETE FROM account");
        for (int i = 0; i < ACCOUNTS; i++) {
            behindTheBack("INSERT INTO account (id, owner, amount) VALUES (" + i + ", 'a', 1000)");
        }
        int transfers = Boolean.getBoolean("txn.test.full") ? 400 : 30;
        AtomicLongArray expected = new AtomicLongArray(ACCOUNTS);
        AtomicInteger committed = new AtomicInteger();
        AtomicInteger rolledBack = new AtomicInteger();
        AtomicInteger turnedAway = new AtomicInteger();
        List<CompletableFuture<Void>> threads = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
            Random random = new Random(SEED + t);
            threads.add(CompletableFuture.runAsync(() -> {
                for (int i = 0; i < transfers; i++) {
                    int from = random.nextInt(ACCOUNTS);
                    int to = (from + 1 + random.nextInt(ACCOUNTS - 1)) % ACCOUNTS;
                    int amount = 1 + random.nextInt(50);
                    boolean autoCommit = random.nextBoolean();
                    Xid xid = begin();
                    boolean done = transfer(xid, from, to, amount, autoCommit);
                    if (done && random.nextInt(3) > 0) {
                        expected.addAndGet(from, -amount);
                        expected.addAndGet(to, amount);
                        until(() -> manager.commit(xid));
                        committed.incrementAndGet();
                    } else {
                        until(() -> manager.rollback(xid));
                        (done ? rolledBack : turnedAway).incrementAndGet();
                    }
                }
            }));
        }
        for (CompletableFuture<Void> thread : threads) {
            thread.get(10, TimeUnit.MINUTES);
        }
        String figures = "seed " + SEED + ": " + committed + " committed, " + rolledBack + " rolled back, " + turnedAway
                + " turned away";
        List<String> balances = new ArrayList<>();
        for (int i = 0; i < ACCOUNTS; i++) {
            balances.add(i + "|" + BigDecimal.valueOf(1000 + expected.get(i)).setScale(2));
        }
        assertThat(rows("SELECT id, amount FROM account ORDER BY id"))
                .as(figures)
                .isEqualTo(balances);
        assertThat(manager.locks()).as(figures).isEmpty();
        assertThat(rows("SELECT COUNT(*) FROM undo_log WHERE log_status = 0"))
                .as(figures)
                .containsExactly("0");
        assertThat(committed.get()).as(figures).isPositive();
        assertThat(rolledBack.get()).as(figures).isPositive();
    }

    private interface Decision {
        BranchResult take();
    }

    private static void until(Decision decision) {
        BranchResult last = decision.take();
        for (int tries = 0; !last.done(); tries++) {
            assertThat(last.status().name())
                    .as("%s", last)
                    .endsWith("_RETRYABLE")
                    .doesNotContain("UNRETRYABLE");
            assertThat(tries).as("%s", last).isLessThan(1000);
            last = decision.take();
        }
    }

    /** Whether both halves were committed locally; otherwise the global transaction is to be rolled back. */
    @SuppressWarnings("try")
    private boolean transfer(Xid xid, int from, int to, int amount, boolean autoCommit) {
        try (ContextCarrier.Scope scope = contexts.bind(TransactionContext.participant(xid));
                Connection connection = at.getConnection()) {
            connection.setAutoCommit(autoCommit);
            book(connection, from, -amount);
            book(connection, to, amount);
            if (!autoCommit) {
                connection.commit();
            }
            return true;
        } catch (SQLException e) {
            assertThat(e.getSQLState()).as("%s", e).isNotNull();
            return false;
        }
    }

    private static void book(Connection connection, int account, int amount) throws SQLException {
        try (PreparedStatement update =
                connection.prepareStatement("UPDATE account SET amount = amount + ? WHERE id = ?")) {
            update.setInt(1, amount);
            update.setInt(2, account);
            assertThat(update.executeUpdate()).isEqualTo(1);
        }
    }
}
