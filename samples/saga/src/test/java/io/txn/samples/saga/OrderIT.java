package io.txn.samples.saga;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.saga.SagaDefinition;
import io.txn.test.Await;
import io.txn.test.GeneratedDoc;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** The sample as a user runs it, over HTTP, with the coordinator in the same process. */
class OrderIT {

    private static final Duration LONG = Duration.ofSeconds(60);

    @Test
    void anOrderIsDoneOrUndone() throws Exception {
        try (ConfigurableApplicationContext application =
                new SpringApplicationBuilder(SagaApplication.class).run("--server.port=0")) {
            String base = "http://127.0.0.1:" + application.getEnvironment().getRequiredProperty("local.server.port");

            String done = post(base + "/orders", order(2, 30, true)).body();
            Await.until(
                    "it is to be packed", LONG, () -> !get(base + "/packing").equals("[]"));
            assertThat(get(base + "/orders?xid=" + encoded(done))).contains("RUNNING");
            String correlation = get(base + "/packing").replaceAll("[\\[\\]\"]", "");
            HttpResponse<String> packed = post(base + "/packed?id=" + encoded(correlation) + "&parcel=P-1", "");
            assertThat(packed.statusCode()).as(packed.body()).isEqualTo(200);
            assertThat(get(base + "/orders?seconds=60&xid=" + encoded(done)))
                    .contains("DONE", "\"parcel\":\"P-1\",\"paid\":30");
            assertThat(get(base + "/standing")).contains("8", "70", "1");
            assertThat(get(base + "/ended?xid=" + encoded(done))).isEqualTo("{\"done\":true}");

            String poor = post(base + "/orders", order(3, 500, false)).body();
            assertThat(get(base + "/orders?seconds=60&xid=" + encoded(poor)))
                    .contains("COMPENSATED", "alice has not enough money");
            assertThat(get(base + "/standing")).contains("8", "70", "1");
            assertThat(get(base + "/ended?xid=" + encoded(poor))).isEqualTo("{\"done\":false}");

            String soldOut = post(base + "/orders", order(1000, 1, false)).body();
            assertThat(get(base + "/orders?seconds=60&xid=" + encoded(soldOut)))
                    .contains("COMPENSATED", "there is no more book");
            assertThat(get(base + "/packing")).isEqualTo("[]");
        }
    }

    @Test
    void theDiagramOfTheOrderStandsInTheDocumentation() {
        OrderSaga saga = new OrderSaga();
        SagaDefinition<Order, Receipt> orders = saga.orders(saga.billing());
        GeneratedDoc.of("saga.md").checkSection("diagram", "```mermaid\n" + orders.toMermaid() + "```\n");
    }

    private static String order(int count, int amount, boolean express) {
        return "{\"item\":\"book\",\"count\":" + count + ",\"payment\":{\"customer\":\"alice\",\"amount\":" + amount
                + "},\"express\":" + express + "}";
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private static String get(String uri) {
        try {
            return send(HttpRequest.newBuilder(URI.create(uri)).build()).body();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static HttpResponse<String> post(String uri, String json) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(URI.create(uri))
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(json))
                .build());
    }

    private static HttpResponse<String> send(HttpRequest request) throws IOException, InterruptedException {
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    }
}
