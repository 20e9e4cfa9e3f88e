package io.txn.samples.demo;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** Talks to the services and to the coordinator's admin API over HTTP. Thread-safe. */
public final class ShopClient {

    private static final Duration MAX = Duration.ofSeconds(60);

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();
    private final ObjectMapper json = new ObjectMapper();
    private final ShopPlan plan;

    public ShopClient(ShopPlan plan) {
        this.plan = plan;
    }

    /** An answer: its status and its body as it came. */
    public record Answer(int status, String body) {}

    /** Whether the program answers that it is ready. */
    public boolean isReady(Program program) throws IOException {
        return send(HttpRequest.newBuilder(plan.readiness(program))).status() == 200;
    }

    /** The request of a purchase. */
    public String purchase(String customer, String product, int quantity) {
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("customer", customer);
        request.put("product", product);
        request.put("quantity", quantity);
        return json.writeValueAsString(request);
    }

    public Answer buy(String purchase) throws IOException {
        return send(HttpRequest.newBuilder(purchases())
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(purchase)));
    }

    /** The same with a key, by which a repeated request is known. */
    public Answer buyOnce(String purchase, String key) throws IOException {
        return send(HttpRequest.newBuilder(purchases())
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", key)
                .POST(HttpRequest.BodyPublishers.ofString(purchase)));
    }

    /** Where purchases are sent to. */
    public URI purchases() {
        return plan.url(Program.BUSINESS).resolve("/purchases");
    }

    /** What is in the tables of all four services. */
    public Rows rows() throws IOException {
        Map<Program, Map<String, List<String>>> services = new LinkedHashMap<>();
        for (Program program : Program.values()) {
            if (program.isService()) {
                services.put(program, rows(program));
            }
        }
        return new Rows(services);
    }

    /** What is in the tables of one service: table → rows, each as "column=value column=value". */
    public Map<String, List<String>> rows(Program service) throws IOException {
        JsonNode tables = get(plan.url(service).resolve("/actuator/tables"), null);
        Map<String, List<String>> rows = new LinkedHashMap<>();
        tables.propertyStream()
                .forEach(table -> rows.put(
                        table.getKey(),
                        table.getValue().valueStream().map(ShopClient::row).toList()));
        return rows;
    }

    private static String row(JsonNode row) {
        return String.join(
                " ",
                row.propertyStream()
                        .map(column -> column.getKey() + "=" + column.getValue().asString())
                        .toList());
    }

    /** The global transactions the coordinator knows of, each as the admin API shows it. */
    public List<JsonNode> transactions() throws IOException {
        return admin("/api/v1/transactions?limit=100")
                .get("transactions")
                .valueStream()
                .toList();
    }

    /** One global transaction with its branches. */
    public JsonNode transaction(String xid) throws IOException {
        return admin("/api/v1/transactions/" + xid);
    }

    /** The global locks held now. */
    public List<JsonNode> locks() throws IOException {
        return admin("/api/v1/locks?limit=100").get("locks").valueStream().toList();
    }

    /** What the admin API answers to an operator's action. */
    public Answer operate(String path, String body) throws IOException {
        return send(HttpRequest.newBuilder(plan.url(Program.COORDINATOR).resolve(path))
                .header("Authorization", "Bearer " + token())
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    private JsonNode admin(String path) throws IOException {
        return get(plan.url(Program.COORDINATOR).resolve(path), token());
    }

    private String token() throws IOException {
        return Files.readString(plan.adminToken()).trim();
    }

    private JsonNode get(URI uri, @Nullable String token) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri);
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        Answer answer = send(request);
        if (answer.status() != 200) {
            throw new IOException(uri + " answered " + answer.status() + ": " + answer.body());
        }
        return json.readTree(answer.body());
    }

    private Answer send(HttpRequest.Builder request) throws IOException {
        try {
            HttpResponse<String> answer = http.send(request.timeout(MAX).build(), HttpResponse.BodyHandlers.ofString());
            return new Answer(answer.statusCode(), answer.body());
        } catch (IOException e) {
            throw new IOException("no answer from " + request.build().uri() + ": " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
