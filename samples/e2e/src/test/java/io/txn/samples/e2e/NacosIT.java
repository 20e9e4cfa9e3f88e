package io.txn.samples.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.samples.demo.Program;
import io.txn.samples.demo.ShopClient;
import io.txn.samples.demo.ShopDatabase;
import io.txn.test.Await;
import io.txn.test.NacosServer;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * The coordinator registers in a real Nacos, and the services find it there by the Nacos settings that they have for themselves: no key of ours in
 * their configuration says where it is. One after the other: found; the coordinator killed and started again behind another port; the registry
 * killed and started again under load, last because it leaves more transactions than one page of the admin API shows. In the wide form only: each of it is shown
 * with fewer processes by {@code ApplicationNacosIT} and {@code NacosDownUnderLoadIT}.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@EnabledIfSystemProperty(named = "txn.test.wide", matches = "true")
class NacosIT {

    private static NacosServer nacos;
    private static Shop shop;

    @BeforeAll
    static void open() throws Exception {
        nacos = NacosServer.start(Shop.data("nacos").resolve("server"));
        Map<Program, List<String>> further = new EnumMap<>(Program.class);
        for (Program program : Program.values()) {
            further.put(
                    program,
                    program == Program.COORDINATOR
                            ? List.of("--txn.coordinator.nacos.server-addr=" + nacos.serverAddr())
                            : List.of(
                                    "--txn.coordinator.address=",
                                    "--spring.cloud.nacos.discovery.server-addr=" + nacos.serverAddr()));
        }
        shop = Shop.open("found-in-nacos", ShopDatabase.h2(Shop.data("nacos-databases")), further);
    }

    @AfterAll
    static void close() {
        if (shop != null) {
            shop.close();
        }
        if (nacos != null) {
            nacos.close();
        }
    }

    @Test
    @Order(1)
    void servicesFindTheCoordinatorInTheirOwnNacos() throws Exception {
        for (Program program : Program.values()) {
            if (program.isService()) {
                assertThat(shop.process(program).output())
                        .contains("coordinators are looked up in Nacos " + nacos.serverAddr())
                        .contains("because of the application's own Nacos (spring.cloud.nacos.discovery)");
            }
        }
        Figures before = Figures.of(shop);
        List<String> known = shop.xids();
        assertThat(shop.buy("bob", 1).status()).isEqualTo(200);
        shop.awaitSettled(shop.newXid(known), "COMMITTED");
        assertThat(Figures.of(shop)).isEqualTo(before.afterPurchaseOf(1));

        known = shop.xids();
        ShopClient.Answer refused = shop.buy("alice", 5);
        assertThat(refused.status()).as(refused.body()).isEqualTo(409);
        shop.awaitSettled(shop.newXid(known), "ROLLED_BACK");
        assertThat(Figures.of(shop)).isEqualTo(before.afterPurchaseOf(1));
    }

    /** Bob's money runs out on the way: 409 is a global transaction that was rolled back as it should be. */
    @Test
    @Order(3)
    void noGlobalTransactionFailsWhileTheRegistryIsKilledAndStartedAgain() throws Exception {
        Figures before = Figures.of(shop);
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger bought = new AtomicInteger();
        AtomicInteger refused = new AtomicInteger();
        ConcurrentLinkedQueue<String> failed = new ConcurrentLinkedQueue<>();
        // One at a time: two at a time would wait for each other's rows, and whoever waits for one that is rolled back
        // is
        // refused.
        CompletableFuture<?> load = CompletableFuture.runAsync(() -> {
            for (int i = 0; !over.get(); i++) {
                ShopClient.Answer answer = i % 2 == 0 ? shop.buy("bob", 1) : shop.buy("alice", 5);
                if (answer.status() == 200) {
                    bought.incrementAndGet();
                } else if (answer.status() == 409) {
                    refused.incrementAndGet();
                } else {
                    failed.add(answer.status() + " " + answer.body());
                }
            }
        });
        try {
            awaitMore(bought, refused, 4);
            nacos.kill9();
            awaitMore(bought, refused, 20);
            nacos.restart();
            awaitMore(bought, refused, 10);
        } finally {
            over.set(true);
        }
        load.get(Shop.MAX.toSeconds(), TimeUnit.SECONDS);
        System.out.println("NacosIT: " + bought + " committed, " + refused + " rolled back, " + failed.size()
                + " failed while the registry was killed and started again");
        assertThat(failed).isEmpty();
        Await.untilPasses("the books are right and nothing is left", Shop.MAX, () -> {
            Figures expected = before;
            for (int i = 0; i < bought.get(); i++) {
                expected = expected.afterPurchaseOf(1);
            }
            assertThat(Figures.of(shop)).isEqualTo(expected);
            assertThat(shop.client().rows().undoRecords()).isZero();
            assertThat(shop.client().locks()).isEmpty();
        });
    }

    private static void awaitMore(AtomicInteger bought, AtomicInteger refused, int more) {
        int then = bought.get() + refused.get();
        Await.until(more + " more purchases were decided", Shop.MAX, () -> bought.get() + refused.get() >= then + more);
    }

    /** With a purchase under way, which was begun under the old address and is decided under the new one. */
    @Test
    @Order(2)
    void workGoesOnWhenTheCoordinatorComesBackUnderAnotherAddress() throws Exception {
        List<String> known = shop.xids();
        int old = shop.plan().tcpPort();
        shop.process(Program.ACCOUNT).pause();
        CompletableFuture<ShopClient.Answer> underWay = shop.buyAsync("alice", 1);
        Await.until("it has begun", Shop.MAX, () -> shop.newXid(known) != null);
        String xid = shop.newXid(known);
        assertThat(xid).startsWith("127.0.0.1:" + old + ":");

        shop.kill9(Program.COORDINATOR);
        shop.startCoordinatorElsewhere();
        assertThat(shop.plan().tcpPort()).isNotEqualTo(old);
        shop.process(Program.ACCOUNT).resume();
        // On a slow machine the restart takes longer than the services wait for each other: then it is rolled back, and
        // as whole.
        boolean bought = underWay.get(Shop.MAX.toSeconds(), TimeUnit.SECONDS).status() == 200;
        shop.awaitSettled(xid, bought ? "COMMITTED" : "ROLLED_BACK");

        List<String> before = shop.xids();
        ShopClient.Answer next = shop.buy("alice", 1);
        assertThat(next.status()).as(next.body()).isEqualTo(200);
        String after = shop.newXid(before);
        assertThat(after).startsWith("127.0.0.1:" + shop.plan().tcpPort() + ":");
        shop.awaitSettled(after, "COMMITTED");
    }
}
