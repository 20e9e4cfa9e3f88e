package io.txn.coordinator;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** HTTP endpoints that are steps of sagas: one server, whose answers a function gives. */
final class SagaTargets implements AutoCloseable {

    /** A request as it came. */
    record Call(String method, String path, String call, String key, String branch, String xid, String body) {
        String line() {
            return call + " " + path;
        }
    }

    /** An answer; {@code ongoing} null: without that header. */
    record Answer(int status, String body, String ongoing) {
        static Answer of(int status, String body) {
            return new Answer(status, body, null);
        }
    }

    interface Endpoint {
        Answer called(Call call);
    }

    private final HttpServer server;
    private final ExecutorService executor = Executors.newCachedThreadPool();
    private final List<Call> calls = new CopyOnWriteArrayList<>();

    SagaTargets(Endpoint endpoint) throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
        server.setExecutor(executor);
        server.createContext("/", exchange -> answer(exchange, endpoint));
        server.start();
    }

    private void answer(HttpExchange exchange, Endpoint endpoint) throws IOException {
        try (exchange) {
            Call call = new Call(
                    exchange.getRequestMethod(),
                    exchange.getRequestURI().toString(),
                    exchange.getRequestHeaders().getFirst("Txn-Call"),
                    exchange.getRequestHeaders().getFirst("Idempotency-Key"),
                    exchange.getRequestHeaders().getFirst("Txn-Branch-Id"),
                    exchange.getRequestHeaders().getFirst("Txn-Xid"),
                    new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            calls.add(call);
            Answer answer = endpoint.called(call);
            if (answer.ongoing != null) {
                exchange.getResponseHeaders().set("Txn-Ongoing", answer.ongoing);
            }
            byte[] body = answer.body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(answer.status, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        }
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    List<Call> calls() {
        return List.copyOf(calls);
    }

    List<String> lines() {
        return calls.stream().map(Call::line).toList();
    }

    @Override
    public void close() {
        server.stop(0);
        executor.shutdownNow();
    }
}
