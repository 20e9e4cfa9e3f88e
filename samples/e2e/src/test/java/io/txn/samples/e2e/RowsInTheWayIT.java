package io.txn.samples.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.samples.demo.Program;
import io.txn.samples.demo.ServerDatabases;
import io.txn.samples.demo.ShopClient;
import io.txn.samples.demo.ShopDatabase;
import io.txn.test.Await;
import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.io.IOException;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/**
 * Somebody changes rows of a purchase that is then rolled back, and an operator decides about them, while coordinator
 * and services are killed. In a shop that has sold something before.
 */
class RowsInTheWayIT {

    private static final boolean FULL = Boolean.getBoolean("txn.test.full");

    /** Figures that stand in no log by chance. */
    private static final int SOMEBODYS_STOCK = 770_077;

    private static final int SOMEBODYS_LATER_STOCK = 880_088;
    private static final int SOMEBODYS_ORDER = 660_066;

    private static final Set<String> OVER = Set.of("COMMITTED", "ROLLED_BACK");

    private Shop shop;
    private String xid;

    static Stream<DatabaseKind> kinds() {
        return FULL ? Stream.of(DatabaseKind.MARIADB, DatabaseKind.POSTGRESQL) : Stream.of(DatabaseKind.MARIADB);
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void anOperatorDecidesOnceAboutEachRowWhoeverIsKilledMeanwhile(DatabaseKind kind) throws Exception {
        TestDatabase server = TestDatabases.of(kind);
        try (ServerDatabases databases =
                        ServerDatabases.create(server.jdbcUrl(), server.user(), server.password(), "rows");
                Shop opened = Shop.open(
                        "rows-in-the-way-" + kind.name().toLowerCase(Locale.ROOT),
                        databases.database(),
                        Map.of(Program.COORDINATOR, List.of("--txn.coordinator.retry.initiator-wait=2s")))) {
            shop = opened;
            Purchases.commitAndRollBackAsOne(shop);
            anOperatorDecidesOnceAboutEachRowWhoeverIsKilledMeanwhile(databases.database());
        }
    }

    private void anOperatorDecidesOnceAboutEachRowWhoeverIsKilledMeanwhile(ShopDatabase database) throws Exception {
        Figures before = Figures.of(shop);
        rollBackWithRowsInTheWay(database, before);

        Await.untilPasses("two branches are stuck and the third is undone", Shop.MAX, () -> {
            assertThat(shop.state(xid)).isEqualTo("NEEDS_ATTENTION");
            assertThat(branchWith("stock").get("state").asString()).isEqualTo("STUCK");
            assertThat(branchWith("purchase_order").get("state").asString()).isEqualTo("STUCK");
            assertThat(shop.client().rows(Program.BUSINESS).get("purchase")).hasSize(before.purchases());
        });
        JsonNode row = onlyRow("stock");
        assertThat(row.get("key").asString()).isEqualTo("keyboard");
        assertThat(row.get("cause").asString()).isEqualTo("CHANGED");
        assertThat(row.get("columns").toString())
                .isEqualTo("[{\"name\":\"quantity\",\"before\":\"" + before.stock() + "\",\"after\":\""
                        + (before.stock() - 5) + "\",\"current\":\"" + SOMEBODYS_STOCK + "\"}]");
        String first = report("stock");

        // What was reported is durable, and the rows stay locked.
        shop.kill9(Program.COORDINATOR);
        shop.start(Program.COORDINATOR);
        assertThat(report("stock")).isEqualTo(first);
        assertThat(shop.client().locks()).hasSize(2);

        // The row changes again behind the operator's back: nothing is done, and what is there now is shown.
        execute(database, Program.STORAGE, "UPDATE stock SET quantity = " + SOMEBODYS_LATER_STOCK);
        assertAccepted(decide("stock", first, "restore"));
        Await.until(
                "it is reported anew",
                Shop.MAX,
                () -> shop.state(xid).equals("NEEDS_ATTENTION")
                        && !report("stock").equals(first));
        assertThat(onlyRow("stock").get("columns").get(0).get("current").asString())
                .isEqualTo(String.valueOf(SOMEBODYS_LATER_STOCK));
        assertThat(branchWith("stock").get("cause").asString()).contains("was not carried out");
        assertThat(Figures.of(shop).stock()).isEqualTo(SOMEBODYS_LATER_STOCK);
        String second = report("stock");
        assertRefused(decide("stock", first, "restore"), second);

        // It is sent, but the application dies before it looks at it, and so does the coordinator.
        shop.process(Program.STORAGE).pause();
        assertAccepted(decide("stock", second, "restore"));
        shop.kill9(Program.STORAGE);
        assertAccepted(decide("stock", second, "restore"));
        assertRefused(decide("stock", second, "keep"), "another decision");
        shop.kill9(Program.COORDINATOR);
        shop.start(Program.COORDINATOR);
        assertThat(branchWith("stock").get("decisionUnderWay").asBoolean()).isTrue();
        assertRefused(decide("stock", second, "keep"), "another decision");
        assertThat(shop.state(xid)).isEqualTo("NEEDS_ATTENTION");
        shop.start(Program.STORAGE);
        Await.until("the stock is restored", Shop.MAX, () -> Figures.of(shop).stock() == before.stock());

        String order = report("purchase_order");
        assertThat(onlyRow("purchase_order").get("existedBefore").asBoolean()).isFalse();
        assertAccepted(decide("purchase_order", order, "keep"));
        shop.awaitSettled(xid, "ROLLED_BACK");
        assertThat(Figures.of(shop))
                .isEqualTo(new Figures(before.stock(), before.orders() + 1, before.purchases(), before.money()));
        assertThat(shop.client().rows(Program.ORDER).get("purchase_order").get(before.orders()))
                .contains("quantity=" + SOMEBODYS_ORDER);

        // Decided and done: once, with whoever decided, and with no row kept in memory.
        JsonNode over = shop.client().transaction(xid);
        assertThat(over.toString())
                .doesNotContain(String.valueOf(SOMEBODYS_LATER_STOCK))
                .doesNotContain(String.valueOf(SOMEBODYS_ORDER))
                .contains("ticket 9 (report " + second)
                .contains("ticket 9 (report " + order);
        for (JsonNode branch : over.get("branches")) {
            String path = "/api/v1/transactions/" + xid + "/branches/"
                    + branch.get("branchId").asString();
            assertRefused(shop.client().operate(path + "/decision", body(second, "keep")), "nothing is to be undone");
        }
        whatIsGivenUpIsUndoneAtNoLaterTime(database);
        assertNoLogHasRows();
    }

    /** Not even when everything is again as the transaction had left it. */
    private void whatIsGivenUpIsUndoneAtNoLaterTime(ShopDatabase database) throws Exception {
        Figures before = Figures.of(shop);
        rollBackWithRowsInTheWay(database, before);
        Await.untilPasses("two branches are stuck", Shop.MAX, () -> {
            report("stock");
            report("purchase_order");
        });
        for (String table : List.of("stock", "purchase_order")) {
            String branch = branchWith(table).get("branchId").asString();
            String path = "/api/v1/transactions/" + xid + "/branches/" + branch + "/give-up";
            assertAccepted(shop.client().operate(path, "{\"reason\":\"ticket 10\"}"));
        }
        shop.awaitSettled(xid, "ROLLED_BACK");
        int after = before.stock() - 5;
        execute(database, Program.STORAGE, "UPDATE stock SET quantity = " + after);
        assertRefused(shop.client().operate("/api/v1/transactions/" + xid + "/retry", ""), "nothing is being tried");
        if (FULL) {
            shop.kill9(Program.COORDINATOR);
            shop.kill9(Program.STORAGE);
            shop.start(Program.STORAGE);
            shop.start(Program.COORDINATOR);
        }
        List<String> known = shop.xids();
        Await.until("the services are back", Shop.MAX, () -> shop.buy("bob", 1).status() == 200);
        // Purchases that came too early, before every service was connected again, have left nothing.
        for (String tried : shop.xids()) {
            if (!known.contains(tried)) {
                Await.until("it is over", Shop.MAX, () -> OVER.contains(shop.state(tried)));
                shop.awaitSettled(tried, shop.state(tried));
            }
        }
        assertThat(Figures.of(shop).stock()).isEqualTo(after - 1);
    }

    /** A purchase that fails at its end; before it is rolled back, somebody changes the stock and the order. */
    private void rollBackWithRowsInTheWay(ShopDatabase database, Figures before) throws Exception {
        List<String> known = shop.xids();
        shop.process(Program.ACCOUNT).pause();
        CompletableFuture<ShopClient.Answer> purchase = shop.buyAsync("alice", 5);
        Await.until(
                "everything else has committed locally",
                Shop.MAX,
                () -> shop.client().rows(Program.BUSINESS).get("purchase").size() == before.purchases() + 1);
        xid = shop.newXid(known);
        execute(database, Program.STORAGE, "UPDATE stock SET quantity = " + SOMEBODYS_STOCK);
        execute(
                database,
                Program.ORDER,
                "UPDATE purchase_order SET quantity = " + SOMEBODYS_ORDER + " WHERE quantity = 5");
        shop.process(Program.ACCOUNT).resume();
        assertThat(purchase.get(120, TimeUnit.SECONDS).status()).isNotEqualTo(200);
    }

    private static void execute(ShopDatabase database, Program service, String sql) throws SQLException {
        String url = database.urls().get(service);
        try (Connection connection = DriverManager.getConnection(url, database.user(), database.password());
                Statement statement = connection.createStatement()) {
            assertThat(statement.executeUpdate(sql)).isEqualTo(1);
        }
    }

    private JsonNode branchWith(String table) throws IOException {
        for (JsonNode branch : shop.client().transaction(xid).get("branches")) {
            if (branch.get("lockKeys").toString().contains(table + ":")) {
                return branch;
            }
        }
        throw new AssertionError("no branch has rows of " + table);
    }

    private JsonNode rowsInTheWay(String table) throws IOException {
        return branchWith(table).get("rowsInTheWay");
    }

    private JsonNode onlyRow(String table) throws IOException {
        JsonNode rows = rowsInTheWay(table).get("rows");
        assertThat(rows.size()).isEqualTo(1);
        assertThat(rows.get(0).get("table").asString()).isEqualTo(table);
        return rows.get(0);
    }

    private String report(String table) throws IOException {
        return rowsInTheWay(table).get("report").asString();
    }

    private ShopClient.Answer decide(String table, String report, String action) throws IOException {
        String branch = branchWith(table).get("branchId").asString();
        return shop.client()
                .operate("/api/v1/transactions/" + xid + "/branches/" + branch + "/decision", body(report, action));
    }

    private static String body(String report, String action) {
        return "{\"reason\":\"ticket 9\",\"report\":\"" + report + "\",\"rest\":\"" + action + "\"}";
    }

    private static void assertAccepted(ShopClient.Answer answer) {
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    }

    private static void assertRefused(ShopClient.Answer answer, String why) {
        assertThat(answer.status()).as(answer.body()).isEqualTo(409);
        assertThat(answer.body()).contains(why);
    }

    private void assertNoLogHasRows() throws IOException {
        for (Program program : Program.values()) {
            assertThat(Files.readString(shop.plan().log(program)))
                    .as(program.title())
                    .doesNotContain(String.valueOf(SOMEBODYS_STOCK))
                    .doesNotContain(String.valueOf(SOMEBODYS_LATER_STOCK))
                    .doesNotContain(String.valueOf(SOMEBODYS_ORDER));
        }
    }
}
