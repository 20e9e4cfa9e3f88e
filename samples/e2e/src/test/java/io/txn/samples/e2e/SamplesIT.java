package io.txn.samples.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.test.Await;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The samples of TCC, sagas and XA as their page runs them: a request that succeeds and one that fails, and what each leaves. */
class SamplesIT {

    private static final Duration LONG = Duration.ofSeconds(60);

    private static final List<Sample> started = new ArrayList<>();

    private static TestDatabase north;
    private static TestDatabase south;
    private static Sample tcc;
    private static Sample annotatedSaga;
    private static Sample saga;
    private static Sample xa;

    @BeforeAll
    static void start() throws Exception {
        tcc = launched(Sample.launch("tcc"));
        annotatedSaga = launched(Sample.launch("annotated-saga"));
        saga = launched(Sample.launch("saga"));
        north = TestDatabases.mariaDb();
        south = TestDatabases.postgres();
        xa = launched(Sample.launch(
                "xa",
                "--banks.north.url=" + north.jdbcUrl(),
                "--banks.north.username=" + north.user(),
                "--banks.north.password=" + north.password(),
                "--banks.south.url=" + south.jdbcUrl(),
                "--banks.south.username=" + south.user(),
                "--banks.south.password=" + south.password()));
        started.forEach(Sample::awaitReady);
    }

    private static Sample launched(Sample sample) {
        started.add(sample);
        return sample;
    }

    @AfterAll
    static void stop() {
        started.forEach(Sample::close);
    }

    @Test
    void ticketsAreBoughtByTccOrNotAtAll() {
        assertThat(tcc.post("/tickets?customer=alice&count=2").status()).isEqualTo(200);
        awaitStanding("{\"free\":28,\"kept\":0,\"sold\":2,\"balance\":420,\"held\":0}");

        // The seats were kept when the money was found to be missing.
        Sample.Answer tooDear = tcc.post("/tickets?customer=alice&count=20");
        assertThat(tooDear.status()).as(tooDear.body()).isEqualTo(409);
        assertThat(tooDear.body()).contains("alice has not got 800");
        awaitStanding("{\"free\":28,\"kept\":0,\"sold\":2,\"balance\":420,\"held\":0}");

        for (int count : new int[] {0, -2}) {
            assertThat(tcc.post("/tickets?customer=alice&count=" + count))
                    .satisfies(refusedWith("a count has to be more than 0, and this one is " + count));
        }
        assertThat(tcc.post("/tickets?customer=alice")).satisfies(refusedWith("'count'"));
        assertThat(tcc.post("/tickets?count=2")).satisfies(refusedWith("'customer'"));
        assertThat(tcc.post("/tickets?customer=alice&count=two")).satisfies(refusedWith("'two'"));
        assertThat(tcc.post("/tickets?customer=carol&count=2").body()).contains("carol has not got 80");
        awaitStanding("{\"free\":28,\"kept\":0,\"sold\":2,\"balance\":420,\"held\":0}");
    }

    private static Consumer<Sample.Answer> refusedWith(String why) {
        return answer -> {
            assertThat(answer.status()).as(answer.body()).isEqualTo(400);
            assertThat(answer.body()).contains(why);
        };
    }

    private static void awaitStanding(String standing) {
        Await.untilPasses("nothing is kept or held", LONG, () -> assertThat(tcc.get("/standing"))
                .isEqualTo(standing));
    }

    @Test
    void aTripIsBookedOrWhatWasBookedIsCancelled() {
        for (String guest : List.of("alice", "bob")) {
            Sample.Answer booked = annotatedSaga.post("/trips?guest=" + guest);
            assertThat(booked.status()).as(booked.body()).isEqualTo(200);
            assertThat(booked.body()).contains("hotel-", "train-");
        }
        Sample.Answer soldOut = annotatedSaga.post("/trips?guest=carol");
        assertThat(soldOut.status()).as(soldOut.body()).isEqualTo(409);
        assertThat(soldOut.body()).contains("there is no seat left on the train");
        assertThat(annotatedSaga.post("/trips")).satisfies(refusedWith("'guest'"));
        for (String nobody : List.of("", "+", "x".repeat(21))) {
            assertThat(annotatedSaga.post("/trips?guest=" + nobody))
                    .satisfies(refusedWith("a guest's name has 1 to 20 characters"));
        }

        Await.untilPasses("carol's room is cancelled", LONG, () -> assertThat(annotatedSaga
                        .get("/bookings")
                        .replaceAll("-[0-9a-f]{8}\"", "\"")
                        .split("(?<=\\}),"))
                .containsExactly(
                        "[{\"id\":\"hotel\",\"guest\":\"alice\",\"state\":\"BOOKED\"}",
                        "{\"id\":\"train\",\"guest\":\"alice\",\"state\":\"BOOKED\"}",
                        "{\"id\":\"hotel\",\"guest\":\"bob\",\"state\":\"BOOKED\"}",
                        "{\"id\":\"train\",\"guest\":\"bob\",\"state\":\"BOOKED\"}",
                        "{\"id\":\"hotel\",\"guest\":\"carol\",\"state\":\"CANCELLED\"}]"));
    }

    @Test
    void anOrderIsDoneOrUndoneByTheCoordinator() {
        String done = saga.post("/orders", order(2, 30, true)).body();
        Await.until("it is to be packed", LONG, () -> !saga.get("/packing").equals("[]"));
        assertThat(saga.get("/orders?xid=" + encoded(done))).contains("RUNNING");
        String correlation = saga.get("/packing").replaceAll("[\\[\\]\"]", "");
        Sample.Answer packed = saga.post("/packed?id=" + encoded(correlation) + "&parcel=P-1");
        assertThat(packed.status()).as(packed.body()).isEqualTo(200);
        assertThat(saga.get("/orders?seconds=60&xid=" + encoded(done)))
                .contains("DONE", "\"parcel\":\"P-1\",\"paid\":30");
        assertThat(saga.get("/standing")).contains("8", "70", "1");
        assertThat(saga.get("/ended?xid=" + encoded(done))).isEqualTo("{\"done\":true}");
        assertThat(saga.post("/packed?id=another&parcel=P-1").body()).contains("there is a parcel P-1 already");

        String poor = saga.post("/orders", order(3, 500, false)).body();
        assertThat(saga.get("/orders?seconds=60&xid=" + encoded(poor)))
                .contains("COMPENSATED", "alice has not enough money");
        assertThat(saga.get("/standing")).contains("8", "70", "1");
        assertThat(saga.get("/ended?xid=" + encoded(poor))).isEqualTo("{\"done\":false}");

        String soldOut = saga.post("/orders", order(1000, 1, false)).body();
        assertThat(saga.get("/orders?seconds=60&xid=" + encoded(soldOut)))
                .contains("COMPENSATED", "there is no more book");
        assertThat(saga.get("/packing")).isEqualTo("[]");

        assertThat(saga.post("/orders", order(-1, 30, false)))
                .satisfies(refusedWith("a count has to be more than 0, and this one is -1"));
        assertThat(saga.post("/orders", order(1, 0, false)))
                .satisfies(refusedWith("an amount has to be more than 0, and this one is 0"));
        assertThat(saga.get("/standing")).contains("8", "70", "1");
    }

    @Test
    void whatIsNoOrderIsRefusedWithWhatIsMissingAndStartsNothing() {
        for (String nothing : List.of(
                "",
                "order",
                "[]",
                "{\"item\":\"book\",\"count\":\"two\",\"payment\":{\"customer\":\"alice\",\"amount\":30},\"express\":true}",
                "{\"item\":\"book\",\"count\":1,\"payment\":\"alice\",\"express\":true}")) {
            assertThat(saga.post("/orders", nothing)).satisfies(refusedWith("an order is JSON like"));
        }
        assertThat(saga.post("/orders", "{\"item\":\"book\",\"count\":1,\"express\":true}"))
                .satisfies(refusedWith("a payment is missing"));
        assertThat(saga.post("/orders", order(1, 30, true).replace("\"item\":\"book\",", "")))
                .satisfies(refusedWith("an item has to be a text of 1 to 20 characters, and this one is missing"));
        assertThat(saga.post("/orders", order(1, 30, true).replace("\"customer\":\"alice\",", "")))
                .satisfies(refusedWith("a customer has to be a text of 1 to 20 characters, and this one is missing"));
        assertThat(saga.post("/orders", order(1, 30, true).replace("book", "book".repeat(10_000))))
                .satisfies(refusedWith("and this one has 40000"));

        String nobody = saga.post("/orders", order(1, 30, true).replace("alice", "carol"))
                .body();
        assertThat(saga.get("/orders?seconds=60&xid=" + encoded(nobody)))
                .contains("COMPENSATED", "carol has not enough money");

        String unknown = encoded(nobody.replaceAll("\\d+$", "999"));
        for (String xid : List.of(unknown, "nothing", "", "%20")) {
            assertThat(saga.ask("/orders?xid=" + xid).status()).as(xid).isEqualTo(404);
        }
        assertThat(saga.ask("/orders")).satisfies(refusedWith("'xid'"));
        for (String seconds : List.of("-1", "601")) {
            assertThat(saga.ask("/orders?xid=" + unknown + "&seconds=" + seconds))
                    .satisfies(refusedWith("seconds have to be 0 to 600, and these are " + seconds));
        }
        for (String id : List.of(unknown + "%2F1", encoded(nobody) + "%2F999", "nothing", "")) {
            assertThat(saga.post("/packed?parcel=P-9&id=" + id).status()).as(id).isEqualTo(404);
        }
        assertThat(saga.post("/packed?id=nothing&parcel=")).satisfies(refusedWith("a parcel has to be a text"));
    }

    private static String order(int count, int amount, boolean express) {
        return "{\"item\":\"book\",\"count\":" + count + ",\"payment\":{\"customer\":\"alice\",\"amount\":" + amount
                + "},\"express\":" + express + "}";
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    @Test
    void moneyGoesFromOneServerToAnotherByXaOrStaysWhereItIs() throws Exception {
        Sample.Answer done = xa.post("/transfers?from=alice&to=bob&amount=100");
        assertThat(done.status()).as(done.body()).isEqualTo(200);
        String after = "{\"north\":{\"alice\":400,\"bob\":500},\"south\":{\"alice\":500,\"bob\":600}}";
        Await.untilPasses("both have committed", LONG, () -> assertThat(xa.get("/balances"))
                .isEqualTo(after));

        // The money was taken in the north by then, and nobody has seen it.
        Sample.Answer nobody = xa.post("/transfers?from=alice&to=carol&amount=100");
        assertThat(nobody.status()).as(nobody.body()).isEqualTo(409);
        assertThat(nobody.body()).contains("carol has no account in the south");
        assertThat(xa.get("/balances")).isEqualTo(after);

        for (int amount : new int[] {0, -100}) {
            assertThat(xa.post("/transfers?from=alice&to=bob&amount=" + amount))
                    .satisfies(refusedWith("an amount has to be more than 0, and this one is " + amount));
        }
        assertThat(xa.post("/transfers?from=alice&to=bob")).satisfies(refusedWith("'amount'"));
        assertThat(xa.post("/transfers?from=alice&to=bob&amount=much")).satisfies(refusedWith("'much'"));
        assertThat(xa.post("/transfers?from=carol&to=bob&amount=1").body())
                .contains("carol has not got 1 in the north");
        assertThat(xa.get("/balances")).isEqualTo(after);

        Await.until("nothing is left prepared", LONG, () -> rows(north, "XA RECOVER") == 0);
        assertThat(xa.log())
                .as("nothing that worries who runs it")
                .doesNotContain("marked as broken", "TXN-AT002", "TXN-AT014", "ERROR");
        assertThat(rows(south, "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"))
                .isZero();
    }

    private static int rows(TestDatabase database, String query) {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet found = statement.executeQuery(query)) {
            int rows = 0;
            while (found.next()) {
                rows++;
            }
            return rows;
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }
}
