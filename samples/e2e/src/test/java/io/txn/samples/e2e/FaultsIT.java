package io.txn.samples.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.samples.demo.Program;
import io.txn.samples.demo.Rows;
import io.txn.samples.demo.ShopClient;
import io.txn.samples.demo.ShopDatabase;
import io.txn.test.Await;
import java.io.IOException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Processes that die at the worst moment. The moment is made by pausing the account service (SIGSTOP), which is called
 * last: then the others have committed locally and nothing is decided.
 */
class FaultsIT {

    private static final Set<String> OVER = Set.of("COMMITTED", "ROLLED_BACK");

    private static Shop shop;

    private Figures before;
    private List<String> known;

    @BeforeAll
    static void open() throws IOException {
        // So that the second of two purchases waits for the first longer than the test takes to let that one go on.
        List<String> patient = List.of("--txn.client.lock-wait=20s");
        // And the test waits less for a coordinator or services that are gone, and for transactions that nobody
        // decides.
        List<String> hasty = List.of(
                "--txn.client.decision-wait=3s", "--txn.client.connect-wait=3s", "--txn.client.default-timeout=30s");
        shop = Shop.open(
                "faults",
                ShopDatabase.h2(Shop.data("faults-databases")),
                Map.of(
                        Program.COORDINATOR, List.of("--txn.coordinator.retry.initiator-wait=2s"),
                        Program.STORAGE, patient,
                        Program.ACCOUNT, patient,
                        Program.BUSINESS, hasty));
    }

    @AfterAll
    static void close() {
        if (shop != null) {
            shop.close();
        }
    }

    @BeforeEach
    void readTheBooks() throws IOException {
        before = Figures.of(shop);
        known = shop.xids();
    }

    @AfterEach
    void leaveEverythingRunning() throws IOException {
        for (Program program : Program.values()) {
            if (shop.process(program).isAlive()) {
                shop.process(program).resume();
            }
        }
        shop.restartWhatIsDown();
    }

    @Test
    void serviceKilledBetweenLocalCommitAndDecisionIsUndoneAfterItsRestart() throws Exception {
        // 200.00, and alice has 100.00
        CompletableFuture<ShopClient.Answer> purchase = buyAndStopBeforeTheAccount("alice", 5);
        String xid = shop.newXid(known);
        shop.kill9(Program.ORDER);

        shop.process(Program.ACCOUNT).resume();
        assertThat(purchase.get(120, TimeUnit.SECONDS).status()).isNotEqualTo(200);
        assertThat(shop.state(xid)).isEqualTo("ROLLING_BACK");

        shop.start(Program.ORDER);
        shop.awaitSettled(xid, "ROLLED_BACK");
        assertThat(Figures.of(shop)).isEqualTo(before);
    }

    @Test
    void coordinatorKilledAfterAnsweringACommitCarriesItThroughAfterItsRestart() throws Exception {
        CompletableFuture<ShopClient.Answer> purchase = buyAndStopBeforeTheAccount("bob", 1);
        String xid = shop.newXid(known);
        // Nobody is there to finish their branches before the coordinator is gone.
        shop.kill9(Program.STORAGE);
        shop.kill9(Program.ORDER);

        shop.process(Program.ACCOUNT).resume();
        ShopClient.Answer answer = purchase.get(120, TimeUnit.SECONDS);
        shop.kill9(Program.COORDINATOR);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);

        shop.start(Program.STORAGE, Program.ORDER);
        assertThat(shop.client().rows(Program.STORAGE).get("undo_log")).hasSize(1);
        assertThat(shop.client().rows(Program.ORDER).get("undo_log")).hasSize(1);

        shop.start(Program.COORDINATOR);
        shop.awaitSettled(xid, "COMMITTED");
        assertThat(Figures.of(shop)).isEqualTo(before.afterPurchaseOf(1));
    }

    /** And meanwhile, without a coordinator, another purchase fails clearly and changes nothing. */
    @Test
    void coordinatorKilledBeforeTheDecisionRollsBackWhatNobodyDecided() throws Exception {
        CompletableFuture<ShopClient.Answer> purchase = buyAndStopBeforeTheAccount("bob", 1);
        String xid = shop.newXid(known);
        shop.kill9(Program.COORDINATOR);
        shop.process(Program.ACCOUNT).resume();
        assertThat(purchase.get(120, TimeUnit.SECONDS).status()).isNotEqualTo(200);

        Rows undecided = shop.client().rows();
        ShopClient.Answer answer = shop.buy("bob", 1);
        assertThat(answer.status()).as(answer.body()).isEqualTo(503);
        assertThat(answer.body())
                .contains("TXN-")
                .contains("127.0.0.1:" + shop.plan().tcpPort());
        assertThat(shop.client().rows()).isEqualTo(undecided);

        shop.start(Program.COORDINATOR);
        assertThat(newXids()).containsExactly(xid);
        shop.awaitSettled(xid, "ROLLED_BACK");
        assertThat(Figures.of(shop)).isEqualTo(before);
        Await.until(
                "a purchase goes through again",
                Shop.MAX,
                () -> shop.buy("bob", 1).status() == 200);
        // Those that came too early, before every service was connected again, have left nothing.
        String last = newXids().stream()
                .max(Comparator.comparingLong(each -> Long.parseLong(each.substring(each.lastIndexOf(':') + 1))))
                .orElseThrow();
        shop.awaitSettled(last, "COMMITTED");
        assertThat(Figures.of(shop)).isEqualTo(before.afterPurchaseOf(1));
    }

    @Test
    void secondPurchaseOfTheSameProductWaitsForTheFirst() throws Exception {
        CompletableFuture<ShopClient.Answer> first = buyAndStopBeforeTheAccount("bob", 1);
        CompletableFuture<ShopClient.Answer> second = shop.buyAsync("bob", 1);
        assertThatItDoesNotGetPastTheStock();
        shop.process(Program.ACCOUNT).resume();

        assertThat(first.get(120, TimeUnit.SECONDS)).returns(200, ShopClient.Answer::status);
        assertThat(second.get(120, TimeUnit.SECONDS)).returns(200, ShopClient.Answer::status);
        for (String xid : newXids()) {
            shop.awaitSettled(xid, "COMMITTED");
        }
        assertThat(Figures.of(shop)).isEqualTo(before.afterPurchaseOf(1).afterPurchaseOf(1));
    }

    /**
     * The waiting one holds the row that the undo of the first needs: it must not keep it until its own patience ends.
     */
    @Test
    void purchaseThatWaitsForOneThatRollsBackDoesNotHoldUpTheRollback() throws Exception {
        CompletableFuture<ShopClient.Answer> first = buyAndStopBeforeTheAccount("alice", 5);
        CompletableFuture<ShopClient.Answer> second = shop.buyAsync("bob", 1);
        assertThatItDoesNotGetPastTheStock();
        shop.process(Program.ACCOUNT).resume();

        assertThat(first.get(120, TimeUnit.SECONDS)).returns(409, ShopClient.Answer::status);
        boolean bought = second.get(120, TimeUnit.SECONDS).status() == 200;
        for (String xid : newXids()) {
            Await.until("it is over", Shop.MAX, () -> OVER.contains(shop.state(xid)));
            shop.awaitSettled(xid, shop.state(xid));
        }
        assertThat(Figures.of(shop)).isEqualTo(bought ? before.afterPurchaseOf(1) : before);
    }

    private CompletableFuture<ShopClient.Answer> buyAndStopBeforeTheAccount(String customer, int quantity) {
        shop.process(Program.ACCOUNT).pause();
        CompletableFuture<ShopClient.Answer> purchase = shop.buyAsync(customer, quantity);
        awaitLocalCommits();
        return purchase;
    }

    private void assertThatItDoesNotGetPastTheStock() throws IOException {
        Await.until("the second purchase has begun", Shop.MAX, () -> newXids().size() == 2);
        assertThatThrownBy(() -> Await.until(
                        "there is a second order", Duration.ofSeconds(2), () -> orders() == before.orders() + 2))
                .hasMessageContaining("gave up");
    }

    private int orders() throws IOException {
        return shop.client().rows(Program.ORDER).get("purchase_order").size();
    }

    private List<String> newXids() throws IOException {
        return shop.xids().stream().filter(xid -> !known.contains(xid)).toList();
    }

    /** Until order and purchase are written by the purchase under way, and the stock with them. */
    private void awaitLocalCommits() {
        Await.until("the services have committed locally", Shop.MAX, () -> {
            Rows rows = new Rows(Map.of(
                    Program.ORDER, shop.client().rows(Program.ORDER),
                    Program.BUSINESS, shop.client().rows(Program.BUSINESS)));
            return rows.of(Program.ORDER, "purchase_order").size() == before.orders() + 1
                    && rows.of(Program.BUSINESS, "purchase").size() == before.purchases() + 1;
        });
    }
}
