package io.txn.coordinator.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.txn.coordinator.Coordinator;
import io.txn.protocol.saga.Policy;
import io.txn.protocol.saga.Recovery;
import io.txn.protocol.saga.SagaHead;
import io.txn.protocol.saga.SagaPlan;
import io.txn.protocol.saga.Step;
import io.txn.protocol.saga.Work;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;

/** Steps that are under way at somebody who has no client of ours: a provider that takes orders over HTTP, and says later over HTTP what came of them. */
@Timeout(120)
class SagaStepsApiIT {

    private static final Policy PATIENT = new Policy(0, 20_000, 100, 1, 100, 0);

    @TempDir
    static Path dataDir;

    private static HttpServer provider;
    private static ConfigurableApplicationContext context;
    private static TcpApplication shop;
    private static Http admin;
    private static Http stranger;
    private static int httpPort;

    /** What the provider was asked, as it came. */
    private static final BlockingQueue<Asked> asked = new LinkedBlockingQueue<>();

    private record Asked(String path, String correlationId, String key, String body) {}

    @BeforeAll
    static void boot() throws Exception {
        provider = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        provider.createContext("/", SagaStepsApiIT::answer);
        provider.start();
        context = CoordinatorApplication.application()
                .run(
                        "--server.port=0",
                        "--txn.coordinator.tcp.port=0",
                        "--txn.coordinator.data-dir=" + dataDir,
                        "--txn.coordinator.saga.http.targets=" + url(""));
        int port = ((WebServerApplicationContext) context).getWebServer().getPort();
        shop = new TcpApplication(context.getBean(Coordinator.class).tcpPort(), "shop", "saga/shop/none");
        admin = new Http(port, Files.readString(dataDir.resolve("admin-token")).strip());
        stranger = new Http(port, null);
        httpPort = port;
    }

    @AfterAll
    static void stop() {
        shop.close();
        context.close();
        provider.stop(0);
    }

    @AfterEach
    void nothingElseWasAsked() {
        List<Asked> left = new ArrayList<>();
        asked.drainTo(left);
        assertThat(left).isEmpty();
    }

    /** A payment is under way until somebody says what came of it; everything else is done at once. */
    private static void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            asked.add(new Asked(
                    path,
                    exchange.getRequestHeaders().getFirst("Txn-Correlation-Id"),
                    exchange.getRequestHeaders().getFirst("Txn-Step-Key"),
                    new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)));
            if (path.equals("/pay")) {
                exchange.getResponseHeaders().set("Txn-Ongoing", "0");
            }
            exchange.sendResponseHeaders(path.equals("/pay") ? 202 : 200, -1);
        }
    }

    private static String url(String path) {
        return "http://127.0.0.1:" + provider.getAddress().getPort() + path;
    }

    private static Step step(String name, String undo, List<String> results, String... after) {
        return new Step(
                name,
                new Work.Http("POST", url("/" + name)),
                List.of(after),
                undo == null ? null : new Work.Http("POST", url("/" + undo)),
                PATIENT,
                PATIENT,
                Recovery.COMPENSATE,
                null,
                results,
                null);
    }

    /** Starts an order and returns the correlation id of its payment, which is under way by then. */
    private static Asked order() throws InterruptedException {
        shop.startSaga(
                new SagaPlan(
                        "order",
                        1,
                        List.of(step("pay", "refund", List.of()), step("receipt", null, List.of("pay"), "pay")),
                        "pay"),
                "7");
        Asked pay = next();
        assertThat(pay.path).isEqualTo("/pay");
        return pay;
    }

    private static Asked next() throws InterruptedException {
        Asked next = asked.poll(60, TimeUnit.SECONDS);
        assertThat(next).as("the provider is asked").isNotNull();
        return next;
    }

    private static String xid(Asked step) {
        return step.correlationId.substring(0, step.correlationId.lastIndexOf('/'));
    }

    private static Http.Answer end(Asked step, String how, String body) {
        return admin.post("/api/v1/saga-steps/" + step.correlationId + "/" + how, body);
    }

    private static void assertAccepted(Http.Answer answer) {
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertThat(answer.json().get("accepted").asBoolean()).isTrue();
    }

    private static void assertRefused(Http.Answer answer, int status, String code) {
        assertThat(answer.status()).as(answer.body()).isEqualTo(status);
        assertThat(answer.code()).isEqualTo(code);
        assertThat(answer.json().get("fix").asString()).isNotBlank();
    }

    @Test
    void whoeverKnowsTheCorrelationIdCompletesAStepAndTheFirstAnswerCounts() throws Exception {
        Asked pay = order();
        assertAccepted(end(pay, "complete", " {\"paid\": 30.00, \"by\": 12345678901234567890.5} "));
        assertAccepted(end(pay, "complete", "{\"paid\":0}"));
        assertAccepted(end(pay, "fail", "{\"cause\":\"too late\"}"));

        Asked receipt = next();
        assertThat(receipt.path).isEqualTo("/receipt");
        assertThat(receipt.body)
                .isEqualTo("{\"input\":7,\"results\":{\"pay\":{\"paid\": 30.00, \"by\": 12345678901234567890.5}}}");
        SagaHead.Progress progress = shop.awaitSaga(xid(pay));
        assertThat(progress.state()).isEqualTo(SagaHead.State.DONE);
        assertThat(progress.result()).isEqualTo("{\"paid\": 30.00, \"by\": 12345678901234567890.5}");
        assertAccepted(end(pay, "complete", "{\"paid\":0}"));
        assertThat(shop.awaitSaga(xid(pay))).isEqualTo(progress);
    }

    @Test
    void aStepThatFailsLaterIsCompensatedAsOneThatWasDone() throws Exception {
        Asked pay = order();
        assertAccepted(end(pay, "fail", "{\"cause\":\"the card has expired\"}"));
        assertThat(next().path).isEqualTo("/refund");
        SagaHead.Progress progress = shop.awaitSaga(xid(pay));
        assertThat(progress.state()).isEqualTo(SagaHead.State.COMPENSATED);
        assertThat(progress.failure()).contains("pay: ", "the card has expired");
        assertAccepted(end(pay, "fail", "{\"cause\":\"the card has expired\"}"));
    }

    /** So a provider needs no secret of an operator's. */
    @Test
    void whoeverWasCalledForAStepMayEndItWithTheKeyItWasGivenAndNothingElse() throws Exception {
        Asked pay = order();
        Asked other = order();
        Http provided = new Http(httpPort, pay.key);
        String complete = "/api/v1/saga-steps/" + pay.correlationId + "/complete";
        assertRefused(new Http(httpPort, other.key).post(complete, "1"), 401, "TXN-ADM001");
        assertRefused(new Http(httpPort, pay.key + "x").post(complete, "1"), 401, "TXN-ADM001");
        assertRefused(
                provided.post(
                        "/api/v1/transactions/" + xid(pay) + "/force", "{\"status\":\"COMMITTED\",\"reason\":\"x\"}"),
                401,
                "TXN-ADM001");
        assertRefused(provided.get("/api/v1/transactions/" + xid(pay)), 401, "TXN-ADM001");
        assertRefused(provided.post("/api/v1/saga-steps/nonsense/1/complete", "1"), 401, "TXN-ADM001");

        assertAccepted(provided.post(complete, "1"));
        assertThat(next().body).contains("{\"pay\":1}");
        assertThat(shop.awaitSaga(xid(pay)).state()).isEqualTo(SagaHead.State.DONE);
        assertAccepted(new Http(httpPort, other.key)
                .post("/api/v1/saga-steps/" + other.correlationId + "/fail", "{\"cause\":\"no\"}"));
        assertThat(next().path).isEqualTo("/refund");
        assertThat(shop.awaitSaga(xid(other)).state()).isEqualTo(SagaHead.State.COMPENSATED);
    }

    @Test
    void aResultMayBeAbsent() throws Exception {
        Asked pay = order();
        assertAccepted(end(pay, "complete", ""));
        assertThat(next().body).isEqualTo("{\"input\":7,\"results\":{}}");
        assertThat(shop.awaitSaga(xid(pay)).state()).isEqualTo(SagaHead.State.DONE);
    }

    @Test
    void whatCannotBeTakenIsRefusedWithACodeAndTheStepStaysUnderWay() throws Exception {
        Asked pay = order();
        String path = "/api/v1/saga-steps/" + pay.correlationId + "/complete";
        assertRefused(stranger.post(path, "1"), 401, "TXN-ADM001");
        assertRefused(stranger.post(path.replace("complete", "fail"), "{\"cause\":\"x\"}"), 401, "TXN-ADM001");
        assertRefused(admin.get(path), 405, "TXN-ADM003");
        assertRefused(
                admin.send(admin.request(path)
                        .header("Content-Type", "text/plain")
                        .POST(HttpRequest.BodyPublishers.ofString("1"))),
                415,
                "TXN-ADM004");
        assertRefused(admin.post(path + "?force=true", "1"), 400, "TXN-CRD006");
        assertRefused(admin.post(path, "{\"paid\":"), 400, "TXN-CRD006");
        assertRefused(admin.post(path, "{\"paid\":1,\"p\\u0061id\":2}"), 400, "TXN-CRD006");
        assertRefused(admin.post(path, "[".repeat(64) + "]".repeat(64)), 400, "TXN-CRD006");
        assertRefused(admin.post(path, "{\"paid\":1e99999}"), 400, "TXN-CRD006");
        assertRefused(admin.post(path, "1".repeat(101)), 400, "TXN-CRD006");
        assertRefused(admin.post(path, "\"" + "x".repeat(SagaPlan.LONGEST_RESULT) + "\""), 400, "TXN-CRD006");
        assertRefused(end(pay, "fail", "{\"cause\":\" \"}"), 400, "TXN-CRD006");
        assertRefused(end(pay, "fail", "{\"reason\":\"x\"}"), 400, "TXN-CRD006");
        String begun = shop.begin("no saga");
        for (String none : List.of(
                "nonsense/1",
                xid(pay) + "/nonsense",
                xid(pay) + "/1",
                xid(pay).replaceAll("[0-9]+$", "1") + "/2",
                begun + "/1")) {
            assertRefused(admin.post("/api/v1/saga-steps/" + none + "/complete", "1"), 404, "TXN-SGA013");
        }
        shop.rollback(begun);

        assertAccepted(end(pay, "complete", "1"));
        assertThat(next().body).contains("{\"pay\":1}");
        assertThat(shop.awaitSaga(xid(pay)).state()).isEqualTo(SagaHead.State.DONE);
    }
}
