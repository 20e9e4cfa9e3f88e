package io.txn.coordinator.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.Coordinator;
import io.txn.protocol.extension.UndoDecision;
import io.txn.protocol.extension.UndoReport;
import io.txn.test.Await;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.JsonNode;

/** The admin API of a real coordinator, with transactions that a client opened over TCP. */
class AdminApiIT {

    private static final String RESOURCE = "jdbc:mysql://db/shop";

    @TempDir
    static Path dataDir;

    private static ConfigurableApplicationContext context;
    private static int httpPort;
    private static int tcpPort;
    private static Http admin;
    private static Http stranger;

    @BeforeAll
    static void boot() throws Exception {
        context = CoordinatorApplication.application()
                .run("--server.port=0", "--txn.coordinator.tcp.port=0", "--txn.coordinator.data-dir=" + dataDir);
        httpPort = ((WebServerApplicationContext) context).getWebServer().getPort();
        tcpPort = context.getBean(Coordinator.class).tcpPort();
        admin = new Http(
                httpPort, Files.readString(dataDir.resolve("admin-token")).strip());
        stranger = new Http(httpPort, null);
    }

    @AfterAll
    static void stop() {
        context.close();
    }

    private static void assertProblem(Http.Answer answer, int status, String code) {
        assertThat(answer.status()).as(answer.body()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type").orElse("")).startsWith("application/json");
        assertThat(answer.json().propertyNames()).containsExactly("code", "message", "fix");
        assertThat(answer.code()).isEqualTo(code);
        assertThat(answer.json().get("message").asString()).isNotBlank();
        assertThat(answer.json().get("fix").asString()).isNotBlank();
    }

    // The token

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/api/v1/transactions",
                "/api/v1/transactions/127.0.0.1:1:1",
                "/api/v1/locks",
                "/api/v1/nothing",
                "/",
                "/error",
                "/actuator",
                "/actuator/env",
                "/actuator/health/nothing"
            })
    void withoutTheTokenThereIsNothingToSee(String path) {
        Http.Answer answer = stranger.get(path);
        assertProblem(answer, 401, "TXN-ADM001");
        assertThat(answer.headers().firstValue("WWW-Authenticate")).contains("Bearer");
        assertProblem(stranger.post(path, "{}"), 401, "TXN-ADM001");
    }

    @Test
    void onlyTheWholeTokenInItsHeaderCounts() throws Exception {
        String token = Files.readString(dataDir.resolve("admin-token")).strip();
        for (String header : List.of(
                "Bearer",
                "Bearer ",
                "Bearer " + token.substring(1),
                "Bearer " + token + "x",
                "Basic " + token,
                token)) {
            assertProblem(
                    stranger.send(stranger.request("/api/v1/locks")
                            .header("Authorization", header)
                            .GET()),
                    401,
                    "TXN-ADM001");
        }
        assertProblem(stranger.get("/api/v1/locks?token=" + token), 401, "TXN-ADM001");
        assertThat(stranger.send(stranger.request("/api/v1/locks")
                                .header("Authorization", "bearer " + token)
                                .GET())
                        .status())
                .isEqualTo(200);
    }

    @Test
    void healthIsOpenAndTellsAStrangerNoDetails() {
        for (String path : List.of("/actuator/health", "/actuator/health/readiness", "/actuator/health/liveness")) {
            Http.Answer answer = stranger.get(path);
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.json().get("status").asString()).isEqualTo("UP");
            assertThat(answer.json().has("components")).isFalse();
            assertThat(stranger.send(stranger.request(path).method("HEAD", HttpRequest.BodyPublishers.noBody()))
                            .status())
                    .isEqualTo(200);
            assertProblem(stranger.post(path, "{}"), 405, "TXN-ADM003");
        }
        assertThat(admin.get("/actuator/health").json().get("components").has("coordinator"))
                .isTrue();
    }

    @Test
    void aManagementPortOfItsOwnIsGuardedByTheSameToken(@TempDir Path other) throws Exception {
        try (ConfigurableApplicationContext own = CoordinatorApplication.application()
                .run(
                        "--server.port=0",
                        "--txn.coordinator.tcp.port=0",
                        "--txn.coordinator.data-dir=" + other,
                        "--management.server.port=0",
                        "--management.server.address=127.0.0.1")) {
            int port = own.getEnvironment().getRequiredProperty("local.management.port", Integer.class);
            String token = Files.readString(other.resolve("admin-token")).strip();
            for (String path : List.of("/actuator", "/actuator/env", "/actuator/nothing", "/")) {
                assertProblem(new Http(port, null).get(path), 401, "TXN-ADM001");
            }
            assertThat(new Http(port, null).get("/actuator/health/readiness").status())
                    .isEqualTo(200);
            assertThat(new Http(port, token).get("/actuator/health").status()).isEqualTo(200);
        }
    }

    @Test
    void thereIsNoSession() {
        assertThat(admin.get("/api/v1/locks").headers().firstValue("Set-Cookie"))
                .isEmpty();
        assertThat(stranger.get("/api/v1/locks").headers().firstValue("Set-Cookie"))
                .isEmpty();
    }

    // Errors

    @ParameterizedTest
    @CsvSource({
        "/api/v1/nothing, 404, TXN-ADM002",
        "/, 404, TXN-ADM002",
        "/error, 404, TXN-ADM002",
        "/api/v1/transactions/127.0.0.1:8091:1, 404, TXN-TX002",
        "/api/v1/transactions?limit=0, 400, TXN-CRD006",
        "/api/v1/transactions?limit=1001, 400, TXN-CRD006",
        "/api/v1/transactions?limit=many, 400, TXN-CRD006",
        "/api/v1/transactions?state=GONE, 400, TXN-CRD006",
        "/api/v1/transactions?stat=ACTIVE, 400, TXN-CRD006",
        "/api/v1/transactions?limit=1&limit=2, 400, TXN-CRD006",
        "/api/v1/transactions?after=nonsense, 400, TXN-CRD006",
        "/api/v1/transactions/x%20y, 400, TXN-CRD006",
        "/api/v1/transactions/127.0.0.1:1:1?branches=all, 400, TXN-CRD006",
        "/api/v1/locks?after=nonsense, 400, TXN-CRD006",
        "/api/v1/locks?q=1, 400, TXN-CRD006",
        "/api/v1/transactions/1:1:1/retry, 405, TXN-ADM003",
        "/api/v1;v=1/locks, 400, TXN-CRD006",
        "//api/v1/locks, 400, TXN-CRD006"
    })
    void whatCannotBeAnsweredSaysWhyAndWhatToDo(String path, int status, String code) {
        assertProblem(admin.get(path), status, code);
    }

    @Test
    void anErrorNamesTheFieldAndWhatItMayBe() {
        assertThat(admin.get("/api/v1/transactions?state=GONE")
                        .json()
                        .get("message")
                        .asString())
                .contains("field=state")
                .contains("NEEDS_ATTENTION");
        Http.Answer wrongMethod = admin.send(admin.request("/api/v1/locks").DELETE());
        assertProblem(wrongMethod, 405, "TXN-ADM003");
        assertThat(wrongMethod.headers().firstValue("Allow")).contains("GET");
    }

    @Test
    void anErrorIsJsonEvenForThoseWhoAskForSomethingElse() {
        assertProblem(
                admin.send(admin.request("/api/v1/nothing")
                        .header("Accept", "text/html")
                        .GET()),
                404,
                "TXN-ADM002");
        assertProblem(
                admin.send(admin.request("/api/v1/locks")
                        .header("Accept", "application/xml")
                        .GET()),
                406,
                "TXN-ADM004");
    }

    @Test
    void theBodyOfAnOperationIsChecked() {
        String path = "/api/v1/transactions/127.0.0.1:8091:1/branches/1/give-up";
        assertProblem(
                admin.send(admin.request(path)
                        .header("Content-Type", "text/plain")
                        .POST(HttpRequest.BodyPublishers.ofString("{}"))),
                415,
                "TXN-ADM004");
        for (String body : List.of(
                "",
                "nonsense",
                "[]",
                "null",
                "{}",
                "{\"reason\":\"\"}",
                "{\"reason\":\"  \"}",
                "{\"reason\":[]}",
                "{\"reason\":\"x\",\"force\":true}",
                "{\"reason\":\"x\"} {}",
                "{\"reason\":\"" + "x".repeat(1_001) + "\"}",
                "{\"reason\":\"" + "x".repeat(20_000) + "\"}")) {
            assertProblem(admin.post(path, body), 400, "TXN-CRD006");
        }
        assertProblem(admin.post(path.replace("branches/1/", "branches/-1/"), "{\"reason\":\"x\"}"), 400, "TXN-CRD006");
        assertProblem(admin.post(path.replace("branches/1/", "branches/a/"), "{\"reason\":\"x\"}"), 400, "TXN-CRD006");
        assertProblem(admin.post(path, "{\"reason\":\"x\"}"), 404, "TXN-ADM005");
        assertProblem(admin.post("/api/v1/transactions/127.0.0.1:8091:1/retry", ""), 404, "TXN-TX002");
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "NONSENSE\r\n\r\n"})
    void evenARequestThatIsNoneIsAnsweredInTheSameForm(String raw) throws Exception {
        try (Socket socket = new Socket("127.0.0.1", httpPort)) {
            socket.setSoTimeout(30_000);
            OutputStream out = socket.getOutputStream();
            out.write(raw.getBytes(StandardCharsets.US_ASCII));
            out.flush();
            socket.shutdownOutput();
            InputStream in = socket.getInputStream();
            String answer = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            assertThat(answer)
                    .startsWith("HTTP/1.1 400")
                    .contains("application/json")
                    .contains("\"code\":\"TXN-CRD006\"")
                    .doesNotContain("<html");
        }
    }

    // What is listed and shown

    @Test
    void transactionsAreListedInPagesAndFiltered() {
        try (TcpApplication orders = new TcpApplication(tcpPort, "orders-list")) {
            List<String> begun = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                begun.add(orders.begin("list-me-" + i));
            }
            assertThat(xids("/api/v1/transactions?application=orders-list&limit=2"))
                    .isEqualTo(begun);
            assertThat(xids("/api/v1/transactions?q=list-me-3")).containsExactly(begun.get(3));
            orders.commit(begun.get(0));
            orders.rollback(begun.get(1));
            assertThat(xids("/api/v1/transactions?application=orders-list&state=COMMITTED"))
                    .containsExactly(begun.get(0));
            assertThat(xids("/api/v1/transactions?application=orders-list&state=ACTIVE"))
                    .isEqualTo(begun.subList(2, 5));
            assertThat(xids("/api/v1/transactions?application=nobody")).isEmpty();
            begun.subList(2, 5).forEach(orders::rollback);
        }
    }

    /** All pages. */
    private static List<String> xids(String path) {
        List<String> xids = new ArrayList<>();
        String after = "";
        for (int page = 0; page < 1_000; page++) {
            JsonNode json = admin.get(path + after).json();
            json.get("transactions").forEach(line -> xids.add(line.get("xid").asString()));
            if (json.get("next").isNull()) {
                return xids;
            }
            after = "&after=" + json.get("next").asString();
        }
        throw new AssertionError("the pages do not end");
    }

    @Test
    void aTransactionIsShownWithItsBranchesAndLocks() {
        try (TcpApplication orders = new TcpApplication(tcpPort, "orders-show", RESOURCE)) {
            String xid = orders.begin("purchase");
            long branch = orders.register(xid, RESOURCE, "stock:1,2;account:7_x");
            JsonNode line = admin.get("/api/v1/transactions?application=orders-show")
                    .json()
                    .get("transactions")
                    .get(0);
            assertThat(line.propertyNames())
                    .containsExactly(
                            "xid",
                            "name",
                            "application",
                            "state",
                            "timedOut",
                            "cause",
                            "attention",
                            "beganAt",
                            "deadline",
                            "decidedAt",
                            "endedAt",
                            "branches");
            assertThat(line.get("branches").asInt()).isEqualTo(1);

            JsonNode shown = admin.get("/api/v1/transactions/" + xid).json();
            assertThat(shown.get("xid").asString()).isEqualTo(xid);
            assertThat(shown.get("name").asString()).isEqualTo("purchase");
            assertThat(shown.get("idempotencyKey").isNull()).isTrue();
            assertThat(shown.get("state").asString()).isEqualTo("ACTIVE");
            assertThat(Instant.parse(shown.get("deadline").asString()))
                    .isAfter(Instant.parse(shown.get("beganAt").asString()));
            assertThat(shown.get("decidedAt").isNull()).isTrue();
            JsonNode shownBranch = shown.get("branches").get(0);
            assertThat(shownBranch.propertyNames())
                    .containsExactly(
                            "branchId",
                            "type",
                            "resourceId",
                            "application",
                            "state",
                            "attempts",
                            "nextAt",
                            "cause",
                            "rowsInTheWay",
                            "decisionUnderWay",
                            "decidedBy",
                            "lockKeys",
                            "moreLockKeys",
                            "step");
            assertThat(shownBranch.get("branchId").isString())
                    .as("ids survive JavaScript")
                    .isTrue();
            assertThat(shownBranch.get("branchId").asString()).isEqualTo(Long.toString(branch));
            assertThat(shownBranch.get("lockKeys").toString()).isEqualTo("[\"stock:1\",\"stock:2\",\"account:7_x\"]");

            assertThat(locks("/api/v1/locks?limit=1&resource=" + RESOURCE))
                    .containsExactlyInAnyOrder("stock:1", "stock:2", "account:7_x");
            assertThat(locks("/api/v1/locks?resource=other")).isEmpty();
            JsonNode lock = admin.get("/api/v1/locks?resource=" + RESOURCE)
                    .json()
                    .get("locks")
                    .get(0);
            assertThat(lock.get("xid").asString()).isEqualTo(xid);
            assertThat(lock.get("branchId").asString()).isEqualTo(Long.toString(branch));
            assertThat(lock.get("resourceId").asString()).isEqualTo(RESOURCE);

            orders.commit(xid);
            assertThat(locks("/api/v1/locks?resource=" + RESOURCE)).isEmpty();
        }
    }

    private static List<String> locks(String path) {
        List<String> locks = new ArrayList<>();
        String after = "";
        for (int page = 0; page < 1_000; page++) {
            JsonNode json = admin.get(path + after).json();
            json.get("locks")
                    .forEach(lock -> locks.add(
                            lock.get("table").asString() + ":" + lock.get("key").asString()));
            if (json.get("next").isNull()) {
                return locks;
            }
            after = "&after=" + json.get("next").asString();
        }
        throw new AssertionError("the pages do not end");
    }

    // Operations

    @Test
    void aBranchThatCannotGoOnIsTriedAgainOnDemand() {
        String resource = RESOURCE + "-retry";
        try (TcpApplication orders = new TcpApplication(tcpPort, "orders-retry", resource)) {
            String xid = orders.begin("purchase");
            assertProblem(admin.post("/api/v1/transactions/" + xid + "/retry", ""), 409, "TXN-ADM006");
            orders.register(xid, resource, "stock:1");
            orders.failBranches(true);
            orders.rollback(xid);
            awaitState(xid, "NEEDS_ATTENTION");
            JsonNode branch = admin.get("/api/v1/transactions/" + xid)
                    .json()
                    .get("branches")
                    .get(0);
            assertThat(branch.get("state").asString()).isEqualTo("STUCK");
            assertThat(branch.get("cause").asString()).isNotBlank();
            JsonNode stuck = admin.get("/api/v1/transactions/" + xid).json();
            assertThat(stuck.get("cause").isNull()).isTrue();
            assertThat(stuck.get("attention").asString())
                    .startsWith("branch " + branch.get("branchId").asString())
                    .contains(branch.get("cause").asString());
            assertThat(xids("/api/v1/transactions?state=NEEDS_ATTENTION")).contains(xid);
            orders.failBranches(false);
            Http.Answer answer = admin.post("/api/v1/transactions/" + xid + "/retry", "");
            assertThat(answer.status()).as(answer.body()).isEqualTo(200);
            assertThat(answer.body()).isEqualTo("{\"accepted\":true}");
            awaitState(xid, "ROLLED_BACK");
            assertThat(admin.get("/api/v1/transactions/" + xid)
                            .json()
                            .get("attention")
                            .isNull())
                    .isTrue();
            assertProblem(admin.post("/api/v1/transactions/" + xid + "/retry", ""), 409, "TXN-ADM006");
        }
    }

    @Test
    void aBranchThatCannotGoOnIsGivenUpWithAReason() {
        String resource = RESOURCE + "-give-up";
        try (TcpApplication orders = new TcpApplication(tcpPort, "orders-give-up", resource)) {
            String xid = orders.begin("purchase");
            long branch = orders.register(xid, resource, "stock:1");
            orders.failBranches(true);
            orders.rollback(xid);
            awaitState(xid, "NEEDS_ATTENTION");
            assertThat(locks("/api/v1/locks?resource=" + resource)).containsExactly("stock:1");
            String path = "/api/v1/transactions/" + xid + "/branches/";
            assertProblem(
                    admin.post(path + (branch + 1_000_000) + "/give-up", "{\"reason\":\"x\"}"), 404, "TXN-ADM005");
            Http.Answer answer = admin.post(path + branch + "/give-up", "{\"reason\":\"mended by hand, ticket 7\"}");
            assertThat(answer.status()).as(answer.body()).isEqualTo(200);
            awaitState(xid, "ROLLED_BACK");
            JsonNode shown = admin.get("/api/v1/transactions/" + xid)
                    .json()
                    .get("branches")
                    .get(0);
            assertThat(shown.get("state").asString()).isEqualTo("GIVEN_UP");
            assertThat(shown.get("cause").asString()).contains("mended by hand, ticket 7");
            assertThat(locks("/api/v1/locks?resource=" + resource)).isEmpty();
        }
    }

    @Test
    void rowsInTheWayOfAnUndoAreShownAndDecidedAbout() throws Exception {
        String resource = RESOURCE + "-rows";
        try (TcpApplication orders = new TcpApplication(tcpPort, "orders-rows", resource)) {
            String xid = orders.begin("purchase");
            long branch = orders.register(xid, resource, "stock:1,2");
            orders.report(report("00000000000000aa", "7"));
            orders.rollback(xid);
            awaitState(xid, "NEEDS_ATTENTION");
            JsonNode rows = branchOf(xid).get("rowsInTheWay");
            assertThat(rows.get("report").asString()).isEqualTo("00000000000000aa");
            assertThat(rows.get("more").asInt()).isZero();
            JsonNode first = rows.get("rows").get(1);
            assertThat(first.get("table").asString()).isEqualTo("stock");
            assertThat(first.get("key").asString()).isEqualTo("1");
            assertThat(first.get("cause").asString()).isEqualTo("CHANGED");
            assertThat(first.get("columns").toString())
                    .isEqualTo("[{\"name\":\"n\",\"before\":\"5\",\"after\":\"4\",\"current\":\"7\"},"
                            + "{\"name\":\"note\",\"before\":null,\"after\":null,\"current\":\"x\"}]");

            String path = "/api/v1/transactions/" + xid + "/branches/";
            String decision = path + branch + "/decision";
            for (String malformed : List.of(
                    "{\"reason\":\"x\"}",
                    body("00000000000000aa", "", "\"drop\""),
                    body("aa", "", "\"keep\""),
                    body("00000000000000aa", "null", "\"keep\""),
                    body("00000000000000aa", "{\"table\":\"stock\",\"key\":\"1\"}", "\"keep\""),
                    body("00000000000000aa", "{\"table\":\"stock\",\"key\":\"1\",\"values\":1}", "\"keep\""),
                    body("00000000000000aa", KEPT + ("," + KEPT).repeat(100), "\"keep\""),
                    body("00000000000000aa", KEPT + " ".repeat(300_000), "\"keep\""),
                    body("00000000000000aa", "", "\"keep\"").replace("ticket 9", " "))) {
                assertProblem(admin.post(decision, malformed), 400, "TXN-CRD006");
            }
            assertProblem(stranger.post(decision, body("00000000000000aa", "", "\"keep\"")), 401, "TXN-ADM001");
            assertProblem(
                    admin.post(path + (branch + 1_000_000) + "/decision", body("00000000000000aa", "", "\"keep\"")),
                    404,
                    "TXN-ADM005");
            assertProblem(admin.post(decision, body("00000000000000bb", "", "\"keep\"")), 409, "TXN-ADM006");
            assertProblem(admin.post(decision, body("00000000000000aa", "", "null")), 409, "TXN-ADM006");
            assertProblem(
                    admin.post(decision, body("00000000000000aa", "", "\"restore\"")), 409, "TXN-ADM006"); // 2 is gone

            orders.report(report("00000000000000bb", "8"));
            String byColumn =
                    "{\"table\":\"stock\",\"key\":\"1\",\"action\":\"restore\",\"columns\":{\"note\":\"keep\"}}";
            Http.Answer early = admin.post(decision, body("00000000000000aa", byColumn, "\"keep\""));
            assertThat(early.status()).as(early.body()).isEqualTo(200);
            assertThat(orders.decisions().poll(30, TimeUnit.SECONDS).report()).isEqualTo("00000000000000aa");
            Await.until("it is reported anew", Duration.ofSeconds(60), () -> branchOf(xid)
                    .get("rowsInTheWay")
                    .get("report")
                    .asString()
                    .equals("00000000000000bb"));
            awaitState(xid, "NEEDS_ATTENTION");
            assertThat(branchOf(xid).get("decidedBy").isNull()).isTrue();

            Http.Answer answer = admin.post(decision, body("00000000000000bb", byColumn, "\"keep\""));
            assertThat(answer.status()).as(answer.body()).isEqualTo(200);
            awaitState(xid, "ROLLED_BACK");
            UndoDecision came = orders.decisions().poll(30, TimeUnit.SECONDS);
            assertThat(came)
                    .isEqualTo(new UndoDecision(
                            "00000000000000bb",
                            List.of(new UndoDecision.Row(
                                    "stock",
                                    "1",
                                    UndoDecision.Action.RESTORE,
                                    Map.of("note", UndoDecision.Action.KEEP))),
                            UndoDecision.Action.KEEP));
            assertThat(orders.decisions()).isEmpty();
            JsonNode shown = branchOf(xid);
            assertThat(shown.get("rowsInTheWay").isNull()).as("no data is kept").isTrue();
            assertThat(shown.get("decidedBy").asString()).contains("ticket 9").contains("127.0.0.1");
            assertThat(locks("/api/v1/locks?resource=" + resource)).isEmpty();
            assertProblem(admin.post(decision, body("00000000000000bb", "", "\"keep\"")), 409, "TXN-ADM006");
        }
    }

    @Test
    void aDecisionIsSentToNobodyWhoDoesNotKnowIt() throws Exception {
        String resource = RESOURCE + "-plain";
        String xid;
        long branch;
        try (TcpApplication orders = new TcpApplication(tcpPort, "orders-plain", resource)) {
            xid = orders.begin("purchase");
            branch = orders.register(xid, resource, "stock:1");
            orders.report(report("00000000000000cc", "7"));
            orders.rollback(xid);
            awaitState(xid, "NEEDS_ATTENTION");
        }
        try (TcpApplication plain = TcpApplication.plain(tcpPort, "orders-plain", resource)) {
            String decision = "/api/v1/transactions/" + xid + "/branches/" + branch + "/decision";
            assertThat(admin.post(decision, body("00000000000000cc", "", "\"keep\""))
                            .status())
                    .isEqualTo(200);
            Await.until("it is tried in vain", Duration.ofSeconds(60), () -> {
                JsonNode cause = branchOf(xid).get("cause");
                return cause.isString() && cause.asString().contains("does not carry out decisions");
            });
            assertThat(plain.rollbacks()).isEmpty();
            try (TcpApplication orders = new TcpApplication(tcpPort, "orders-plain", resource)) {
                orders.report(report("00000000000000cc", "7"));
                awaitState(xid, "ROLLED_BACK");
                assertThat(orders.decisions()).hasSize(1);
            }
            assertThat(plain.rollbacks()).isEmpty();
        }
    }

    @Test
    void whoDidNotAgreeToItReportsNoRows() throws Exception {
        String resource = RESOURCE + "-silent";
        try (TcpApplication plain = TcpApplication.plain(tcpPort, "orders-silent", resource)) {
            String xid = plain.begin("purchase");
            long branch = plain.register(xid, resource, "stock:1");
            plain.report(report("00000000000000dd", "7"));
            plain.rollback(xid);
            awaitState(xid, "NEEDS_ATTENTION");
            assertThat(branchOf(xid).get("rowsInTheWay").isNull()).isTrue();
            String path = "/api/v1/transactions/" + xid + "/branches/" + branch;
            assertProblem(admin.post(path + "/decision", body("00000000000000dd", "", "\"keep\"")), 409, "TXN-ADM006");
            // What it would undo later is dropped by a commit, which it knows.
            assertThat(admin.post(path + "/give-up", "{\"reason\":\"mended\"}").status())
                    .isEqualTo(200);
            assertThat(plain.commits().poll(30, TimeUnit.SECONDS)).isEqualTo(branch);
            awaitState(xid, "ROLLED_BACK");
        }
    }

    private JsonNode branchOf(String xid) {
        return admin.get("/api/v1/transactions/" + xid).json().get("branches").get(0);
    }

    private static final String KEPT = "{\"table\":\"stock\",\"key\":\"1\",\"action\":\"keep\"}";

    private static String body(String report, String rows, String rest) {
        return "{\"reason\":\"ticket 9\",\"report\":\"" + report + "\",\"rows\":[" + rows + "],\"rest\":" + rest + "}";
    }

    private static UndoReport report(String id, String current) {
        return new UndoReport(
                id,
                List.of(
                        new UndoReport.Row(
                                "stock",
                                "2",
                                UndoReport.Cause.GONE,
                                null,
                                false,
                                true,
                                true,
                                false,
                                List.of(new UndoReport.Column("n", "5", "4", null)),
                                0),
                        new UndoReport.Row(
                                "stock",
                                "1",
                                UndoReport.Cause.CHANGED,
                                null,
                                true,
                                true,
                                true,
                                true,
                                List.of(
                                        new UndoReport.Column("n", "5", "4", current),
                                        new UndoReport.Column("note", null, null, "x")),
                                0)),
                0);
    }

    @Test
    void whoWaitsForARowIsListedWithItsHolder() {
        String resource = RESOURCE + "-waits";
        String path = "/api/v1/locks/waits?resource=" + resource;
        try (TcpApplication orders = new TcpApplication(tcpPort, "orders-waits", resource)) {
            String holder = orders.begin("purchase");
            orders.register(holder, resource, "stock:1");
            assertThat(admin.get(path).json().get("waits")).isEmpty();
            String first = orders.begin("first");
            String second = orders.begin("second");
            var one = orders.registerWaiting(first, resource, "stock:1", Duration.ofMinutes(1));
            Await.until(
                    "one waits",
                    Duration.ofSeconds(60),
                    () -> admin.get(path).json().get("waits").size() == 1);
            orders.registerWaiting(second, resource, "stock:1;stock:2", Duration.ofMinutes(1));
            Await.until(
                    "two wait",
                    Duration.ofSeconds(60),
                    () -> admin.get(path).json().get("waits").size() == 2);
            JsonNode wait =
                    admin.get(path + "&xid=" + first).json().get("waits").get(0);
            assertThat(wait.get("xid").asString()).isEqualTo(first);
            assertThat(wait.get("name").asString()).isEqualTo("first");
            assertThat(wait.get("application").asString()).isEqualTo("orders-waits");
            assertThat(wait.get("holder").asString()).isEqualTo(holder);
            assertThat(wait.get("row").asString()).isEqualTo("stock:1");
            assertThat(Instant.parse(wait.get("until").asString()))
                    .isAfter(Instant.parse(wait.get("since").asString()));
            JsonNode page = admin.get(path + "&limit=1").json();
            assertThat(page.get("waits")).hasSize(1);
            JsonNode rest = admin.get(path + "&limit=1&after="
                            + URLEncoder.encode(page.get("next").asString(), StandardCharsets.UTF_8))
                    .json();
            assertThat(rest.get("waits")).hasSize(1);
            assertThat(List.of(
                            page.get("waits").get(0).get("xid").asString(),
                            rest.get("waits").get(0).get("xid").asString()))
                    .containsExactlyInAnyOrder(first, second);
            assertProblem(admin.get(path + "&limit=0"), 400, "TXN-CRD006");
            assertProblem(stranger.get(path), 401, "TXN-ADM001");
            orders.commit(holder);
            assertThat(one.join().succeeded()).isTrue();
        }
        Await.until(
                "whose connection is gone waits no more",
                Duration.ofSeconds(60),
                () -> admin.get(path).json().get("waits").isEmpty());
    }

    @Test
    void anOperatorDecidesForAnInitiatorThatIsGoneOrEndsWhatCannotBeFinished() {
        String resource = RESOURCE + "-force";
        String admin409 = "TXN-ADM006";
        try (TcpApplication orders = new TcpApplication(tcpPort, "orders-force", resource)) {
            String xid = orders.begin("purchase");
            orders.register(xid, resource, "stock:1");
            String path = "/api/v1/transactions/" + xid + "/force";
            for (String body : List.of(
                    "{}",
                    "{\"reason\":\"x\"}",
                    "{\"status\":\"COMMITTED\"}",
                    "{\"status\":\"COMMITTING\",\"reason\":\"x\"}",
                    "{\"status\":\"COMMITTED\",\"reason\":\" \"}")) {
                assertProblem(admin.post(path, body), 400, "TXN-CRD006");
            }
            orders.failBranches(true);
            assertThat(admin.post(path, "{\"status\":\"ROLLED_BACK\",\"reason\":\"its host is gone\"}")
                            .body())
                    .isEqualTo("{\"accepted\":true}");
            awaitState(xid, "NEEDS_ATTENTION");
            assertThat(admin.get("/api/v1/transactions/" + xid)
                            .json()
                            .get("cause")
                            .asString())
                    .isEqualTo("forced by an operator: admin at 127.0.0.1: its host is gone");
            assertProblem(admin.post(path, "{\"status\":\"COMMITTED\",\"reason\":\"x\"}"), 409, admin409);
            assertThat(admin.post(path, "{\"status\":\"ROLLED_BACK\",\"reason\":\"stock\\ncounted\"}")
                            .body())
                    .isEqualTo("{\"accepted\":true}");
            JsonNode shown = admin.get("/api/v1/transactions/" + xid).json();
            assertThat(shown.get("state").asString()).isEqualTo("ROLLED_BACK");
            assertThat(shown.get("branches").get(0).get("cause").asString())
                    .isEqualTo("forced by an operator: admin at 127.0.0.1: stock counted");
            assertThat(locks("/api/v1/locks?resource=" + resource)).isEmpty();
            assertProblem(admin.post(path, "{\"status\":\"ROLLED_BACK\",\"reason\":\"x\"}"), 409, admin409);
            assertProblem(
                    admin.post(
                            "/api/v1/transactions/127.0.0.1:8091:1/force",
                            "{\"status\":\"COMMITTED\",\"reason\":\"x\"}"),
                    404,
                    "TXN-TX002");
        }
    }

    @Test
    void theFiguresAreMetersBehindTheToken() {
        for (String path : List.of("/actuator/metrics", "/actuator/metrics/txn.global", "/actuator/prometheus")) {
            assertProblem(stranger.get(path), 401, "TXN-ADM001");
        }
        try (TcpApplication orders = new TcpApplication(tcpPort, "orders-meters", RESOURCE + "-meters")) {
            double committed = meter("txn.global?tag=outcome:committed");
            double fsyncs = meter("txn.journal.fsync");
            String xid = orders.begin("purchase");
            orders.register(xid, RESOURCE + "-meters", "stock:1,2");
            assertThat(meter("txn.lock.held")).isGreaterThanOrEqualTo(2);
            orders.commit(xid);
            assertThat(meter("txn.global?tag=outcome:committed")).isEqualTo(committed + 1);
            assertThat(meter("txn.journal.fsync")).isGreaterThan(fsyncs);
            assertThat(meter("txn.coordinator.connections")).isGreaterThanOrEqualTo(1);
            awaitState(xid, "COMMITTED");
        }
        Http.Answer scraped = admin.get("/actuator/prometheus");
        assertThat(scraped.body())
                .contains("txn_global_total{outcome=\"timed_out\"}")
                .contains("txn_journal_fsync_seconds_count")
                .contains("txn_global_attention");
    }

    private static double meter(String name) {
        Http.Answer answer = admin.get("/actuator/metrics/" + name);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        return answer.json().get("measurements").get(0).get("value").asDouble();
    }

    private static void awaitState(String xid, String state) {
        Await.until(xid + " is " + state, Duration.ofSeconds(30), () -> admin.get("/api/v1/transactions/" + xid)
                .json()
                .get("state")
                .asString()
                .equals(state));
    }
}
