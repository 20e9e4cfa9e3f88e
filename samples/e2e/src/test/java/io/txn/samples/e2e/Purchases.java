package io.txn.samples.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.samples.demo.Program;
import io.txn.samples.demo.Rows;
import io.txn.samples.demo.ShopClient;
import io.txn.test.Await;
import java.io.IOException;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** Purchases that a shop must make, or not make, as one, on whichever databases it was opened. */
final class Purchases {

    private Purchases() {}

    /** In a shop that has sold nothing yet; four keyboards are sold then. */
    static void commitAndRollBackAsOne(Shop shop) throws IOException {
        Figures before = Figures.of(shop);

        List<String> known = shop.xids();
        ShopClient.Answer bought = shop.buy("alice", 2);
        assertThat(bought.status()).as(bought.body()).isEqualTo(200);
        JsonNode committed = shop.awaitSettled(shop.newXid(known), "COMMITTED");
        assertThat(committed.get("name").asString()).isEqualTo("purchase");
        assertThat(committed.get("application").asString()).isEqualTo("business-service");
        assertThat(committed.get("branches").size()).isEqualTo(4);
        assertThat(Figures.of(shop)).isEqualTo(before.afterPurchaseOf(2));

        Rows middle = shop.client().rows().business();
        known = shop.xids();
        ShopClient.Answer refused = shop.buy("alice", 2);
        assertThat(refused.status()).as(refused.body()).isEqualTo(409);
        assertThat(refused.body()).contains("not enough");
        JsonNode rolledBack = shop.awaitSettled(shop.newXid(known), "ROLLED_BACK");
        assertThat(rolledBack.get("branches").size()).isEqualTo(3);
        assertThat(shop.client().rows().business()).isEqualTo(middle);

        // The row that was undone had a key; the next one must not trip over it.
        known = shop.xids();
        assertThat(shop.buy("bob", 1).status()).isEqualTo(200);
        shop.awaitSettled(shop.newXid(known), "COMMITTED");
        assertThat(Figures.of(shop)).isEqualTo(before.afterPurchaseOf(2).afterPurchaseOf(1));
        assertThat(shop.client().rows().of(Program.ORDER, "purchase_order")).hasSize(2);

        // A request that comes twice gets one receipt, by the mapper of Spring Boot 4.
        String purchase = shop.client().purchase("bob", "keyboard", 1);
        ShopClient.Answer once = shop.client().buyOnce(purchase, "cart-7");
        assertThat(once.status()).as(once.body()).isEqualTo(200);
        assertThat(shop.client().buyOnce(purchase, "cart-7")).isEqualTo(once);
        assertThat(shop.client().rows().of(Program.ORDER, "purchase_order")).hasSize(3);

        Rows last = shop.client().rows().business();
        ShopClient.Answer nothing = shop.buy("bob", -1);
        assertThat(nothing.status()).as(nothing.body()).isEqualTo(400);
        assertThat(nothing.body()).contains("more than 0");
        refused(shop, 400, "A purchase is JSON like", "", "[]", purchase.replace(":1", ":\"one\""));
        refused(shop, 400, "A purchase has a customer", "{\"product\":\"keyboard\",\"quantity\":1}");
        refused(shop, 400, "A purchase has a product", "{\"customer\":\"bob\",\"quantity\":1}");
        refused(shop, 400, "at most 64 characters", purchase.replace("bob", "b".repeat(65)));
        refused(shop, 409, "There is no product chair", purchase.replace("keyboard", "chair"));
        known = shop.xids();
        refused(shop, 409, "There is no account of carol", purchase.replace("bob", "carol"));
        shop.awaitSettled(shop.newXid(known), "ROLLED_BACK");
        refused(shop, 400, "", purchase.replace("keyboard", "key/board"));
        ShopClient.Answer longKey = shop.client().buyOnce(purchase, "k".repeat(300));
        assertThat(longKey.status()).as(longKey.body()).isEqualTo(400);
        assertThat(shop.client().rows().business()).isEqualTo(last);
        Await.until("no row is locked any more", Shop.MAX, () -> shop.client()
                .locks()
                .isEmpty());
    }

    private static void refused(Shop shop, int status, String why, String... purchases) throws IOException {
        for (String purchase : purchases) {
            ShopClient.Answer answer = shop.client().buy(purchase);
            assertThat(answer.status())
                    .as(purchase + " is answered " + answer.body())
                    .isEqualTo(status);
            assertThat(answer.body()).contains(why);
        }
    }
}
