package io.txn.samples.e2e;

import io.txn.samples.demo.Program;
import io.txn.samples.demo.Rows;
import io.txn.samples.demo.ShopClient;
import io.txn.samples.demo.ShopDatabase;
import io.txn.samples.demo.ShopPlan;
import io.txn.test.Await;
import io.txn.test.JavaProcess;
import io.txn.test.Ports;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import tools.jackson.databind.JsonNode;

/**
 * The coordinator and the four services in processes of their own, on free ports, to be killed and paused by a test.
 */
final class Shop implements AutoCloseable {

    static final Duration MAX = Duration.ofSeconds(120);

    /** Of a start: five programs at a time need half a minute on two quiet cores. */
    private static final Duration START_WAIT = Duration.ofMinutes(5);

    private ShopPlan plan;
    private final ShopClient client;
    private final HttpClient http = HttpClient.newHttpClient();
    private final Map<Program, JavaProcess> processes = new EnumMap<>(Program.class);

    private Shop(ShopPlan plan) {
        this.plan = plan;
        this.client = new ShopClient(plan);
    }

    static Shop open(String name, ShopDatabase database) throws IOException {
        return open(name, database, Map.of());
    }

    /** Starts everything; returns when all are ready. */
    static Shop open(String name, ShopDatabase database, Map<Program, List<String>> further) throws IOException {
        Map<Program, Integer> ports = new EnumMap<>(Program.class);
        for (Program program : Program.values()) {
            ports.put(program, Ports.free());
        }
        Shop shop = new Shop(new ShopPlan(Path.of("../.."), data(name), ports, Ports.free(), database, further));
        try {
            shop.start(Program.COORDINATOR);
            for (Program program : Program.values()) {
                if (program.isService()) {
                    shop.launch(program);
                }
            }
            for (Program program : Program.values()) {
                shop.awaitReady(program);
            }
        } catch (Throwable e) {
            shop.close();
            throw e;
        }
        return shop;
    }

    /** A fresh directory for everything a shop of that name writes; kept after the test, for its logs. */
    static Path data(String name) throws IOException {
        Path parent = Files.createDirectories(Path.of("target/shops"));
        return Files.createTempDirectory(parent, name + "-");
    }

    ShopClient client() {
        return client;
    }

    ShopPlan plan() {
        return plan;
    }

    JavaProcess process(Program program) {
        return processes.get(program);
    }

    /** Side by side; returns when all are ready. */
    void start(Program... programs) throws IOException {
        for (Program program : programs) {
            launch(program);
        }
        for (Program program : programs) {
            awaitReady(program);
        }
    }

    private void launch(Program program) throws IOException {
        Files.createDirectories(plan.data());
        Path jar = plan.jar(program);
        JavaProcess.Builder builder = program.isService() ? JavaProcess.unpacked(jar) : JavaProcess.coordinator(jar);
        builder.args(plan.arguments(program).toArray(String[]::new)).directory(plan.data());
        plan.environment(program).forEach(builder::env);
        processes.put(program, builder.start(plan.log(program)));
    }

    private void awaitReady(Program program) {
        JavaProcess process = process(program);
        Await.until("the " + program.title() + " is ready", START_WAIT, () -> {
            if (!process.isAlive()) {
                throw new AssertionError("the " + program.title() + " ended with exit code " + process.exitCode()
                        + "; see " + process.log());
            }
            return client.isReady(program);
        });
    }

    void kill9(Program program) {
        process(program).kill9();
    }

    /** Starts the coordinator, which was killed, again on its data, for its services behind another port. */
    void startCoordinatorElsewhere() throws IOException {
        plan = plan.withTcpPort(Ports.free());
        start(Program.COORDINATOR);
    }

    /** Starts every program that has been killed and resumes none: what a test paused it has to resume. Returns when all services are connected to the coordinator. */
    void restartWhatIsDown() throws IOException {
        start(Arrays.stream(Program.values())
                .filter(program -> !process(program).isAlive())
                .toArray(Program[]::new));
        for (Program program : Program.values()) {
            if (program.isService()) {
                awaitConnected(program);
            }
        }
    }

    private void awaitConnected(Program program) {
        HttpRequest health = HttpRequest.newBuilder(plan.url(program).resolve("/actuator/health"))
                .timeout(Duration.ofSeconds(10))
                .build();
        Await.until(
                "the " + program.title() + " is connected to the coordinator",
                MAX,
                () -> http.send(health, HttpResponse.BodyHandlers.discarding()).statusCode() == 200);
    }

    /** A purchase on its way. */
    CompletableFuture<ShopClient.Answer> buyAsync(String customer, int quantity) {
        return CompletableFuture.supplyAsync(() -> buy(customer, quantity));
    }

    ShopClient.Answer buy(String customer, int quantity) {
        try {
            return client.buy(client.purchase(customer, "keyboard", quantity));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The one transaction that is in the list of the coordinator now and was not then; null while there is none. */
    String newXid(List<String> then) throws IOException {
        return xids().stream().filter(xid -> !then.contains(xid)).findFirst().orElse(null);
    }

    List<String> xids() throws IOException {
        return client.transactions().stream()
                .map(transaction -> transaction.get("xid").asString())
                .toList();
    }

    String state(String xid) throws IOException {
        return client.transaction(xid).get("state").asString();
    }

    /** Waits until the transaction has that state, no service has an undo record and no lock is held. */
    JsonNode awaitSettled(String xid, String state) throws IOException {
        Await.untilPasses("transaction " + xid + " is " + state + " and cleared up", MAX, () -> {
            if (!state(xid).equals(state)) {
                throw new AssertionError("the transaction is " + client.transaction(xid));
            }
            Rows rows = client.rows();
            if (rows.undoRecords() != 0) {
                throw new AssertionError("undo records are left: " + rows);
            }
            if (!client.locks().isEmpty()) {
                throw new AssertionError("locks are left: " + client.locks());
            }
        });
        return client.transaction(xid);
    }

    @Override
    public void close() {
        processes.values().forEach(JavaProcess::close);
    }
}
