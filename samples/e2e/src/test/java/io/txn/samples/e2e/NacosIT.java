package io.txn.samples.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.samples.demo.Program;
import io.txn.samples.demo.ShopClient;
import io.txn.samples.demo.ShopDatabase;
import io.txn.test.NacosServer;
import java.io.IOException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * The coordinator registers in a real Nacos, and the services find it there: no address of it is in their
 * configuration.
 */
class NacosIT {

    @Test
    void servicesFindTheCoordinatorInNacos() throws IOException {
        try (NacosServer nacos = NacosServer.start(Shop.data("nacos").resolve("server"))) {
            Map<Program, List<String>> further = new EnumMap<>(Program.class);
            for (Program program : Program.values()) {
                further.put(
                        program,
                        program == Program.COORDINATOR
                                ? List.of("--txn.coordinator.nacos.server-addr=" + nacos.serverAddr())
                                : List.of(
                                        "--txn.coordinator.address=", "--txn.nacos.server-addr=" + nacos.serverAddr()));
            }
            try (Shop shop = Shop.open("found-in-nacos", ShopDatabase.h2(Shop.data("nacos-databases")), further)) {
                Figures before = Figures.of(shop);
                ShopClient.Answer bought = shop.buy("bob", 1);
                assertThat(bought.status()).as(bought.body()).isEqualTo(200);
                List<String> xids = shop.xids();
                assertThat(xids).hasSize(1);
                shop.awaitSettled(xids.get(0), "COMMITTED");
                assertThat(Figures.of(shop)).isEqualTo(before.afterPurchaseOf(1));

                ShopClient.Answer refused = shop.buy("alice", 5);
                assertThat(refused.status()).as(refused.body()).isEqualTo(409);
                shop.awaitSettled(shop.newXid(xids), "ROLLED_BACK");
                assertThat(Figures.of(shop)).isEqualTo(before.afterPurchaseOf(1));
            }
        }
    }
}
