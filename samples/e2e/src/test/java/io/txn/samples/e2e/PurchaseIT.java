package io.txn.samples.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.samples.demo.Program;
import io.txn.samples.demo.Rows;
import io.txn.samples.demo.ServerDatabases;
import io.txn.samples.demo.ShopClient;
import io.txn.samples.demo.ShopDatabase;
import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

/**
 * A purchase that commits and one that fails in the last service, on database servers; {@link DemoIT} does it on H2.
 */
class PurchaseIT {

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "H2")
    void commitsAsOneAndRollsBackAsOne(DatabaseKind kind) throws IOException {
        String name = "purchase-" + kind.name().toLowerCase(Locale.ROOT);
        TestDatabase server = TestDatabases.of(kind);
        try (ServerDatabases databases =
                ServerDatabases.create(server.jdbcUrl(), server.user(), server.password(), "e2e")) {
            commitsAsOneAndRollsBackAsOne(name, databases.database());
        }
    }

    private static void commitsAsOneAndRollsBackAsOne(String name, ShopDatabase database) throws IOException {
        try (Shop shop = Shop.open(name, database)) {
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
            assertThat(shop.client().rows().business()).isEqualTo(last);
        }
    }
}
