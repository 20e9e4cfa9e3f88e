package io.txn.samples.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.samples.demo.Program;
import io.txn.samples.demo.Rows;
import io.txn.samples.demo.ShopClient;
import io.txn.samples.demo.ShopDatabase;
import io.txn.test.Await;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Processes that die at the worst moment. The moment is made by pausing the account service (SIGSTOP), which is called last: then the
 * others have committed locally and nothing is decided.
 */
class FaultsIT {

    private static Shop shop;

    private Figures before;
    private List<String> known;

    @BeforeAll
    static void open() throws IOException {
        // So that the second of two purchases waits for the first longer than the test takes to let that one go on.
        List<String> patient = List.of("--txn.jdbc.lock-tries=1000", "--txn.jdbc.lock-retry-interval=20ms");
        shop = Shop.open(
                "faults",
                ShopDatabase.h2(Shop.data("faults-databases")),
                Map.of(Program.STORAGE, patient, Program.ACCOUNT, patient));
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
        shop.process(Program.ACCOUNT).pause();
        CompletableFuture<ShopClient.Answer> purchase = shop.buyAsync("alice", 5); // 200.00, and alice has 100.00
        awaitLocalCommits();
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
        shop.process(Program.ACCOUNT).pause();
        CompletableFuture<ShopClient.Answer> purchase = shop.buyAsync("bob", 1);
        awaitLocalCommits();
        String xid = shop.newXid(known);
        // They cannot finish their branches before the coordinator is gone.
        shop.process(Program.STORAGE).pause();
        shop.process(Program.ORDER).pause();

        shop.process(Program.ACCOUNT).resume();
        ShopClient.Answer answer = purchase.get(120, TimeUnit.SECONDS);
        shop.kill9(Program.COORDINATOR);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);

        shop.process(Program.STORAGE).resume();
        shop.process(Program.ORDER).resume();
        assertThat(shop.client().rows(Program.STORAGE).get("undo_log")).isNotEmpty();
        assertThat(shop.client().rows(Program.ORDER).get("undo_log")).isNotEmpty();

        shop.start(Program.COORDINATOR);
        shop.awaitSettled(xid, "COMMITTED");
        assertThat(Figures.of(shop)).isEqualTo(before.afterPurchaseOf(1));
    }

    @Test
    void coordinatorKilledBeforeTheDecisionRollsBackWhatNobodyDecided() throws Exception {
        shop.process(Program.ACCOUNT).pause();
        CompletableFuture<ShopClient.Answer> purchase = shop.buyAsync("bob", 1);
        awaitLocalCommits();
        String xid = shop.newXid(known);
        shop.kill9(Program.COORDINATOR);
        shop.process(Program.ACCOUNT).resume();
        assertThat(purchase.get(120, TimeUnit.SECONDS).status()).isNotEqualTo(200);

        shop.start(Program.COORDINATOR);
        shop.awaitSettled(xid, "ROLLED_BACK");
        assertThat(Figures.of(shop)).isEqualTo(before);
    }

    @Test
    void withoutACoordinatorAPurchaseFailsClearlyAndChangesNothing() throws Exception {
        shop.kill9(Program.COORDINATOR);
        ShopClient.Answer answer = shop.buy("bob", 1);
        assertThat(answer.status()).as(answer.body()).isEqualTo(503);
        assertThat(answer.body())
                .contains("TXN-")
                .contains("127.0.0.1:" + shop.plan().tcpPort());
        assertThat(Figures.of(shop)).isEqualTo(before);
        assertThat(shop.client().rows().undoRecords()).isZero();

        shop.start(Program.COORDINATOR);
        assertThat(shop.xids()).isEqualTo(known);
        Await.until(
                "a purchase goes through again",
                Shop.MAX,
                () -> shop.buy("bob", 1).status() == 200);
        shop.awaitSettled(shop.newXid(known), "COMMITTED");
        assertThat(Figures.of(shop)).isEqualTo(before.afterPurchaseOf(1));
    }

    @Test
    void secondPurchaseOfTheSameProductWaitsForTheFirst() throws Exception {
        shop.process(Program.ACCOUNT).pause();
        CompletableFuture<ShopClient.Answer> first = shop.buyAsync("bob", 1);
        awaitLocalCommits();
        CompletableFuture<ShopClient.Answer> second = shop.buyAsync("bob", 1);
        Await.until("the second purchase has begun", Shop.MAX, () -> shop.xids().size() == known.size() + 2);
        shop.process(Program.ACCOUNT).resume();

        assertThat(first.get(120, TimeUnit.SECONDS).status()).isEqualTo(200);
        assertThat(second.get(120, TimeUnit.SECONDS))
                .extracting(ShopClient.Answer::status)
                .isEqualTo(200);
        for (String xid : shop.xids()) {
            if (!known.contains(xid)) {
                shop.awaitSettled(xid, "COMMITTED");
            }
        }
        assertThat(Figures.of(shop)).isEqualTo(before.afterPurchaseOf(1).afterPurchaseOf(1));
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
